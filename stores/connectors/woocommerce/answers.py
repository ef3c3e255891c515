"""What an answer of a WooCommerce store means: a pure table, without network and without memory.

An answer comes from many hands: WooCommerce, WordPress, plugins, PHP, the host's filter, a proxy in front. Neither
its status nor its content type alone can be trusted. What it means is either data (`Reply`), one of the connector's
errors, or one of the signals below, which rest.py answers with a second look or with patience.

https://developer.woocommerce.com/docs/apis/rest-api/
https://developer.wordpress.org/rest-api/
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from ..codes import Code
from ..errors import OutcomeUnknown, ShipmentRejected, StoreBusy, StoreDisconnected
from ..http import Answer
from ..said import on_one_line

SCOPE = "Read/Write"  # as the shop's own page of keys writes it
SAID_LIMIT = 500
_LOOKED_AT = 64 * 1024  # of a page, for what it is
_BEGINNINGS = 500  # places in a page at which data is tried to be read

_SECRET = re.compile(r"\bc[ks]_[0-9A-Za-z]+")
_UNSEEN = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>|<[^>]*>?")
# Routes that every WooCommerce has: where one of them is not found, WooCommerce itself is gone.
_CORE = re.compile(r"/wc/v3/(orders(/batch|/\d+(/(notes|refunds)(/\d+)?)?)?|webhooks(/\d+)?)")
_GUARDS = re.compile(
    rb"(?i)just a moment|cf-chl|cf-browser-verification|one moment, please|imunify|wordfence|sucuri|"
    rb"mod_?security|not acceptable|access denied|captcha|checking your browser"
)
_LOGIN = re.compile(r"(?i)login|my-account|signin")


class RouteGone(Exception):
    """The store has no such route: the plugin that answered there is off. Nothing was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no route {path}")
        self.path = path


@dataclass(frozen=True)
class Reply:
    """Data that a store answered."""

    data: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    status: int
    request_id: str
    was_dirty: bool = False  # something stood before the JSON and was cut off


class Unproven(Exception):
    """The store treats us as nobody: a key it does not know, or one that never reached it. Nothing was written."""

    def __init__(self, error: StoreDisconnected) -> None:
        super().__init__("the store does not know who asks")
        self.error = error


class KeyRefused(Exception):
    """The store knows the key and refuses it: a wrong secret, or a right that it lacks. Nothing was written."""

    def __init__(self, error: StoreDisconnected) -> None:
        super().__init__("the store refuses the key")
        self.error = error


class PageInstead(Exception):
    """A page for people came in place of data; `error` is what it means this time.

    `at_last` is what it means once it has gone on for too long: a shop that is being updated or moved may lack its
    API for some minutes, and needs nobody then.
    """

    def __init__(
        self, error: StoreBusy | OutcomeUnknown, status: int, at_last: StoreDisconnected | None = None
    ) -> None:
        super().__init__(f"a page came with status {status}")
        self.error = error
        self.status = status
        self.at_last = at_last or StoreDisconnected(
            Code.SHUT_OUT, error.message, status=status, request_id=error.request_id
        )


class Moved(Exception):
    """The store sends us elsewhere; `to` is the base address there, "" where that is no API. Nothing was written."""

    def __init__(self, to: str, status: int) -> None:
        super().__init__(f"sent elsewhere with status {status}")
        self.to = to
        self.status = status


