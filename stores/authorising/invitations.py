"""Links with which a merchant connects one shop, through an app that our staff made for that very shop.

Shopify gives an app of custom distribution a place in one shop (or one Plus organisation) only, so there is one app,
one link and one shop. https://shopify.dev/docs/apps/launch/distribution/select-distribution-method
A link is good for seven days and until one shop was connected by it; staff can withdraw it before. Whoever has it can
connect that shop to their own account, so it is shown once and only its hash is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..fields import Secret
from ..models import Invitation, Store
from .hashed import hash_of, new_text

LIFE = timedelta(days=7)


class State(models.TextChoices):
    """What can still be done with an invitation."""

    OPEN = "open", _("Waits for the merchant")
    USED = "used", _("Used")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


def invite(
    *, by: User, platform: str, base_url: str, store_name: str, credentials: Mapping[str, str], now: datetime
) -> tuple[Invitation, str]:
    """A new invitation and the secret part of its link, which is kept nowhere. `base_url` in its normal spelling.

    The secrets of apps whose invitations have expired are thrown away.
    """
    tidy(now)
    token = new_text()
    made = Invitation.objects.create(
        token_hash=hash_of(token),
        platform=platform,
        base_url=base_url,
        store_name=store_name,
        credentials=Secret(credentials),
        invited_by=by,
        created_at=now,
        expires_at=now + LIFE,
    )
    return made, token


def tidy(now: datetime) -> int:
    """Throw the secrets of apps away whose invitations have expired. Returns how many went."""
    expired = Invitation.objects.filter(used_at=None, withdrawn_at=None, expires_at__lte=now)
    return expired.exclude(credentials="").update(credentials=Secret())


def find(token: str) -> Invitation | None:
    """The invitation of this link, in whatever state; None for a link that was made up."""
    return Invitation.objects.select_related("invited_by", "store").filter(token_hash=hash_of(token)).first()


def still_open(invitations: QuerySet[Invitation], now: datetime) -> QuerySet[Invitation]:
    """Those by which a shop can still be connected."""
    return invitations.filter(used_at=None, withdrawn_at=None, expires_at__gt=now)


def state_of(invitation: Invitation, now: datetime) -> State:
    """What can be done with it now."""
    if invitation.used_at is not None:
        return State.USED
    if invitation.withdrawn_at is not None:
        return State.WITHDRAWN
    return State.OPEN if invitation.expires_at > now else State.EXPIRED


def withdraw(ids: Iterable[int], now: datetime) -> int:
    """The links open nothing any more, and the app's secret is thrown away. Returns how many were still open."""
    chosen = still_open(Invitation.objects.filter(pk__in=list(ids)), now)
    return chosen.update(withdrawn_at=now, credentials=Secret())


def use(invitation: Invitation, store: Store, now: datetime) -> bool:
    """The shop was connected by it: it opens nothing any more. Whether it was still open."""
    mine = still_open(Invitation.objects.filter(pk=invitation.pk), now)
    return bool(mine.update(used_at=now, store=store, credentials=Secret()))
