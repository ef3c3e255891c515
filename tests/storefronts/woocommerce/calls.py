"""Requests that the store's own server makes: webhooks and the answer to a merchant's consent. Loopback only.

A real store refuses private addresses; this one refuses all others, so that no test ever calls a stranger.
"""

from __future__ import annotations

import ipaddress
import urllib.parse

import requests

LIMIT = 60  # seconds; the store waits no longer


def moved(url: str, to: str | None) -> str:
    """The address with its origin replaced by `to`, where that is given."""
    if not to:
        return url
    parts, origin = urllib.parse.urlsplit(url), urllib.parse.urlsplit(to)
    return urllib.parse.urlunsplit((origin.scheme, origin.netloc, parts.path, parts.query, ""))


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urllib.parse.urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post(url: str, body: bytes, headers: dict[str, str], ca_bundle: str | None = None) -> int | None:
    """The status of the answer; None where there was none. Redirects are not followed."""
    if not is_loopback(url):
        return None
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                url, data=body, headers=headers, timeout=LIMIT, allow_redirects=False, verify=ca_bundle or True
            )
        except requests.RequestException:
            return None
        return answer.status_code
