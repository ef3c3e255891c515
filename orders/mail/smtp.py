"""Django's SMTP backend, and the one thing it does not tell: whether a lost answer may hide a mail that went out.

Until the last line of a mail is with the server, nothing was sent, whatever breaks. From then on, until the server has
answered, nobody can know: it may have taken the mail and lost only its answer. RFC 5321 4.5.3.2.6 and RFC 1047.
https://www.rfc-editor.org/rfc/rfc1047
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend

DJANGOS = "django.core.mail.backends.smtp.EmailBackend"
OURS = "orders.mail.smtp.EmailBackend"
# A server may look through a mail before it answers; the standard would have us wait for ten minutes.
ANSWER_SECONDS = 60.0


class AnswerLost(Exception):
    """The whole mail is with the server, and whether it took it was not heard."""


class _Watched:
    """Knows whether the body of the mail under way was handed over."""

    _sends: int | None = None  # since DATA began; None outside

    def data(self, msg: Any) -> tuple[int, bytes]:
        """As smtplib's. Raises AnswerLost where the body is out and no answer came."""
        self._sends = 0
        try:
            answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]
            return answer
        except smtplib.SMTPResponseException:
            raise  # the server has answered
        except OSError as error:  # time-outs, resets, and smtplib's own errors
            if self._sends > 1:
                raise AnswerLost from error
            raise
        finally:
            self._sends = None
            self._wait_at_most(self.timeout)  # type: ignore[attr-defined]

    def send(self, s: Any) -> None:
        """As smtplib's: within data() the word DATA is sent first, then the whole body."""
        super().send(s)  # type: ignore[misc]
        if self._sends is not None:
            self._sends += 1
            self._wait_at_most(ANSWER_SECONDS)

    def _wait_at_most(self, seconds: float | None) -> None:
        sock = getattr(self, "sock", None)
        if sock is not None:
            sock.settimeout(seconds)


class WatchedSMTP(_Watched, smtplib.SMTP):
    """Plain, or with STARTTLS."""


class WatchedSMTPSSL(_Watched, smtplib.SMTP_SSL):
    """TLS from the beginning."""


class EmailBackend(smtp.EmailBackend):
    """Django's own, over a connection that is watched."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What Django opens."""
        return WatchedSMTPSSL if self.use_ssl else WatchedSMTP


def backend() -> BaseEmailBackend:
    """The mail backend that EMAIL_URL names; ours in place of Django's own for SMTP."""
    return get_connection(OURS if settings.EMAIL_BACKEND == DJANGOS else None)
