"""What has to reach the stores: orders, shipments, their numbers, and how far each has come.

Fields, constraints, indexes and names only. What is decided is in policy.py, planned in plan.py,
pushed in sync.py; facts are changed through changes.py, which plans again in the same transaction.
"""

from __future__ import annotations

import secrets
import uuid
from email.utils import parseaddr

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from stores.choices import EmailKind
from stores.models import Store

from .choices import AttemptOutcome, EmailState, NumberKind, Stopped, SyncState
from .prefix import folded


def new_token() -> str:
    """What nobody can guess: 128 bits, 22 characters that can stand in an address."""
    return secrets.token_urlsafe(16)


def new_message_id() -> str:
    """The Message-ID of a mail: unique in the world, by RFC 5322 3.6.4. Its right side is that of our own address."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{uuid.uuid4().hex}@{host or 'localhost'}>"


class Carrier(models.Model):
    """Who moves a parcel and whose number it is. Staff edit the catalogue."""

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    country = models.CharField(max_length=2, blank=True, default="")
    tracking_url = models.CharField(
        max_length=300, blank=True, default="", help_text=_("{n} stands for the number; empty: a general page is used.")
    )
    platform_names = models.JSONField(
        default=dict, blank=True, help_text=_('The exact name per platform, {"shopify": "YunExpress"}.')
    )
    number_hint = models.CharField(max_length=200, blank=True, default="")
    is_own = models.BooleanField(default=False, help_text=_("Ours: its link serves our own numbers. Exactly one."))
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["is_own"], condition=Q(is_own=True), name="there_is_one_carrier_of_our_own")
        ]

    def __str__(self) -> str:
        return self.name


class ShippingMethod(models.Model):
    """What was booked. Decides which number goes out under "default"; its name is matched exactly."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100, unique=True)
    default_number = models.CharField(max_length=10, choices=NumberKind.choices, default=NumberKind.LOCAL)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """An order of a store, as last pulled, with the merchant's payment to us."""

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="orders")
    external_id = models.CharField(max_length=100)
    number = models.CharField(max_length=60)
    customer_name = models.CharField(max_length=200, blank=True, default="")
    customer_email = models.CharField(max_length=254, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    placed_at = models.DateTimeField()
    shopper_paid_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True, help_text=_("When the merchant paid us. Never moves."))
    cancelled_at = models.DateTimeField(null=True, blank=True, help_text=_("Cancelled or fully refunded."))
    cancel_reason = models.CharField(max_length=60, blank=True, default="")
    store_updated_at = models.DateTimeField(help_text=_("The store's own time of this state: an older one never wins."))
    pulled_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("Its customer's data was erased: no pull brings it back.")
    )

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["store", "external_id"], name="order_once_per_store"),
        ]
        indexes = [
            # The warehouse's file and the search name orders by their number.
            models.Index(fields=["store", "number"], name="order_by_number"),
            # Lists of a store's orders, newest first.
            models.Index(fields=["store", "-placed_at", "-id"], name="order_newest_first"),
            # The merchants' search by the beginning of a number, a name, an address (prefix.py).
            models.Index(F("store"), folded("number"), name="order_number_begins"),
            models.Index(F("store"), folded("customer_name"), name="order_name_begins"),
            models.Index(F("store"), folded("customer_email"), name="order_email_begins"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One line of an order. `quantity` is what is still ordered."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    external_id = models.CharField(max_length=100)
    sku = models.CharField(max_length=100, blank=True, default="")
    title = models.CharField(max_length=300, blank=True, default="")
    quantity = models.PositiveIntegerField()
    requires_shipping = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["order", "external_id"], name="line_once_per_order")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku or self.title}"


