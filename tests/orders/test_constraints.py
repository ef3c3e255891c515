"""Every rule that the database itself holds: one row that breaks it, and the nearest that does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from orders.choices import EmailState, NumberKind, SyncState
from orders.models import (
    Carrier,
    CustomerEmail,
    Order,
    OrderHint,
    OrderLine,
    Shipment,
    ShipmentLine,
    TrackingNumber,
    TrackingSync,
)
from stores.choices import DisconnectReason, EmailKind
from stores.models import (
    EmailTemplate,
    EmailTemplateVersion,
    HookDelivery,
    Invitation,
    MailSettings,
    PreferenceChange,
    Store,
    SyncPreference,
)
from tests.factories import NOON, a_carrier, a_number, a_shipment, a_store, an_order, our_carrier


@dataclass
class World:
    """One of each, as a merchant would have it."""

    store: Store
    order: Order
    line: OrderLine
    shipment: Shipment
    number: TrackingNumber
    older: TrackingNumber

    def row(self, **fields: object) -> int:
        """Change the shipment's tracking row."""
        return TrackingSync.objects.filter(shipment=self.shipment).update(**fields)

    def shop(self, **fields: object) -> int:
        """Change the store."""
        return Store.objects.filter(pk=self.store.pk).update(**fields)


@pytest.fixture
def world(db: None) -> World:
    store = a_store(base_url="https://one.myshopify.com")
    order = an_order(store, external_id="1001")
    shipment = a_shipment(order, local="YT1")
    older = a_number(shipment, "YT0", replaced_at=NOON)
    return World(store, order, order.lines.get(), shipment, shipment.numbers.get(replaced_at=None), older)


def an_email(world: World, kind: str, number: TrackingNumber | None = None) -> CustomerEmail:
    return CustomerEmail.objects.create(shipment=world.shipment, kind=kind, number=number)


def a_version(world: World, version: int) -> PreferenceChange:
    preference = world.store.preference
    return PreferenceChange.objects.create(preference=preference, version=version, at=NOON, before={}, after={})


def a_text(world: World, version: int) -> EmailTemplateVersion:
    return EmailTemplateVersion.objects.create(store=world.store, kind=EmailKind.SHIPPED, version=version, at=NOON)


def a_template(world: World, kind: str) -> EmailTemplate:
    return EmailTemplate.objects.create(store=world.store, kind=kind, subject="s", body="b")


def an_invitation(world: World, token: str = "one", **fields: object) -> Invitation:
    ends = {"created_at": NOON, "expires_at": NOON + timedelta(days=7)}
    by = {"invited_by": world.store.owner, "base_url": "https://two.myshopify.com"}
    return Invitation.objects.create(token_hash=token, credentials={}, **{**by, **ends, **fields})


def a_delivery(world: World, delivery_id: str) -> HookDelivery:
    return HookDelivery.objects.create(
        store=world.store, delivery_id=delivery_id, topic="orders/paid", received_at=NOON
    )


def a_hint(world: World, external_id: str) -> OrderHint:
    return OrderHint.objects.create(store=world.store, external_id=external_id, hinted_at=NOON)


def twice(act: Callable[..., object], world: World, *arguments: object) -> None:
    act(world, *arguments)
    act(world, *arguments)


def each(act: Callable[..., object], world: World, *arguments: object) -> None:
    for argument in arguments:
        act(world, argument)


Act = Callable[[World], object]

