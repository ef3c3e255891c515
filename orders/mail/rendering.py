"""One mail, ready to be handed to a mail server: subject, text, HTML, from, to, headers.

The words are the merchant's (stores.models.EmailTemplate) or ours (defaults/); the HTML is made from the text, in
html.py. A mail is rendered when it is sent, with the number that the store shows then. When it is due, and that it is
sent once, is the affair of rules.py, outbox.py and sending.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formataddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone, translation
from django.utils.translation import gettext

from stores.choices import EmailKind
from stores.models import EmailTemplate, Store

from ..models import CustomerEmail, Shipment, TrackingNumber
from . import html, liquid
from .defaults import LANGUAGES, Text, default_text, words
from .letterhead import Letterhead, letterhead
from .liquid import Problem, TemplateRefused
from .variables import ITEM_FIELDS, VARIABLES, one_line, values_of

SUBJECT_LIMIT = 200
# No header may hold one; str.splitlines() splits at all of them.
_LINE_ENDS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029\x00]")


@dataclass(frozen=True)
class Rendered:
    """A mail. `headers` go with it as they are; `to` holds exactly one address."""

    subject: str
    text: str
    html: str
    from_email: str
    to: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict)


class CannotRender(Exception):
    """This mail cannot be made as things stand: trying again changes nothing, a person has to act.

    `reason` is a code: "template" (the merchant's text does not stay within the limits), "address" (the customer's
    address is none), "header" (a line end in a header).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def render(email: CustomerEmail, now: datetime) -> Rendered:
    """The mail to the customer, with the number the store shows now. Raises CannotRender.

    Its shipment, order, store, sync row and shown number should be loaded. Writes nothing.
    """
    shipment = email.shipment
    head = letterhead(shipment.order.store)
    text, head = text_of(shipment.order.store, email.kind, head)
    number = None if email.kind == EmailKind.WAITING else shipment.sync.shown
    return compose(text, shipment, number, head, shipment.order.customer_email, now)


def preview(store: Store, kind: str, subject: str, body: str, shipment: Shipment, language: str = "") -> Rendered:
    """What these words would become for this shipment, with the number it would have. Raises CannotRender.

    Nothing of it is sent: without an address of the customer the mail is made all the same, to nobody.
    """
    head = letterhead(store)
    if language in LANGUAGES:
        head = _in_language(head, language)
    return compose(
        Text(subject, body), shipment, likely_number(shipment, kind), head, "", timezone.now(), to_nobody=True
    )


def check(source: str, *, one_line: bool = False) -> list[Problem]:
    """All that is wrong with a template, by line and column; none when it may be saved. `one_line`: a subject."""
    problems = liquid.check(source, VARIABLES, ITEM_FIELDS)
    found = _LINE_ENDS.search(source) if one_line else None
    if found:
        message = gettext("A subject has one line.")
        problems = [Problem(1, found.start() + 1, message), *problems]
    return problems


def text_of(store: Store, kind: str, head: Letterhead) -> tuple[Text, Letterhead]:
    """The store's words for a kind of mail, and the letterhead in the language these are written in."""
    written = EmailTemplate.objects.filter(store=store, kind=kind).first()
    if written is None:
        return default_text(kind, head.language), head
    return Text(written.subject, written.body), _in_language(head, written.language or head.language)


def compose(
    text: Text,
    shipment: Shipment,
    number: TrackingNumber | None,
    head: Letterhead,
    to: str,
    now: datetime,
    *,
    to_nobody: bool = False,
    mark: str = "",
) -> Rendered:
    """A mail of these words about this shipment. `mark` stands before the subject. Raises CannotRender."""
    values = values_of(shipment, number, head, now)
    speech = words(head.language)
    try:
        with translation.override(speech.django):
            subject = liquid.render(text.subject, values)
            plain = _tidy(liquid.render(text.body, values))
    except TemplateRefused as refused:
        where = gettext("line {line}, column {column}").format(line=refused.problem.line, column=refused.problem.column)
        raise CannotRender("template", f"{refused.problem.message} ({where})") from refused
    subject = f"{mark} {subject}".strip() if mark else subject.strip()
    if len(subject) > SUBJECT_LIMIT:
        subject = subject[: SUBJECT_LIMIT - 1] + "…"
    page, store_url = str(values["tracking_url"]), str(values["store_url"])
    return Rendered(
        subject=_header(subject),
        text=plain,
        html=html.document(
            plain,
            title=subject,
            language=head.language,
            button_url=page,
            button=speech.button,
            links=html.Links.written_in(text.body, page, store_url),
        ),
        from_email=_address(head.from_name, head.from_address),
        to=() if to_nobody else (_customer(to),),
        headers=_headers(head),
    )


def likely_number(shipment: Shipment, kind: str) -> TrackingNumber | None:
    """What a preview tells: the number the store shows, else the one it would get, else any there is."""
    if kind == EmailKind.WAITING:
        return None
    row = shipment.sync
    current = shipment.numbers.filter(replaced_at=None).select_related("carrier").order_by("-kind")
    return row.shown or row.wanted or current.first()


def _in_language(head: Letterhead, language: str) -> Letterhead:
    return Letterhead(head.store_name, head.from_name, head.support_email, language)


def _headers(head: Letterhead) -> dict[str, str]:
    """No machine shall answer these mails; what a person answers goes to the merchant."""
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if head.support_email:
        headers["Reply-To"] = _address(head.from_name, head.support_email)
    return headers


def _address(name: str, address: str) -> str:
    """`Name <address>` for a header."""
    return formataddr((one_line(_header(name), 100), _header(address)), charset="utf-8")


def _customer(address: str) -> str:
    """The one address a mail goes to. Raises CannotRender where it is none, or could be read as several."""
    try:
        validate_email(address)
    except ValidationError as error:
        raise CannotRender("address", gettext("The customer's e-mail address cannot be written to.")) from error
    return _header(address)


def _header(value: str) -> str:
    """The value, if it can stand in a header. Raises CannotRender: nothing is cut or mended in secret."""
    if _LINE_ENDS.search(value):
        raise CannotRender("header", gettext("There is a line end where none may be."))
    return value


def _tidy(text: str) -> str:
    """No blanks at line ends and no more than one empty line in a row: conditions leave both behind."""
    lines = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
