"""Sends the mails that are due, each at most once, through the mail backend that EMAIL_URL names.

For each mail, one after the other over one connection:

1. It is taken for some minutes by one conditional UPDATE, by the database's clock: two senders never have the same.
2. The rules are asked again with the facts of now, and the mail is made, with the number the store shows now.
3. "Sending" is committed. From here to 5 a crash leaves a mail of which nobody knows whether it went out.
4. The server gets it. No transaction is open. The Message-ID is the same at every attempt.
5. What came of it is written down.

Found "sending" after its time, a mail is not sent again by itself: a person sees "may have been sent" and decides.
Which mails there are is in outbox.py, what a server's answer means in ending.py, why a doubt remains in
docs/decisions/005-a-mail-that-may-have-been-sent.md.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Now

from stores.accounts.address import verified
from stores.choices import EmailKind

from .. import pulse
from ..choices import EmailState, MailCode
from ..models import CustomerEmail
from ..sync import database_now
from . import ending, facts, smtp
from .ending import Ending
from .rendering import CannotRender, Rendered, render
from .rules import MailFacts, fresh_until, state_of, why_not

log = logging.getLogger(__name__)

TAKEN = timedelta(minutes=5)  # longer than a task may run
LOOK_AHEAD = 20
WAITS = (EmailState.PENDING, EmailState.HELD)
NOT_MINE = Ending(EmailState.SENDING)  # somebody else has it by now
_CANNOT = {"template": MailCode.TEMPLATE, "address": MailCode.BAD_ADDRESS, "header": MailCode.HEADER}


def send_due(*, stop: Callable[[], bool] = lambda: False) -> tuple[Counter[EmailState], bool]:
    """Send what is due until nothing is, or `stop()`. Returns how many ended how, and whether more may be due."""
    pulse.clear(pulse.MAIL)
    counts: Counter[EmailState] = Counter({EmailState.UNCLEAR: give_up_the_lost()})
    release_ready()
    server = _Server()
    try:
        while not stop():
            email = take()
            if email is None:
                return +counts, False
            ended = _attempt(email, server)
            counts[ended.state] += 1
            if ended.ends_batch:
                # The next minute's run asks the server again, with one mail.
                return +counts, False
    finally:
        server.close()
    return +counts, True


def give_up_the_lost() -> int:
    """What was being sent when its sender died may have been sent. Returns how many."""
    lost = CustomerEmail.objects.filter(state=EmailState.SENDING, due_at__lte=Now())
    return lost.update(state=EmailState.UNCLEAR, reason=MailCode.MAY_HAVE_BEEN_SENT, due_at=None)


def release_ready() -> int:
    """What was held for a choice or an address that is confirmed by now is due. Returns how many."""
    store = "shipment__order__store__"
    addresses = EmailAddress.objects.filter(
        user_id=OuterRef(store + "owner_id"), email=Lower(OuterRef(store + "owner__email")), verified=True
    )
    chosen = Q(reason=MailCode.NOT_CONFIRMED) & Q(**{store + "preference__confirmed_at__isnull": False})
    ready = chosen | (Q(reason=MailCode.UNVERIFIED) & Exists(addresses))
    held = CustomerEmail.objects.filter(state=EmailState.HELD, due_at__gt=Now())
    ids = list(held.filter(ready).values_list("pk", flat=True))
    return CustomerEmail.objects.filter(pk__in=ids, state=EmailState.HELD).update(due_at=Now()) if ids else 0


def take() -> CustomerEmail | None:
    """The next mail that is due, for this sender alone; None when there is none."""
    due = CustomerEmail.objects.filter(due_at__lte=Now(), state__in=WAITS).order_by("due_at", "pk")
    while found := list(due.values_list("pk", "attempts")[:LOOK_AHEAD]):
        for pk, attempts in found:
            free = CustomerEmail.objects.filter(pk=pk, attempts=attempts, state__in=WAITS, due_at__lte=Now())
            if free.update(attempts=F("attempts") + 1, due_at=Now() + TAKEN):
                return _loaded(pk)
    return None


def _attempt(email: CustomerEmail, server: _Server) -> Ending:
    """One mail. Whatever goes wrong with it stops no other."""
    try:
        ended = _decide(email)
        if ended is None:
            message = _message(email)
            ended = server.send(message, begin=lambda: _begin(email))
    except CannotRender as no:
        ended = Ending(EmailState.SKIPPED, _CANNOT.get(no.reason, MailCode.TEMPLATE))
    except Exception as error:
        # A bug of ours, before anything was sent. Its words may hold a customer's data: only the place is logged.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("Mail %s: %s at %s:%s", email.pk, type(error).__name__, place.filename, place.lineno)
        ended = Ending(EmailState.PENDING, MailCode.UNEXPECTED, type(error).__name__)
    if ended is not NOT_MINE:
        _write(email, ended)
    return ended


def _decide(email: CustomerEmail) -> Ending | None:
    """Why it does not go now, by the facts of now; None when it goes."""
    now = database_now()
    known = _facts(email)
    reason = why_not(
        EmailKind(email.kind),
        known,
        now,
        number_id=email.number_id,
        since=email.created_at,
        forced=email.is_forced,
    )
    if reason is None:
        return None
    state = state_of(reason)
    if state == EmailState.HELD:
        # Looked at again when it is too old; released before that by release_ready().
        email.due_at = fresh_until(EmailKind(email.kind), known, email.created_at)
        if email.is_forced or email.due_at <= now:
            email.due_at = now + timedelta(days=1)
    return Ending(state, reason)


def _facts(email: CustomerEmail) -> MailFacts:
    row, owner = email.shipment.sync, email.shipment.order.store.owner
    outbox = facts.rows_of([email.shipment_id])
    return facts.facts_of([row], outbox, {owner.pk} if verified(owner) else set())[email.shipment_id]


def _message(email: CustomerEmail) -> EmailMultiAlternatives:
    """The mail as Django sends it. Raises CannotRender, also where a header would hold a line end."""
    made: Rendered = render(email, database_now())
    message = EmailMultiAlternatives(
        subject=made.subject,
        body=made.text,
        from_email=made.from_email,
        to=list(made.to),
        headers={**made.headers, "Message-ID": email.message_id},
    )
    message.attach_alternative(made.html, "text/html")
    try:
        message.message()
    except ValueError as error:  # BadHeaderError is one
        raise CannotRender("header", "A header of this mail cannot be written.") from error
    return message


def _begin(email: CustomerEmail) -> bool:
    """Committed just before the server gets it. False when the mail is not this sender's any more."""
    mine = CustomerEmail.objects.filter(pk=email.pk, attempts=email.attempts, state__in=WAITS)
    return bool(mine.update(state=EmailState.SENDING, due_at=Now() + TAKEN))