RULES: list[tuple[str, Act, Act]] = [
    # the rule, what breaks it, the nearest that does not
    (
        "a_shop_is_connected_once",
        lambda w: a_store(base_url="https://one.myshopify.com"),
        lambda w: (
            w.shop(disconnected_at=NOON, disconnect_reason=DisconnectReason.MERCHANT),
            a_store(base_url="https://one.myshopify.com"),
        ),
    ),
    (
        "a_disconnected_store_says_why",
        lambda w: w.shop(disconnected_at=NOON),
        lambda w: w.shop(disconnected_at=NOON, disconnect_reason=DisconnectReason.STAFF),
    ),
    (
        "a_disconnected_store_says_why",
        lambda w: w.shop(disconnect_reason=DisconnectReason.STAFF),
        lambda w: w.shop(disconnected_at=None, disconnect_reason=""),
    ),
    (
        "only_a_store_in_trouble_resumes",
        lambda w: w.shop(resume_at=NOON),
        lambda w: w.shop(resume_at=NOON, trouble="throttled"),
    ),
    (
        "a_preference_version_grows_from_one",
        lambda w: SyncPreference.objects.update(version=0),
        lambda w: SyncPreference.objects.update(version=1),
    ),
    ("each_preference_version_is_kept_once", lambda w: twice(a_version, w, 2), lambda w: each(a_version, w, 2, 3)),
    (
        "a_store_has_one_template_of_each_kind",
        lambda w: twice(a_template, w, EmailKind.SHIPPED),
        lambda w: each(a_template, w, EmailKind.SHIPPED, EmailKind.PREPARING),
    ),
    (
        "each_version_of_a_template_is_kept_once",
        lambda w: twice(a_text, w, 1),
        lambda w: each(a_text, w, 1, 2),
    ),
    (
        "who_switched_the_notice_off_says_when",
        lambda w: MailSettings.objects.create(store=w.store, switched_off_at=NOON),
        lambda w: MailSettings.objects.create(store=w.store, switched_off_at=NOON, switched_off_by=w.store.owner),
    ),
    (
        "there_is_one_carrier_of_our_own",
        lambda w: (our_carrier(), Carrier.objects.create(code="ours-too", name="Ours too", is_own=True)),
        lambda w: (our_carrier(), Carrier.objects.create(code="theirs", name="Theirs", is_own=False)),
    ),
    (
        "order_once_per_store",
        lambda w: an_order(w.store, external_id="1001"),
        lambda w: (an_order(w.store, external_id="1002"), an_order(a_store(), external_id="1001")),
    ),
    (
        "line_once_per_order",
        lambda w: OrderLine.objects.create(order=w.order, external_id=w.line.external_id, quantity=1),
        lambda w: OrderLine.objects.create(order=an_order(w.store), external_id=w.line.external_id, quantity=1),
    ),
    (
        "parcel_once_per_order",
        lambda w: Shipment.objects.create(order=w.order, parcel=1),
        lambda w: (
            Shipment.objects.create(order=w.order, parcel=2),
            Shipment.objects.create(order=an_order(w.store), parcel=1),
        ),
    ),
    (
        "parcels_are_counted_from_one",
        lambda w: Shipment.objects.create(order=an_order(w.store), parcel=0),
        lambda w: Shipment.objects.create(order=an_order(w.store), parcel=1),
    ),
    (
        "line_once_per_parcel",
        lambda w: twice(lambda w: ShipmentLine.objects.create(shipment=w.shipment, line=w.line, quantity=1), w),
        lambda w: [
            ShipmentLine.objects.create(shipment=shipment, line=w.line, quantity=1)
            for shipment in (w.shipment, a_shipment(w.order, parcel=2))
        ],
    ),
    (
        "a_parcel_holds_whole_units",
        lambda w: ShipmentLine.objects.create(shipment=w.shipment, line=w.line, quantity=0),
        lambda w: ShipmentLine.objects.create(shipment=w.shipment, line=w.line, quantity=1),
    ),
    (
        "one_current_number_per_shipment_and_kind",
        lambda w: a_number(w.shipment, "YT2"),
        lambda w: (a_number(w.shipment, "YT2", replaced_at=NOON), a_number(w.shipment, "CJP2", kind=NumberKind.OWN)),
    ),
    (
        "a_number_is_not_empty",
        lambda w: a_number(w.shipment, "", replaced_at=NOON, carrier=a_carrier()),
        lambda w: a_number(w.shipment, "0", replaced_at=NOON, carrier=a_carrier()),
    ),
    (
        "synced_means_the_store_shows_what_is_wanted",
        lambda w: w.row(state=SyncState.SYNCED, wanted=w.number),
        lambda w: w.row(state=SyncState.SYNCED, wanted=w.number, shown=w.number),
    ),
    (
        "synced_means_the_store_shows_what_is_wanted",
        lambda w: w.row(state=SyncState.SYNCED, wanted=w.number, shown=w.older),
        lambda w: w.row(state=SyncState.ATTENTION, wanted=w.number, shown=w.older),
    ),
    (
        "synced_means_the_store_shows_what_is_wanted",
        lambda w: w.row(state=SyncState.SYNCED, wanted=w.number, shown=w.number, sending=w.number, sending_since=NOON),
        lambda w: w.row(
            state=SyncState.DUE, due_at=NOON, wanted=w.number, shown=w.number, sending=w.number, sending_since=NOON
        ),
    ),
    (
        "due_rows_and_only_they_have_a_time",
        lambda w: w.row(state=SyncState.DUE),
        lambda w: w.row(state=SyncState.DUE, due_at=NOON),
    ),
    (
        "due_rows_and_only_they_have_a_time",
        lambda w: w.row(state=SyncState.ATTENTION, due_at=NOON),
        lambda w: w.row(state=SyncState.ATTENTION),
    ),
    (
        "an_intent_says_since_when",
        lambda w: w.row(sending=w.number),
        lambda w: w.row(sending=w.number, sending_since=NOON),
    ),
    (
        "an_intent_says_since_when",
        lambda w: w.row(sending_since=NOON),
        lambda w: w.row(sending=None, sending_since=None, due_since=NOON - timedelta(days=1)),
    ),
    (
        "one_mail_of_each_kind_per_shipment",
        lambda w: (an_email(w, EmailKind.SHIPPED, w.older), an_email(w, EmailKind.SHIPPED, w.number)),
        lambda w: (an_email(w, EmailKind.PREPARING, w.older), an_email(w, EmailKind.SHIPPED, w.number)),
    ),
    (
        "one_mail_of_each_kind_per_shipment",
        lambda w: twice(an_email, w, EmailKind.PREPARING),
        lambda w: twice(an_email, w, EmailKind.WAITING),
    ),
    (
        "one_mail_per_changed_number",
        lambda w: twice(an_email, w, EmailKind.NUMBER_CHANGED, w.number),
        lambda w: (an_email(w, EmailKind.NUMBER_CHANGED, w.older), an_email(w, EmailKind.NUMBER_CHANGED, w.number)),
    ),
    (
        "an_invitation_ends_after_it_began",
        lambda w: an_invitation(w, expires_at=NOON),
        lambda w: an_invitation(w, expires_at=NOON + timedelta(seconds=1)),
    ),
    (
        "an_invitation_is_used_or_withdrawn_not_both",
        lambda w: an_invitation(w, used_at=NOON, withdrawn_at=NOON),
        lambda w: (an_invitation(w, used_at=NOON), an_invitation(w, "other", withdrawn_at=NOON)),
    ),
    (
        "each_delivery_of_a_store_is_taken_once",
        lambda w: twice(a_delivery, w, "1"),
        lambda w: each(a_delivery, w, "1", "2"),
    ),
    (
        "an_order_is_hinted_at_once_until_it_is_read",
        lambda w: twice(a_hint, w, "1"),
        lambda w: each(a_hint, w, "1", "2"),
    ),
    (
        "only_an_open_mail_is_due",
        lambda w: CustomerEmail.objects.create(
            shipment=w.shipment, kind=EmailKind.SHIPPED, state=EmailState.SENT, due_at=NOON
        ),
        lambda w: CustomerEmail.objects.create(
            shipment=w.shipment, kind=EmailKind.SHIPPED, state=EmailState.PENDING, due_at=NOON
        ),
    ),
]
NAMES = [f"{name}-{sum(other[0] == name for other in RULES[:n])}" for n, (name, _, _) in enumerate(RULES)]


