"""Every shipment gets the unguessable address of its tracking page; those that exist, in chunks.

Not atomic: each chunk is committed by itself, so that a table of millions is not locked meanwhile, and what was killed
goes on where it was.
"""

import json
import secrets

import orders.models
from django.db import migrations, models

CHUNK = 5000


def give_tokens(apps, schema_editor):
    shipments = apps.get_model("orders", "Shipment").objects.using(schema_editor.connection.alias)
    last = 0
    while ids := list(
        shipments.filter(pk__gt=last, token=None).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        last = ids[-1]
        rows = [[pk, secrets.token_urlsafe(16)] for pk in ids]
        with schema_editor.connection.cursor() as cursor:
            if schema_editor.connection.vendor == "postgresql":
                cursor.execute(
                    "UPDATE orders_shipment SET token = new.token "
                    "FROM unnest(%s::bigint[], %s::text[]) AS new(id, token) WHERE orders_shipment.id = new.id",
                    [ids, [token for _pk, token in rows]],
                )
            else:
                cursor.execute(
                    "UPDATE orders_shipment SET token = new.token FROM "
                    "(SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS token "
                    "FROM json_each(%s)) AS new WHERE orders_shipment.id = new.id",
                    [json.dumps(rows)],
                )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0003_find_orders")]

    operations = [
        migrations.AddField("shipment", "token", models.CharField(max_length=32, null=True, editable=False)),
        migrations.RunPython(give_tokens, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "shipment",
            "token",
            models.CharField(default=orders.models.new_token, editable=False, max_length=32, unique=True),
        ),
    ]
