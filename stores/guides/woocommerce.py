"""Connecting a WooCommerce store: a key that the merchant makes in the shop, for a user who may change orders.

https://woocommerce.com/document/woocommerce-rest-api/
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..connectors.addresses import Why
from ..connectors.codes import Code
from ..connectors.registry import CONNECTORS
from ..connectors.woocommerce.status import PARTIAL
from ..forms import ConnectForm, secret_field
from .base import Guide, Permission, Place

_FRONT_PAGE = _("Type the address of the shop's front page, as in https://www.your-shop.com.")


class WooCommerceForm(ConnectForm):
    """The shop's address, and the two halves of its key."""

    credential_groups = (("consumer_key", "consumer_secret"),)
    consumer_key = forms.CharField(
        label=_("Consumer key"),
        help_text=_("Begins with ck_."),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    consumer_secret = secret_field(_("Consumer secret"), _("Begins with cs_."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_url"].label = gettext("Shop address")
        self.fields["base_url"].help_text = gettext(
            "The address of the shop's front page, with the folder where it lies in one: https://www.your-shop.com or "
            "https://www.your-site.com/shop."
        )

    def clean(self) -> dict[str, Any]:
        """The two halves in their places: the secret is shown by no field, so it must not stand in the key's."""
        data = super().clean()
        if str(data.get("consumer_key") or "").startswith("cs_"):
            self.forget_access()
            self.add_error("consumer_key", gettext("This is the secret. Paste each half into its own field."))
        return data


GUIDE = Guide(
    platform="woocommerce",
    label=CONNECTORS["woocommerce"].label,
    steps="stores/guides/woocommerce.html",
    form=WooCommerceForm,
    known_by=_("Your shop is a WordPress website, and its admin has a menu called WooCommerce."),
    permissions=(
        Permission(
            "Read/Write",
            _("to see your orders, write the tracking number on them, and mark them as completed where you want that"),
        ),
    ),
    grant_help=_(
        "In WooCommerce under Settings, then Advanced, then REST API: open the key, set Permissions to Read/Write and "
        "User to an administrator or a shop manager, and save. The key itself stays the same."
    ),
    address_help={
        Why.EMPTY: _FRONT_PAGE,
        Why.UNREADABLE: _FRONT_PAGE,
        Why.SCHEME: _FRONT_PAGE,
        Why.PRIVATE: _("The shop has to be on the internet, under a name of its own."),
        Why.PORT: _("The shop has to answer under https:// on the usual port."),
        Why.PLAIN_HTTP: _(
            "The shop has to answer under https://; WooCommerce takes no key without it. Your host can switch that on."
        ),
    },
    first_time={
        Code.TOKEN_REFUSED: _(
            "{platform} does not know this key. Copy both halves again, whole and without spaces, and look whether the "
            "key is in the list of this very shop. If it is, ask your host whether the Authorization header reaches "
            "WordPress."
        ),
        Code.SCOPE_MISSING: _("The key may not do all that we need. Change it there, then check again."),
        Code.SHOP_NOT_FOUND: _(
            "There is no {platform} shop at this address. Look at its spelling; a shop that lies in a folder needs the "
            "folder in its address."
        ),
        Code.ADDRESS_MOVED: _("The shop's address leads to {to}. If that is your shop, go on with that address."),
        Code.WRONG_SHOP: _("Another shop answered: {shop}. Type the address of the shop in which the key was made."),
    },
    has_locations=False,
    places=(
        Place(
            "shipment_tracking",
            _("the Shipment Tracking plugin"),
            _(
                "Number, carrier and link stand in the plugin's box on the order, in your customer's account, and in "
                "the mail that says that the order is completed."
            ),
        ),
        Place(
            "fulfillments",
            _("WooCommerce's own fulfilments"),
            _(
                "Number, carrier and link stand with the items that are in the parcel, under Fulfillments on the "
                "order. The mail that says that the order is completed does not name them."
            ),
        ),
        Place(
            "plain",
            _("an order note"),
            _(
                "Number, carrier and link stand in a note on the order. Where you chose that WooCommerce writes to "
                "your customers, they are mailed the note and find it in their account; otherwise only you see it."
            ),
        ),
    ),
    partial_statuses=PARTIAL,
    leaving=_(
        "The key itself stays in your shop, where only you can take it back: in WooCommerce under Settings, then "
        "Advanced, then REST API, press “Revoke” beside it."
    ),
    order_page="/wp-admin/post.php?post={order}&action=edit",
)