def our_rules() -> list[tuple[type[models.Model], models.BaseConstraint]]:
    return [
        (model, constraint)
        for app in ("stores", "orders")
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
    ]


def rule_that_refused(error: IntegrityError) -> str:
    """The name of the constraint. SQLite says the name of a check, and of a uniqueness only the columns."""
    if connection.vendor == "postgresql":
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    if found := re.fullmatch(r"CHECK constraint failed: (\w+)", str(error)):
        return found[1]
    columns = str(error).removeprefix("UNIQUE constraint failed: ").split(", ")
    (name,) = (
        constraint.name
        for model, constraint in our_rules()
        if isinstance(constraint, models.UniqueConstraint)
        and columns == [f"{model._meta.db_table}.{model._meta.get_field(field).column}" for field in constraint.fields]
    )
    return name


@pytest.mark.parametrize("rule, breaks_it, keeps_it", RULES, ids=NAMES)
def test_the_database_holds_the_rule(world: World, rule: str, breaks_it: Act, keeps_it: Act) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        breaks_it(world)
    assert rule_that_refused(refused.value) == rule

    with transaction.atomic():
        keeps_it(world)


def test_a_row_of_which_nothing_is_wanted_is_not_synced(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        world.row(state=SyncState.SYNCED, shown=world.number)


def test_no_rule_is_left_out() -> None:
    assert {rule for rule, _, _ in RULES} == {constraint.name for _, constraint in our_rules()}