def read(answer: Answer, path: str, *, writes: bool, base_url: str = "", secrets: tuple[str, ...] = ()) -> Reply:
    """The data of an answer to a request for `path` ("/wc/v3/orders") below `base_url`.

    `secrets` are left out of what is quoted.

    Raises StoreBusy, StoreDisconnected, ShipmentRejected, OutcomeUnknown (where `writes`), RouteGone, and the
    signals Unproven, KeyRefused, PageInstead and Moved.
    """
    status, reference = answer.status, reference_of(answer)
    found = parsed(answer.body)
    data, was_dirty = found or (None, False)
    said = cleaned(_message(data) if found else page_text(answer.body), secrets)
    if found and 200 <= status < 300:
        status = _inner_status(data) or status
        if status < 300:
            return Reply(data, answer.headers, status, reference, was_dirty)
    if status in (408, 425, 429):
        raise StoreBusy(Code.THROTTLED, said, after=retry_after(answer.headers), request_id=reference)
    if status >= 500:
        raise _broken(answer, status, said, is_page=not found, writes=writes)
    if 300 <= status < 400:
        raise _elsewhere(answer, base_url)
    if not found:
        raise _page(answer, said, writes=writes)
    code = _code(data)
    if status == 402:
        raise StoreDisconnected(Code.SHOP_FROZEN, said, status=status, request_id=reference)
    if status in (401, 403):
        if not code:  # neither of WordPress nor of a plugin: of what stands before them
            raise PageInstead(StoreBusy(Code.NOT_JSON, said, request_id=reference), status)
        raise _refused(status, code, said, reference)
    if code == "rest_no_route":
        if _CORE.fullmatch(path):
            gone = StoreDisconnected(Code.PLATFORM_MISSING, said, request_id=reference)
            raise PageInstead(StoreBusy(Code.SERVER_ERROR, said, status=status, request_id=reference), status, gone)
        raise RouteGone(path)
    if code.endswith("order_invalid_id"):
        raise ShipmentRejected(Code.ORDER_NOT_FOUND, said, request_id=reference)
    raise ShipmentRejected(Code.REFUSED, said, field=_field(data) or code or str(status), request_id=reference)


def parsed(body: bytes) -> tuple[dict[str, Any] | list[Any], bool] | None:
    """(data, whether something was cut off before it), None where the body holds no whole JSON object or list.

    A PHP that shows its errors writes them before the data. Whatever begins as data is taken as it is: the end of
    an answer that was cut short may look like a whole one.
    """
    text = body.decode("utf-8", "replace")
    clean = text.lstrip("\ufeff \t\r\n")
    was_dirty = "\ufeff" in text[: len(text) - len(clean)]
    if clean[:1] in ("{", "["):
        data = _whole(clean)
        return None if data is None else (data, was_dirty)
    effort = 2 * len(clean)
    for start in islice(re.finditer(r"(?<=[>\n\ufeff])[ \t]*[\[{]", clean), _BEGINNINGS):
        try:
            data = json.loads(clean[start.start() :])
        except json.JSONDecodeError as error:
            effort -= error.pos
        except (ValueError, RecursionError):
            effort -= len(clean)
        else:
            return data, True
        if effort < 0:
            return None  # made to be read for hours
    return None


def cleaned(text: str, secrets: tuple[str, ...] = ()) -> str:
    """What a store said, without keys and addresses, on one line and cut short."""
    return on_one_line(text, _SECRET, secrets)[:SAID_LIMIT]


def page_text(body: bytes) -> str:
    """The words of a page, without its marks."""
    return html.unescape(_UNSEEN.sub(" ", body[:_LOOKED_AT].decode("utf-8", "replace")))


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds for which the store asks to be left alone; None where it does not say."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
        return max(seconds, 0.0) if math.isfinite(seconds) else None  # "nan" is a number to Python
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def reference_of(answer: Answer) -> str:
    """What the store's own support could find the request by."""
    return answer.request_id or answer.headers.get("CF-Ray", "")


def base_of(location: str, asked: str = "") -> str:
    """The base address that a URL of the API belongs to, "" where it is none. Nothing of its query is kept."""
    try:
        parts = urlsplit(location)
        base = urlsplit(asked)
    except ValueError:
        return ""
    path, found, _ = parts.path.partition("/wp-json")
    scheme, host = parts.scheme or base.scheme, parts.netloc.rpartition("@")[2] or base.netloc
    return f"{scheme}://{host.lower()}{path}".rstrip("/") if found and host else ""


def _whole(text: str) -> Any:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict | list) else None


def _message(data: Any) -> str:
    return str(data.get("message") or data.get("error") or "") if isinstance(data, dict) else ""


def _code(data: Any) -> str:
    code = data.get("code") if isinstance(data, dict) else ""
    return str(code) if code not in (None, 0) else ""


