"""Shows the list of problems: the kinds with their numbers, the stores to reconnect, and the rows, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from stores.access import store_of
from stores.models import Store

from ... import problems
from ...health import Step
from ...local_time import in_zone_of
from ...mail.undecided import why_undecided
from ...models import TrackingSync
from ...remedies import Button, problem, remedy
from ...wording import first_line, sentence, show_time
from ...wording.explain import store_obstacle
from ..shipment.buttons import Pressable, can_be_tried, pressable_in_list, reconnecting

PAGE = 50
# A new try does not change these: something has to be done first, or nothing more.
NOT_TRIED = (Button.CANCEL, Button.GIVE_UP)


@dataclass(frozen=True)
class Kind:
    """A kind of problem."""

    key: str
    rows: int
    what: str
    who: str
    then: str
    can_be_tried: bool


@dataclass(frozen=True)
class Line:
    """One parcel with a problem."""

    shipment_id: int
    order: str
    parcel: int
    store: str
    what: str
    then: str
    since: str
    tries: bool  # "Try again" is the button to press
    button: Pressable | None


@dataclass(frozen=True)
class ShutStore:
    """A store that does not let us in."""

    id: int
    name: str
    what: str
    then: str
    since: str
    waiting: int
    step: Step


@dataclass(frozen=True)
class Undecided:
    """A store whose customers nobody writes to before somebody decides."""

    id: int
    name: str
    what: str


@login_required
@require_safe
def attention(request: HttpRequest) -> HttpResponse:
    """Problems of all the merchant's stores; `?store=` and `?problem=` only those, `?before=` the next page."""
    now = timezone.now()
    where = problems.where(request.user, asked_store(request, request.GET.get("store", "")))
    kinds = [_kind(key, rows) for key, rows in problems.groups(where, now)]
    chosen = next((kind for kind in kinds if kind.key == request.GET.get("problem")), None)
    before = request.GET.get("before", "")
    rows = problems.page(
        where,
        now,
        problem=chosen.key if chosen else "",
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        size=PAGE + 1,
    )
    context: dict[str, Any] = {
        "section": "attention",
        "kinds": kinds,
        "chosen": chosen,
        "only": where.only,
        "shut": _shut(where.reconnect + where.removed, now),
        "undecided": [Undecided(store.pk, store.name, why_undecided(store)) for store in where.undecided],
        "lines": [_line(row, now) for row in rows[:PAGE]],
        "next_before": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "is_first": not before,
        "has_stores": bool(where.connected),
    }
    return render(request, "orders/attention.html", context)


def asked_store(request: HttpRequest, text: str) -> int | None:
    """The id of the merchant's one store that is asked for, None for all. Raises Http404 for a stranger's."""
    if not (text.isdecimal() and len(text) < 19):
        return None
    return store_of(request, int(text)).pk


def _kind(key: str, rows: int) -> Kind:
    found = remedy(key, {})
    return Kind(key, rows, problem(key), found.who, found.then, found.button not in NOT_TRIED)


def _line(row: TrackingSync, now: datetime) -> Line:
    store = row.store
    values = {"store": store.name, "platform": store.get_platform_display(), **row.reason_values}
    found = remedy(problems.problem_of(row), values)
    tries = found.button in (Button.TRY_AGAIN, Button.NONE) and can_be_tried(row)
    with in_zone_of(store):
        return Line(
            shipment_id=row.shipment_id,
            order=row.shipment.order.number,
            parcel=row.shipment.parcel,
            store=store.name,
            what=first_line(row, now),
            then=found.then,
            since=show_time(row.due_since or row.state_since),
            tries=tries,
            button=None if tries else pressable_in_list(row, found.button),
        )


def _shut(stores: tuple[Store, ...], now: datetime) -> list[ShutStore]:
    waiting = problems.held_up(stores) if stores else {}
    found = []
    for store in stores:
        values = {"store": store.name, "platform": store.get_platform_display(), **store.trouble_values}
        with in_zone_of(store):
            at = store.disconnected_at or store.trouble_since
            what, then = sentence(store.trouble, values), remedy(store.trouble, values).then
            if store.disconnected_at is not None:
                what, then = store_obstacle(store, now) or ("", "")
            found.append(
                ShutStore(
                    id=store.pk,
                    name=store.name,
                    what=what,
                    then=then,
                    since=show_time(at) if at else "",
                    waiting=waiting.get(store.pk, 0),
                    step=reconnecting(store),
                )
            )
    return found
