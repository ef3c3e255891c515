"""A mail server on loopback that can be told how to behave: refuse, ask to come back, hang up. Its book is `mails`.

with PretendSMTP() as server:
    server.says("451 4.7.1 Greylisted, come back", times=1)     # to the next recipient
    server.hangs_up_after_data(accepting=True)                  # takes the mail, loses the answer
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port

PretendSMTP(context)                    # speaks plainly until it is asked for STARTTLS
PretendSMTP(context, from_the_start=True)   # TLS and nothing else
"""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Arrived:
    """A mail that the server took."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    is_encrypted: bool = False  # on its way to the server

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(self.message["Subject"])

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])


class _AnyPort(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        with socket.create_connection((self.hostname, self.port), 5) as plain:
            if self.ssl_context is None:
                plain.recv(1024)
                return
            # Only to make the server look alive: it trusts itself.
            client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
            with client.wrap_socket(plain) as encrypted:
                encrypted.recv(1024)


class PretendSMTP:
    """Takes every mail, unless it was told otherwise. Usable from several threads."""

    def __init__(self, context: ssl.SSLContext | None = None, *, from_the_start: bool = False) -> None:
        """`context`: its certificate, for STARTTLS; for TLS `from_the_start` where that is so."""
        self.mails: list[Arrived] = []
        self.connections = 0
        self.refused = 0
        self.seconds_per_mail = 0.0
        self._replies: list[str] = []
        self._data_replies: list[str] = []
        self._hang_ups: list[str] = []
        self._lock = threading.Lock()
        self._controller = _AnyPort(
            self,
            hostname="127.0.0.1",
            port=0,
            server_hostname="mail.test",
            ssl_context=context if from_the_start else None,
            tls_context=None if from_the_start else context,
        )

    def __enter__(self) -> PretendSMTP:
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    @property
    def host(self) -> str:
        """Where it listens."""
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """Where it listens; known once it runs."""
        return int(self._controller.port)

    def says(self, reply: str, *, times: int = 1) -> None:
        """Its answer to the next recipients, such as "550 5.1.1 No such user"."""
        self._replies += [reply] * times

    def says_to_the_mail(self, reply: str, *, times: int = 1) -> None:
        """Its answer once it has the next mail as a whole."""
        self._data_replies += [reply] * times

    def hangs_up_after_data(self, *, accepting: bool) -> None:
        """It gets the whole of the next mail, keeps it or not, and hangs up without an answer."""
        self._hang_ups.append("keeps" if accepting else "drops")

    def hangs_up_at_recipient(self) -> None:
        """It hangs up before the next mail is with it."""
        self._hang_ups.append("early")

    def behave(self) -> None:
        """Whatever it was told to do and has not done yet is off."""
        self._replies, self._data_replies, self._hang_ups = [], [], []

    def forget(self) -> None:
        """Begin a new book."""
        self.behave()
        self.mails, self.connections, self.refused = [], 0, 0

    # --- what aiosmtpd calls --------------------------------------------------------------------------

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Somebody connected."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient: taken, or answered as told."""
        if self._hang_ups[:1] == ["early"]:
            self._hang_ups.pop(0)
            _cut(server)
        if self._replies:
            self.refused += 1
            return self._replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The whole mail is here."""
        if self.seconds_per_mail:
            time.sleep(self.seconds_per_mail)
        ending = self._hang_ups.pop(0) if self._hang_ups else ""
        if self._data_replies:
            self.refused += 1
            return self._data_replies.pop(0)
        if ending != "drops":
            raw = cast(bytes, envelope.original_content)
            message = email.message_from_bytes(raw, policy=email.policy.default)
            with self._lock:
                sender, to = envelope.mail_from or "", tuple(envelope.rcpt_tos)
                self.mails.append(Arrived(sender, to, message, is_encrypted=_is_encrypted(server)))
        if ending:
            _cut(server)
        return "250 OK"


def _is_encrypted(server: SMTP) -> bool:
    return cast(Any, server).transport.get_extra_info("ssl_object") is not None


def _cut(server: SMTP) -> None:
    """End the connection without a word."""
    transport = cast(Any, server).transport
    if transport is not None:
        transport.abort()
