"""One call to Shopify's Admin API: sent when the bucket holds it, its answer classified by who acts next.

What is asked stands in documents/, what the answers mean for orders in orders.py, state.py and push.py.
Errors that belong to one field of an answer are handed on with their path; those that concern the whole
store are raised here.
https://shopify.dev/docs/api/usage/response-codes
https://shopify.dev/docs/apps/build/authentication-authorization
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Tokens
from ..codes import Code
from ..errors import OutcomeUnknown, StoreBusy, StoreDisconnected
from ..http import Answer, Session
from ..said import on_one_line
from .documents import document
from .limiter import Cost, Limiter

API_VERSION = "2026-10"

# Public apps have to use tokens that end:
# https://shopify.dev/changelog/expiring-offline-access-tokens-required-for-all-public-apps-as-of-january-1-2027
_NEVER_ENDING = "non-expiring access tokens"
_SCOPE = re.compile(r"\b(?:read|write)_[a-z_]+\b")
_SECRET = re.compile(r"\bshp[a-z]{2}_[0-9A-Za-z]+")


class TooDear(Exception):
    """The whole request was refused for its cost; nothing was executed. The limiter knows; the caller asks for less.

    `requested`: what it would have cost, 0 when the store did not tell.
    """

    def __init__(self, requested: float) -> None:
        super().__init__(f"a request would have cost {requested}")
        self.requested = requested


class DocumentRefused(Exception):
    """Shopify does not understand what we sent: nothing was executed. `variable` names the one at fault, or ""."""

    def __init__(self, code: str, variable: str, message: str) -> None:
        super().__init__(f"Shopify refused a document: {code} {variable}".rstrip())
        self.code = code
        self.variable = variable
        self.message = message


@dataclass(frozen=True)
class Problem:
    """One top-level error that came next to data."""

    path: tuple[str | int, ...]
    code: str
    message: str
    scopes: tuple[str, ...] = ()
    cost: float = 0.0  # of the whole request, where it was refused for that


@dataclass(frozen=True)
class Reply:
    """Data of an answer, with the problems that concern parts of it."""

    data: Mapping[str, Any]
    problems: tuple[Problem, ...]
    request_id: str
    version: str  # of the API that really answered

    def problem_at(self, *path: str | int) -> Problem | None:
        """The first problem at or below this path; a problem without a path concerns everything."""
        return next((p for p in self.problems if not p.path or p.path[: len(path)] == path), None)


class GraphQL:
    """Calls one store. `deadline` (time.monotonic()) holds for all of its calls until it is set anew."""

    def __init__(
        self, session: Session, base_url: str, tokens: Tokens, limiter: Limiter, api_version: str = API_VERSION
    ) -> None:
        self.api_version = api_version
        self.limiter = limiter
        self.deadline = float("inf")
        self._session = session
        self._tokens = tokens
        self._url = f"{base_url}/admin/api/{api_version}/graphql.json"
        limiter.doubt()

    def read(self, name: str, variables: Mapping[str, Any], units: dict[str, int] | None = None) -> Reply:
        """Ask the document `name`; `units` tells the limiter how many of which kind it asks for."""
        units = units or {name: 1}
        for kind in units:
            self.limiter.starts_at(kind, 10.0)
        return self._call(document(name), variables, units, writes=False)

    def write(self, text: str, variables: Mapping[str, Any], units: dict[str, int]) -> Reply:
        """Send a mutation. Besides what `read` raises: OutcomeUnknown when it may have been executed."""
        return self._call(text, variables, units, writes=True)

    def scopes(self) -> frozenset[str]:
        """What we were granted, with the `read_` that each `write_` brings."""
        return granted(self.read("scopes", {}).data)

    def _call(self, text: str, variables: Mapping[str, Any], units: dict[str, int], *, writes: bool) -> Reply:
        expected = self.limiter.expects(units)
        if self.limiter.needs_a_look(expected):
            self._post(document("bucket"), {}, 1.0, writes=False)
        if expected > self.limiter.limit and sum(units.values()) > 1:
            raise TooDear(expected)  # not sent: this bucket never holds as much
        if (seconds := self.limiter.wait(expected, time.monotonic())) > 0:
            if time.monotonic() + seconds >= min(self.deadline, self._session.deadline):
                # The store's own pause holds all of its work back; each turn would begin with another read.
                raise StoreBusy(Code.THROTTLED, after=seconds)
            self._session.pause(seconds)
        answer, cost = self._post(text, variables, expected, writes=writes)
        if cost:
            self.limiter.learn(units, cost.requested)
        try:
            return self._reply(answer, cost, writes=writes)
        except TooDear as error:
            self.limiter.refused_as_too_dear(units, error.requested)
            raise

    def _post(
        self, text: str, variables: Mapping[str, Any], expected: float, *, writes: bool
    ) -> tuple[Answer, Cost | None]:
        token = self._tokens.current()
        answer = self._send(token, text, variables, expected, writes=writes)
        if answer.status == 401:
            # Nothing was executed, so once more with another token is no second write.
            token = self._tokens.refused(token)
            answer = self._send(token, text, variables, expected, writes=writes)
        cost = Cost.read(answer.json.get("extensions") if isinstance(answer.json, dict) else None)
        if cost:
            self.limiter.answered(cost, time.monotonic())
        raise_for_status(answer, writes=writes, secret=token)
        return answer, cost

    def _send(self, token: str, text: str, variables: Mapping[str, Any], expected: float, *, writes: bool) -> Answer:
        try:
            return self._session.request(
                "POST",
                self._url,
                headers={"X-Shopify-Access-Token": token},
                json={"query": text, "variables": variables},
                writes=writes,
                deadline=self.deadline,
            )
        except (StoreBusy, OutcomeUnknown):
            self.limiter.lost(expected, time.monotonic())
            raise

    def _reply(self, answer: Answer, cost: Cost | None, *, writes: bool) -> Reply:
        body = answer.json
        if not isinstance(body, dict) or not ("data" in body or body.get("errors")):
            if writes:
                raise OutcomeUnknown(Code.ANSWER_LOST, request_id=answer.request_id)
            raise StoreBusy(Code.NOT_JSON, request_id=answer.request_id)
        problems = _problems(body.get("errors"))
        codes = {problem.code for problem in problems}
        data = body.get("data")
        if "THROTTLED" in codes:
            raise StoreBusy(Code.THROTTLED, after=_after(cost), request_id=answer.request_id)
        if "MAX_COST_EXCEEDED" in codes:
            raise TooDear(max((problem.cost for problem in problems), default=0.0))
        if not isinstance(data, dict):
            raise _whole(problems, answer, writes=writes)
        return Reply(data, problems, answer.request_id, answer.headers.get("X-Shopify-API-Version", ""))


def raise_for_status(answer: Answer, *, writes: bool, secret: str = "") -> None:
    """Nothing for 200; the connector error that another status means."""
    status = answer.status
    if status == 200:
        return
    said = cleaned(_said(answer.json), secret)
    reference = answer.request_id
    if status in (429, 430):
        raise StoreBusy(Code.THROTTLED, said, after=_retry_after(answer), request_id=reference)
    if status >= 500:
        if writes:
            raise OutcomeUnknown(Code.STORE_FAILED, said, status=status, request_id=reference)
        raise StoreBusy(Code.SERVER_ERROR, said, after=_retry_after(answer), status=status, request_id=reference)
    if status == 403 and _NEVER_ENDING in said.lower():
        raise StoreDisconnected(Code.TOKEN_KIND_REFUSED, said, status=status, request_id=reference)
    if status in (401, 403):
        raise StoreDisconnected(Code.TOKEN_REFUSED, said, status=status, request_id=reference)
    if status in (402, 423):
        raise StoreDisconnected(Code.SHOP_FROZEN, said, status=status, request_id=reference)
    if status in (301, 308, 404):
        # A shop that was renamed answers with its new name; what only moved for a while is busy, below.
        raise StoreDisconnected(Code.SHOP_NOT_FOUND, said, status=status, request_id=reference)
    raise StoreBusy(Code.SERVER_ERROR, said, status=status, request_id=reference)


def granted(data: Mapping[str, Any]) -> frozenset[str]:
    """The scopes in `currentAppInstallation`, with the `read_` that each `write_` brings."""
    installation = data.get("currentAppInstallation") or {}
    handles = {scope["handle"] for scope in installation.get("accessScopes") or ()}
    return frozenset(handles | {handle.replace("write_", "read_", 1) for handle in handles})


def cleaned(text: str, secret: str = "") -> str:
    """What a store said, without tokens and addresses, on one line."""
    return on_one_line(text, _SECRET, [secret])


def _problems(errors: Any) -> tuple[Problem, ...]:
    if not errors:
        return ()
    if not isinstance(errors, list):
        return (Problem((), "", _said({"errors": errors})),)
    found = []
    for error in errors:
        if not isinstance(error, dict):
            found.append(Problem((), "", str(error)))
            continue
        extensions = error.get("extensions")
        extensions = extensions if isinstance(extensions, dict) else {}
        message = str(error.get("message") or "")
        asked = f"{extensions.get('requiredAccess') or ''} {message}"
        path = error.get("path")
        found.append(
            Problem(
                path=tuple(path) if isinstance(path, list) else (),
                code=str(extensions.get("code") or ("THROTTLED" if message.lower() == "throttled" else "")),
                message=message,
                scopes=tuple(dict.fromkeys(_SCOPE.findall(asked))),
                cost=_number(extensions.get("cost")),
            )
        )
    return tuple(found)


def _whole(problems: tuple[Problem, ...], answer: Answer, *, writes: bool) -> Exception:
    """The error of an answer without any data."""
    first = problems[0] if problems else Problem((), "", "")
    said = cleaned(first.message)
    if first.code == "INTERNAL_SERVER_ERROR" or not first.code:
        if writes:
            return OutcomeUnknown(Code.STORE_FAILED, said, status=200, request_id=answer.request_id)
        return StoreBusy(Code.SERVER_ERROR, said, status=200, request_id=answer.request_id)
    if first.code == "ACCESS_DENIED":
        return StoreDisconnected(Code.SCOPE_MISSING, said, scopes=list(first.scopes), request_id=answer.request_id)
    named = re.search(r"\$(\w+)", first.message)
    return DocumentRefused(first.code, named[1] if named else "", said)


def _said(body: Any) -> str:
    errors = body.get("errors") or body.get("error_description") or body.get("error") if isinstance(body, dict) else ""
    if isinstance(errors, list):
        errors = next((e.get("message") if isinstance(e, dict) else e for e in errors), "")
    elif isinstance(errors, dict):
        errors = "; ".join(f"{key}: {value}" for key, value in errors.items())
    return str(errors or "")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _after(cost: Cost | None) -> float:
    # https://shopify.dev/docs/api/usage/limits: "recommended backoff time is one second", or until the bucket holds it
    if not cost or cost.restore <= 0:
        return 1.0
    return max((cost.requested - cost.available) / cost.restore, 1.0)


def _retry_after(answer: Answer) -> float | None:
    try:
        seconds = float(answer.headers.get("Retry-After", ""))
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    except ValueError:
        return None
