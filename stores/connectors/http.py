"""The one HTTP session of the project: whom it may call, for how long, and what a failure means.

What an answer says is the connectors' affair; any status is an answer here, redirects included: they
are never followed, because a credential would go with them. Which addresses are allowed is said in
`addresses.py`.

A session belongs to one thread and one store.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NoReturn

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.poolmanager import PoolManager

from .addresses import Network, literal, refusal, refused, split
from .codes import Code
from .errors import OutcomeUnknown, StoreBusy, TryAgainLater

CONNECT_LIMIT = 5.0
SIZE_LIMIT = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_PAUSE = 0.2  # how often a pause looks whether the work was stopped


@dataclass(frozen=True)
class Answer:
    """What came back: any status. `json` is None when the body is not JSON; `seconds` is the whole call."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    json: Any = field(repr=False)
    request_id: str
    seconds: float


class AnswerTooLarge(Exception):
    """The body is longer than we read; internal, becomes a connector error."""


@dataclass
class _Call:
    """The request under way, shared by the session and its sockets. Times of time.monotonic()."""

    ends: float = 0.0
    writes: bool = False
    sent: bool = False  # bytes of the request may have left
    sendable: Callable[[], None] = lambda: None  # last check before the first byte; raises to stop it

    def left(self) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for this request is over")
        return left


