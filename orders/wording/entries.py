"""What an entry of the reasons consists of. The reasons are in reasons.py and connection.py."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Who(models.TextChoices):
    """Who has to do something before a number goes on its way."""

    MERCHANT = "merchant", _("The merchant")
    STAFF = "staff", _("Our staff")
    CARRIER = "carrier", _("The carrier")
    NOBODY = "nobody", _("Nobody")


@dataclass(frozen=True)
class Words:
    """`says`: the lengths of the sentence, most telling first; `then`: what would release the shipment."""

    says: tuple[Text, ...]
    who: Who
    then: Text


def words(who: Who, then: Text, *says: Text) -> Words:
    """An entry, in the order in which it is read best: who acts, what releases it, what is so."""
    return Words(says, who, then)


BY_ITSELF = _("It is tried again by itself.")
