"""Who the merchants are and what they chose: Store, SyncPreference and its history, MailSettings, EmailTemplate.

And what comes before and beside a store: Invitation, PendingConnection, HookDelivery, PrivacyRequest.

Fields, constraints and names only. Connecting a store is in connect.py, with one click in authorising/, saving a
choice in preferences.py, the lease in lease.py, tokens in tokens.py, the stores' messages in hooks.py.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .choices import (
    CountsAsPaid,
    DisconnectReason,
    EmailKind,
    MailLanguage,
    MailSender,
    NumberSource,
    PrivacyKind,
    Timing,
)
from .connectors.registry import platform_choices
from .fields import EncryptedJSONField

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class StoreQuerySet(models.QuerySet["Store"]):
    """Stores, in the words of the business."""

    def connected(self) -> StoreQuerySet:
        """Not disconnected by anybody; may be paused or in trouble."""
        return self.filter(disconnected_at__isnull=True)

    def pulling(self) -> StoreQuerySet:
        """Those whose orders are pulled: a pause holds only the pushing."""
        return self.connected().exclude(Q(resume_at__isnull=True) & ~Q(trouble=""))

    def pushing(self) -> StoreQuerySet:
        """Those that may be pushed to, apart from their lease and resume_at."""
        return self.pulling().filter(is_paused=False)


class Store(models.Model):
    """One shop of a merchant on a platform."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="stores")
    name = models.CharField(max_length=200)
    platform = models.CharField(max_length=30, choices=platform_choices)
    base_url = models.URLField(max_length=300)
    credentials = EncryptedJSONField(blank=True, default=dict, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    counts_as_paid = models.CharField(
        max_length=20,
        choices=CountsAsPaid.choices,
        default=CountsAsPaid.WHEN_MARKED,
        help_text=_("The merchant's payment to us lets a number go, unless the house bills monthly."),
    )
    location_ids = models.JSONField(
        default=list, blank=True, help_text=_("Locations we ship from; empty: every location of the merchant's own.")
    )
    tracking_goes_to = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text=_("Where a store with several places takes its numbers; empty: the best that is found there."),
    )
    completes_orders = models.BooleanField(
        default=True,
        help_text=_("An order is marked as done in the store once all of it has left, where tracking alone does not."),
    )
    facts = models.JSONField(default=dict, blank=True, help_text=_("What the last check of the connection found."))

    is_paused = models.BooleanField(default=False, help_text=_("Orders are still pulled, nothing is pushed."))
    disconnected_at = models.DateTimeField(null=True, blank=True)
    disconnect_reason = models.CharField(max_length=20, choices=DisconnectReason.choices, blank=True, default="")

    # The store as a whole has to wait: until resume_at, or, where that is empty, for somebody to reconnect it.
    trouble = models.CharField(max_length=40, blank=True, default="")
    trouble_values = models.JSONField(default=dict, blank=True)
    trouble_since = models.DateTimeField(null=True, blank=True)
    trouble_count = models.PositiveIntegerField(default=0)
    resume_at = models.DateTimeField(null=True, blank=True)

    sync_from = models.DateTimeField(
        default=timezone.now, help_text=_("Orders placed before this are kept but left alone.")
    )
    pulled_until = models.DateTimeField(null=True, blank=True)
    pulled_at = models.DateTimeField(null=True, blank=True)

    # One writer per store: taken, renewed and given back by conditional updates, by the database's clock (lease.py).
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(default=EPOCH, editable=False)
    wrote_at = models.DateTimeField(default=EPOCH, editable=False)
    served_at = models.DateTimeField(default=EPOCH, editable=False)

    # A token that the store gave us for the credentials, and who is asking for the next one (tokens.py).
    token = EncryptedJSONField(blank=True, default=dict, editable=False)
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_lease = models.UUIDField(null=True, blank=True, editable=False)
    token_leased_until = models.DateTimeField(default=EPOCH, editable=False)
    # Until when the token can be renewed without its merchant; empty: by the credentials, at any time.
    renewable_until = models.DateTimeField(null=True, blank=True, editable=False)

    # Under which address the store's messages reach us, and what it signs them with (hooks.py).
    hook_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    hook_secret = EncryptedJSONField(blank=True, default=dict, editable=False)
    hook_topics = models.JSONField(default=list, blank=True, editable=False)
    hooks_armed_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "base_url"],
                condition=Q(disconnected_at__isnull=True),
                name="a_shop_is_connected_once",
                violation_error_message=_("This shop is connected already."),
            ),
            models.CheckConstraint(
                condition=Q(disconnected_at__isnull=True, disconnect_reason="")
                | (Q(disconnected_at__isnull=False) & ~Q(disconnect_reason="")),
                name="a_disconnected_store_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(trouble="") | Q(resume_at__isnull=True), name="only_a_store_in_trouble_resumes"
            ),
        ]
        permissions = [("reconnect_store", "Can check and reconnect a store")]

    def __str__(self) -> str:
        return self.name

    @property
    def needs_reconnecting(self) -> bool:
        """A person has to renew the connection: the store has not let us in."""
        return bool(self.trouble) and self.resume_at is None


