"""Which address an account has, when it counts as verified, and what of it is shown in a banner."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stores.accounts.address import Address, address_of, masked, verified
from tests import factories


@pytest.mark.parametrize(
    "address, shown",
    [
        ("jane@domain.com", "j***@d***.com"),
        ("a@b.co", "a***@b***.co"),  # one letter: no shorter than the others
        ("jane@mail.shop.co.uk", "j***@m***.uk"),  # subdomains
        ("jane+orders@domain.com", "j***@d***.com"),  # a plus sign
        ("jane.doe_1@my-shop.example", "j***@m***.example"),
        ("Jane@Domain.COM", "J***@D***.COM"),
        ("žofie@příklad.cz", "ž***@p***.cz"),
        ("用户@例子.中国", "用***@例***.中国"),
        ("root@localhost", "r***@l***"),
        ("jane@[192.0.2.1]", "j***@***"),
        ('"a b@c"@domain.com', '"***@d***.com'),
        ("  jane@domain.com ", "j***@d***.com"),
        ("jane", "j***"),
        ("@domain.com", "***@d***.com"),
        ("jane@.com", "j***@.***"),
        ("", ""),
    ],
)
def test_of_an_address_only_first_letters_and_the_last_part_are_shown(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    "on_file, rows, expected",
    [
        ("", [], Address("", is_verified=False)),
        ("", [("jane@a.example", True)], Address("", is_verified=False)),
        ("jane@a.example", [], Address("jane@a.example", is_verified=False)),
        ("jane@a.example", [("jane@a.example", False)], Address("jane@a.example", is_verified=False)),
        ("jane@a.example", [("jane@a.example", True)], Address("jane@a.example", is_verified=True)),
        ("Jane@A.example", [("jane@a.example", True)], Address("Jane@A.example", is_verified=True)),
        # Whoever changed it, and wherever: what was verified was another address.
        ("jane@b.example", [("jane@a.example", True)], Address("jane@b.example", is_verified=False)),
    ],
)
def test_the_address_on_file_counts_and_only_if_it_was_verified_itself(on_file, rows, expected) -> None:
    user = factories.a_user(username="jane")
    user.email = on_file
    user.save()
    for email, is_verified in rows:
        EmailAddress.objects.create(user=user, email=email, verified=is_verified)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = address_of(user)

    assert (found, verified(user)) == (expected, expected.is_verified)
    assert len(queries) == (1 if on_file else 0)


@pytest.mark.django_db
def test_another_users_verified_row_says_nothing_about_this_one() -> None:
    EmailAddress.objects.create(user=factories.a_user(), email="jane@a.example", verified=True)

    assert not verified(factories.a_user("jane@a.example"))


def test_who_is_not_logged_in_has_no_address_and_costs_no_query() -> None:
    assert address_of(AnonymousUser()) == Address("", is_verified=False)
