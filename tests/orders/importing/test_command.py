"""The command import_shipments: what it prints, how it ends, and what it asks the stores for."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from orders.importing import finding
from orders.models import Order, Shipment, TrackingNumber
from stores.models import Store
from tests import factories
from tests.orders.importing.files import COLUMNS, a_file, a_line, parcels_of

pytestmark = pytest.mark.django_db


def command(path: Path, *flags: str) -> tuple[int, str, list[str]]:
    """(exit code, stdout, lines of stderr)."""
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("import_shipments", str(path), *flags, stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return code, out.getvalue(), err.getvalue().splitlines()


def written(path: Path, text: str | bytes) -> Path:
    """The file with this content."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def a_store_of(shop, **fields: object) -> Store:
    return factories.a_store(base_url=shop.base_url, credentials=shop.credentials, **fields)


def test_a_good_file_is_summed_up_on_stdout(tmp_path: Path) -> None:
    order = factories.an_order(paid_at=None)
    path = written(tmp_path / "a.csv", a_file(a_line(order, own_number="CJP2600000001", paid_at="2026-03-01")))

    assert command(path) == (
        0,
        "1 line, 1 parcel: 1 new, 0 changed, 0 as before; numbers: 1 new, 0 replaced, 0 removed; "
        "1 order paid, 0 parcels dispatched; 0 lines not taken\n",
        [],
    )


def test_with_any_problem_nothing_is_written_and_all_are_listed(tmp_path: Path) -> None:
    order = factories.an_order()
    path = written(
        tmp_path / "a.csv",
        a_file(
            a_line(order, 1, own_number="CJP2600000001"),
            a_line(order, 2, own_number="9.40011E+21"),
            a_line(order, 0, own_number="YT2600000001"),
        ),
    )

    code, out, err = command(path)

    assert (code, out) == (1, "3 lines, 2 parcels: nothing written, 2 problems\n")
    assert [line.split(": ")[0] for line in err] == [
        "line 3, column own_number",
        "line 4, column parcel",
        "2 problems; nothing was written. Correct the file, or take the parcels that are right with --good-rows.",
    ]
    assert Shipment.objects.count() == 0