def _write(email: CustomerEmail, ended: Ending) -> None:
    """What came of this attempt, unless a later one has begun: an outcome is a fact, however late it is known."""
    values: dict[str, Any] = {
        "state": ended.state,
        "reason": ended.reason or "",
        "answer": ended.answer,
        "due_at": None,
    }
    if ended.state == EmailState.SENT:
        values |= {"sent_at": Now(), "is_forced": False}
        if email.kind in (EmailKind.PREPARING, EmailKind.SHIPPED):
            values["number_id"] = email.shipment.sync.shown_id
    elif ended.state == EmailState.PENDING:
        values["due_at"] = Now() + ending.back_off(email.attempts)
    elif ended.state == EmailState.HELD:
        values["due_at"] = email.due_at
    elif not ended.answer:
        values.pop("answer")  # what the server said the last time tells why it came to this
    CustomerEmail.objects.filter(
        pk=email.pk, attempts=email.attempts, state__in=[*WAITS, EmailState.SENDING, EmailState.UNCLEAR]
    ).update(**values)


def _loaded(pk: int) -> CustomerEmail:
    return CustomerEmail.objects.select_related(
        "number",
        "shipment__shipping_method",
        "shipment__order__store__owner",
        "shipment__order__store__preference",
        "shipment__sync__shown__carrier",
    ).get(pk=pk)


class _Server:
    """One connection for a batch, opened with its first mail and again where it broke."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None

    def send(self, message: EmailMultiAlternatives, *, begin: Callable[[], bool]) -> Ending:
        """Hand it to the mail server, after `begin()` has committed that it is being sent."""
        try:
            backend = self._open()
        except Exception as error:
            self.close()
            return ending.could_not_open(error)
        if not begin():
            return NOT_MINE
        try:
            backend.send_messages([message])
        except Exception as error:
            self.close()
            return ending.of(error, is_watched=isinstance(backend, smtp.EmailBackend))
        return ending.SENT

    def close(self) -> None:
        """Say goodbye, if there is still somebody to say it to."""
        if self._backend is not None:
            with suppress(Exception):
                self._backend.close()
            self._backend = None

    def _open(self) -> BaseEmailBackend:
        if self._backend is None:
            self._backend = smtp.backend()
            self._backend.open()
        return self._backend
