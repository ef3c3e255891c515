"""The choices and reason codes of the orders app. A leaf: everyone may import it."""

from __future__ import annotations

import enum

from django.db import models
from django.utils.translation import gettext_lazy as _


class NumberKind(models.TextChoices):
    """Whose number it is."""

    OWN = "own", _("Our number")
    LOCAL = "local", _("The carrier's number")


class SyncState(models.TextChoices):
    """Where a shipment stands between us and the store."""

    WAITING = "waiting", _("Waiting")
    DUE = "due", _("To be sent")
    SYNCED = "synced", _("In the store")
    ATTENTION = "attention", _("Needs attention")


class Stopped(models.TextChoices):
    """A person took this shipment out of the sync; a person puts it back."""

    NO = "", _("No")
    GIVEN_UP = "given_up", _("Given up by a person")
    WITHDRAWN = "withdrawn", _("Its fulfillment was cancelled by a person")


class AttemptOutcome(models.TextChoices):
    """What one attempt came to. The first four are the connectors' own."""

    CREATED = "created", _("The store shows it: new")
    REPLACED = "replaced", _("The store shows it: replaced")
    UNCHANGED = "unchanged", _("The store showed it already")
    ADOPTED = "adopted", _("The store shows it: in a fulfillment made there")
    ARRIVED = "arrived", _("The answer was lost, but it had arrived")
    DID_NOT_ARRIVE = "did_not_arrive", _("The answer was lost, and it had not arrived")
    TRY_AGAIN_LATER = "try_again_later", _("Has to wait")
    REJECTED = "rejected", _("Refused: a person has to act")
    STORE_BUSY = "store_busy", _("The store has to be left alone for a while")
    STORE_DISCONNECTED = "store_disconnected", _("The store does not let us in")
    UNKNOWN = "unknown", _("No clear answer: looked up before anything is sent again")
    CANCELLED = "cancelled", _("The fulfillment was cancelled in the store")
    BY_HAND = "by_hand", _("Changed by a person")


class EmailState(models.TextChoices):
    """Where a customer's mail stands."""

    PENDING = "pending", _("Waiting to be sent")
    HELD = "held", _("Held back")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    BY_STORE = "by_store", _("Left to the store, which was asked to write")
    UNCLEAR = "unclear", _("May have been sent")
    REFUSED = "refused", _("Refused by the mail server")
    SKIPPED = "skipped", _("Not sent")


class WaitCode(enum.StrEnum):
    """Why decide() sends nothing now. Each ends by an event, never by the clock."""

    CANCELLED = "cancelled"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"
    OLDER_THAN_SYNC = "older_than_sync"
    UNPAID = "unpaid"
    METHOD_MISSING = "method_missing"
    OWN_NUMBER_MISSING = "own_number_missing"
    LOCAL_NUMBER_MISSING = "local_number_missing"
    LOOKS_LIKE_OWN = "looks_like_own"
    NOT_DISPATCHED = "not_dispatched"


class SendCode(enum.StrEnum):
    """Why decide() chose this number and no other."""

    OWN_FOR_THIS_METHOD = "own_for_this_method"
    LOCAL_FOR_THIS_METHOD = "local_for_this_method"
    LOCAL_CHOSEN = "local_chosen"
    KIND_PROMISED = "kind_promised"


class RowCode(enum.StrEnum):
    """Reasons on a TrackingSync row that come neither from decide() nor from a connector."""

    CANCELLED_AFTER_SENT = "cancelled_after_sent"
    DISPATCH_REVERSED = "dispatch_reversed"
    UNITS_MISSING = "units_missing"
    NUMBER_GONE = "number_gone"  # seen when a person looked: our fulfillment is there, its number is not
    UNEXPECTED = "unexpected"  # a bug of ours, logged as one


class MailCode(enum.StrEnum):
    """Why a mail to a customer is held, was not sent, or is not ours to send."""

    # Held: it goes by itself when the reason is gone, if it is still fresh.
    NOT_CONFIRMED = "not_confirmed"
    UNVERIFIED = "unverified"
    # Not sent; planned again when the facts change.
    NO_ADDRESS = "no_address"
    ADDRESSES_HIDDEN = "addresses_hidden"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    NOT_SHOWN = "not_shown"
    NOT_DISPATCHED = "not_dispatched"
    # Not sent; only a person sends it after all.
    STALE = "stale"
    DISPATCHED_MEANWHILE = "dispatched_meanwhile"
    REPLACED_AGAIN = "replaced_again"
    NUMBER_IS_OUT = "number_is_out"
    DISCONNECTED = "disconnected"
    # Somebody else's, or nobody's.
    BY_STORE = "by_store"
    STORE_WAS_NOT_ASKED = "store_was_not_asked"
    STORE_WRITES_ANYWAY = "store_writes_anyway"
    ADOPTED = "adopted"
    NOBODY = "nobody"
    CHANGES_NOT_TOLD = "changes_not_told"
    # Left out when a merchant writes to those who wait.
    SAME_ORDER = "same_order"
    WRITTEN_LATELY = "written_lately"
    # What the sending met.
    SERVER_AWAY = "server_away"
    SERVER_BUSY = "server_busy"
    SERVER_REFUSED = "server_refused"
    MAY_HAVE_BEEN_SENT = "may_have_been_sent"
    BAD_ADDRESS = "bad_address"
    TEMPLATE = "template"
    HEADER = "header"
    UNEXPECTED = "unexpected"
