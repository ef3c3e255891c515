"""The gate before the staff's pages, and who is let through: a table; making staff by a command; their second step."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from stores.accounts.address import verified
from stores.accounts.second_step import MFAAdapter
from stores.accounts.team import GROUP
from tests import factories
from tests.stores.account_cast import PASSWORD, a_merchant, at_home, said_by, text_of, totp

pytestmark = pytest.mark.django_db


def with_second_step(user: User) -> User:
    """The same person, who has set up an app."""
    data = {"secret": MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)
    return user


def nobody() -> Client:
    return Client()


def a_merchant_of_the_house() -> Client:
    return at_home(a_merchant(is_verified=True))


def staff_without_an_address() -> Client:
    return at_home(a_merchant("", is_staff=True, is_superuser=True))


def staff_unverified() -> Client:
    return at_home(a_merchant("wen@house.example", is_staff=True, is_superuser=True))


def staff_from_createsuperuser() -> Client:
    return at_home(factories.a_user("wen@house.example", is_staff=True, is_superuser=True))


def staff_verified() -> Client:
    return at_home(a_merchant("wen@house.example", is_verified=True, is_staff=True, is_superuser=True))


def staff_with_a_second_step() -> Client:
    return at_home(
        with_second_step(a_merchant("wen@house.example", is_verified=True, is_staff=True, is_superuser=True))
    )


LOG_IN, NOT_YOURS, VERIFY_FIRST = (200, "account/login.html"), (403, "403.html"), (403, "account/staff_unverified.html")
IN, SET_IT_UP = (200, "admin/index.html"), (200, "account/reauthenticate.html")


@pytest.mark.parametrize(
    "who, needs_second_step, expected",
    [
        (nobody, False, LOG_IN),
        (a_merchant_of_the_house, False, NOT_YOURS),
        (staff_without_an_address, False, VERIFY_FIRST),
        (staff_unverified, False, VERIFY_FIRST),
        (staff_from_createsuperuser, False, VERIFY_FIRST),
        (staff_verified, False, IN),
        (staff_with_a_second_step, False, IN),
        (nobody, True, LOG_IN),
        (a_merchant_of_the_house, True, NOT_YOURS),
        (staff_unverified, True, VERIFY_FIRST),
        (staff_verified, True, SET_IT_UP),
        (staff_with_a_second_step, True, IN),
    ],
)
def test_who_is_let_into_the_admin(
    settings: Any, who: Callable[[], Client], needs_second_step: bool, expected: tuple[int, str]
) -> None:
    settings.TRACKSYNC_STAFF_MFA = needs_second_step

    page = who().get(reverse("admin:index"), follow=True)

    assert (page.status_code, page.templates[0].name) == expected


def pages_of_the_admin() -> list[tuple[str, dict[str, Any]]]:
    """Every address below /admin/ by name, with something for what it takes."""
    found = []
    for entry in admin.site.urls[0]:
        inner = getattr(entry, "url_patterns", [entry])
        for pattern in inner:
            takes = pattern.pattern.regex.groupindex
            values = {"app_label": "orders", "url": "no-such-page"}
            if pattern.name:
                found.append((f"admin:{pattern.name}", {name: values.get(name, 1) for name in takes}))
    return found


def test_the_whole_admin_is_closed_to_unverified_staff_whatever_is_sent() -> None:
    wen = a_merchant("wen@house.example", is_staff=True, is_superuser=True)
    open_pages = []
    pages = pages_of_the_admin()

    for name, values in pages:
        path = reverse(name, kwargs=values)
        for method in ("get", "post"):
            answer = getattr(at_home(wen), method)(path)
            if (answer.status_code, [template.name for template in answer.templates[:1]]) != (
                403,
                ["account/staff_unverified.html"],
            ):
                open_pages.append(name)

    assert len(pages) > 40
    assert sorted(set(open_pages)) == ["admin:jsi18n", "admin:logout"]


def test_unverified_staff_are_told_what_to_do_and_do_it() -> None:
    client = staff_from_createsuperuser()

    page = client.get(reverse("admin:index"))
    sent = client.post(reverse("send_verification"), {"next": "/admin/"}, follow=True)

    assert "The staff's pages open once your e-mail address w***@h***.example is verified." in text_of(page)
    assert said_by(sent) == ["We sent a link to wen@house.example. It is good for a day."]


def test_staff_who_change_their_address_are_outside_until_it_is_verified() -> None:
    client = staff_verified()

    client.post(reverse("account_email"), {"email": "new@house.example", "password": PASSWORD, "action_add": ""})

    assert client.get(reverse("admin:index")).status_code == 403


def test_staff_log_in_on_the_merchants_page_and_come_out_where_they_wanted(client) -> None:
    a_merchant("wen@house.example", is_verified=True, is_staff=True, is_superuser=True)
    wanted = reverse("admin:orders_order_changelist")

    form = client.get(wanted, follow=True)
    address = form.redirect_chain[-1][0]
    fields = {"login": "wen@house.example", "password": PASSWORD, "next": form.context["redirect_field_value"]}
    page = client.post(reverse("account_login"), fields, follow=True)

    assert address.startswith(reverse("account_login"))
    assert (page.redirect_chain[-1][0], page.status_code) == (wanted, 200)


def test_the_admins_own_form_lets_nobody_in(client) -> None:
    a_merchant("wen@house.example", is_verified=True, is_staff=True, is_superuser=True)

    answer = client.post(reverse("admin:login"), {"username": "wen@house.example", "password": PASSWORD})

    assert answer["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


# --- the second step ----------------------------------------------------------------------------------------


def test_staff_set_up_a_second_step_and_then_need_it_to_log_in(client, settings) -> None:
    settings.TRACKSYNC_STAFF_MFA = True
    a_merchant("wen@house.example", is_verified=True, is_staff=True, is_superuser=True)
    log_in = {"login": "wen@house.example", "password": PASSWORD}

    client.post(reverse("account_login"), log_in)
    sent_to = client.get(reverse("admin:index"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    form = client.get(reverse("mfa_activate_totp"))
    secret = form.context["form"].secret
    set_up = client.post(reverse("mfa_activate_totp"), {"code": totp(secret)}, follow=True)
    inside = client.get(reverse("admin:index"))

    again = Client()
    halfway = again.post(reverse("account_login"), log_in, follow=True)
    still_outside = again.get(reverse("admin:index"))
    wrong = again.post(reverse("mfa_authenticate"), {"code": "000000"})
    recovery_code = set_up.context["unused_codes"][0]
    again.post(reverse("mfa_authenticate"), {"code": recovery_code})

    assert sent_to["Location"] == reverse("mfa_activate_totp")
    assert "Recovery codes Each of these codes lets you in once" in text_of(set_up)
    assert (inside.status_code, halfway.templates[0].name) == (200, "mfa/authenticate.html")
    assert still_outside.status_code == 302
    assert "This code is not right." in text_of(wrong)
    assert again.get(reverse("admin:index")).status_code == 200
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in stored


def test_a_second_step_is_not_set_up_with_an_unverified_address() -> None:
    page = at_home(a_merchant()).get(reverse("mfa_activate_totp"), follow=True)

    assert said_by(page) == ["Verify your e-mail address first, then set up the second step."]


def test_rotated_keys_keep_second_steps_working(settings, capsys) -> None:
    user = with_second_step(a_merchant())
    new = Fernet.generate_key().decode()
    settings.TRACKSYNC_CREDENTIAL_KEYS = [new, *settings.TRACKSYNC_CREDENTIAL_KEYS]

    call_command("rotate_keys")

    settings.TRACKSYNC_CREDENTIAL_KEYS = [new]
    stored = Authenticator.objects.get(user=user).data["secret"]
    assert MFAAdapter().decrypt(stored) == "JBSWY3DPEHPK3PXP"
    assert capsys.readouterr().out.splitlines()[1:] == ["So are 1 secrets of second steps when logging in."]


# --- manage.py create_staff ---------------------------------------------------------------------------------


@pytest.fixture
def create_staff(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the command with this on standard input."""

    def run(email: str, *options: str, given: str = PASSWORD + "\n") -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        call_command("create_staff", "--email", email, *options)

    return run