@pytest.mark.parametrize("number, code", [("CJP2600000001", 0), ("#####", 1)])
def test_a_check_writes_nothing(number: str, code: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", a_file(a_line(factories.an_order(), own_number=number)))

    assert command(path, "--check")[0] == code
    assert command(path, "--check", "--good-rows")[0] == code
    assert Shipment.objects.count() == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_good_rows_takes_whole_parcels_and_gives_back_the_rest(tmp_path: Path) -> None:
    order = factories.an_order(lines=(("MUG", 2), ("CUP", 1)))
    bad = [
        a_line(order, 2, sku="MUG", quantity=1, own_number="CJP2600000002"),
        a_line(order, 2, sku="JUG", quantity=1),
        a_line(order, "two"),
    ]
    path = written(
        tmp_path / "a.csv",
        a_file(
            a_line(order, 1, sku="MUG", quantity=1, own_number="CJP2600000001"),
            *bad,
            columns=COLUMNS,
            delimiter=";",
        ),
    )

    code, out, err = command(path, "--good-rows")

    assert code == 0
    assert out.endswith("; 3 lines not taken\n")
    assert err[-1] == f"3 lines not taken: {tmp_path / 'a.rejected.csv'}"
    assert parcels_of(order) == {1: {"MUG": 1}}
    with (tmp_path / "a.rejected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [{name: row[name] for name in COLUMNS} for row in rows] == [
        {name: str(line.get(name, "")) for name in COLUMNS} for line in bad
    ]
    assert [row["problem"] for row in rows] == [
        "Another line of this parcel is wrong.",
        f"line 4, column sku: Order {order.number} has no item with the SKU “JUG” (MUG?). Correct it.",
        "line 5, column parcel: “two” is not a whole number. Write digits only.",
    ]


def test_a_rejected_file_can_be_imported_when_it_is_corrected(tmp_path: Path) -> None:
    order = factories.an_order()
    path = written(tmp_path / "a.csv", a_file(a_line(order, own_number="#####")))
    command(path, "--good-rows")
    rejected = tmp_path / "a.rejected.csv"

    rejected.write_text(rejected.read_text(encoding="utf-8").replace("#####", "CJP2600000001"), encoding="utf-8")

    assert command(rejected)[0] == 0
    assert list(TrackingNumber.objects.values_list("value", flat=True)) == ["CJP2600000001"]


def test_shared_numbers_are_allowed_by_a_flag(tmp_path: Path) -> None:
    lines = [a_line(factories.an_order(), own_number="CJP2600000001") for _ in range(2)]
    path = written(tmp_path / "a.csv", a_file(*lines))

    assert command(path)[0] == 1
    assert command(path, "--allow-shared-numbers")[0] == 0


@pytest.mark.parametrize(
    "data, says",
    [
        (b"PK\x03\x04", "line 1: This is a workbook"),
        (b"store,order\r\n", "line 1, column store: There is no column store (store_id?)"),
    ],
)
def test_a_file_that_is_none_writes_no_rejected_file(data: bytes, says: str, tmp_path: Path) -> None:
    code, _, err = command(written(tmp_path / "a.csv", data), "--good-rows")

    assert (code, err[0].startswith(says)) == (1, True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.csv"

    assert command(path) == (1, "", [f"{path} cannot be read: No such file or directory."])


# --- Orders that are not here yet ------------------------------------------------------------------------------


def test_an_order_that_is_not_here_is_asked_for_at_its_store(pretend, tmp_path: Path) -> None:
    shop = pretend.shop()
    shop.add_order([("MUG", "A mug", 2)], number="#1001")
    store = a_store_of(shop)
    lines = [
        {"store_id": store.pk, "order_number": "1001", "parcel": 1, "own_number": "CJP2600000001", "sku": "MUG"},
        {"store_id": store.pk, "order_number": "#1001", "parcel": 2, "own_number": "CJP2600000002", "sku": "MUG"},
    ]
    path = written(tmp_path / "a.csv", a_file(*(line | {"quantity": 1} for line in lines), columns=COLUMNS))

    # Neither a check nor a file with a problem keeps what the store told.
    assert command(path, "--check")[0] == 0
    assert Order.objects.count() == 0
    assert command(path)[0] == 0

    order = Order.objects.get()
    assert (order.number, parcels_of(order)) == ("#1001", {1: {"MUG": 1}, 2: {"MUG": 1}})


def test_an_order_that_the_store_does_not_have_either_is_a_problem(pretend, tmp_path: Path) -> None:
    store = a_store_of(pretend.shop())
    path = written(tmp_path / "a.csv", a_file({"store_id": store.pk, "order_number": "#77", "parcel": 1}))

    code, _, err = command(path)

    assert (code, err[0]) == (
        1,
        f"line 2, column order_number: Store {store.pk} has no order #77. "
        "Compare the number with the one in the store.",
    )


def it_has_lost_its_token(shop, store: Store) -> None:
    shop.revoke_token()


def it_is_down(shop, store: Store) -> None:
    shop.fault("503")


def it_is_resting(shop, store: Store) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    Store.objects.filter(pk=store.pk).update(trouble="throttled", resume_at=later)


def it_was_disconnected(shop, store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(disconnected_at=factories.NOON, disconnect_reason="merchant")


@pytest.mark.parametrize(
    "what, says",
    [
        (it_has_lost_its_token, "could not be asked for it"),
        (it_is_down, "could not be asked for it"),
        (it_is_resting, "could not be asked for it"),
        (it_was_disconnected, "is not connected"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_store_that_cannot_be_reached_is_a_problem_of_its_rows_alone(
    what, says: str, pretend, tmp_path: Path
) -> None:
    shop = pretend.shop()
    store, here = a_store_of(shop), factories.an_order()
    what(shop, store)
    path = written(
        tmp_path / "a.csv",
        a_file({"store_id": store.pk, "order_number": "#1001", "parcel": 1}, a_line(here, own_number="CJP2600000001")),
    )

    code, _, err = command(path, "--good-rows")

    assert (code, len(err), err[0].startswith("line 2, column order_number: "), says in err[0]) == (0, 2, True, True)
    assert list(Shipment.objects.values_list("order", flat=True)) == [here.pk]


def test_too_many_orders_are_pulled_and_not_asked_for_one_by_one(pretend, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(finding, "MOST_ASKED", 3)
    shop = pretend.shop()
    shop.add_orders(4)
    store = a_store_of(shop)
    lines = [{"store_id": store.pk, "order_number": f"#{number}", "parcel": 1} for number in range(1001, 1005)]

    code, _, err = command(written(tmp_path / "a.csv", a_file(*lines)))

    assert (code, err[0]) == (
        1,
        f"line 2, column order_number: Order #1001 is not here yet, and 3 others of store {store.pk} are not either. "
        f"Run pull_orders --store {store.pk}, then import again.",
    )


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_the_command_as_a_process(manage, tmp_path: Path) -> None:
    order = factories.an_order()
    good = written(tmp_path / "good.csv", a_file(a_line(order, own_number="CJP2600000001")))
    bad = written(tmp_path / "bad.csv", a_file(a_line(order, own_number="#####")))

    done = [manage("import_shipments", str(path)) for path in (good, good, bad)]
    usage = manage("import_shipments")

    assert [(one.returncode, "1 line, 1 parcel: " in one.stdout) for one in done] == [(0, True), (0, True), (1, True)]
    assert (usage.returncode, usage.stdout) == (2, "")
    assert list(TrackingNumber.objects.values_list("value", flat=True)) == ["CJP2600000001"]
