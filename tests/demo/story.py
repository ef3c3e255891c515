"""The demo's table: merchants, stores, sixty orders with their parcels, and what each store has to show in the end.

What a store has to show is written down here by hand, case by case, from the client's text; nothing is asked of the
code that is being shown. The parcels' numbers come from madeup.py, the files from warehouse.py.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    timing: str
    number_source: str
    promise: str
    first_number: int
    time_zone: str
    is_verified: bool  # its merchant's address: until then no customer is written to
    goods: tuple[Goods, ...] = field(repr=False)
    cases: tuple[Case, ...] = field(repr=False)

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

AFTER_DEFAULT = (
    Case(
        "CJPacket Ordinary",
        "own local",
        ("", "own"),
        tell="Our own number, as its method says, though both are known.",
    ),
    Case("YunExpress", "local", ("", "local"), tell="Any other method goes by the carrier's number."),
    Case(
        "CJPacket Sensitive",
        "own local",
        ("", "own"),
        tell="One of two parcels leaves: the order is fulfilled in part.",
    ),
    Case("YunExpress", "local", ("", ""), leaves=0, same_order=True),
    Case(
        "4PX",
        "local",
        ("", ""),
        is_paid=False,
        tell="It leaves, but is not paid for: nothing reaches the store.",
    ),
    Case(
        "Yanwen",
        "local",
        ("", "local"),
        on_hold=True,
        tell="On hold in the store: its number waits for the release.",
    ),
    Case(
        "4PX",
        "local",
        ("local", "new"),
        leaves=1,
        brings="new",
        tell="Its number is replaced: in the same fulfillment, no second one.",
    ),
    Case(
        "CJPacket Ordinary Oversize Line",
        "own local",
        ("", "local"),
        tell="Names are matched exactly: this line goes by the carrier's.",
    ),
    *(Case("YunExpress", "local", ("", ""), leaves=0),) * 2,
    Case(
        "YunExpress",
        "local",
        ("", ""),
        is_cancelled=True,
        tell="Cancelled by the shopper: nothing reaches the store.",
    ),
    Case("USPS", "", ("", ""), leaves=2, tell="It leaves without a number: nothing is sent in its place."),
    *(Case("YunExpress", "local", ("local", "local"), leaves=1),) * 3,
    *(Case("CJPacket Ordinary", "own", ("own", "own"), leaves=1),) * 2,
    *(
        Case("CJPacket Ordinary", "own", ("", "own")),
        Case("4PX", "local", ("", "local")),
        Case("CJPacket Sensitive", "own", ("", "own")),
        Case("Yanwen", "local", ("", "local")),
    )
    * 2,
)

BEFORE_LOCAL = (
    Case(
        "CJPacket Ordinary",
        "own",
        ("", "local"),
        leaves=0,
        brings="local",
        tell="The carrier's number comes late; ours was not sent instead.",
    ),
    Case("YunExpress", "local", ("local", "local"), leaves=0, tell="Shown before the parcel leaves."),
    Case("CJPacket Sensitive", "own local", ("local", "local"), tell="The carrier's number, whatever the method."),
    Case("Yanwen", "local", ("", ""), leaves=0, is_paid=False, tell="Not paid for: not even before dispatch."),
    Case("4PX", "local", ("local", "new"), brings="new"),
    *(
        Case("YunExpress", "local", ("local", "local")),
        Case("CJPacket Ordinary", "own local", ("local", "local")),
        Case("4PX", "local", ("local", "local"), leaves=0),
    )
    * 4,
    Case("Yanwen", "local", ("local", "local")),
)

BEFORE_DEFAULT = (
    Case("CJPacket Sensitive", "own", ("own", "own"), tell="Our own number, before the parcel leaves."),
    Case("USPS", "local", ("local", "local")),
    Case(
        "CJPacket Ordinary",
        "own local",
        ("own", "own"),
        tell="Two parcels, one number of ours and one of the carrier's.",
    ),
    Case("YunExpress", "local", ("local", "local"), same_order=True),
    Case("YunExpress", "", ("", "local"), brings="local", tell="Its number is not known before the second file."),
    Case(
        "CJPacket Ordinary",
        "own",
        ("", ""),
        is_old=True,
        tell="Ordered before the store's start: left alone.",
    ),
    *(
        Case("CJPacket Ordinary", "own", ("own", "own")),
        Case("YunExpress", "local", ("local", "local")),
        Case("USPS", "local", ("local", "local"), leaves=0),
    )
    * 4,
    Case("4PX", "local", ("local", "local")),
)

SHOPS = (
    Shop(
        key="linden-home",
        name="Linden Home",
        owner="mira@linden.example",
        timing="after_dispatch",
        number_source="default",
        promise="after dispatch, the usual number",
        first_number=1001,
        time_zone="Europe/London",
        is_verified=True,
        goods=(
            Goods("LH-BLANKET", "Linen blanket", 79.0),
            Goods("LH-CANDLE", "Beeswax candle", 14.5),
            Goods("LH-TRAY", "Oak tray", 39.0),
            Goods("LH-MUG", "Stoneware mug", 18.0),
            Goods("LH-APRON", "Apron", 29.0),
        ),
        cases=AFTER_DEFAULT,
    ),
    Shop(
        key="linden-kids",
        name="Linden Kids",
        owner="mira@linden.example",
        timing="before_dispatch",
        number_source="local",
        promise="before dispatch, the carrier's number",
        first_number=2001,
        time_zone="Europe/London",
        is_verified=True,
        goods=(
            Goods("LK-OWL", "Wooden owl", 22.0),
            Goods("LK-KITE", "Kite", 31.0),
            Goods("LK-BLOCKS", "Building blocks", 44.0),
            Goods("LK-BOOK", "Cloth book", 16.0),
        ),
        cases=BEFORE_LOCAL,
    ),
    Shop(
        key="northbound",
        name="Northbound",
        owner="tor@northbound.example",
        timing="before_dispatch",
        number_source="default",
        promise="before dispatch, the usual number",
        first_number=3001,
        time_zone="America/Denver",
        is_verified=False,
        goods=(
            Goods("NB-STOVE", "Camping stove", 64.0),
            Goods("NB-LAMP", "Head lamp", 35.0),
            Goods("NB-ROPE", "Rope, 20 m", 28.0),
            Goods("NB-CUP", "Folding cup", 12.0),
        ),
        cases=BEFORE_DEFAULT,
    ),
)


def parcels() -> Iterator[Parcel]:
    """Every parcel of every order."""
    for shop in SHOPS:
        for order in shop.orders:
            yield from order.parcels