def _inner_status(data: Any) -> int:
    """The status that an error's own body tells, where something in between has made a 200 of it."""
    if not isinstance(data, dict) or "id" in data or not {"code", "message", "data"} <= data.keys():
        return 0
    inner = str(data["data"].get("status") if isinstance(data["data"], dict) else "")
    return int(inner) if inner.isdigit() and int(inner) >= 400 else 0


def _field(data: Any) -> str:
    """The names of the parameters that the store found wrong."""
    details = data.get("data") if isinstance(data, dict) else None
    params = details.get("params") if isinstance(details, dict) else None
    return ", ".join(str(name) for name in params)[:100] if isinstance(params, dict | list) else ""


def _refused(status: int, code: str, said: str, reference: str) -> Exception:
    if code == "woocommerce_rest_authentication_error":
        # The text is in the shop's language; English is enough for a first guess.
        if "permission" in said.lower():
            return KeyRefused(StoreDisconnected(Code.SCOPE_MISSING, said, scopes=[SCOPE], request_id=reference))
        return KeyRefused(StoreDisconnected(Code.TOKEN_REFUSED, said, status=status, request_id=reference))
    if code.startswith("woocommerce_rest_"):
        if status == 401:
            return Unproven(StoreDisconnected(Code.TOKEN_REFUSED, said, status=status, request_id=reference))
        return StoreDisconnected(Code.USER_LACKS_RIGHTS, said, request_id=reference)
    # Of a plugin that closes the API to visitors, or of WordPress, which took the key for a password of its own.
    # It may be that the key never arrived.
    return Unproven(StoreDisconnected(Code.API_CLOSED, said, said=code, request_id=reference))


def _broken(answer: Answer, status: int, said: str, *, is_page: bool, writes: bool) -> Exception:
    reference, after = reference_of(answer), retry_after(answer.headers)
    if status == 503 and after is not None:
        # WordPress' own page for its updates, or a server that is full: nothing was begun.
        return StoreBusy(Code.SERVER_ERROR, said, after=after, status=status, request_id=reference)
    error: StoreBusy | OutcomeUnknown
    if writes:
        error = OutcomeUnknown(Code.STORE_FAILED, said, status=status, request_id=reference)
    else:
        error = StoreBusy(Code.SERVER_ERROR, said, after=after, status=status, request_id=reference)
    is_guard = "cf-mitigated" in answer.headers or _GUARDS.search(answer.body[:_LOOKED_AT])
    return PageInstead(error, status) if is_page and status in (501, 503) and is_guard else error


def _elsewhere(answer: Answer, base_url: str) -> Exception:
    location = answer.headers.get("Location", "")
    to = base_of(location, base_url)
    is_for_good = answer.status in (301, 308) and not _LOGIN.search(location)
    if to == base_url or not to and not is_for_good:
        # For the time being: closed for maintenance, a login wall, a bot check.
        return PageInstead(StoreBusy(Code.NOT_JSON, request_id=reference_of(answer)), answer.status)
    return Moved(to, answer.status)


def _page(answer: Answer, said: str, *, writes: bool) -> Exception:
    status, reference = answer.status, reference_of(answer)
    if status == 404:
        gone = StoreDisconnected(Code.PERMALINKS, said, request_id=reference)
        return PageInstead(StoreBusy(Code.NOT_JSON, said, request_id=reference), status, gone)
    if status == 402:
        return StoreDisconnected(Code.SHOP_FROZEN, said, status=status, request_id=reference)
    if status == 413:
        return ShipmentRejected(Code.REFUSED, said, field="413", request_id=reference)
    if status >= 400:
        return PageInstead(StoreBusy(Code.NOT_JSON, said, request_id=reference), status)
    error: StoreBusy | OutcomeUnknown
    if writes:
        error = OutcomeUnknown(Code.ANSWER_LOST, said, request_id=reference)
    else:
        error = StoreBusy(Code.NOT_JSON, said, request_id=reference)
    # Data that was cut short and an empty answer are PHP at its limits, not a page.
    start = answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return error if start in (b"", b"{", b"[") else PageInstead(error, status)
