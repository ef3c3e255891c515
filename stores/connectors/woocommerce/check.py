"""The live check of a connection: where WordPress really stands, what the key may do, what the store has.

Only here redirects are followed, by hand: to read what everybody may read, without the key, and no further than to
hosts of the same name. Where that ends elsewhere the merchant is told the address that answers.

https://developer.wordpress.org/rest-api/using-the-rest-api/discovery/
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..base import StoreFacts
from ..codes import Code
from ..errors import ConnectorError, ShipmentRejected, StoreBusy, StoreDisconnected, TryAgainLater
from ..http import Session
from . import places
from .address import are_related
from .answers import SCOPE, base_of
from .orders import Orders
from .rest import Rest, RouteGone

_HOPS = 4
_SHOP_API = "wc/v3"
_API_LINK = re.compile(r"<([^<>]*)>\s*;\s*rel=\"https://api\.w\.org/\"")
_WORDPRESS = re.compile(rb"/wp-(?:content|includes|json)/")

# Shops that keep no zone but a difference to UTC in hours. Zones of whole hours have a sign turned round in their name.
_ODD_OFFSETS = {
    -9.5: "Pacific/Marquesas",
    -3.5: "America/St_Johns",
    -2.5: "America/St_Johns",
    3.5: "Asia/Tehran",
    4.5: "Asia/Kabul",
    5.5: "Asia/Kolkata",
    5.75: "Asia/Kathmandu",
    6.5: "Asia/Yangon",
    8.75: "Australia/Eucla",
    9.5: "Australia/Darwin",
    10.5: "Australia/Lord_Howe",
    12.75: "Pacific/Chatham",
    13.75: "Pacific/Chatham",
}


def check(rest: Rest, session: Session, permissions: str, wish: str) -> StoreFacts:
    """Who the store is and where its numbers go; `wish` is the place that the merchant chose, "" for the best.

    `permissions`: of the key, as the store told when it was made ("read", "write", "read_write"), "" where unknown.

    Raises StoreDisconnected with what a merchant has to put right, and StoreBusy.
    """
    shop = _shop(rest, session)
    if permissions not in ("", "read_write"):
        raise StoreDisconnected(Code.SCOPE_MISSING, scopes=[SCOPE])
    Orders(rest).may_be_read()
    rest.require_writing()
    rest.memory.forget_places()
    found = places.find(rest, rest.memory, shop.get("namespaces"))
    warnings = []
    if rest.memory.by_query:
        warnings.append(Code.HEADER_STRIPPED)
    if rest.memory.is_soiled:
        warnings.append(Code.ANSWERS_SOILED)
    return StoreFacts(
        shop_name=html.unescape(str(shop.get("name") or "")) or (urlsplit(rest.base_url).hostname or ""),
        time_zone=time_zone(shop.get("timezone_string"), shop.get("gmt_offset")),
        tracking_goes_to=str(places.choose(found, wish)),
        places=tuple(str(place) for place in found.found),
        statuses=_statuses(rest),
        version=_version(rest),
        warnings=tuple(warnings),
    )


def time_zone(name: Any, offset: Any) -> str:
    """The IANA name of a shop's zone, or of one with its difference to UTC in hours; "" where there is none."""
    if name:
        return str(name)
    try:
        hours = float(offset)
    except (TypeError, ValueError):
        return ""
    if hours == 0:
        return "UTC"
    if hours == int(hours) and -12 <= hours <= 14:
        return f"Etc/GMT{-int(hours):+d}"
    return _ODD_OFFSETS.get(hours, "")


def _shop(rest: Rest, session: Session) -> Mapping[str, Any]:
    """What the index tells, {} where the store shows it to nobody. StoreDisconnected where there is no WooCommerce."""
    asked, moved_to = rest, ""
    for _ in range(_HOPS):
        try:
            shop: Mapping[str, Any] = asked.index().data
            break
        except StoreDisconnected as error:
            to = str(error.reason.values.get("to") or "")
            if error.reason.code == Code.API_CLOSED:
                return {}  # some plugins leave the shop's own routes open
            if error.reason.code == Code.PERMALINKS and not moved_to:
                raise _whats_there(session, rest.base_url) or error from None
            if error.reason.code != Code.ADDRESS_MOVED or not _is_near(rest.base_url, to):
                raise _moved(moved_to) if moved_to else error from None
            moved_to, asked = to, Rest(session, to, {}, rest.memory, is_patient=False)
        except ShipmentRejected as error:
            raise StoreDisconnected(Code.SHOP_NOT_FOUND, error.message, request_id=error.request_id) from None
    else:
        raise _moved(moved_to)
    if moved_to:
        raise _moved(moved_to)
    if "namespaces" in shop and _SHOP_API not in shop["namespaces"]:
        raise StoreDisconnected(Code.PLATFORM_MISSING)
    return shop


def _whats_there(session: Session, base_url: str) -> StoreDisconnected | None:
    """Why the API is not at the address, as the page there tells it; None where that page does not answer."""
    url = f"{base_url}/"
    for _ in range(_HOPS):
        try:
            answer = session.request("GET", url, headers={"Accept": "text/html"}, writes=False)
        except ConnectorError:
            return None
        link = _API_LINK.search(answer.headers.get("Link", ""))
        if link:
            api = base_of(link[1])
            if api and api != base_url and _is_near(base_url, api):
                return _moved(api)
            return StoreDisconnected(Code.PERMALINKS)
        to = answer.headers.get("Location", "") if 300 <= answer.status < 400 else ""
        if not to.startswith(("https://", "http://")) or not _is_near(base_url, to):
            break
        url = to
    if _WORDPRESS.search(answer.body):
        return StoreDisconnected(Code.PERMALINKS)
    return StoreDisconnected(Code.SHOP_NOT_FOUND, status=answer.status)


def _moved(to: str) -> StoreDisconnected:
    return StoreDisconnected(Code.ADDRESS_MOVED, to=to[:200])


def _is_near(base_url: str, to: str) -> bool:
    return are_related(urlsplit(base_url).hostname or "", urlsplit(to).hostname or "")


def _statuses(rest: Rest) -> tuple[str, ...]:
    """The statuses that orders may have; older stores do not tell."""
    try:
        found = rest.get("/wc/v3/orders/statuses").data
    except (RouteGone, ShipmentRejected, StoreBusy, TryAgainLater):
        return ()
    return tuple(str(each["slug"]) for each in found if isinstance(each, dict) and each.get("slug"))


def _version(rest: Rest) -> str:
    """WooCommerce's version; on a big shop the page that tells it may be too much, and nothing depends on it."""
    try:
        found = rest.get("/wc/v3/system_status", {"_fields": "environment"}).data
        return str(found["environment"]["version"])
    except (RouteGone, ShipmentRejected, StoreBusy, TryAgainLater, StoreDisconnected, LookupError, TypeError):
        return ""
