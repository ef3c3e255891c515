"""The demo's table: merchants, stores, their orders with their parcels, and what each store has to show in the end.

What a store has to show is written down here by hand, case by case, from the client's text; nothing is asked of the
code that is being shown. The parcels' numbers come from madeup.py, the files from warehouse.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from .cast import Case, Goods, Parcel, Shop

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

AFTER_LOCAL = (
    Case("YunExpress", "local", ("", "local"), tell="It leaves: the number goes there, then it is completed."),
    Case(
        "4PX",
        "local",
        ("local", "local"),
        leaves=1,
        tell="One of two parcels leaves: the order is shipped in part.",
    ),
    Case(
        "USPS",
        "local",
        ("", "local"),
        same_order=True,
        tell="The other leaves, with another carrier: now it is completed.",
    ),
    Case(
        "CJPacket Ordinary",
        "own local",
        ("", "local"),
        tell="The carrier's number: this store never takes ours.",
    ),
    Case(
        "YunExpress",
        "local",
        ("local", "new"),
        leaves=1,
        brings="new",
        tell="Its number is replaced: the new one stands there alone.",
    ),
    Case(
        "4PX",
        "local",
        ("", ""),
        is_cancelled=True,
        tell="Cancelled in the shop: it leaves, and no number goes there.",
    ),
    Case("USPS", "local", ("", ""), leaves=0, tell="Still with us: the order stays as it is."),
)

SHOPS = (
    Shop(
        key="linden-home",
        name="Linden Home",
        owner="mira@linden.example",
        platform="shopify",
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
        platform="shopify",
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
        platform="shopify",
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
    Shop(
        key="linden-garden",
        name="Linden Garden",
        owner="mira@linden.example",
        platform="woocommerce",
        timing="after_dispatch",
        number_source="local",
        promise="after dispatch, the carrier's number",
        first_number=4001,
        time_zone="Europe/Berlin",
        is_verified=True,
        goods=(
            Goods("LG-TROWEL", "Hand trowel", 17.0),
            Goods("LG-TWINE", "Jute twine", 6.5),
            Goods("LG-GLOVES", "Garden gloves", 21.0),
            Goods("LG-CAN", "Watering can", 48.0),
        ),
        cases=AFTER_LOCAL,
    ),
)


def parcels() -> Iterator[Parcel]:
    """Every parcel of every order."""
    for shop in SHOPS:
        for order in shop.orders:
            yield from order.parcels
