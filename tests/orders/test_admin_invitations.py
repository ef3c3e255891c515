"""What staff are told when they invite to a shop that is connected already. The rest of invitations is held in
test_view_one_click_invitation.py.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from stores.models import Invitation
from tests import factories
from tests.orders.admin_cast import logged_in, staff_who_may, the_boss
from tests.orders.one_click_cast import text_of

pytestmark = pytest.mark.django_db

SHOP = "https://acme-mugs.myshopify.com"
TOLD = "This shop is connected already."
WHOSE = "It is Acme of mugs@shop.example."


def invited_by(person: User) -> str:
    """What this person reads beside the link to the shop."""
    form = {"base_url": SHOP, "store_name": "Acme", "client_id": "app-1", "client_secret": "shpss_1"}
    return text_of(logged_in(person).post(reverse("admin:stores_invitation_add"), form))


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"base_url": SHOP}, True),
        ({"base_url": SHOP, "disconnected_at": timezone.now(), "disconnect_reason": "uninstalled"}, False),
        ({"base_url": "https://acme-cups.myshopify.com"}, False),
    ],
)
def test_who_invites_to_a_connected_shop_is_told_that_one_account_alone_can_use_the_link(
    fields: dict, told: bool
) -> None:
    factories.a_store(factories.a_user("mugs@shop.example"), name="Acme", **fields)

    text = invited_by(the_boss())

    assert "Send this link to the merchant" in text
    assert (TOLD in text, WHOSE in text) == (told, told)


def test_whose_it_is_is_told_to_those_who_may_see_stores() -> None:
    factories.a_store(factories.a_user("mugs@shop.example"), name="Acme", base_url=SHOP)

    text = invited_by(staff_who_may("stores.view_invitation", "stores.add_invitation"))

    assert (TOLD in text, WHOSE in text, "mugs@shop.example" in text) == (True, False, False)


@pytest.mark.parametrize("act", ["", "history/", "change/", "act/withdraw/"])
def test_staff_without_the_rights_see_nothing_of_an_invitation(act: str) -> None:
    invited_by(the_boss())
    page = reverse("admin:stores_invitation_changelist")

    for path in (page, f"{page}add/", f"{page}{Invitation.objects.get().pk}/{act}"):
        answer = logged_in(staff_who_may("stores.view_store", "orders.view_order")).get(path, follow=True)
        assert (answer.status_code, "Acme" in answer.content.decode()) == (403, False)
