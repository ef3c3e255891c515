"""In whose name, and in which language, a store's customers are written to."""

import django.db.models.deletion
from django.db import migrations, models

LANGUAGES = [("en", "English"), ("zh", "简体中文"), ("es", "Español")]


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_email_template_versions")]

    operations = [
        migrations.CreateModel(
            name="MailSettings",
            fields=[
                (
                    "store",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mail_settings",
                        serialize=False,
                        to="stores.store",
                    ),
                ),
                (
                    "from_name",
                    models.CharField(blank=True, default="", help_text="Empty: the store's name.", max_length=100),
                ),
                (
                    "support_email",
                    models.EmailField(
                        blank=True,
                        default="",
                        help_text="Where customers' answers go; empty: the account's address.",
                        max_length=254,
                    ),
                ),
                ("language", models.CharField(choices=LANGUAGES, default="en", max_length=10)),
                (
                    "tells_changed_number",
                    models.BooleanField(
                        default=True,
                        help_text="Customers who were told a number are told when the carrier replaces it.",
                    ),
                ),
            ],
        ),
    ]
