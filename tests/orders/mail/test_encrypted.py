"""The way to the mail server over TLS: encrypted to the server we trust, and to no other, nor in the open instead."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orders.choices import MailCode
from orders.mail import smtp
from tests.orders.mail.writing import a_shop, a_shown_parcel, outbox, send
from tests.storefronts.smtp import PretendSMTP
from tracksync import environment

pytestmark = pytest.mark.django_db

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("mail.elsewhere.example")
Certificate = Callable[[x509.GeneralName], Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Makes a certificate for one name that signs itself: the file holds its key, too."""

    def make(name: x509.GeneralName) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
        today = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file = tmp_path / f"{made.serial_number}.pem"
        file.write_bytes(made.public_bytes(pem) + secret)
        return file

    return make


def speaks_with(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def is_set_to(server: PretendSMTP, scheme: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As EMAIL_URL sets it."""
    monkeypatch.setenv("EMAIL_URL", f"{scheme}://{server.host}:{server.port}")
    fresh = {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False, "EMAIL_TIMEOUT": 10}
    for name, value in (fresh | environment.mail("EMAIL_URL", "")).items():
        setattr(settings, name, value)
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""


@pytest.mark.parametrize("scheme, from_the_start", [("smtp+tls", False), ("smtp+ssl", True)])
@pytest.mark.parametrize(
    "name, trusts_it, expected",
    [
        (HERE, True, ("sent", "", [True])),
        (HERE, False, ("pending", MailCode.SERVER_AWAY, [])),
        (ELSEWHERE, True, ("pending", MailCode.SERVER_AWAY, [])),
    ],
    ids=["trusted", "signed by nobody we trust", "of another host"],
)
def test_a_mail_goes_encrypted_to_the_server_that_proves_its_name(
    certificate: Certificate,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    from_the_start: bool,
    name: x509.GeneralName,
    trusts_it: bool,
    expected: tuple[str, str, list[bool]],
) -> None:
    file, another = certificate(name), certificate(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(file if trusts_it else another))
    shipment = a_shown_parcel(a_shop())

    with PretendSMTP(speaks_with(file), from_the_start=from_the_start) as server:
        is_set_to(server, scheme, settings, monkeypatch)
        send()

        ((_kind, state, reason),) = outbox(shipment)
        assert (state, reason, [mail.is_encrypted for mail in server.mails]) == expected


def test_a_server_that_does_not_encrypt_gets_nothing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shipment = a_shown_parcel(a_shop())

    with PretendSMTP() as server:
        is_set_to(server, "smtp+tls", settings, monkeypatch)
        send()

        assert outbox(shipment) == [("shipped", "pending", MailCode.SERVER_AWAY)]
        assert server.mails == []


@pytest.mark.parametrize("scheme, kind", [("smtp+tls", smtp.WatchedSMTP), ("smtp+ssl", smtp.WatchedSMTPSSL)])
def test_an_encrypted_connection_is_watched_too(
    settings: Any, monkeypatch: pytest.MonkeyPatch, scheme: str, kind: type
) -> None:
    with PretendSMTP() as server:
        is_set_to(server, scheme, settings, monkeypatch)

        assert smtp.backend().connection_class is kind  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme, from_the_start", [("smtp+tls", False), ("smtp+ssl", True)])
def test_an_answer_that_is_lost_within_tls_is_a_doubt_as_well(
    certificate: Certificate, settings: Any, monkeypatch: pytest.MonkeyPatch, scheme: str, from_the_start: bool
) -> None:
    file = certificate(HERE)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    shipment = a_shown_parcel(a_shop())

    with PretendSMTP(speaks_with(file), from_the_start=from_the_start) as server:
        is_set_to(server, scheme, settings, monkeypatch)
        server.hangs_up_after_data(accepting=True)
        send()

        assert outbox(shipment) == [("shipped", "unclear", MailCode.MAY_HAVE_BEEN_SENT)]
        assert len(server.mails) == 1
