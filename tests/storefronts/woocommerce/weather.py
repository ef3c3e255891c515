"""What stands between a client and the store: pages of hosts and firewalls in place of an answer, noise around one."""

from __future__ import annotations

import json

from tests.storefronts.serving import HTML, HTML_TYPE

from .problems import Answer, Refused, no_route

NOISE = (
    "<br />\n<b>Warning</b>:  Undefined array key [0] in <b>/var/www/html/wp-content/plugins/old/old.php</b>"
    " on line <b>{12}</b><br />\n"
)
TITLES = {
    "402": "Account Suspended",
    "404": "404 Not Found",
    "408": "408 Request Time-out",
    "413": "413 Request Entity Too Large",
    "520": "Web server is returning an unknown error",
    "406": "Not Acceptable! An appropriate representation could not be found. Mod_Security",
    "429": "429 Too Many Requests",
    "500": "500 Internal Server Error",
    "503": "503 Service Unavailable",
    "504": "504 Gateway Time-out",
    "waf_403": "Access denied",
    "cloudflare_503": "Just a moment...",
    "maintenance": "Briefly unavailable for scheduled maintenance. Check back in a minute.",
}
BROKEN = "There has been a critical error on this website."


def instead(kind: str, seconds: float | None, path: str) -> Answer:
    """The answer of a fault; `path` is what was asked for. Raises KeyError for a kind that is no answer of its own."""
    kind = kind.removesuffix("_after")
    if kind == "critical_500":
        return Answer(500, {"code": "internal_server_error", "message": BROKEN, "data": {"status": 500}})
    if kind == "rest_no_route":
        return no_route().answer()
    if kind == "401":
        return Refused(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.").answer()
    if kind == "login_wall":
        return Refused(401, "rest_not_logged_in", "You are not currently logged in.").answer()
    if kind == "302":
        return Answer(302, "", {"Location": path}, HTML_TYPE)
    headers = {}
    if kind == "429":
        headers["Retry-After"] = f"{seconds or 2.0:g}"
    if kind == "maintenance":
        headers["Retry-After"] = "600"
    if kind == "cloudflare_503":
        headers |= {"Server": "cloudflare", "CF-Mitigated": "challenge"}
    status = int(kind) if kind.isdigit() else {"waf_403": 403}.get(kind, 503)
    return Answer(status, HTML.format(TITLES[kind]), headers, HTML_TYPE)


def text(answer: Answer) -> str:
    """The body as it is sent."""
    return answer.body if isinstance(answer.body, str) else json.dumps(answer.body)


def with_warnings(answer: Answer) -> Answer:
    """PHP says something before the JSON, and the type of the answer is a page's."""
    return Answer(answer.status, NOISE + text(answer), answer.headers, HTML_TYPE)


def without_body(answer: Answer) -> Answer:
    """PHP ran out of memory or time after the headers."""
    return Answer(200, "", {}, answer.kind)


def with_mark(answer: Answer) -> Answer:
    """A byte order mark before the JSON."""
    return Answer(answer.status, "\ufeff" + text(answer), answer.headers, answer.kind)


AROUND = {"php_warning": with_warnings, "bom": with_mark, "empty_200": without_body}
