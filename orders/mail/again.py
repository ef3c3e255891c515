"""A person sends a mail that was not sent, or that may have been: after a look, and never by itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet

from stores.choices import EmailKind

from .. import pulse
from ..choices import EmailState, MailCode
from ..models import CustomerEmail

# Whoever writes to these customers, it is not us.
_NOT_OURS = (
    MailCode.NOBODY,
    MailCode.STORE_WAS_NOT_ASKED,
    MailCode.STORE_WRITES_ANYWAY,
    MailCode.ADOPTED,
    MailCode.DISCONNECTED,
)


def can_be_sent(emails: QuerySet[CustomerEmail]) -> QuerySet[CustomerEmail]:
    """Those that a person may send: refused, not sent for a reason that is theirs to overrule, or in doubt.

    Also those that a back-off holds, which then go at once.
    """
    held_by_back_off = Q(state=EmailState.PENDING, attempts__gt=0, reason__gt="")
    # What a merchant asked for and did not go, the merchant may have asked for again: that has its own pause.
    not_sent = Q(state__in=[EmailState.SKIPPED, EmailState.REFUSED]) & ~Q(kind=EmailKind.WAITING)
    not_sent &= ~Q(reason__in=_NOT_OURS)
    return emails.filter(Q(state=EmailState.UNCLEAR) | not_sent | held_by_back_off)


def send_again(ids: Collection[int], *, actor: User | None, now: datetime) -> int:
    """Have these mails sent now, however old. How many it was. The rules still hold what is not so any more.

    The Message-ID stays: whoever gets a mail twice can know that it is one. The count of attempts moves on, so that
    a sender which was taken for dead cannot write the end of its attempt over this one.
    """
    with transaction.atomic():
        changed = can_be_sent(CustomerEmail.objects.filter(pk__in=ids)).update(
            state=EmailState.PENDING,
            reason="",
            answer="",
            due_at=now,
            is_forced=True,
            actor=actor,
            attempts=F("attempts") + 1,
        )
        if changed:
            pulse.ring(pulse.MAIL)
    return changed