def test_staff_are_made_verified_and_can_do_the_days_work(create_staff, capsys) -> None:
    create_staff("Wen@House.example", "--password-stdin")

    wen = User.objects.get(email="wen@house.example")
    client = Client()
    client.post(reverse("account_login"), {"login": "wen@house.example", "password": PASSWORD})
    pages = {
        name: client.get(reverse(f"admin:{name}")).status_code
        for name in (
            "index",
            "orders_order_changelist",
            "orders_order_add",
            "orders_shipment_changelist",
            "orders_trackingsync_changelist",
            "orders_carrier_add",
            "orders_shippingmethod_add",
            "stores_store_changelist",
            "auth_user_changelist",
        )
    }

    assert (verified(wen), wen.is_staff, wen.is_superuser) == (True, True, False)
    assert capsys.readouterr().out.splitlines() == [
        f"wen@house.example is in the group {GROUP}, and the address counts as verified.",
        "Next: log in at http://localhost:8000/admin/",
    ]
    assert {name for name, status in pages.items() if status != 200} <= {"orders_order_add", "auth_user_changelist"}
    assert pages["auth_user_changelist"] == 403


@pytest.mark.parametrize(
    "permission",
    [
        "orders.mark_paid",
        "orders.mark_dispatched",
        "orders.push_again",
        "orders.cancel_fulfillment",
        "stores.reconnect_store",
        "orders.add_trackingnumber",
        "orders.change_shipment",
    ],
)
def test_staff_may(create_staff, permission: str) -> None:
    create_staff("wen@house.example", "--password-stdin")

    assert User.objects.get().has_perm(permission)


