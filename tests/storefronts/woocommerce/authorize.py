"""One click instead of copying keys: WordPress's login, the page of consent, and the keys that the store sends away.

https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-endpoint The keys go by the store's own
server; an answer other than exactly 200 takes them back.
"""

from __future__ import annotations

import html
import json
import secrets
import urllib.parse
from collections.abc import Mapping

from tests.storefronts.serving import HTML_TYPE
from tests.storefronts.shopify.page import document

from . import calls
from .access import Request
from .problems import Answer
from .shop import Shop

STYLE = """<style>
form { max-width: 22rem; }
form p { display: grid; gap: .25rem; }
input, .choice a { padding: .4rem 1rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); }
input { font: inherit; color: var(--ink); }
.choice { display: flex; gap: .75rem; }
.choice .wc-auth-approve { background: var(--good); color: var(--card); }
</style>"""
SCOPES = {"read": "Read", "write": "Write", "read_write": "Read/Write"}
NEEDED = ("app_name", "user_id", "return_url", "callback_url", "scope")
MAY = {
    "read": ("View coupons", "View customers", "View orders and sales reports", "View products", "View webhooks"),
    "write": (
        *("Create webhooks", "Create coupons", "Create customers", "Create orders", "Create products"),
        "Issue refunds",
    ),
}
MAY["read_write"] = tuple(f"View and manage {what}" for what in ("coupons", "customers", "orders", "products")) + (
    "View and manage webhooks",
)


def asked(shop: Shop, path: str, query: Mapping[str, list[str]]) -> str | None:
    """Which of these pages is asked for: "login", "authorize", "access_granted", "wp-login", or None of them."""
    if path == "/wp-login.php":
        return "wp-login"
    if not shop.has_woocommerce:
        return None
    if path in ("", "/") and "wc-auth-route" in query:
        return query["wc-auth-route"][0]
    parts = path.strip("/").split("/")
    if not shop.plain_permalinks and parts[:2] == ["wc-auth", "v1"] and len(parts) == 3:
        return parts[2]
    return None


def answer(shop: Shop, request: Request) -> Answer:
    """One of the pages; the caller does not hold the lock."""
    query = {name: values[0] for name, values in request.query.items()}
    if request.route == "wp-login":
        return _enter(shop, request)
    if problem := _problem(shop, query):
        return _page("Error", f"<p>Error: {html.escape(problem)}.</p>", 401)
    if request.route == "login":
        return _page("Login", _login(shop, query))
    if not _is_known(shop, request):
        return Answer(302, "", {"Location": _url(shop, "login", query)}, HTML_TYPE)
    if request.route == "authorize":
        return _page("Application authentication request", _consent(shop, query))
    if request.route == "access_granted":
        return _granted(shop, query)
    return _page("Error", "<p>Page not found</p>", 404)


def _problem(shop: Shop, query: Mapping[str, str]) -> str | None:
    for name in NEEDED:
        if not query.get(name):
            return f"Missing parameter {name}"
    if query["scope"] not in SCOPES:
        return f"Invalid scope {query['scope']}"
    for name in ("return_url", "callback_url"):
        if not query[name].startswith(("http://", "https://")):
            return f"The {name} is not a valid URL"
    if not query["callback_url"].startswith("https://") and not shop.lenient_callback:
        return "The callback_url needs to be over SSL"
    return None


def _url(shop: Shop, route: str, query: Mapping[str, str]) -> str:
    kept = {name: value for name, value in query.items() if not name.startswith("wc-auth")}
    if shop.plain_permalinks or "wc-auth-route" in query:
        return f"{shop.base_url}/?{urllib.parse.urlencode({'wc-auth-version': 1, 'wc-auth-route': route, **kept})}"
    return f"{shop.base_url}/wc-auth/v1/{route}/?{urllib.parse.urlencode(kept)}"


def _is_known(shop: Shop, request: Request) -> bool:
    cookies = [part.strip().partition("=") for part in request.headers.get("cookie", "").split(";")]
    return any(name == _cookie(shop) and value in shop.cookies for name, _, value in cookies)


