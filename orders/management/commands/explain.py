"""Why is a number in the store, or not: one block for each parcel that an order's number or a tracking number means."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import prefetch_related_objects
from django.utils import timezone

from orders import finding, plan
from orders.models import Order, Shipment, SyncAttempt, TrackingNumber
from orders.wording import Who, attempt_line, explain, in_front, show_time
from orders.wording.explain import SITUATIONS, Situation
from orders.wording.sentences import fill

LINES = 10


class Command(BaseCommand):
    """Exit 0: told; 1: nothing found; 2: usage."""

    help = "Say why a number is, or is not, in the store: what is so, since when, who acts, what releases it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One of the two numbers, and where to look."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--order", metavar="N", help='an order number as it is written; "1001" finds "#1001" too')
        what.add_argument("--number", metavar="N", help="any tracking number that a parcel has or ever had")
        parser.add_argument("--store", type=int, metavar="ID", help="only in this store")
        parser.add_argument("--json", action="store_true", help="codes, values and sentences for a program")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find, explain, print."""
        now = timezone.now()
        shipments, bare = self._find(options["order"], options["number"], options["store"])
        if not shipments and not bare:
            raise CommandError(self._nothing(options), returncode=1)
        matches = [*_explained(shipments, now), *map(_without_parcel, bare)]
        if options["json"]:
            self.stdout.write(json.dumps({"matches": matches}, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
            return
        self.stdout.write("\n\n".join(_block(match) for match in matches))

    def _find(self, order: str | None, number: str | None, store: int | None) -> tuple[list[Shipment], list[Order]]:
        """The parcels that are meant, and the orders that have none."""
        bare: list[Order] = []
        if order is not None:
            orders = Order.objects.filter(store=store) if store is not None else Order.objects.all()
            found = finding.orders_numbered(order, orders)
            parcels = Shipment.objects.filter(order__in=found)
            bare = list(found.filter(shipments__isnull=True).select_related("store").order_by("store_id", "pk"))
        else:
            parcels = finding.shipments_numbered(number or "")
            parcels = parcels.filter(order__store=store) if store is not None else parcels
        return list(parcels.select_related("order__store").order_by("order__store_id", "order_id", "parcel")), bare

    def _nothing(self, options: dict[str, Any]) -> str:
        where = f" in store {options['store']}" if options["store"] is not None else ""
        if options["order"] is not None:
            return f"No order {options['order']!r}{where}. Orders are pulled by themselves; pull_orders pulls them now."
        return f"No parcel has or had the number {options['number']!r}{where}."


def _explained(shipments: list[Shipment], now: datetime) -> list[dict[str, Any]]:
    planables = plan.facts_of([shipment.pk for shipment in shipments])
    rows = [planable.row for planable in planables.values()]
    prefetch_related_objects(rows, "store", "wanted", "sending", "shown")
    told = []
    for shipment in shipments:
        planable = planables.get(shipment.pk)
        if planable is None:  # made this very moment by somebody else
            continue
        explanation = asdict(explain(planable, now, ahead=in_front(planable.row)))
        numbers = shipment.numbers.select_related("carrier")
        attempts = SyncAttempt.objects.filter(sync=planable.row).select_related("number", "actor").order_by("-pk")
        told.append(
            {
                **_whose(shipment.order),
                "shipment": {"id": shipment.pk, "parcel": shipment.parcel},
                **explanation,
                "numbers": [_number(number) for number in numbers],
                "timeline": [_attempt(attempt) for attempt in reversed(attempts[:LINES])],
            }
        )
    return told


def _without_parcel(order: Order) -> dict[str, Any]:
    found = SITUATIONS[Situation.NO_PARCEL]
    return {
        **_whose(order),
        "shipment": None,
        "code": str(Situation.NO_PARCEL),
        "values": {},
        "headline": fill(found.says),
        "since": order.pulled_at,
        "who": str(found.who),
        "who_acts": str(Who(found.who).label),
        "releases": fill((found.then,)),
    }


def _whose(order: Order) -> dict[str, Any]:
    store = order.store
    return {
        "store": {"id": store.pk, "name": store.name, "platform": store.platform},
        "order": {"id": order.pk, "number": order.number},
    }


def _number(number: TrackingNumber) -> dict[str, Any]:
    return {
        "value": number.value,
        "kind": number.kind,
        "carrier": number.carrier.code,
        "known_at": number.known_at,
        "replaced_at": number.replaced_at,
        "replaced_why": number.replaced_why,
    }


def _attempt(attempt: SyncAttempt) -> dict[str, Any]:
    number = attempt.number.value if attempt.number else ""
    return {
        "at": attempt.at,
        "number": number,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "values": attempt.reason_values,
        "sentence": attempt_line(attempt.outcome, attempt.reason, {"number": number, **attempt.reason_values}),
        "message": attempt.message,
        "request_id": attempt.request_id,
        "preference_version": attempt.preference_version,
        "duration_ms": attempt.duration_ms,
        "actor": attempt.actor.get_username() if attempt.actor else "",
    }


def _block(match: dict[str, Any]) -> str:
    """One parcel, for people."""
    store, order, shipment = match["store"], match["order"], match["shipment"]
    parcel = f", parcel {shipment['parcel']}" if shipment else ""
    lines = [
        f"Order {order['number']}{parcel}, {store['name']} (store {store['id']}, {store['platform']})",
        f"  {match['headline']}",
        *(f"  {note}" for note in match.get("notes", ())),
        f"  Since:      {show_time(match['since'])}" if match["since"] else "",
        f"  Who acts:   {match['who_acts']}",
        f"  What next:  {match['releases']}",
    ]
    if shipment:
        lines += [
            f"  State:      {match['state_label']}",
            f"  To show:    {match['wanted'] or '–'}",
            f"  Shown:      {match['shown'] or '–'}",
            f"  Why:        {match['why_this_number']}" if match["why_this_number"] else "",
            "  Numbers:" if match["numbers"] else "  Numbers:    none",
            *(f"    {_number_line(number)}" for number in match["numbers"]),
            f"  Timeline (last {LINES}):" if match["timeline"] else "  Timeline:   nothing was sent yet",
            *(f"    {_timeline_line(line)}" for line in match["timeline"]),
        ]
    return "\n".join(line for line in lines if line)


def _number_line(number: dict[str, Any]) -> str:
    until = f", replaced {show_time(number['replaced_at'])}" if number["replaced_at"] else ""
    return f"{number['value']} ({number['kind']}, {number['carrier']}) since {show_time(number['known_at'])}{until}"


def _timeline_line(line: dict[str, Any]) -> str:
    extras = [line["message"], line["request_id"], line["actor"] and f"by {line['actor']}"]
    told = "; ".join(filter(None, extras))
    return f"{timezone.localtime(line['at']):%Y-%m-%d %H:%M:%S} {line['sentence']}" + (f" [{told}]" if told else "")
