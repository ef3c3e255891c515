"""The one HTTP session: whom it may call, for how long, and what a failure means.

Loopback only. Stand-ins for addresses of the internet are loopback addresses and a stubbed resolver.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stores.connectors import http
from stores.connectors.addresses import Network, Why, networks, refusal
from stores.connectors.codes import Code
from stores.connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    StoreBusy,
    StoreDisconnected,
    TryAgainLater,
)
from stores.connectors.http import SIZE_LIMIT, Session

LOOPBACK = networks(["127.0.0.0/8"])

Speaker = Callable[[socket.socket], None]


@contextmanager
def a_server(speak: Speaker) -> Iterator[str]:
    """A loopback server that hands each connection to `speak`; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                speak(connection)
            except OSError:
                pass  # the client went away, which some of these tests are about

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which keeps the port open else
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    """One whole request; b"" at the end of the connection."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            return b""
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def an_answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answers(body: bytes = b'{"a": 1}', status: str = "200 OK", *headers: str) -> Speaker:
    def speak(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(an_answer(body, status, *headers))

    return speak


def session(**options: object) -> Session:
    return Session(**{"call_limit": 5.0, "allow_hosts": LOOPBACK} | options)  # type: ignore[arg-type]


def post(client: Session, url: str, *, writes: bool = True) -> http.Answer:
    return client.request("POST", url, json={"q": 1}, writes=writes)


def code_of(error: ConnectorError) -> tuple[type[ConnectorError], str]:
    return type(error), error.reason.code


# --- the address guard -----------------------------------------------------------------------------

NEVER = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.0.0.2", "169.254.169.254", "172.16.0.1", "192.0.0.8",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
def test_an_address_that_is_not_on_the_internet_is_refused(address: str) -> None:
    assert refusal("https", 443, [ipaddress.ip_address(address)]) == Why.PRIVATE


@pytest.mark.parametrize(
    "scheme,port,addresses,allowed,why",
    [
        ("https", 443, ["8.8.8.8"], [], None),
        ("https", 443, ["2606:4700::1111", "8.8.8.8"], [], None),
        ("https", 8443, ["8.8.8.8"], [], Why.PORT),
        ("http", 80, ["8.8.8.8"], [], Why.PLAIN_HTTP),
        ("http", 443, ["8.8.8.8"], [], Why.PLAIN_HTTP),
        # one bad address among several is enough
        ("https", 443, ["8.8.8.8", "10.0.0.1"], [], Why.PRIVATE),
        ("https", 443, ["8.8.8.8", "127.0.0.1"], ["10.0.0.0/8"], Why.PRIVATE),
        # what the operator opened may be anything
        ("http", 8199, ["127.0.0.2"], ["127.0.0.0/8"], None),
        ("https", 8443, ["10.0.0.1", "127.0.0.1"], ["127.0.0.0/8", "10.0.0.0/24"], None),
        # but opens nothing else
        ("http", 80, ["127.0.0.1", "8.8.8.8"], ["127.0.0.0/8"], Why.PLAIN_HTTP),
        ("https", 443, ["::1"], ["127.0.0.0/8"], Why.PRIVATE),
        ("https", 443, ["::ffff:127.0.0.1"], ["127.0.0.0/8"], Why.PRIVATE),
    ],
)
def test_the_guard_looks_at_every_address(
    scheme: str, port: int, addresses: list[str], allowed: list[str], why: Why | None
) -> None:
    assert refusal(scheme, port, [ipaddress.ip_address(a) for a in addresses], networks(allowed)) == why


@pytest.mark.parametrize(
    "url,why",
    [
        ("ftp://127.0.0.1/", Why.SCHEME),
        ("file:///etc/passwd", Why.SCHEME),
        ("https://shop.example@127.0.0.1/", Why.USERINFO),
        ("https://shop.example\\@127.0.0.1/", Why.USERINFO),
        ("https://:443/", Why.UNREADABLE),
        ("https://127.0.0.1:99999/", Why.UNREADABLE),
        ("http://127.0.0.1/", Why.PRIVATE),
        ("https://127.1/", Why.PRIVATE),
        ("https://2130706433/", Why.PRIVATE),
        ("https://0x7f000001/", Why.PRIVATE),
        ("https://[::1]/", Why.PRIVATE),
        ("https://[::ffff:127.0.0.1]/", Why.PRIVATE),
        ("https://localhost/", Why.PRIVATE),
    ],
)
def test_a_url_that_means_us_is_refused_before_anything_is_sent(url: str, why: Why) -> None:
    with pytest.raises(StoreDisconnected) as refused:
        post(Session(call_limit=5), url)

    assert (refused.value.reason.code, refused.value.reason.values["why"]) == (Code.ADDRESS_REFUSED, why)


def test_the_name_is_resolved_once_and_the_checked_address_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    hosts: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        while request := read_request(connection):
            hosts.extend(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:"))
            connection.sendall(an_answer(b"{}"))

    with a_server(speak) as url:
        port = int(url.rpartition(":")[2])

        def changing(host: str, port: int, **kind: object) -> list[tuple[object, ...]]:
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", changing)
        with session() as client:
            first = post(client, f"http://shop.example:{port}/")
            second = post(client, f"http://shop.example:{port}/")  # over the same connection
            client.close()
            with pytest.raises(StoreDisconnected) as refused:
                post(client, f"http://shop.example:{port}/")  # the name means another address now

    assert (first.status, second.status) == (200, 200)
    assert refused.value.reason.values["why"] == Why.PRIVATE
    assert asked == ["shop.example", "shop.example"]
    assert hosts == [f"Host: shop.example:{port}".encode()] * 2


def test_a_mixed_answer_is_refused_and_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(http._TimedSocket, "connect", lambda self, where: called.append(where))
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **kind: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "127.0.0.2")
        ],
    )

    with pytest.raises(StoreDisconnected) as refused:
        post(Session(call_limit=5), "https://shop.example/")

    assert (refused.value.reason.values, called) == ({"address": "shop.example:443", "why": Why.PRIVATE}, [])


@pytest.mark.parametrize(
    "address,allowed",
    [("127.0.0.2", LOOPBACK), ("127.0.0.2", networks(["127.0.0.2/32"]))],
)
def test_an_opened_network_may_be_called(address: str, allowed: tuple[Network, ...]) -> None:
    listener = socket.create_server((address, 0))
    thread = threading.Thread(target=lambda: answers()(listener.accept()[0]), daemon=True)
    thread.start()

    answer = post(session(allow_hosts=allowed), f"http://{address}:{listener.getsockname()[1]}/")

    listener.close()
    assert answer.json == {"a": 1}


def test_proxies_of_the_machine_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with a_server(answers()) as url:
        assert post(session(), url).status == 200


def test_passwords_of_the_machine_are_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login us password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(an_answer(b"{}"))

    with a_server(speak) as url:
        post(session(), url)

    assert [b"authorization" in request.lower() for request in seen] == [False]


# --- answers ---------------------------------------------------------------------------------------


def test_an_answer_tells_status_body_and_the_stores_reference() -> None:
    with a_server(answers(b'{"a": 1}', "418 Odd", "X-Request-Id: r-1")) as url:
        answer = post(session(), url)

    assert (answer.status, answer.json, answer.body, answer.request_id) == (418, {"a": 1}, b'{"a": 1}', "r-1")
    assert 0 < answer.seconds < 5


@pytest.mark.parametrize("body", [b"<html>sorry</html>", b"", b'{"cut": ', b"\xff\xfe"])
def test_a_body_that_is_no_json_is_an_answer_without_json(body: bytes) -> None:
    with a_server(answers(body)) as url:
        answer = post(session(), url)

    assert (answer.status, answer.json, answer.body) == (200, None, body)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_is_not_followed(status: str) -> None:
    seen: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(an_answer(b"", status, "Location: /elsewhere"))

    with a_server(speak) as url:
        answer = post(session(), url)

    assert (answer.status, len(seen)) == (int(status[:3]), 1)


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    def speak(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {10 * SIZE_LIMIT}\r\n\r\n".encode())
        for _ in range(10 * SIZE_LIMIT // 65536):
            connection.sendall(b" " * 65536)

    with a_server(speak) as url:
        with pytest.raises(StoreBusy) as read:
            post(session(), url, writes=False)
        with pytest.raises(OutcomeUnknown) as write:
            post(session(), url)

    assert code_of(read.value) == (StoreBusy, Code.NO_ANSWER)
    assert code_of(write.value) == (OutcomeUnknown, Code.ANSWER_LOST)


# --- the time limit --------------------------------------------------------------------------------


def is_silent(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(30)


def trickles_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(300):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.1)


def trickles_one_header_line(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(300):
        connection.sendall(b"x")
        time.sleep(0.1)


def trickles_its_body(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b"x")
        time.sleep(0.1)


def trickles_chunks(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(300):
        connection.sendall(b"1\r\nx\r\n")
        time.sleep(0.1)


def never_reads(connection: socket.socket) -> None:
    time.sleep(30)


@pytest.mark.parametrize(
    "speak", [is_silent, trickles_headers, trickles_one_header_line, trickles_its_body, trickles_chunks, never_reads]
)
@pytest.mark.parametrize("writes", [False, True])
def test_a_call_ends_at_its_limit_whatever_the_store_does(speak: Speaker, writes: bool) -> None:
    with a_server(speak) as url:
        client = session(call_limit=1.0)
        began = time.monotonic()

        with pytest.raises(ConnectorError) as ended:
            client.request("POST", url, json={"q": "x" * 5_000_000}, writes=writes)

        assert 0.9 < time.monotonic() - began < 3
    expected = (OutcomeUnknown, Code.ANSWER_LOST) if writes else (StoreBusy, Code.NO_ANSWER)
    assert code_of(ended.value) == expected


def test_a_name_that_is_not_resolved_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answered.wait(10) and [])
    began = time.monotonic()

    with pytest.raises(StoreBusy) as busy:
        post(session(call_limit=0.4), "https://shop.example/")

    answered.set()
    assert time.monotonic() - began < 1.4
    assert code_of(busy.value) == (StoreBusy, Code.NO_ANSWER)


# --- what may have been executed -------------------------------------------------------------------


def hangs_up_at_once(connection: socket.socket) -> None:
    read_request(connection)


def hangs_up_within_its_answer(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')


def speaks_no_http(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize("speak", [hangs_up_at_once, hangs_up_within_its_answer, speaks_no_http])
def test_a_lost_answer_is_unknown_for_a_write_and_no_answer_for_a_read(speak: Speaker) -> None:
    found = []
    for writes in (True, False):
        with a_server(speak) as url, pytest.raises(ConnectorError) as lost:
            post(session(), url, writes=writes)
        found.append(code_of(lost.value))

    assert found == [(OutcomeUnknown, Code.ANSWER_LOST), (StoreBusy, Code.NO_ANSWER)]


def test_a_connection_that_cannot_be_made_wrote_nothing() -> None:
    with a_server(answers()) as url:
        pass  # nobody listens there any more

    with pytest.raises(StoreBusy) as busy:
        post(session(), url)

    assert code_of(busy.value) == (StoreBusy, Code.NO_ANSWER)


def test_a_name_that_does_not_exist_wrote_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kind: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(StoreBusy) as busy:
        post(session(), "https://shop.example/")

    assert code_of(busy.value) == (StoreBusy, Code.NO_ANSWER)


def test_a_write_is_sent_once_even_when_a_kept_connection_breaks() -> None:
    seen: list[bytes] = []

    def answers_once_then_hangs_up(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(an_answer(b"{}"))
        seen.append(read_request(connection))

    with a_server(answers_once_then_hangs_up) as url:
        client = session()
        post(client, url)
        with pytest.raises(OutcomeUnknown):
            post(client, url)

    assert len([request for request in seen if request]) == 2


def test_a_connection_that_the_store_closed_meanwhile_is_opened_anew() -> None:
    closed = threading.Event()

    def answers_once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(an_answer(b"{}"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with a_server(answers_once) as url:
        client = session()
        post(client, url)
        assert closed.wait(5)

        assert post(client, url).status == 200


def test_no_message_holds_what_was_sent() -> None:
    with a_server(hangs_up_at_once) as url, pytest.raises(OutcomeUnknown) as lost:
        session().request(
            "POST", f"{url}/hidden-path", headers={"X-Token": "shpat_hidden"}, json={"secret": "hidden"}, writes=True
        )

    error = lost.value
    assert "hidden" not in f"{error!r} {error} {error.message} {error.reason} {error.__cause__}"
    assert error.__suppress_context__


# --- leases ----------------------------------------------------------------------------------------


def test_before_write_is_called_for_writes_alone() -> None:
    calls: list[str] = []
    with a_server(answers()) as url:
        client = session(before_write=lambda: calls.append("renewed"))
        post(client, url, writes=False)
        assert calls == []
        post(client, url)
        post(client, url)

    assert calls == ["renewed", "renewed"]


class LeaseLost(Exception):
    pass


def test_what_before_write_raises_stops_the_write() -> None:
    seen: list[bytes] = []

    def lost() -> None:
        raise LeaseLost

    with a_server(lambda connection: seen.append(read_request(connection))) as url, pytest.raises(LeaseLost):
        post(session(before_write=lost), url)

    assert seen == []


def test_a_write_is_refused_when_the_renewal_is_too_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    resolve = http.resolve

    def slow(*args: object) -> object:
        time.sleep(0.3)  # what a slow name server does between the renewal and the first byte
        return resolve(*args)  # type: ignore[arg-type]

    with a_server(lambda connection: seen.append(read_request(connection))) as url:
        monkeypatch.setattr(http, "resolve", slow)
        with pytest.raises(TryAgainLater) as late:
            post(session(before_write=lambda: None, write_window=0.2), url)

    assert (code_of(late.value), late.value.after) == ((TryAgainLater, Code.NO_TIME), 0.0)
    assert [request for request in seen if request] == []


@pytest.mark.parametrize(
    "options,deadline",
    [
        ({"stopped": lambda: True}, float("inf")),
        ({"deadline": 0.0}, float("inf")),
        ({}, 0.0),
    ],
)
def test_nothing_starts_once_the_work_is_stopped_or_its_time_is_over(
    options: dict[str, object], deadline: float
) -> None:
    calls: list[str] = []
    with a_server(answers()) as url, pytest.raises(TryAgainLater) as over:
        session(before_write=lambda: calls.append("renewed"), **options).request(
            "POST", url, json={}, writes=True, deadline=deadline
        )

    assert (over.value.reason.code, over.value.after, calls) == (Code.NO_TIME, 0.0, [])


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Paths of a certificate for shop.example that signs itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@contextmanager
def a_tls_server(speak: Speaker, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same over TLS; every name is resolved to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def over_tls(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            speak(wrapped)

    with a_server(over_tls) as url:
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, port, **kind: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))],
        )
        yield url.replace("http://127.0.0.1", "https://shop.example")


def test_a_store_under_an_authority_of_our_own_is_called(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_tls_server(answers(), certificate, monkeypatch) as url:
        client = session(ca_bundle=certificate[0])

        assert [post(client, url).json, post(client, url).json] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("bundled,name", [(False, "shop.example"), (True, "other.example")])
def test_a_certificate_that_proves_nothing_is_refused_before_anything_is_sent(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch, bundled: bool, name: str
) -> None:
    seen: list[bytes] = []

    def speak(connection: socket.socket) -> None:
        seen.append(read_request(connection))

    with a_tls_server(speak, certificate, monkeypatch) as url:
        client = session(ca_bundle=certificate[0] if bundled else "")
        with pytest.raises(StoreBusy) as refused:
            post(client, url.replace("shop.example", name))

    assert (code_of(refused.value), seen) == ((StoreBusy, Code.NO_ANSWER), [])


@pytest.mark.parametrize("speak", [is_silent, trickles_one_header_line, trickles_its_body, never_reads])
def test_a_call_over_tls_ends_at_its_limit_too(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch, speak: Speaker
) -> None:
    with a_tls_server(speak, certificate, monkeypatch) as url:
        client = session(ca_bundle=certificate[0], call_limit=0.6)
        began = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            client.request("POST", url, json={"q": "x" * 5_000_000}, writes=True)

        assert 0.5 < time.monotonic() - began < 1.6


def test_a_handshake_that_never_ends_ends_at_the_limit() -> None:
    with a_server(lambda connection: time.sleep(30)) as url:
        began = time.monotonic()

        with pytest.raises(StoreBusy):
            post(session(call_limit=0.6), url.replace("http:", "https:"))

        assert 0.5 < time.monotonic() - began < 1.6