def _cookie(shop: Shop) -> str:
    return f"wordpress_logged_in_{shop.name}"


def _enter(shop: Shop, request: Request) -> Answer:
    given = {key: str(value) for key, value in request.given.items()}
    target = given.get("redirect_to") or f"{shop.base_url}/"
    if given.get("log") != shop.username or given.get("pwd") != shop.password:
        wrong = '<p role="alert">Error: The username or password you entered is incorrect.</p>'
        return _page("Login", wrong + _form(shop, target), 200)
    with shop.lock:
        token = secrets.token_hex(16)
        shop.cookies.add(token)
    cookie = f"{_cookie(shop)}={token}; Path=/{shop.name}; HttpOnly; SameSite=Lax"
    return Answer(302, "", {"Location": target, "Set-Cookie": cookie}, HTML_TYPE)


def _login(shop: Shop, query: Mapping[str, str]) -> str:
    app = html.escape(query["app_name"])
    target = _url(shop, "authorize", query)
    return f"<p>To connect to {app} you need to be logged in to your store.</p>{_form(shop, target)}"


def _form(shop: Shop, target: str) -> str:
    return (
        f'<form method="post" action="{html.escape(shop.base_url)}/wp-login.php">'
        '<p><label for="username">Username or email address</label> <input id="username" name="log"></p>'
        '<p><label for="password">Password</label> <input id="password" name="pwd" type="password"></p>'
        f'<input type="hidden" name="redirect_to" value="{html.escape(target)}">'
        '<p><button type="submit">Login</button></p></form>'
    )


def _consent(shop: Shop, query: Mapping[str, str]) -> str:
    app, scope = html.escape(query["app_name"]), query["scope"]
    nonce = secrets.token_hex(8)
    with shop.lock:
        shop.nonces.add(nonce)
    approve = html.escape(_url(shop, "access_granted", {**query, "wc_auth_nonce": nonce}))
    deny = html.escape(_with(query["return_url"], success="0", user_id=query["user_id"]))
    listed = "".join(f"<li>{each}</li>" for each in MAY[scope])
    return (
        f"<p>{app} would like to connect to your store.</p>"
        f"<p>This will give {app} <strong>{SCOPES[scope]}</strong> access which will allow it to:</p><ul>{listed}</ul>"
        f"<p>Logged in as {html.escape(shop.username)}.</p>"
        f'<p class="choice"><a class="wc-auth-approve" href="{approve}">Approve</a>'
        f' <a class="wc-auth-deny" href="{deny}">Deny</a></p>'
    )


def _granted(shop: Shop, query: Mapping[str, str]) -> Answer:
    with shop.lock:
        if shop.user == "customer" or query.get("wc_auth_nonce") not in shop.nonces:
            return _page("Error", "<p>Error: You do not have permission to access this page.</p>", 401)
        shop.nonces.discard(query["wc_auth_nonce"])
        made = shop.new_key(query["scope"])
    body = json.dumps({**made, "user_id": query["user_id"]}).encode()
    headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": f"WordPress/{shop.wordpress}"}
    status = calls.post(calls.moved(query["callback_url"], shop.callback_to), body, headers)
    if status != 200:
        with shop.lock:
            shop.keys.pop(made["consumer_key"], None)
        text = "An error occurred in the request and at the time were unable to send the consumer data"
        return _page("Error", f"<p>Error: {text}.</p>", 401)
    where = _with(query["return_url"], success="1", user_id=query["user_id"])
    return Answer(302, "", {"Location": where}, HTML_TYPE)


def _with(url: str, **values: str) -> str:
    parts = urllib.parse.urlsplit(url)
    kept = [(name, value) for name, value in urllib.parse.parse_qsl(parts.query) if name not in values]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode([*kept, *values.items()])))


def _page(title: str, body: str, status: int = 200) -> Answer:
    return Answer(status, document(title, f"{STYLE}<header><h1>{title}</h1></header>{body}", False), {}, HTML_TYPE)
