"""The choices of the stores app. A leaf: everyone may import it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Timing(models.TextChoices):
    """When a number goes to the store."""

    BEFORE_DISPATCH = "before_dispatch", _("Before dispatch")
    AFTER_DISPATCH = "after_dispatch", _("After dispatch")


class NumberSource(models.TextChoices):
    """Which number goes to the store."""

    DEFAULT = "default", _("The usual one for each shipping method")
    LOCAL = "local", _("Always the carrier's number")


class MailSender(models.TextChoices):
    """Who mails the customer. One sender per store."""

    TRACKSYNC = "tracksync", _("TrackSync")
    STORE = "store", _("The store itself")
    NOBODY = "nobody", _("Nobody")


class CountsAsPaid(models.TextChoices):
    """Whose payment lets a number go."""

    WHEN_MARKED = "when_marked", _("When the merchant has paid us")
    WHEN_SHOPPER_PAID = "when_shopper_paid", _("When the shopper has paid the merchant")


class DisconnectReason(models.TextChoices):
    """Who ended the connection."""

    MERCHANT = "merchant", _("By the merchant")
    STAFF = "staff", _("By our staff")
    UNINSTALLED = "uninstalled", _("The app was removed in the store")


class EmailKind(models.TextChoices):
    """The kinds of mail to a customer."""

    PREPARING = "preparing", _("Being prepared, number known")
    SHIPPED = "shipped", _("Shipped")
    NUMBER_CHANGED = "number_changed", _("The number has changed")
    WAITING = "waiting", _("Still being prepared")


class MailLanguage(models.TextChoices):
    """The languages a store's customers are written to in, by their own names."""

    ENGLISH = "en", "English"
    CHINESE = "zh", "简体中文"
    SPANISH = "es", "Español"


class PrivacyKind(models.TextChoices):
    """What a platform asks of us about customers' data."""

    CUSTOMER_ASKS = "customer_asks", _("A customer asks what is kept")
    FORGET_CUSTOMER = "forget_customer", _("Erase a customer's data")
    FORGET_SHOP = "forget_shop", _("Erase a shop's customers")
