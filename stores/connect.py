"""Connects a store: its address in one spelling, a live check, and then store and preference together.

Nothing is kept of a store that could not be checked. How a platform writes its addresses and what it is asked for is
the connector's affair; a later trouble of the connection is written by trouble.py.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from . import connections, trouble
from .choices import MailSender, NumberSource, Timing
from .connectors import registry
from .connectors.base import StoreFacts, Tokens
from .connectors.codes import Code
from .connectors.errors import ConnectorError, StoreDisconnected
from .connectors.grant import Grant
from .fields import Secret
from .models import Store, SyncPreference
from .tokens import GivenToken, forget, keep

log = logging.getLogger(__name__)

_TOKEN = ["token", "token_expires_at", "renewable_until"]


class AlreadyConnected(ValidationError):
    """The shop is connected: by its owner, or by somebody else, which is not told."""

    def __init__(self) -> None:
        super().__init__({"base_url": _("This shop is connected already.")})


def connect(
    *,
    owner: User,
    platform: str,
    name: str,
    base_url: str,
    credentials: Mapping[str, Any],
    timing: str | None = None,
    number_source: str | None = None,
    sync_from: datetime | None = None,
    grant: Grant | None = None,
    now: datetime,
) -> Store:
    """Check the connection live and keep the store with its preference; on any failure nothing is kept.

    `base_url` as a person typed it; `sync_from`: orders placed before are left alone, `now` where none is given.
    `grant`: what the store gave for its merchant's consent to the app of `credentials`; kept with the store.
    A timing or a number source that is given confirms the choice. Raises ValidationError for a value that is no
    choice, AlreadyConnected, and the connector errors: StoreDisconnected names what a person has to mend, StoreBusy
    means to try again. An owner who is not saved yet is saved with the store.
    """
    if platform not in registry.CONNECTORS:
        raise ValidationError({"platform": _("There is no platform “{name}”.").format(name=platform)})
    address = registry.normalise_base_url(platform, base_url, connections.allowed_networks())
    preference = SyncPreference(
        timing=timing or Timing.AFTER_DISPATCH,
        number_source=number_source or NumberSource.DEFAULT,
        confirmed_at=now if timing or number_source else None,
    )
    preference.clean_fields(exclude=["store"])
    store = Store(
        name=name.strip(),
        platform=platform,
        base_url=address,
        credentials=Secret(credentials),
        # Stores tell times in whole seconds: an order of the very second of connecting is not older.
        sync_from=(sync_from or now).replace(microsecond=0),
        created_at=now,
    )
    store.clean_fields(exclude=["owner"])
    # Before the call: whoever types a connected shop's address learns nothing of its credentials.
    if is_connected(platform, address):
        raise AlreadyConnected

    tokens = GivenToken(grant.access_token) if grant else None
    facts = connections.check_connection(platform, address, credentials, tokens=tokens)

    _learn(store, facts)
    preference.mail_sender = mail_sender_to_begin_with(platform, facts)
    try:
        with transaction.atomic():
            store.owner = owner if owner.pk else _saved(owner)
            store.save()
            preference.store = store
            preference.save()
            if grant:
                keep(Store.objects.filter(pk=store.pk), grant)
    except IntegrityError:
        # Somebody connected the same shop while it was being checked.
        if is_connected(platform, address):
            raise AlreadyConnected from None
        raise
    if grant:
        store.refresh_from_db(fields=_TOKEN)
    log.info("Store %s: connected to %s", store.pk, platform)
    return store


def is_connected(platform: str, address: str) -> bool:
    """Whether somebody has connected the shop at this normalised address."""
    return Store.objects.connected().filter(platform=platform, base_url=address).exists()


def check_again(store: Store, credentials: Mapping[str, Any] | None = None, grant: Grant | None = None) -> StoreFacts:
    """Check a connected store live, with new credentials where some are given; they are kept only if they work.

    `grant`: what the store gave for its merchant's renewed consent to the app of `credentials` (the same app as
    before, where none are given). A connection that works ends the store's trouble. Raises as connect() does.
    """
    try:
        facts = connections.check_connection(
            store.platform,
            store.base_url,
            store.credentials if credentials is None else credentials,
            tokens=_tokens(store, credentials, grant),
        )
    except ConnectorError as error:
        is_the_same = error.reason.code != Code.WRONG_SHOP and _is_same_app(store, credentials)
        if grant and is_the_same and store.disconnected_at is None:
            # The shop has ended what this app held before: with the old token nothing would ever work again.
            with transaction.atomic():
                mine = Store.objects.connected().filter(pk=store.pk)
                mine.update(credentials=Secret(store.credentials if credentials is None else credentials))
                keep(mine, grant)
        raise
    _learn(store, facts)
    fields = ["facts", "time_zone"]
    if credentials is not None:
        store.credentials = Secret(credentials)
        fields += ["credentials"]
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        if row.disconnected_at != store.disconnected_at:
            # Its merchant left while the shop answered, or the app was removed: nothing that lets us in is kept.
            raise StoreDisconnected(Code.RECONNECT_NEEDED)
        store.save(update_fields=fields)
        if grant:
            keep(Store.objects.filter(pk=store.pk), grant)
        elif credentials is not None and not connections.is_by_consent(credentials):
            # A token bought with the old credentials must not be used any longer.
            forget(Store.objects.filter(pk=store.pk))
        trouble.reconnected(store.pk)
    store.refresh_from_db()
    return facts


def mail_sender_to_begin_with(platform: str, facts: StoreFacts) -> MailSender:
    """TrackSync where it can read the customers' addresses and the store's own mail keeps quiet, else the store."""
    if registry.capabilities(platform).mails_always or not facts.reads_customers:
        return MailSender.STORE
    return MailSender.TRACKSYNC


def _saved(owner: User) -> User:
    """A new owner, saved; or the one of the same name whom somebody else has saved meanwhile."""
    fields = {"email": owner.email, "password": owner.password}
    return User.objects.get_or_create(username=owner.username, defaults=fields)[0]


def _learn(store: Store, facts: StoreFacts) -> None:
    """Put what the check found on the store. Does not save."""
    store.facts = dataclasses.asdict(facts)
    if facts.time_zone in available_timezones():
        store.time_zone = facts.time_zone


def _tokens(store: Store, credentials: Mapping[str, Any] | None, grant: Grant | None) -> Tokens | None:
    """The token to check a connected store with; None: by the credentials, which tells whether they are good."""
    if grant:
        return GivenToken(grant.access_token)
    if not connections.is_by_consent(store.credentials if credentials is None else credentials):
        return None
    if not _is_same_app(store, credentials):
        # What another app was given cannot be renewed with this one.
        raise StoreDisconnected(Code.RECONNECT_NEEDED)
    return connections.tokens_of(store, credentials)


def _is_same_app(store: Store, credentials: Mapping[str, Any] | None) -> bool:
    return credentials is None or _app(store.credentials) == _app(credentials)


def _app(credentials: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(credentials.get(name) for name in ("grant", "app", "client_id"))
