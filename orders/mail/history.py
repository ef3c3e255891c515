"""What became of the mails of one shipment, in words: for the parcel's pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..choices import EmailState
from ..models import CustomerEmail, Shipment
from ..wording.mails import mail_sentence

TONES = {
    EmailState.SENT: "good",
    EmailState.BY_STORE: "good",
    EmailState.REFUSED: "bad",
    EmailState.UNCLEAR: "bad",
    EmailState.HELD: "warning",
}


@dataclass(frozen=True)
class MailLine:
    """One mail. `at`: when it was sent, else when it was asked for. `said`: what became of it, and why."""

    at: datetime
    kind: str
    state: str
    state_label: str
    said: str
    number: str
    tone: str


def mails_of(shipment: Shipment) -> list[MailLine]:
    """The mails to the customer of this shipment, newest first; in one query where its store is loaded."""
    emails = CustomerEmail.objects.filter(shipment=shipment).select_related("number").order_by("-pk")
    platform = shipment.order.store.get_platform_display()
    return [_line(email, platform) for email in emails]


def _line(email: CustomerEmail, platform: str) -> MailLine:
    return MailLine(
        at=email.sent_at or email.created_at,
        kind=str(email.get_kind_display()),
        state=email.state,
        state_label=str(email.get_state_display()),
        said=mail_sentence(email.state, email.reason, {"answer": email.answer, "platform": platform}),
        number=email.number.value if email.number else "",
        tone=TONES.get(EmailState(email.state), ""),
    )