class Shipment(models.Model):
    """One parcel of an order. Lines: what is in it; none at all = contents not known."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    parcel = models.PositiveSmallIntegerField(default=1)
    shipping_method = models.ForeignKey(
        ShippingMethod, on_delete=models.PROTECT, null=True, blank=True, related_name="shipments"
    )
    dispatched_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When the parcel was handed to the carrier; a printed label is not dispatch."),
    )
    # The address of the customer's tracking page: never changes, so that a link in a mail works for ever.
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["order_id", "parcel"]
        constraints = [
            models.UniqueConstraint(fields=["order", "parcel"], name="parcel_once_per_order"),
            models.CheckConstraint(condition=Q(parcel__gte=1), name="parcels_are_counted_from_one"),
        ]
        permissions = [
            ("mark_paid", "Can mark orders as paid"),
            ("mark_dispatched", "Can mark shipments as dispatched"),
            ("push_again", "Can send numbers to the store again"),
            ("cancel_fulfillment", "Can cancel a fulfillment in the store"),
        ]

    def __str__(self) -> str:
        return f"{self.order} parcel {self.parcel}"


class ShipmentLine(models.Model):
    """So many units of an order line in one parcel."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shipment", "line"], name="line_once_per_parcel"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="a_parcel_holds_whole_units"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.line_id}"


