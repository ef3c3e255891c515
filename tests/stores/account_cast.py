"""Merchants at their account pages: plain functions, as in tests/factories.py."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests import factories

PASSWORD = "gleaming-otter-88"
# What must never reach anybody's eyes: places that were not filled in.
GAP = re.compile(r"\$\{|\{\{|\{%|\bNone\b")


def a_merchant(email: str = "mira@linden.example", *, is_verified: bool = False, **fields: Any) -> User:
    """A merchant with this address (none: "")."""
    user = factories.a_user(email, password=PASSWORD, username=fields.pop("username", email or "nameless"), **fields)
    if not email:
        user.email = ""
        user.save()
    else:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=is_verified)
    return user


def at_home(user: User) -> Client:
    """A browser in which this person is logged in."""
    client = Client()
    client.force_login(user)
    return client


def sign_up(client: Client, email: str) -> Any:
    """Fill in the form; the page one ends up on."""
    fields = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), fields, follow=True)


def link_in(message: Any, kind: str = "/account/verify/") -> str:
    """The path of the link in a mail."""
    (found,) = re.findall(rf"http://localhost:8000({kind}\S+)", message.body)
    return str(found)


def subjects() -> list[tuple[str, list[str]]]:
    """The mails sent so far: subject and addressees."""
    return [(str(message.subject), message.to) for message in mail.outbox]


def said_by(page: Any) -> list[str]:
    """What the page tells at its top."""
    return [str(message) for message in page.context["messages"]]


def text_of(page: Any) -> str:
    """What the eye reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def totp(secret: str) -> str:
    """The code that an authenticator app shows now (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"