class SyncPreference(models.Model):
    """When and which: what the merchant chose for this one store."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="preference", primary_key=True)
    timing = models.CharField(
        max_length=20,
        choices=Timing.choices,
        default=Timing.AFTER_DISPATCH,
        help_text=_(
            "Before: the order is fulfilled at once and the customer sees progress early, but the number says nothing "
            "until the carrier scans the parcel. After: a number that arrives is a number that works, but until then "
            "the order stays unfulfilled."
        ),
    )
    number_source = models.CharField(
        max_length=20,
        choices=NumberSource.choices,
        default=NumberSource.DEFAULT,
        help_text=_(
            "Default: our own number for our own lines, the carrier's for all others. Local: always the carrier's "
            "number, whatever the shipping method; on our own lines it may come some days later."
        ),
    )
    delay_hours = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("Not earlier than this many hours after the payment."),
    )
    mail_sender = models.CharField(max_length=20, choices=MailSender.choices, default=MailSender.TRACKSYNC)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(version__gte=1), name="a_preference_version_grows_from_one")]

    def __str__(self) -> str:
        return f"{self.get_timing_display()}, {self.get_number_source_display()}"


class PreferenceChange(models.Model):
    """One saved choice: who, when, from what, to what. Append-only."""

    preference = models.ForeignKey(SyncPreference, on_delete=models.CASCADE, related_name="changes")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["preference", "version"], name="each_preference_version_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class MailSettings(models.Model):
    """In whose name a store's customers are written to. No row: the store's name, its owner's address, English."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="mail_settings", primary_key=True)
    from_name = models.CharField(max_length=100, blank=True, default="", help_text=_("Empty: the store's name."))
    support_email = models.EmailField(
        blank=True, default="", help_text=_("Where customers' answers go; empty: the account's address.")
    )
    language = models.CharField(max_length=10, choices=MailLanguage.choices, default=MailLanguage.ENGLISH)
    tells_changed_number = models.BooleanField(
        default=True, help_text=_("Customers who were told a number are told when the carrier replaces it.")
    )

    # Where only the merchant can switch the platform's own notice off: who said that it is off, and when.
    switched_off_at = models.DateTimeField(null=True, blank=True)
    switched_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(switched_off_at__isnull=True, switched_off_by__isnull=True)
                | Q(switched_off_at__isnull=False, switched_off_by__isnull=False),
                name="who_switched_the_notice_off_says_when",
            )
        ]

    def __str__(self) -> str:
        return f"mails of {self.store_id}"


class EmailTemplate(models.Model):
    """The merchant's words for one kind of mail to the customers of one store. None: our own words are used."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="email_templates")
    kind = models.CharField(max_length=20, choices=EmailKind.choices)
    language = models.CharField(max_length=10, blank=True, default="", help_text=_("The language it is written in."))
    subject = models.CharField(max_length=200)
    body = models.TextField()
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind"], name="a_store_has_one_template_of_each_kind")]

    def __str__(self) -> str:
        return f"{self.store}: {self.get_kind_display()}"


class EmailTemplateVersion(models.Model):
    """One saved text of a kind of mail: who, when, what. Empty: back to our own words. Append-only."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=EmailKind.choices)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    language = models.CharField(max_length=10, blank=True, default="")
    subject = models.CharField(max_length=200, blank=True, default="")
    body = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-version"]
        constraints = [
            # Two who save at once cannot both have made the next one. Also finds a template's history.
            models.UniqueConstraint(fields=["store", "kind", "version"], name="each_version_of_a_template_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, version {self.version}"

    @property
    def is_reset(self) -> bool:
        """Whether this version is the return to our own words."""
        return not self.body


class Invitation(models.Model):
    """A link with which a merchant connects one shop through an app that our staff made for it. Used once."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)  # the link itself is not kept
    platform = models.CharField(max_length=30, choices=platform_choices)
    base_url = models.URLField(max_length=300)
    store_name = models.CharField(max_length=200)
    credentials = EncryptedJSONField(editable=False)  # of the app: client id and secret
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    store = models.ForeignKey(
        Store, on_delete=models.SET_NULL, null=True, blank=True, related_name="invitations", editable=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="an_invitation_ends_after_it_began"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="an_invitation_is_used_or_withdrawn_not_both",
            ),
        ]

    def __str__(self) -> str:
        return self.store_name


class PendingConnection(models.Model):
    """A merchant who was sent to the shop to consent, until they come back: bound to person, session and shop."""

    state_hash = models.CharField(max_length=64, unique=True, editable=False)  # what goes out is not kept
    session_hash = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    platform = models.CharField(max_length=30, choices=platform_choices)
    base_url = models.URLField(max_length=300)
    store_name = models.CharField(max_length=200, blank=True, default="")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, null=True, blank=True, related_name="+")  # reconnected
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    credentials = EncryptedJSONField(blank=True, default=dict, editable=False)  # of the app, or as the shop gave them
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)  # the shop's server has spoken
    used_at = models.DateTimeField(null=True, blank=True)  # the merchant came back: not a second time

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="pending_connections_by_end")]

    def __str__(self) -> str:
        return f"{self.store_name or self.base_url}, since {self.created_at:%Y-%m-%d %H:%M}"


class HookDelivery(models.Model):
    """One message of a store that was taken: the platform repeats them, we do not. Thrown away after some days."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    delivery_id = models.CharField(max_length=100)
    topic = models.CharField(max_length=100)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "delivery_id"], name="each_delivery_of_a_store_is_taken_once")
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_id}"


class PrivacyRequest(models.Model):
    """What a platform asks of us for a customer's or a shop's sake: erased by us, or answered by staff."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="privacy_requests")
    kind = models.CharField(max_length=20, choices=PrivacyKind.choices)
    order_ids = models.JSONField(default=list, blank=True)  # the store's ids of the orders concerned
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {timezone.localtime(self.received_at):%Y-%m-%d}"