class TrackingNumber(models.Model):
    """A number that a shipment has or had. Value and carrier never change in place: old rows are the history."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="numbers")
    kind = models.CharField(max_length=10, choices=NumberKind.choices)
    value = models.CharField(max_length=100)
    raw = models.CharField(max_length=200, blank=True, default="", help_text=_("As it was given, before normalising."))
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)
    replaced_why = models.CharField(max_length=200, blank=True, default="")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "kind"],
                condition=Q(replaced_at__isnull=True),
                name="one_current_number_per_shipment_and_kind",
            ),
            models.CheckConstraint(condition=~Q(value=""), name="a_number_is_not_empty"),
        ]
        indexes = [
            # Search by any number a shipment ever had; the same number on another shipment.
            models.Index(fields=["value"], name="number_by_value"),
        ]

    def __str__(self) -> str:
        return self.value


class TrackingSync(models.Model):
    """What a store should show of one shipment, what it was last seen to show, and an intent whose end is not known."""

    shipment = models.OneToOneField(Shipment, on_delete=models.CASCADE, related_name="sync")
    # Copied from the order and never changed, so that "what is due in this store" is one partial index.
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", db_index=False)

    wanted = models.ForeignKey(TrackingNumber, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    sending = models.ForeignKey(TrackingNumber, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    sending_since = models.DateTimeField(null=True)
    shown = models.ForeignKey(TrackingNumber, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    kind = models.CharField(
        max_length=10, choices=NumberKind.choices, blank=True, default="", help_text=_("Promised to the store.")
    )
    fulfillments = models.JSONField(default=list, help_text=_("The store's own ids."))
    adopted = models.BooleanField(default=False, help_text=_("Not made by us, so never cancelled by us."))

    state = models.CharField(max_length=10, choices=SyncState.choices, default=SyncState.WAITING)
    reason = models.CharField(max_length=40, blank=True, default="")
    reason_values = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True)
    due_since = models.DateTimeField(null=True, help_text=_("Since when it should be in the store and is not."))
    attempts = models.PositiveIntegerField(default=0)
    goes_alone = models.BooleanField(default=False, help_text=_("A batch with it failed in a way nobody expected."))
    stopped = models.CharField(max_length=10, choices=Stopped.choices, blank=True, default=Stopped.NO)
    planned_version = models.PositiveIntegerField(default=0)
    state_since = models.DateTimeField(default=timezone.now)
    synced_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True, help_text=_("When the store was last looked at."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                # Both are asked for: a comparison with nothing is not false, and a check lets that pass.
                condition=~Q(state=SyncState.SYNCED)
                | Q(shown__isnull=False, wanted__isnull=False, sending__isnull=True, shown=F("wanted")),
                name="synced_means_the_store_shows_what_is_wanted",
            ),
            models.CheckConstraint(
                condition=Q(state=SyncState.DUE, due_at__isnull=False)
                | (~Q(state=SyncState.DUE) & Q(due_at__isnull=True)),
                name="due_rows_and_only_they_have_a_time",
            ),
            models.CheckConstraint(
                condition=Q(sending__isnull=True, sending_since__isnull=True)
                | Q(sending__isnull=False, sending_since__isnull=False),
                name="an_intent_says_since_when",
            ),
        ]
        indexes = [
            # The claim: what is due in this store. The condition is on due_at alone, which a generic plan can prove.
            models.Index(fields=["store", "due_at", "id"], name="sync_due", condition=Q(due_at__isnull=False)),
            # A saved preference reaches the rows that nothing has been sent of.
            models.Index(
                fields=["store", "planned_version", "id"],
                name="sync_replan",
                condition=Q(shown__isnull=True, sending__isnull=True),
            ),
            # Needs attention, and the counts per store.
            models.Index(fields=["store", "state"], name="sync_state"),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id}: {self.state}"


class SyncAttempt(models.Model):
    """One line of the timeline of a shipment: append-only."""

    sync = models.ForeignKey(TrackingSync, on_delete=models.CASCADE, related_name="attempts_made")
    at = models.DateTimeField()
    number = models.ForeignKey(TrackingNumber, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    outcome = models.CharField(max_length=20, choices=AttemptOutcome.choices)
    reason = models.CharField(max_length=40, blank=True, default="")
    reason_values = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True, default="", help_text=_("What the store itself said."))
    request_id = models.CharField(max_length=100, blank=True, default="")
    preference_version = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(default=0)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.outcome}"


class CustomerEmail(models.Model):
    """The outbox: a mail to one customer about one shipment, or why there was none. Rows are never deleted."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="emails")
    kind = models.CharField(max_length=20, choices=EmailKind.choices)
    number = models.ForeignKey(
        TrackingNumber,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text=_("The number it told, or would have told."),
    )
    state = models.CharField(max_length=10, choices=EmailState.choices, default=EmailState.PENDING)
    reason = models.CharField(max_length=40, blank=True, default="")
    answer = models.CharField(
        max_length=300, blank=True, default="", help_text=_("What the mail server said, without addresses.")
    )
    due_at = models.DateTimeField(
        null=True, help_text=_("When it is looked at next; empty once nothing is left to do.")
    )
    attempts = models.PositiveIntegerField(default=0)
    is_forced = models.BooleanField(default=False, help_text=_("A person sends it however old it is."))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    # The same at every attempt: whoever gets a mail twice can know that it is one.
    message_id = models.CharField(max_length=120, default=new_message_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("mail to a customer")
        verbose_name_plural = _("mails to customers")
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "kind"],
                condition=Q(kind__in=[EmailKind.PREPARING, EmailKind.SHIPPED]),
                name="one_mail_of_each_kind_per_shipment",
            ),
            models.UniqueConstraint(
                fields=["shipment", "number"],
                condition=Q(kind=EmailKind.NUMBER_CHANGED),
                name="one_mail_per_changed_number",
            ),
            models.CheckConstraint(
                condition=Q(due_at__isnull=True)
                | Q(state__in=[EmailState.PENDING, EmailState.HELD, EmailState.SENDING]),
                name="only_an_open_mail_is_due",
            ),
        ]
        indexes = [
            # What the sending looks at next. The condition is on due_at alone, which a generic plan can prove.
            models.Index(fields=["due_at", "id"], name="mail_due", condition=Q(due_at__isnull=False)),
            # Held mails whose store or owner is ready now.
            models.Index(fields=["shipment"], name="mail_held", condition=Q(state=EmailState.HELD)),
            # The staff's list of what did not reach a customer.
            models.Index(fields=["state", "-id"], name="mail_state"),
        ]
        permissions = [("send_again", "Can send a mail to a customer again")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.shipment}"


class Pulse(models.Model):
    """One row per key: the bell's flag, and the progress of each worker group (pulse.py)."""

    key = models.CharField(max_length=100, primary_key=True)
    rung = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key


class OrderHint(models.Model):
    """An order that its store said has changed: read again soon, once, however often it was said (hints.py)."""

    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=100)
    hinted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "external_id"], name="an_order_is_hinted_at_once_until_it_is_read")
        ]
        indexes = [models.Index(fields=["hinted_at"], name="hints_by_age")]

    def __str__(self) -> str:
        return self.external_id