class _TimedSocket(socket.socket):
    """Each wait is given what is left of the whole call: a store that trickles bytes cannot hold us."""

    call: _Call | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.call:
            self.settimeout(self.call.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        if self.call:
            self.settimeout(self.call.left())  # sendall counts its time-out over the whole of its data
        return super().sendall(*args, **kwargs)


class _TimedTLSSocket(ssl.SSLSocket):
    call: _Call | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.call:
            self.settimeout(self.call.left())
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        # ssl's sendall is a loop over this one
        if self.call:
            self.settimeout(self.call.left())
        return super().send(*args, **kwargs)


def resolve(host: str, port: int, seconds: float) -> list[tuple[int, tuple[Any, ...]]]:
    """(family, socket address) of every address that `host` has. OSError when there is none in time.

    In a thread of its own, because getaddrinfo has no time limit.
    """
    found: list[tuple[int, tuple[Any, ...]]] = []
    trouble: list[OSError] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            found.extend((int(family), address) for family, _, _, _, address in answers)
        except (OSError, UnicodeError) as error:
            trouble.append(error if isinstance(error, OSError) else OSError("not a host name"))

    if literal(host):
        ask()
    else:
        thread = threading.Thread(target=ask, name="resolve", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            raise TimeoutError("the name was not resolved in time")
    if trouble:
        raise trouble[0]
    if not found:
        raise OSError("the name has no address")
    return list(dict.fromkeys(found))


def connect(scheme: str, host: str, port: int, allow_hosts: tuple[Network, ...], call: _Call) -> _TimedSocket:
    """A socket connected to an address of `host` that was checked; StoreDisconnected when one must not be called."""
    ends = min(call.ends, time.monotonic() + CONNECT_LIMIT)
    found = resolve(host, port, max(ends - time.monotonic(), 0.01))
    addresses = [address for _, where in found if (address := literal(where[0]))]
    why = refusal(scheme, port, addresses, allow_hosts)
    if why or len(addresses) != len(found):
        raise refused(f"{scheme}://{host}:{port}", why or "unreadable")  # type: ignore[arg-type]
    trouble: OSError = OSError("no address")
    for family, where in found:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no connection in time")
        connection = _TimedSocket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(left)
            connection.connect(where)
        except OSError as error:
            connection.close()
            trouble = error
        else:
            # A TLS handshake follows with this time-out, counted over the whole of it.
            connection.settimeout(max(ends - time.monotonic(), 0.01))
            connection.call = call
            return connection
    raise trouble


class _Guarded:
    """Mixed into both of urllib3's connections: our own socket, and the last look before the first byte."""

    scheme: str
    host: str
    port: int
    sock: Any

    def __init__(self, *args: Any, call: _Call, allow_hosts: tuple[Network, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call
        self._allow_hosts = allow_hosts

    def _new_conn(self) -> socket.socket:
        return connect(self.scheme, self.host, self.port, self._allow_hosts, self._call)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock.call = self._call

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        self._call.left()
        self._call.sendable()
        self._call.sent = True
        super().request(*args, **kwargs)  # type: ignore[misc]


class _PlainConnection(_Guarded, HTTPConnection):
    scheme = "http"


class _TLSConnection(_Guarded, HTTPSConnection):
    scheme = "https"


class _PlainPool(HTTPConnectionPool):
    def __init__(self, *args: Any, guard: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ConnectionCls = partial(_PlainConnection, **guard)  # type: ignore[assignment]


class _TLSPool(HTTPSConnectionPool):
    def __init__(self, *args: Any, guard: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ConnectionCls = partial(_TLSConnection, **guard)  # type: ignore[assignment]


@lru_cache(maxsize=8)
def tls(ca_bundle: str = "") -> ssl.SSLContext:
    """The public authorities and, besides, those of `ca_bundle`. Made once: loading them costs 20 ms."""
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_bundle:
        context.load_verify_locations(cafile=ca_bundle)
    context.sslsocket_class = _TimedTLSSocket
    return context


class _Adapter(HTTPAdapter):
    def __init__(self, guard: Mapping[str, Any], ca_bundle: str) -> None:
        self._guard = guard
        self._ca_bundle = ca_bundle
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=tls(self._ca_bundle)
        )
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, guard=self._guard),
            "https": partial(_TLSPool, guard=self._guard),
        }

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: our TLS context holds the authorities; requests would load them anew for each connection."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[Any, Any]:
        parts = split(request.url)
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}


class Session:
    """Sends requests to one store, each with a hard limit in total: connect, send and answer.

    * `call_limit`: seconds for one request.
    * `allow_hosts`: networks that may be called although they are private; only there plain http and other ports.
    * `ca_bundle`: path of a file with further certificate authorities.
    * `before_write`: called immediately before a request that writes; what it raises stops the request.
    * `write_window`: seconds after the last `before_write` within which a write may leave.
    * `stopped`: read before each request; True means that no more is started.
    * `deadline`: of time.monotonic(); no request starts after it.
    """

    def __init__(
        self,
        *,
        call_limit: float,
        allow_hosts: tuple[Network, ...] = (),
        ca_bundle: str = "",
        before_write: Callable[[], None] | None = None,
        write_window: float = float("inf"),
        stopped: Callable[[], bool] = lambda: False,
        deadline: float = float("inf"),
    ) -> None:
        self.call_limit = call_limit
        self.allow_hosts = allow_hosts
        self.deadline = deadline
        self._before_write = before_write
        self._write_window = write_window
        self._stopped = stopped
        self._confirmed = float("-inf")  # when before_write last came back
        self._call = _Call()
        self._http = requests.Session()
        self._http.trust_env = False  # no proxies and no .netrc of the machine
        self._http.proxies = {}
        self._http.headers = CaseInsensitiveDict({"User-Agent": "TrackSync/1.0", "Accept": "application/json"})
        adapter = _Adapter({"call": self._call, "allow_hosts": allow_hosts}, ca_bundle)
        self._http.adapters.clear()
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The session may be used again; it opens new ones."""
        self._http.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        writes: bool,
        deadline: float = float("inf"),
    ) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        Raises TryAgainLater(NO_TIME) when it may not start any more, StoreDisconnected when the address must not
        be called, StoreBusy(NO_ANSWER) when nothing can have been executed, and OutcomeUnknown(ANSWER_LOST) when a
        request that writes may have left. Whatever `before_write` raises comes through as it is.
        """
        split(url)
        self.may_start(deadline)
        if writes and self._before_write:
            self._before_write()
            self._confirmed = time.monotonic()
        started = time.monotonic()
        self._call.ends = started + self.call_limit
        self._call.writes = writes
        self._call.sent = False
        self._call.sendable = self._still_sendable
        try:
            prepared = self._http.prepare_request(
                requests.Request(
                    method, url, headers=dict(headers or {}), params=params, json=json, data=form, auth=auth
                )
            )
            # Straight to the adapter: a session's own send() looks into redirects and keeps cookies.
            response = self._http.get_adapter(url).send(
                prepared, stream=True, timeout=(CONNECT_LIMIT, self.call_limit), proxies={}
            )
            try:
                body = _read(response)
            except BaseException:
                # Half an answer lies in the connection: it cannot be used again.
                response.raw.close()
                raise
            finally:
                response.close()
        except (requests.RequestException, HTTPError, OSError, AnswerTooLarge, ValueError) as error:
            self._failed(error)
        return Answer(
            status=response.status_code,
            headers=response.headers,
            body=body,
            json=_json(body),
            request_id=response.headers.get("X-Request-Id", ""),
            seconds=time.monotonic() - started,
        )

    def may_start(self, deadline: float = float("inf")) -> None:
        """TryAgainLater(NO_TIME) when no request may start now: the work was stopped or its time is over."""
        if self._stopped() or time.monotonic() >= min(deadline, self.deadline):
            raise TryAgainLater(Code.NO_TIME, after=0.0)

    def pause(self, seconds: float) -> None:
        """Wait before the next request; TryAgainLater(NO_TIME) as soon as the work is stopped."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.may_start()
            time.sleep(min(left, _PAUSE))

    def _still_sendable(self) -> None:
        # Between before_write and here lie the name look-up, the connection and its handshake.
        if self._call.writes and self._before_write and time.monotonic() - self._confirmed > self._write_window:
            raise TryAgainLater(Code.NO_TIME, after=0.0)

    def _failed(self, error: Exception) -> NoReturn:
        # The text of the error names the host and at times the path with a token: it goes no further.
        self._http.adapters["https://"].close()
        kind = type(error).__name__
        if self._call.writes and self._call.sent:
            raise OutcomeUnknown(Code.ANSWER_LOST, kind) from None
        raise StoreBusy(Code.NO_ANSWER, kind) from None


def _read(response: requests.Response) -> bytes:
    parts = []
    size = 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if size > SIZE_LIMIT:
            raise AnswerTooLarge
        parts.append(part)
    return b"".join(parts)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
