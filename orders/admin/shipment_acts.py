"""What staff do with parcels: dispatch, numbers, another try, giving up, cancelling in the store.

Each act only calls the writer of facts (orders/changes.py) or orders/withdraw.py; how it is asked for is
in confirmed.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from stores.connectors.errors import ConnectorError, OutcomeUnknown

from .. import changes, withdraw
from ..choices import Stopped, SyncState
from ..models import Shipment
from ..numbers import normalise
from ..wording import sentence
from .confirmed import ConfirmedAct, Done
from .forms import ActForm, NumberForm, RemoveNumberForm, WhenForm, WhyForm


def _mark_dispatched(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = changes.mark_dispatched(ids, data["at"], now=now, actor=actor)
    return Done(ngettext("{n} parcel marked as dispatched.", "{n} parcels marked as dispatched.", n).format(n=n))


def _undo_dispatch(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = changes.undo_dispatch(ids, now=now, actor=actor)
    return Done(ngettext("Dispatch of {n} parcel taken back.", "Dispatch of {n} parcels taken back.", n).format(n=n))


def _set_number(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    value = normalise(data["number"])
    is_new = changes.set_number(
        ids[0], data["kind"], data["number"], data["carrier"], now=now, actor=actor, why=data["why"]
    )
    if not is_new:
        return Done(gettext("{number} is its number already; nothing was changed.").format(number=value), messages.INFO)
    return Done(gettext("{number} is its number now.").format(number=value))


def _remove_number(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    if changes.remove_number(ids[0], data["kind"], now=now, actor=actor, why=data["why"]):
        return Done(gettext("The number was removed; the history keeps it."))
    return Done(gettext("It has no number of that kind; nothing was changed."), messages.INFO)


def _try_again(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = changes.try_again(ids, now=now, actor=actor)
    return Done(ngettext("{n} parcel is tried again now.", "{n} parcels are tried again now.", n).format(n=n))


def _give_up(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    n = changes.give_up(ids, now=now, actor=actor, why=data["why"])
    return Done(ngettext("{n} parcel given up.", "{n} parcels given up.", n).format(n=n))


def _cancel_fulfillment(ids: list[int], data: dict[str, Any], now: datetime, actor: Any) -> Done:
    try:
        withdraw.cancel_fulfillment(ids[0], actor=actor, now=now)
    except withdraw.NotPossible as no:
        return Done(sentence(no.code), messages.ERROR)
    except OutcomeUnknown as error:
        told = gettext("Ask for it again in a minute: cancelling twice is one cancellation.")
        return Done(f"{sentence(error.reason.code, error.reason.values)} {told}", messages.ERROR)
    except ConnectorError as error:
        told = gettext("Nothing was cancelled.")
        return Done(f"{sentence(error.reason.code, error.reason.values)} {told}", messages.ERROR)
    return Done(gettext("The fulfillment is cancelled in the store, and the parcel is out of the sync."))


def _can_be_tried(shipments: QuerySet[Shipment]) -> QuerySet[Shipment]:
    stuck = Q(sync__state__in=[SyncState.DUE, SyncState.ATTENTION]) | (
        ~Q(sync__stopped=Stopped.NO) & Q(sync__sending__isnull=True)
    )
    return shipments.filter(stuck)


def _can_be_given_up(shipments: QuerySet[Shipment]) -> QuerySet[Shipment]:
    return shipments.filter(sync__stopped=Stopped.NO).exclude(sync__state=SyncState.SYNCED)


def _can_be_cancelled(shipments: QuerySet[Shipment]) -> QuerySet[Shipment]:
    ours = shipments.filter(sync__adopted=False, sync__sending__isnull=True)
    return ours.exclude(sync__fulfillments=[]).filter(sync__isnull=False)


MARK_DISPATCHED = ConfirmedAct(
    name="mark_dispatched",
    label=_("Mark as dispatched"),
    question=_(
        "What is listed here was handed to the carrier. A store that wants its numbers after dispatch gets them now."
    ),
    permission="mark_dispatched",
    legal=lambda shipments: shipments.filter(dispatched_at__isnull=True),
    why_not=_("dispatched already."),
    run=_mark_dispatched,
    form=WhenForm,
)
UNDO_DISPATCH = ConfirmedAct(
    name="undo_dispatch",
    label=_("Take dispatch back"),
    question=_(
        "What is listed here is back with us. A number that has not been sent waits again where its store asked for it "
        "after dispatch; one that a store shows already stays there and is put before a person."
    ),
    permission="mark_dispatched",
    legal=lambda shipments: shipments.filter(dispatched_at__isnull=False),
    why_not=_("not dispatched."),
    run=_undo_dispatch,
)
SET_NUMBER = ConfirmedAct(
    name="set_number",
    label=_("Enter or replace a number"),
    question=_("The number before it, if there is one, stays as history. If the store shows it, it is replaced there."),
    permission="set_number",
    legal=lambda shipments: shipments,
    why_not="",
    run=_set_number,
    form=NumberForm,
    most=1,
    offered_in_list=False,
)
REMOVE_NUMBER = ConfirmedAct(
    name="remove_number",
    label=_("Remove a number"),
    question=_("The number stays as history, and whatever a store shows stays there until another number replaces it."),
    permission="set_number",
    legal=lambda shipments: shipments.filter(numbers__replaced_at__isnull=True, numbers__isnull=False).distinct(),
    why_not=_("no number to remove."),
    run=_remove_number,
    form=RemoveNumberForm,
    most=1,
    offered_in_list=False,
)
TRY_AGAIN = ConfirmedAct(
    name="try_again",
    label=_("Try again now"),
    question=_("What is listed here is planned afresh, and whatever is ready goes to its store at once."),
    permission="push_again",
    legal=_can_be_tried,
    why_not=_("in the store already, or waiting for something that another try does not change."),
    run=_try_again,
)
GIVE_UP = ConfirmedAct(
    name="give_up",
    label=_("Give up"),
    question=_(
        "Nothing more is sent for what is listed here until somebody presses “try again now”. What a store shows stays."
    ),
    permission="push_again",
    legal=_can_be_given_up,
    why_not=_("in the store already, or given up before."),
    run=_give_up,
    form=WhyForm,
)
CANCEL_FULFILLMENT = ConfirmedAct(
    name="cancel_fulfillment",
    label=_("Cancel the fulfillment in the store"),
    question=_(
        "The number will be gone from the store. Where a platform marks single items, they show as unfulfilled again, "
        "and the store may tell the customer; where it marks whole orders, the order keeps its status. The parcel "
        "stays out of the sync until somebody presses “try again now”."
    ),
    permission="cancel_fulfillment",
    legal=_can_be_cancelled,
    why_not=_("the store has no fulfillment of ours for it, or a number is on its way there right now."),
    run=_cancel_fulfillment,
    form=ActForm,
    most=1,
    offered_in_list=False,
    grave=True,
)

EVERY = (MARK_DISPATCHED, UNDO_DISPATCH, SET_NUMBER, REMOVE_NUMBER, TRY_AGAIN, GIVE_UP, CANCEL_FULFILLMENT)
