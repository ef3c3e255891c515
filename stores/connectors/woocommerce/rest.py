"""Requests to the REST API of one WooCommerce store: signed, sent, and their answers judged.

What an answer means stands in answers.py; here is what needs a second request or the memory of earlier ones: a key
that may not have arrived is sent once more in another way, and a page that comes in place of data is borne for a
quarter of an hour before a person is asked. No redirect is ever followed.

https://developer.woocommerce.com/docs/apis/rest-api/authentication/
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

from ..codes import Code
from ..errors import ConnectorError, ShipmentRejected, StoreBusy, StoreDisconnected
from ..http import Session
from .answers import (
    SCOPE,
    KeyRefused,
    Moved,
    PageInstead,
    Reply,
    RouteGone,
    Unproven,
    read,
)
from .memory import Memory

__all__ = ["Reply", "Rest", "RouteGone"]

Params = Mapping[str, str | int]

INDEX_FIELDS = "name,url,home,namespaces,timezone_string,gmt_offset"  # the whole index has more than a megabyte


def _shows_no_key(record: logging.LogRecord) -> bool:
    return "consumer_" not in record.getMessage()


# Whoever logs everything would log addresses whole, and a key may stand in one.
logging.getLogger("urllib3.connectionpool").addFilter(_shows_no_key)


class Rest:
    """Calls one store. `deadline` (time.monotonic()) holds for all calls until it is set anew.

    `credentials`: {"consumer_key", "consumer_secret"}. `memory` outlives this object. `is_patient`: whether a page
    in place of data is borne for a while; somebody who waits for the answer is told at once.
    """

    def __init__(
        self,
        session: Session,
        base_url: str,
        credentials: Mapping[str, Any],
        memory: Memory,
        *,
        is_patient: bool = True,
    ) -> None:
        self.deadline = float("inf")
        self.base_url = base_url
        self.memory = memory
        self._session = session
        self._key = str(credentials.get("consumer_key") or "")
        self._secret = str(credentials.get("consumer_secret") or "")
        self._is_patient = is_patient

    def get(self, path: str, params: Params | None = None) -> Reply:
        """Read `path` ("/wc/v3/orders/12").

        Raises StoreBusy, StoreDisconnected, ShipmentRejected (ORDER_NOT_FOUND, or REFUSED for parameters the store
        does not take) and RouteGone.
        """
        return self._ask("GET", path, params, None, writes=False)

    def post(self, path: str, json: Any, params: Params | None = None) -> Reply:
        """Write. Besides what `get` raises: OutcomeUnknown when it may have been done. The others: nothing was."""
        return self._ask("POST", path, params, json, writes=True)

    def put(self, path: str, json: Any) -> Reply:
        """Write over something. Raises as `post` does."""
        return self._ask("PUT", path, None, json, writes=True)

    def delete(self, path: str, params: Params | None = None) -> Reply:
        """Take something away. Raises as `post` does."""
        return self._ask("DELETE", path, params, None, writes=True)

    def index(self) -> Reply:
        """What the API tells everybody of the shop; no key is sent. Raises as `get` does."""
        try:
            reply = self._judged("GET", "/", {"_fields": INDEX_FIELDS}, None, writes=False, by="nobody")
        except (Unproven, KeyRefused) as refused:
            raise refused.error from None
        if not isinstance(reply.data, dict):
            raise StoreBusy(Code.NOT_JSON, request_id=reply.request_id)
        return reply

    def has_route(self, path: str) -> bool:
        """Whether something answers us there, be it that there is no such order. Raises as `get` does otherwise."""
        try:
            self.get(path)
        except RouteGone:
            return False
        except StoreDisconnected as error:
            if error.reason.code != Code.USER_LACKS_RIGHTS:
                raise
            return False
        except ShipmentRejected:
            return True
        return True

    def require_writing(self) -> None:
        """Make sure that the key may write, without writing: an order that cannot be is changed in nothing.

        The right is looked at before the order. Raises StoreDisconnected(SCOPE_MISSING), and as `get` does.
        """
        try:
            self._ask("PUT", "/wc/v3/orders/0", None, {}, writes=False)
        except ShipmentRejected:
            return

    def _ask(self, method: str, path: str, params: Params | None, json: Any, *, writes: bool) -> Reply:
        missing = [name for name, text in (("consumer_key", self._key), ("consumer_secret", self._secret)) if not text]
        if missing:
            raise StoreDisconnected(Code.CREDENTIALS_INCOMPLETE, missing=missing)
        if writes and self.memory.writes.is_over(time.monotonic()):
            # After some pages nobody knows whether the write was done: then it is tried first with one that is none.
            self.require_writing()
        try:
            return self._known(method, path, params, json, writes=writes)
        except KeyRefused as refused:
            raise self._why_refused(method, refused.error) from None

    def _known(self, method: str, path: str, params: Params | None, json: Any, *, writes: bool) -> Reply:
        """Ask with the key; where it seems not to have arrived, once more in the address.

        A key in the address ends up in the host's log, so that is no more than the second way.
        """
        by_query = self.memory.asks_by_query(time.monotonic())
        try:
            return self._judged(method, path, params, json, writes=writes, by="query" if by_query else "header")
        except Unproven as first:
            if by_query:
                raise first.error from None
            error = first.error
        try:
            reply = self._judged(method, path, params, json, writes=writes, by="query")
        except Unproven:
            if error.reason.code == Code.TOKEN_REFUSED and self._is_key_known():
                raise StoreDisconnected(Code.HTTPS_NOT_SEEN, error.message, request_id=error.request_id) from None
            raise error from None
        except (KeyRefused, ShipmentRejected, RouteGone):
            self.memory.keep_to_query(time.monotonic())  # the key has arrived this time
            raise
        self.memory.keep_to_query(time.monotonic())
        return reply

    def _why_refused(self, method: str, error: StoreDisconnected) -> ConnectorError:
        """A write that was refused for its key, in whatever language: a key that reads may not write."""
        if method == "GET" or error.reason.code == Code.SCOPE_MISSING:
            return error
        try:
            self._known("GET", "/wc/v3/orders", {"per_page": 1, "_fields": "id"}, None, writes=False)
        except (KeyRefused, RouteGone, ConnectorError):
            return error
        return StoreDisconnected(Code.SCOPE_MISSING, error.message, scopes=[SCOPE], request_id=error.request_id)

    def _is_key_known(self) -> bool:
        """Whether the store knows the key that it lets nobody in with: it does not see that it was called by https.

        For plain http it wants requests to be signed, and says whether it is the key or the signature that is wrong.
        In its own language: so it is asked about a key that nobody has, too. The secret is not sent.
        """
        ours, nobodys = self._refusal(self._key), self._refusal(f"ck_{'0' * 40}")
        return None not in (ours, nobodys) and ours != nobodys

    def _refusal(self, key: str) -> str | None:
        params: dict[str, str | int] = {
            "oauth_consumer_key": key,
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_signature": "none",
            "oauth_timestamp": int(time.time()),
            "oauth_nonce": secrets.token_hex(8),
        }
        try:
            self._judged("GET", "/wc/v3/orders", params, None, writes=False, by="nobody")
        except (Unproven, KeyRefused) as refused:
            return refused.error.message
        except (RouteGone, ConnectorError):
            return None
        return None

    def _judged(self, method: str, path: str, params: Params | None, json: Any, *, writes: bool, by: str) -> Reply:
        query, changes = dict(params or {}), method != "GET"
        if by == "query":
            query |= {"consumer_key": self._key, "consumer_secret": self._secret}
        try:
            answer = self._session.request(
                method,
                f"{self.base_url}/wp-json{path}",
                params=query or None,
                json=json,
                auth=(self._key, self._secret) if by == "header" else None,
                writes=writes,
                deadline=self.deadline,
            )
        except StoreBusy as error:
            if error.message != "SSLError":
                raise
            refused = StoreDisconnected(Code.CERTIFICATE_REFUSED, error.message)
            raise self._struck(error, refused, writes=changes) from None
        try:
            reply = read(answer, path, writes=writes, base_url=self.base_url, secrets=(self._secret, self._key))
        except PageInstead as page:
            raise self._struck(page.error, page.at_last, writes=changes) from None
        except Moved as moved:
            self.memory.answered(writes=changes)
            raise _moved(moved) from None
        except (Unproven, KeyRefused, RouteGone, ShipmentRejected):
            self.memory.answered(writes=changes)
            raise
        self.memory.answered(writes=changes)
        self.memory.is_soiled |= reply.was_dirty
        return reply

    def _struck(self, for_now: ConnectorError, at_last: StoreDisconnected, *, writes: bool) -> ConnectorError:
        """`for_now` until it has gone on for too long. A write whose end is not known stays one in any case."""
        strikes = self.memory.writes if writes else self.memory.reads
        is_over = strikes.add(time.monotonic()) or not self._is_patient
        return at_last if is_over and isinstance(for_now, StoreBusy) else for_now


def _moved(moved: Moved) -> StoreDisconnected:
    if moved.to:
        return StoreDisconnected(Code.ADDRESS_MOVED, to=moved.to[:200])
    # For good, and to no API: a WordPress without the API's addresses sends them to its start page.
    return StoreDisconnected(Code.PERMALINKS)
