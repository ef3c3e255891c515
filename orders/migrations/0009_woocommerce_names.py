"""What WooCommerce and its plugins call carriers whose names in the catalogue say more than that.

Only names are added, and only where nobody has entered one.
"""

from django.db import migrations

PLATFORM = "woocommerce"
NAMES = {
    "colissimo": "Colissimo",
    "correios-br": "Correios",
    "deutsche-post": "Deutsche Post",
    "dhl-paket": "DHL Paket",
    "dpd-de": "DPD.de",
    "dpd-uk": "DPD",
    "evri": "Evri",
    "inpost-pl": "InPost",
    "nz-post": "NZ Post",
    "ontrac": "OnTrac",
    "postnl-intl": "PostNL",
}


def add(apps, schema_editor):
    """Give each carrier its name, unless it has one."""
    for carrier in apps.get_model("orders", "Carrier").objects.filter(code__in=NAMES):
        if PLATFORM not in carrier.platform_names:
            carrier.platform_names[PLATFORM] = NAMES[carrier.code]
            carrier.save(update_fields=["platform_names"])


def take_back(apps, schema_editor):
    """Take back the names that are still ours."""
    for carrier in apps.get_model("orders", "Carrier").objects.filter(code__in=NAMES):
        if carrier.platform_names.get(PLATFORM) == NAMES[carrier.code]:
            del carrier.platform_names[PLATFORM]
            carrier.save(update_fields=["platform_names"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_erased_customers")]

    operations = [migrations.RunPython(add, take_back)]
