"""What an attempt to send a mail came to: from what the mail server said, or did not say, to what the row becomes.

A refusal for ever (5xx) of the recipient or of the mail ends it; a refusal for now (4xx), and whatever is wrong with
the server or with our account there, is tried again later. https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
"""

from __future__ import annotations

import random
import re
import smtplib
from dataclasses import dataclass
from datetime import timedelta

from django.core.mail import BadHeaderError

from ..choices import EmailState, MailCode
from .smtp import AnswerLost

FIRST_WAIT = 60.0  # seconds; who greylists wants to see us again in some minutes
LONGEST_WAIT = 3600.0
WORDS = 300
_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


@dataclass(frozen=True)
class Ending:
    """PENDING: tried again later. `answer`: the server's words. `ends_batch`: the next mail would fare no better."""

    state: EmailState
    reason: MailCode | None = None
    answer: str = ""
    ends_batch: bool = False


SENT = Ending(EmailState.SENT)


def could_not_open(error: Exception) -> Ending:
    """The server is not there, does not let us in, or is not what it should be: nothing was sent."""
    return Ending(EmailState.PENDING, MailCode.SERVER_AWAY, _said(error), ends_batch=True)


def of(error: Exception, *, is_watched: bool) -> Ending:
    """What an error of the sending means. `is_watched`: the backend tells when a mail may have gone out."""
    if isinstance(error, AnswerLost):
        return Ending(EmailState.UNCLEAR, MailCode.MAY_HAVE_BEEN_SENT)
    if isinstance(error, BadHeaderError):
        return Ending(EmailState.SKIPPED, MailCode.HEADER)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()), (451, b""))
        return _by_code(code, words)
    if isinstance(error, smtplib.SMTPDataError):
        return _by_code(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPHeloError | smtplib.SMTPConnectError):
        # Not about this mail: our own address or name is refused, and would be for the next.
        return Ending(EmailState.PENDING, MailCode.SERVER_BUSY, _said(error), ends_batch=True)
    if not is_watched:
        return Ending(EmailState.UNCLEAR, MailCode.MAY_HAVE_BEEN_SENT, type(error).__name__)
    if isinstance(error, OSError):
        return Ending(EmailState.PENDING, MailCode.SERVER_AWAY, _said(error))
    return Ending(EmailState.PENDING, MailCode.UNEXPECTED, type(error).__name__)


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts, with jitter: doubling from a minute, up to an hour."""
    seconds = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 20))
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 -- spreads load, keeps no secret


def without_addresses(text: str) -> str:
    """A server's words in one line, without the addresses it repeats."""
    return _ADDRESS.sub("…", " ".join(text.split()))[:WORDS]


def _by_code(code: int, words: bytes | str) -> Ending:
    said = without_addresses(f"{code} {_text(words)}")
    if 500 <= code < 600:
        return Ending(EmailState.REFUSED, MailCode.SERVER_REFUSED, said)
    # 421: the server hangs up after this word.
    return Ending(EmailState.PENDING, MailCode.SERVER_BUSY, said, ends_batch=code == 421)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return without_addresses(f"{error.smtp_code} {_text(error.smtp_error)}")
    return type(error).__name__


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