def test_nothing_is_deleted_in_a_days_work(create_staff) -> None:
    create_staff("wen@house.example", "--password-stdin")

    assert [name for name in User.objects.get().get_all_permissions() if "delete" in name] == []


def test_a_superuser_may_do_everything_and_is_told_of_the_second_step(create_staff, capsys, settings) -> None:
    settings.TRACKSYNC_STAFF_MFA = True

    create_staff("wen@house.example", "--password-stdin", "--superuser")

    assert User.objects.get().is_superuser
    assert capsys.readouterr().out.splitlines() == [
        "wen@house.example may do everything, and the address counts as verified.",
        "Next: log in at http://localhost:8000/admin/",
        "The first login asks for an authenticator app: have a phone at hand.",
    ]


def test_an_account_that_is_there_becomes_staff_and_keeps_its_rights(create_staff) -> None:
    known = factories.a_user("wen@house.example", is_superuser=True)

    create_staff("wen@house.example", "--password-stdin")
    create_staff("wen@house.example", "--password-stdin")

    (now,) = User.objects.all()
    assert (now.pk, now.is_staff, now.is_superuser, verified(now)) == (known.pk, True, True, True)


def somebody_else_has_verified_it() -> None:
    other = factories.a_user("other@house.example")
    EmailAddress.objects.create(user=other, email="wen@house.example", verified=True)


def two_accounts_have_it() -> None:
    factories.a_user("wen@house.example", username="one")
    factories.a_user("wen@house.example", username="two")


@pytest.mark.parametrize(
    "before, email, options, given, complaint, exit_code",
    [
        (None, "wen@", ["--password-stdin"], PASSWORD, "--email: wen@ is not an e-mail address.", 2),
        (None, "wen@house.example", ["--password-stdin"], "", "The password is empty.", 2),
        (None, "wen@house.example", ["--password-stdin"], "short", "This password is too short.", 2),
        (None, "wen@house.example", [], PASSWORD, "There is no terminal to ask on: give --password-stdin.", 2),
        (somebody_else_has_verified_it, "wen@house.example", ["--password-stdin"], PASSWORD, "Another account has", 1),
        (two_accounts_have_it, "wen@house.example", ["--password-stdin"], PASSWORD, "Several accounts have", 1),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_made(
    create_staff, capsys, before, email, options, given, complaint, exit_code
) -> None:
    if before:
        before()
    staff_before = User.objects.filter(is_staff=True).count()

    with pytest.raises(CommandError, match=complaint) as failed:
        create_staff(email, *options, given=given)

    assert failed.value.returncode == exit_code
    assert User.objects.filter(is_staff=True).count() == staff_before == 0
    assert capsys.readouterr().out == ""
