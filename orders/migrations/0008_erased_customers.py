"""Orders whose customer was erased are marked, so that no pull brings the customer back."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_order_hints"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="erased_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="Its customer's data was erased: no pull brings it back.",
                null=True,
            ),
        ),
    ]
