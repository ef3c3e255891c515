"""The ground the tests stand on: factories, child processes on the same database, the counts of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission

from orders.models import Carrier, ShippingMethod, TrackingSync
from stores.models import Store
from tests import factories
from tests.run import Count, count


@pytest.mark.django_db
def test_a_shipment_comes_with_all_that_it_belongs_to() -> None:
    shipment = factories.a_shipment(method=factories.an_own_method(), own="CJP1", local="YT1", lines={"SKU-1": 1})

    row = TrackingSync.objects.get(shipment=shipment)
    assert row.store == shipment.order.store
    assert [(n.kind, n.value, n.carrier.is_own) for n in shipment.numbers.all()] == [
        ("own", "CJP1", True),
        ("local", "YT1", False),
    ]
    assert [(line.line.sku, line.quantity) for line in shipment.lines.all()] == [("SKU-1", 1)]
    assert shipment.order.store.preference.confirmed_at == factories.NOON


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", ["first", "second"])
def test_what_is_committed_is_gone_and_what_was_changed_is_back_in_the_next_test(round_: str) -> None:
    methods = ShippingMethod.objects.filter(default_number="own").order_by("name")
    found = (TrackingSync.objects.count(), factories.our_carrier().name, [method.name for method in methods])
    assert found == (0, "CJ Packet", ["CJPacket Ordinary", "CJPacket Sensitive"])
    assert Permission.objects.filter(codename="mark_paid").exists()

    factories.a_shipment(own="CJP1", local="YT1", lines={"SKU-1": 1})
    Carrier.objects.filter(is_own=True).update(name="changed")
    Permission.objects.all().delete()
    methods.filter(shipments=None).delete()


@pytest.mark.processes
def test_a_child_process_works_on_the_database_of_the_test(manage) -> None:
    store = factories.a_store(name="seen from outside")

    done = manage("shell", "--no-imports", "-c", "from stores.models import *; Store.objects.update(name='renamed')")

    assert (done.returncode, done.stderr) == (0, "")
    assert Store.objects.get(pk=store.pk).name == "renamed"


@pytest.mark.django_db
def test_a_store_and_its_orders_can_be_those_of_a_pretend_shop(shop) -> None:
    store = factories.a_store_in(shop)
    order = factories.an_order_of(store, shop.add_order([("MUG-1", "A mug", 2), ("CUP-1", "A cup", 1)]))

    book = shop.book()["orders"]
    assert (store.base_url, store.credentials) == (shop.base_url, shop.credentials)
    assert [(order.external_id, order.number)] == [(each["id"], each["name"]) for each in book]
    assert [(line.external_id, line.quantity) for line in order.lines.all()] == [
        (line["id"], line["quantity"]) for line in book[0]["lines"]
    ]


REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><skipped/></testcase><testcase name="c"><failure/></testcase>
<testcase name="d"><error/></testcase><testcase name="e"/></testsuite></testsuites>"""


@pytest.mark.parametrize(
    "report, status, expected",
    [
        (REPORT, 1, Count("x", passed=2, failed=2, skipped=1)),
        ("<testsuites/>", 5, Count("x")),
        # pytest died: what it did not say must not look like success
        ("<testsuites/>", 3, Count("x", failed=1, note="pytest ended with status 3")),
        (None, -9, Count("x", failed=1, note="pytest ended with status -9")),
    ],
)
def test_a_run_is_counted_by_its_report_and_by_how_it_ended(
    report: str | None, status: int, expected: Count, tmp_path: Path
) -> None:
    path = tmp_path / "report.xml"
    if report is not None:
        path.write_text(report)

    assert count("x", path, status) == expected


def test_a_count_is_one_line() -> None:
    assert str(Count("sqlite", 412)) == "sqlite: 412 passed"
    assert str(Count("browser", 9, 1, 2, "slow")) == "browser: 9 passed, 1 failed, 2 skipped (slow)"
