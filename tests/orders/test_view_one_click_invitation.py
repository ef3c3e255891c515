"""The link of an invitation: what it shows, to whom, what one button does, and when it opens nothing any more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from stores.authorising import invitations
from stores.authorising.invitations import State
from stores.connectors.codes import Code
from stores.connectors.errors import StoreDisconnected
from stores.models import Invitation, PendingConnection, Store
from stores.trouble import disconnected
from tests import factories
from tests.factories import NOON
from tests.orders.admin_cast import logged_in, staff_who_may, the_boss
from tests.orders.one_click_cast import BACK, SECRET, a_browser, an_invitation_to, path_of, sent_to, state_in, text_of
from tests.storefronts.client import PretendShopify, Shop
from tests.stores.account_cast import PASSWORD

pytestmark = pytest.mark.django_db


def state_of(invitation: Invitation) -> State:
    """What can still be done with it."""
    invitation.refresh_from_db()
    return invitations.state_of(invitation, timezone.now())


def by_the_button(client: Client, link: str, shop: Shop, **options: Any) -> Any:
    """The page after the button was pressed and the shop said yes."""
    return client.get(path_of(shop.consent(sent_to(client.post(link)), **options)), follow=True)


# --- The merchant ---------------------------------------------------------------------------------------------


def test_the_link_says_which_shop_and_who_invites_before_anybody_logs_in(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)

    page = Client().get(link)

    told = text_of(page)
    assert "Anna Li invites you to connect your Shopify shop" in told
    assert "Acme Mugs" in told
    assert f'href="/accounts/signup/?next={link}"' in page.content.decode()
    assert f'href="/accounts/login/?next={link}"' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert invitation.credentials["client_secret"] not in page.content.decode()


def test_somebody_new_signs_up_comes_back_and_connects(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    client = Client()
    fields = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD, "next": link}

    signed_up = client.post(reverse("account_signup"), fields, follow=True)
    page = by_the_button(client, link, shop)

    store = Store.objects.get()
    assert signed_up.redirect_chain[-1] == (link, 302)
    assert "The store becomes part of this account, new@example.com." in text_of(signed_up)
    assert page.redirect_chain == [(f"/stores/{store.pk}/", 302)]
    assert (store.owner.email, store.name) == ("new@example.com", "Acme Mugs")
    assert (state_of(invitation), invitation.store, bool(invitation.credentials)) == (State.USED, store, False)
    assert sorted(store.credentials) == ["client_id", "client_secret", "grant"]


def test_who_has_an_account_logs_in_and_comes_back(shop: Shop) -> None:
    _, link = an_invitation_to(shop)
    factories.a_user("merchant@example.com")

    page = Client().post(
        reverse("account_login"), {"login": "merchant@example.com", "password": "password", "next": link}, follow=True
    )

    assert page.redirect_chain[-1] == (link, 302)
    assert "Connect in Shopify" in text_of(page)


def test_the_button_needs_somebody_who_is_logged_in(shop: Shop) -> None:
    _, link = an_invitation_to(shop)

    answer = Client().post(link)

    assert answer["Location"] == f"/accounts/login/?next={link}"
    assert not PendingConnection.objects.exists()


def test_who_said_no_may_open_the_link_again_and_is_led_there(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    client = a_browser()
    address = sent_to(client.post(link))

    stopped = client.get(f"/connect/shopify/back/?error=access_denied&state={state_in(address)}")
    page = by_the_button(client, stopped.context["again"], shop)

    assert stopped.context["again"] == link
    assert page.redirect_chain == [(f"/stores/{Store.objects.get().pk}/", 302)]
    assert state_of(invitation) == State.USED


def test_another_shop_does_not_use_the_invitation_up(shop: Shop, pretend: PretendShopify) -> None:
    app = pretend.app(redirect_uris=[BACK])
    invitation, link = an_invitation_to(shop, app)
    other = pretend.shop("not-the-invited-one")
    client = a_browser()

    address = sent_to(client.post(link)).replace(shop.base_url, other.base_url)
    stopped = text_of(client.get(path_of(other.consent(address))))

    assert "Another shop answered: not-the-invited-one.myshopify.com." in stopped
    assert "The invitation is for 127.0.0.1 only. Log in to that shop first, then begin once more." in stopped
    assert (state_of(invitation), Store.objects.exists()) == (State.OPEN, False)


# --- It opens nothing -------------------------------------------------------------------------------------------


def it_was_used(invitation: Invitation) -> None:
    invitations.use(invitation, factories.a_store(name="Somebody's"), timezone.now())


def it_was_withdrawn(invitation: Invitation) -> None:
    invitations.withdraw([invitation.pk], timezone.now())


def a_week_has_passed(invitation: Invitation) -> None:
    now = timezone.now()
    Invitation.objects.filter(pk=invitation.pk).update(created_at=now - timedelta(days=7), expires_at=now)


def it_was_used_by_this_merchant(invitation: Invitation) -> None:
    owner = User.objects.get(email="merchant@example.com")
    invitations.use(invitation, factories.a_store(owner, name="My mugs"), timezone.now())


OVER = [
    (it_was_used, "This invitation was used"),
    (it_was_withdrawn, "This invitation was withdrawn"),
    (a_week_has_passed, "This invitation has expired"),
]


@pytest.mark.parametrize("what, says", OVER, ids=lambda value: getattr(value, "__name__", ""))
def test_a_link_that_is_over_says_why_and_sends_nobody_anywhere(what: Any, says: str, shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    what(invitation)
    client = a_browser()

    pages = [client.get(link), client.post(link), Client().get(link)]

    assert [says in text_of(page) for page in pages] == [True, True, True]
    assert [word for word in ("Somebody's", "127.0.0.1") if any(word in text_of(page) for page in pages)] == []
    assert not PendingConnection.objects.exists()


def test_who_used_the_link_is_shown_the_store(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    client = a_browser()
    it_was_used_by_this_merchant(invitation)

    assert "Go to My mugs" in text_of(client.get(link))
    assert "My mugs" not in text_of(Client().get(link))


def test_a_link_that_was_made_up_is_not_found() -> None:
    page = Client().get("/invitations/made-up/")

    assert (page.status_code, "There is no such invitation" in text_of(page)) == (404, True)


@pytest.mark.parametrize("what, says", OVER[1:], ids=lambda value: getattr(value, "__name__", ""))
def test_an_invitation_that_ends_while_the_merchant_is_in_the_shop_connects_nothing(
    what: Any, says: str, shop: Shop
) -> None:
    invitation, link = an_invitation_to(shop)
    client = a_browser()
    address = shop.consent(sent_to(client.post(link)))
    what(invitation)

    page = text_of(client.get(path_of(address)))

    assert "The invitation is not good any more, so nothing was connected." in page
    assert not Store.objects.exists()


def test_two_who_have_the_link_do_not_both_get_the_shop(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    first, second = a_browser("first@example.com"), a_browser("second@example.com")
    waiting = shop.consent(sent_to(second.post(link)))

    by_the_button(first, link, shop)
    page = text_of(second.get(path_of(waiting)))

    assert "nothing was connected" in page
    assert "first@example.com" not in page
    assert Store.objects.get().owner.email == "first@example.com"


# --- A shop that is connected already ------------------------------------------------------------------------------


def test_a_shop_of_somebody_elses_is_told_without_a_word_of_them(shop: Shop) -> None:
    _, link = an_invitation_to(shop)
    factories.a_store_in(shop, factories.a_user("other@example.com"), name="Others")
    client = a_browser()

    pages = [client.get(link), client.post(link)]

    assert ["This shop is connected already." in text_of(page) for page in pages] == [True, True]
    assert [word for word in ("Others", "other@example.com") if word in text_of(pages[0])] == []
    assert not PendingConnection.objects.exists()


def test_ones_own_store_gets_new_access(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    client = a_browser()
    store = factories.a_store_in(shop, client.user, name="My mugs")  # type: ignore[attr-defined]
    disconnected(store.pk, StoreDisconnected(Code.TOKEN_REFUSED), NOON)

    shown = client.get(link)
    page = by_the_button(client, link, shop)

    again = Store.objects.get()
    assert "You have connected this shop already, as My mugs. The button renews its access" in text_of(shown)
    assert "My mugs lets us in again." in text_of(page)
    assert (again.name, again.trouble, again.credentials["grant"]) == ("My mugs", "", "code")
    assert (state_of(invitation), invitation.store) == (State.USED, store)


def test_a_store_whose_app_was_removed_goes_on(shop: Shop) -> None:
    _, link = an_invitation_to(shop)
    client = a_browser()
    store = factories.a_store_in(
        shop,
        client.user,  # type: ignore[attr-defined]
        name="My mugs",
        disconnected_at=NOON,
        disconnect_reason="uninstalled",
    )

    shown = client.get(link)
    page = by_the_button(client, link, shop)

    assert "You had this shop connected before, as My mugs." in text_of(shown)
    assert "My mugs is connected again, and goes on where it ended" in text_of(page)
    assert [each.pk for each in Store.objects.connected()] == [store.pk]


# --- The staff -------------------------------------------------------------------------------------------------

ADD = "/admin/stores/invitation/add/"
LIST = "/admin/stores/invitation/"


def filled_in(shop: Shop, **fields: str) -> dict[str, str]:
    """The form for a new invitation."""
    known = {"base_url": shop.base_url, "store_name": "Acme Mugs", "client_id": "app-1", "client_secret": SECRET}
    return known | fields


def link_on(page: Any) -> str:
    """The path of the link that is shown."""
    (found,) = re.findall(r"http://localhost:8000(/invitations/[\w-]+/)", page.content.decode())
    return str(found)


def test_staff_make_a_link_that_is_shown_once(shop: Shop) -> None:
    boss = logged_in(the_boss())

    form = text_of(boss.get(ADD))
    made = boss.post(ADD, filled_in(shop))

    invitation = Invitation.objects.get()
    link = link_on(made)
    pages = [boss.get(LIST), boss.get(f"{LIST}{invitation.pk}/change/")]
    assert BACK in form
    assert "write_merchant_managed_fulfillment_orders" in form
    assert (made.status_code, "no-store" in made["Cache-Control"]) == (200, True)
    assert invitations.find(link.split("/")[2]) == invitation
    assert (invitation.base_url, invitation.store_name, invitation.invited_by) == (
        shop.base_url,
        "Acme Mugs",
        the_boss(),
    )
    assert dict(invitation.credentials) == {"client_id": "app-1", "client_secret": SECRET, "grant": "code"}
    assert invitation.expires_at - invitation.created_at == timedelta(days=7)
    assert [word for word in (SECRET, link) for page in pages if word in page.content.decode()] == []
    assert ["Waits for the merchant" in text_of(page) for page in pages] == [True, True]
    assert Client().get(link).status_code == 200


@pytest.mark.parametrize(
    "fields, field, says",
    [
        ({"base_url": "www.acme-mugs.com"}, "base_url", "it is the shop's own domain"),
        ({"base_url": ""}, "base_url", "This field is required."),
        ({"store_name": ""}, "store_name", "This field is required."),
        ({"client_id": ""}, "client_id", "This field is required."),
        ({"client_secret": ""}, "client_secret", "This field is required."),
    ],
)
def test_a_form_that_makes_no_sense_makes_no_link(fields: dict[str, str], field: str, says: str, shop: Shop) -> None:
    page = logged_in(the_boss()).post(ADD, filled_in(shop, **fields))

    errors = page.context["adminform"].form.errors
    assert list(errors) == [field]
    assert says in " ".join(errors[field])
    assert SECRET not in page.content.decode()
    assert not Invitation.objects.exists()


def test_a_second_link_for_the_same_shop_is_not_made_by_accident(shop: Shop) -> None:
    boss = logged_in(the_boss())
    boss.post(ADD, filled_in(shop))

    again = boss.post(ADD, filled_in(shop))
    invitations.withdraw([Invitation.objects.get().pk], timezone.now())
    boss.post(ADD, filled_in(shop))

    assert "A link for this shop is still good." in text_of(again)
    assert Invitation.objects.count() == 2


def test_a_link_is_withdrawn(shop: Shop) -> None:
    invitation, link = an_invitation_to(shop)
    boss = logged_in(the_boss())
    act = f"{LIST}{invitation.pk}/act/withdraw/"

    asked = boss.get(act)
    still_open = state_of(invitation)
    boss.post(act, {"confirmed": "yes"})

    assert "The link opens nothing any more" in text_of(asked)
    assert (still_open, state_of(invitation), bool(invitation.credentials)) == (State.OPEN, State.WITHDRAWN, False)
    assert "This invitation was withdrawn" in text_of(Client().get(link))


@pytest.mark.parametrize(
    "permissions, may_see, may_invite, may_withdraw",
    [
        ([], False, False, False),
        (["stores.view_invitation"], True, False, False),
        (["stores.view_invitation", "stores.add_invitation"], True, True, False),
        (["stores.view_invitation", "stores.change_invitation"], True, False, True),
        (["stores.view_store", "stores.change_store"], False, False, False),
    ],
)
def test_inviting_is_for_those_who_may(
    permissions: list[str], may_see: bool, may_invite: bool, may_withdraw: bool, shop: Shop
) -> None:
    invitation, _ = an_invitation_to(shop)
    person = logged_in(staff_who_may(*permissions))

    seen = person.get(LIST).status_code == 200
    invited = person.post(ADD, filled_in(shop, base_url="another-shop")).status_code == 200
    person.post(f"{LIST}{invitation.pk}/act/withdraw/", {"confirmed": "yes"})

    assert (seen, invited, state_of(invitation) == State.WITHDRAWN) == (may_see, may_invite, may_withdraw)
    assert Invitation.objects.count() == 1 + may_invite


def test_an_invitation_is_neither_edited_nor_deleted(shop: Shop) -> None:
    invitation, _ = an_invitation_to(shop)
    boss = logged_in(the_boss())
    before = Invitation.objects.values().get()

    boss.post(f"{LIST}{invitation.pk}/change/", filled_in(shop, base_url="evil"))
    deleted = boss.post(f"{LIST}{invitation.pk}/delete/", {"post": "yes"})

    assert deleted.status_code == 403
    assert Invitation.objects.values().get() == before


@pytest.mark.parametrize("state", [state for state in State])
def test_the_list_is_cut_by_state(state: State, shop: Shop, pretend: PretendShopify) -> None:
    made = {each: an_invitation_to(pretend.shop(), store_name=each.label)[0] for each in State}
    it_was_used(made[State.USED])
    it_was_withdrawn(made[State.WITHDRAWN])
    a_week_has_passed(made[State.EXPIRED])

    page = logged_in(the_boss()).get(f"{LIST}?state={state}")

    assert [each.pk for each in page.context["cl"].result_list] == [made[state].pk]


def test_the_list_asks_the_database_as_often_for_three_as_for_one(pretend: PretendShopify) -> None:
    boss = logged_in(the_boss())

    def queries() -> int:
        boss.get(LIST)  # the first look fills what is kept from one to the next
        with CaptureQueriesContext(
            connection,
        ) as captured:
            boss.get(LIST)
        return len(captured)

    it_was_used(an_invitation_to(pretend.shop())[0])
    one = queries()
    for _ in range(2):
        it_was_used(an_invitation_to(pretend.shop())[0])

    assert queries() == one
