"""Connecting a Shopify store: a merchant's own app with client id and secret, or the token of an older one.

Apps are made in the Dev Dashboard since January 2026; the tokens of apps that were made in a shop's admin before
go on working. https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
Scopes: https://shopify.dev/docs/api/usage/access-scopes
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..connectors.addresses import Why
from ..connectors.codes import Code
from ..connectors.registry import CONNECTORS
from ..forms import ConnectForm, secret_field
from .base import Guide, Permission

_MYSHOPIFY = _(
    "Type the shop's Shopify name, as in your-shop.myshopify.com. In Shopify it is under Settings, then Domains."
)


class ShopifyForm(ConnectForm):
    """The shop's address, and either client id and secret or an access token."""

    credential_groups = (("client_id", "client_secret"), ("access_token",))
    client_id = forms.CharField(
        label=_("Client ID"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = secret_field(_("Client secret"))
    access_token = secret_field(_("Access token"), _("Usually begins with shpat_."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_url"].label = gettext("Shopify address")
        self.fields["base_url"].help_text = gettext("your-shop.myshopify.com, or the address of any page of its admin.")


GUIDE = Guide(
    platform="shopify",
    label=CONNECTORS["shopify"].label,
    steps="stores/guides/shopify.html",
    form=ShopifyForm,
    known_by=_("You look after your shop at admin.shopify.com."),
    permissions=(
        Permission("read_orders", _("to see your orders, so that a number finds the order it belongs to")),
        Permission(
            "write_merchant_managed_fulfillment_orders",
            _("to mark items as fulfilled and write the tracking number beside them"),
        ),
        Permission("read_locations", _("to know which of your locations an order ships from")),
        Permission(
            "write_third_party_fulfillment_orders",
            _("for items that Shopify has assigned to another fulfilment app's location"),
            is_needed=False,
        ),
        Permission(
            "write_assigned_fulfillment_orders",
            _("for items that Shopify has assigned to a location of this app"),
            is_needed=False,
        ),
        Permission(
            "read_all_orders",
            _("for orders older than 60 days; Shopify grants it only on request"),
            is_needed=False,
            on_request=True,
        ),
    ),
    grant_help=_(
        "In the app's page in the Dev Dashboard: a new version, add it under Access scopes, Release. Then open the app "
        "in your shop and allow the change."
    ),
    address_help={
        Why.CUSTOM_DOMAIN: _MYSHOPIFY,
        Why.SHOP_NAME: _MYSHOPIFY,
        Why.PRIVATE: _MYSHOPIFY,
        Why.UNREADABLE: _MYSHOPIFY,
        Why.SCHEME: _MYSHOPIFY,
        Why.PORT: _MYSHOPIFY,
        Why.PLAIN_HTTP: _("Type it with https:// or leave that out."),
    },
    first_time={
        Code.TOKEN_REFUSED: _(
            "{platform} refused this access. Copy it again, whole and without spaces, and look whether the app is "
            "installed in this very shop."
        ),
        Code.WRONG_SHOP: _(
            "Another shop answered: {shop}. Type the address of the shop in which the app is installed, or use the "
            "access of this one."
        ),
        Code.SCOPE_MISSING: _("The app lacks permissions in {platform}: {scopes}. Add them there, then check again."),
    },
    leaving=_("In Shopify you can remove the app, too: under Settings, then Apps and sales channels."),
    # The shop's own host leads to admin.shopify.com. https://shopify.dev/docs/api/usage/gids
    order_page="/admin/orders/{order}",
)
