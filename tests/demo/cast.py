"""The people and things of the demo's story: goods, parcels, orders, stores, and who their carriers are.

Only what they are made of; who is in the story, and what each store has to show in the end, is in story.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from . import madeup


@dataclass(frozen=True)
class Goods:
    """Something that a store sells."""

    sku: str
    title: str
    price: float


@dataclass(frozen=True)
class Case:
    """One parcel, and what its store has to show of it after each of the two files.

    `numbers`: the kinds that the first file brings; `brings`: what the second one does, "local" (late) or "new" (in
    place of the first local one). `leaves`: the file that says that the parcel has left, 0 for neither. `shows`: the
    kind of number in the store after each file, "" for none.
    """

    method: str
    numbers: str
    shows: tuple[str, str]
    leaves: int = 2
    brings: str = ""
    is_paid: bool = True
    same_order: bool = False  # another parcel of the order before
    on_hold: bool = False  # in the store; it is released after the second file
    is_cancelled: bool = False  # in the store, before the second file
    is_old: bool = False  # ordered before the store was connected
    tell: str = ""  # at most 63 characters: a line of the screen

    @property
    def is_told_with(self) -> int:
        """The file that shows what is special about it."""
        return 1 if self.is_old or (self.shows[0] == self.shows[1] and (self.shows[0] or not self.leaves)) else 2


@dataclass(frozen=True)
class Parcel:
    """A case that has become a parcel of an order."""

    case: Case
    shop: str
    order: str
    parcel: int
    goods: tuple[tuple[Goods, int], ...]
    names_contents: bool

    @property
    def carrier(self) -> str:
        """Whose the local number is: a code of the catalogue."""
        return CARRIERS[self.case.method]

    def value(self, kind: str) -> str:
        """Its number of that kind: "own", "local", "new" or "" for none."""
        if not kind:
            return ""
        return madeup.number(madeup.OWN if kind == "own" else self.carrier, f"{self.order} {self.parcel} {kind}")

    def shown_after(self, file: int) -> tuple[str, str] | None:
        """(number, carrier) that the store has to show when that file has come to rest, None for nothing."""
        kind = self.case.shows[file - 1]
        carrier = madeup.OWN if kind == "own" else self.carrier
        return (self.value(kind), NAMES[carrier]) if kind else None


@dataclass(frozen=True)
class Order:
    """An order as a shopper leaves it in the pretend store."""

    number: str
    customer: str
    email: str
    country: str
    parcels: tuple[Parcel, ...]

    @property
    def case(self) -> Case:
        """Of its first parcel: what is so of the order as a whole."""
        return self.parcels[0].case


@dataclass(frozen=True)
class Shop:
    """A pretend store, and what its merchant chose."""

    key: str
    name: str
    owner: str
    platform: str
    timing: str
    number_source: str
    promise: str
    first_number: int
    time_zone: str
    is_verified: bool  # its merchant's address: until then no customer is written to
    goods: tuple[Goods, ...] = field(repr=False)
    cases: tuple[Case, ...] = field(repr=False)

    @property
    def mails_itself(self) -> bool:
        """Whether the platform writes to the shoppers, whatever it is asked: then TrackSync does not."""
        return self.platform == "woocommerce"

    @property
    def is_written_for(self) -> bool:
        """Whether TrackSync writes to its customers in the course of the story."""
        return self.is_verified and not self.mails_itself

    @cached_property
    def orders(self) -> tuple[Order, ...]:
        """Its orders, the first one first."""
        groups: list[list[Case]] = []
        for case in self.cases:
            if case.same_order:
                groups[-1].append(case)
            else:
                groups.append([case])
        return tuple(self._order(place, group) for place, group in enumerate(groups))

    def _order(self, place: int, cases: list[Case]) -> Order:
        number = str(self.first_number + place)
        parcels = tuple(
            Parcel(
                case=case,
                shop=self.key,
                order=number,
                parcel=position + 1,
                goods=self._contents(place, position),
                # A parcel whose contents nobody tells is all of its order.
                names_contents=len(cases) > 1 or place % 3 == 0,
            )
            for position, case in enumerate(cases)
        )
        customer, email, country = CUSTOMERS[(place + self.first_number) % len(CUSTOMERS)]
        return Order(number, customer, email, country, parcels)

    def _contents(self, place: int, position: int) -> tuple[tuple[Goods, int], ...]:
        """One thing, in every second order two, and of every fourth order two pieces."""
        first = (place + 2 * position) % len(self.goods)
        second = (first + 1) % len(self.goods)
        main = (self.goods[first], 2 if place % 4 == 3 else 1)
        return (main, (self.goods[second], 1)) if place % 2 else (main,)


# What each carrier is called in a store.
NAMES = {
    "cj-packet": "CJ Packet",
    "yanwen": "Yanwen",
    "yunexpress": "YunExpress",
    "4px": "4PX",
    "usps": "USPS",
}

# The carrier behind the local number of each method.
CARRIERS = {
    "CJPacket Ordinary": "yanwen",
    "CJPacket Sensitive": "yanwen",
    "CJPacket Ordinary Oversize Line": "usps",
    "YunExpress": "yunexpress",
    "4PX": "4px",
    "Yanwen": "yanwen",
    "USPS": "usps",
}

CUSTOMERS = (
    ("Ada Whitlock", "ada@whitlock.example", "GB"),
    ("Bruno Keller", "bruno.keller@post.example", "DE"),
    ("Chloé Martin", "chloe@martin.example", "FR"),
    ("Dana Okafor", "dana.okafor@mail.example", "US"),
    ("Emil Sørensen", "emil@sorensen.example", "DK"),
    ("Faith Nguyen", "faith.nguyen@mail.example", "US"),
    ("Gus Moreau", "gus.moreau@post.example", "CA"),
)
