"""The catalogue to begin with: carriers, and the shipping methods whose names decide the default number.

Staff edit it afterwards; a row that is there already is left as it is.
"""

import json
from pathlib import Path

from django.db import migrations

CARRIERS = Path(__file__).resolve().parent.parent / "data" / "carriers.json"
OUR_CARRIER = "cj-packet"

# (code, name, default number). Names are matched exactly: two of CJPacket's lines get our number, its others do not.
METHODS = [
    ("cjpacket-ordinary", "CJPacket Ordinary", "own"),
    ("cjpacket-sensitive", "CJPacket Sensitive", "own"),
    ("cjpacket-ordinary-oversize-line", "CJPacket Ordinary Oversize Line", "local"),
    ("cjpacket-asia-ordinary", "CJPacket Asia Ordinary", "local"),
    ("cjpacket-liquid-us", "CJPacket Liquid US", "local"),
    ("yunexpress", "YunExpress", "local"),
    ("4px", "4PX", "local"),
    ("yanwen", "Yanwen", "local"),
    ("china-post", "China Post", "local"),
    ("usps", "USPS", "local"),
    ("ups", "UPS", "local"),
    ("fedex", "FedEx", "local"),
    ("dhl-express", "DHL Express", "local"),
    ("dhl-paket", "DHL Paket", "local"),
]


def seed(apps, schema_editor):
    Carrier = apps.get_model("orders", "Carrier")
    ShippingMethod = apps.get_model("orders", "ShippingMethod")
    Carrier.objects.bulk_create(
        [
            Carrier(is_own=row["code"] == OUR_CARRIER, **row)
            for row in json.loads(CARRIERS.read_text(encoding="utf-8"))
        ],
        ignore_conflicts=True,
    )
    ShippingMethod.objects.bulk_create(
        [ShippingMethod(code=code, name=name, default_number=number) for code, name, number in METHODS],
        ignore_conflicts=True,
    )


def unseed(apps, schema_editor):
    """Take back what nothing refers to: a carrier whose numbers are kept stays."""
    Carrier = apps.get_model("orders", "Carrier")
    ShippingMethod = apps.get_model("orders", "ShippingMethod")
    TrackingNumber = apps.get_model("orders", "TrackingNumber")
    Shipment = apps.get_model("orders", "Shipment")
    codes = [row["code"] for row in json.loads(CARRIERS.read_text(encoding="utf-8"))]
    in_use = TrackingNumber.objects.values("carrier")
    Carrier.objects.filter(code__in=codes).exclude(pk__in=in_use).delete()
    booked = Shipment.objects.filter(shipping_method__isnull=False).values("shipping_method")
    ShippingMethod.objects.filter(code__in=[code for code, _, _ in METHODS]).exclude(pk__in=booked).delete()


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunPython(seed, unseed)]
