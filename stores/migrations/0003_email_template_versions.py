"""Every saved text of a merchant's mails is kept, with its language."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [
    ("preparing", "Being prepared, number known"),
    ("shipped", "Shipped"),
    ("number_changed", "The number has changed"),
    ("waiting", "Still being prepared"),
]


class Migration(migrations.Migration):
    dependencies = [("stores", "0002_shared_cache"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="emailtemplate",
            name="language",
            field=models.CharField(
                blank=True, default="", help_text="The language it is written in.", max_length=10
            ),
        ),
        migrations.CreateModel(
            name="EmailTemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("version", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("language", models.CharField(blank=True, default="", max_length=10)),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("body", models.TextField(blank=True, default="")),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stores.store",
                    ),
                ),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("store", "kind", "version"), name="each_version_of_a_template_is_kept_once"
                    )
                ],
            },
        ),
    ]
