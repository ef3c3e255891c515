"""What staff do with a store: pause and resume it, check its connection, disconnect it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from stores import connect, hooks, trouble
from stores.choices import DisconnectReason
from stores.connectors.base import StoreFacts
from stores.connectors.errors import ConnectorError, StoreBusy, StoreDisconnected
from stores.models import Store

from .. import pulse
from ..models import TrackingSync
from ..wording import sentence
from .catalogue import replan_unsent
from .confirmed import ConfirmedAct, Done
from .forms import StartForm

CHECKED_AT_ONCE = 5  # a check waits for the store's answer, up to its time limit


def _pause(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = Store.objects.filter(pk__in=ids, is_paused=False).update(is_paused=True)
    return Done(ngettext("{n} store is paused.", "{n} stores are paused.", n).format(n=n))


def _resume(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = Store.objects.filter(pk__in=ids, is_paused=True).update(is_paused=False)
    pulse.ring()
    return Done(ngettext("{n} store goes on; what is due there is sent now.", "{n} stores go on.", n).format(n=n))


def _disconnect(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = 0
    for store in Store.objects.connected().filter(pk__in=ids):
        if hooks.disconnect(store, DisconnectReason.STAFF, now):
            async_task("orders.tasks.let_go", store.pk)
        n += 1
    return Done(ngettext("{n} store is disconnected.", "{n} stores are disconnected.", n).format(n=n))


def _check(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    told, level = [], messages.SUCCESS
    for store in Store.objects.filter(pk__in=ids).order_by("name"):
        text, is_well = check(store, now)
        told.append(f"{store.name}: {text}")
        level = level if is_well else messages.ERROR
    pulse.ring()
    return Done(" ".join(told), level)


def _move_start(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    with transaction.atomic():
        before = Store.objects.values_list("sync_from", flat=True).select_for_update().get(pk=ids[0])
        first, last = sorted([before, data["at"]])
        Store.objects.filter(pk=ids[0]).update(sync_from=data["at"])
        between = Q(shipment__order__placed_at__gte=first, shipment__order__placed_at__lt=last)
        n = replan_unsent(TrackingSync.objects.filter(between, store=ids[0]))
    text = ngettext(
        "The start date was moved; {n} parcel was planned again.",
        "The start date was moved; {n} parcels were planned again.",
        n,
    )
    return Done(text.format(n=n))


def check(store: Store, now: datetime) -> tuple[str, bool]:
    """Ask the store live who it is and what we may do, and write down what came of it: (sentence, is it well)."""
    try:
        facts = connect.check_again(store)
    except ConnectorError as error:
        if isinstance(error, StoreDisconnected):
            trouble.disconnected(store.pk, error, now)
        elif isinstance(error, StoreBusy):
            trouble.busy(store.pk, error, now)
        return sentence(error.reason.code, {"platform": store.get_platform_display(), **error.reason.values}), False
    Store.objects.filter(pk=store.pk).update(facts={**store.facts, "checked_at": now.isoformat()})
    return _told(facts, store), True


def _told(facts: StoreFacts, store: Store) -> str:
    told = [gettext("it lets us in as “{shop}”.").format(shop=facts.shop_name)]
    told += [sentence(code, {"platform": store.get_platform_display()}) for code in facts.warnings]
    return " ".join(told)


def _connected(stores: QuerySet[Store]) -> QuerySet[Store]:
    return stores.filter(disconnected_at__isnull=True)


PAUSE = ConfirmedAct(
    name="pause",
    label=_("Pause"),
    question=_("Orders are still pulled, but no number is sent until somebody presses “resume”."),
    permission="change",
    legal=lambda stores: _connected(stores).filter(is_paused=False),
    why_not=_("paused or disconnected already."),
    run=_pause,
)
RESUME = ConfirmedAct(
    name="resume",
    label=_("Resume"),
    question=_("Whatever is due is sent at once."),
    permission="change",
    legal=lambda stores: _connected(stores).filter(is_paused=True),
    why_not=_("not paused, or disconnected."),
    run=_resume,
)
CHECK = ConfirmedAct(
    name="check",
    label=_("Check the connection now"),
    question=_(
        "The store is asked right now whether it lets us in. If it does, its trouble is over and sending goes on."
    ),
    permission="reconnect",
    legal=_connected,
    why_not=_("disconnected."),
    run=_check,
    most=CHECKED_AT_ONCE,
)
DISCONNECT = ConfirmedAct(
    name="disconnect",
    label=_("Disconnect"),
    question=_(
        "No order is pulled any more and no number is sent. What the store shows stays. To be used again it has to be "
        "connected anew."
    ),
    permission="change",
    legal=_connected,
    why_not=_("disconnected already."),
    run=_disconnect,
    grave=True,
)

MOVE_START = ConfirmedAct(
    name="move_start",
    label=_("Move the start date"),
    question=_(
        "Orders placed before this moment are left alone, those placed after it get their numbers. What it would do is "
        "told before it is done."
    ),
    permission="change",
    legal=_connected,
    why_not=_("disconnected."),
    run=_move_start,
    form=StartForm,
    most=1,
    offered_in_list=False,
)

EVERY = (PAUSE, RESUME, CHECK, MOVE_START, DISCONNECT)
