"""The reasons that concern a store as a whole: it rests for a while, or a person has to renew or mend the connection.

Said of the store, and of every shipment that waits for it. The reasons of one shipment are in reasons.py, which holds
the words of all codes.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from stores.connectors.codes import Code

from .entries import BY_ITSELF, Who, Words, words

# The shop itself has to be put in order: the access that we have works again then, and new access would not help.
MENDED_IN_THE_SHOP = frozenset(
    {
        Code.SHOP_FROZEN,
        Code.USER_LACKS_RIGHTS,
        Code.API_CLOSED,
        Code.SHUT_OUT,
        Code.PERMALINKS,
        Code.PLATFORM_MISSING,
        Code.CERTIFICATE_REFUSED,
        Code.HTTPS_NOT_SEEN,
    }
)

_RECONNECT = _("Reconnect the store; whatever waits goes out then, nothing is lost.")

WORDS: dict[str, Words] = {
    # The store says: all of it, later
    Code.THROTTLED: words(Who.NOBODY, BY_ITSELF, _("{platform} asked us to slow down for this store.")),
    Code.NO_ANSWER: words(Who.NOBODY, BY_ITSELF, _("The store did not answer.")),
    Code.SERVER_ERROR: words(
        Who.NOBODY,
        BY_ITSELF,
        _("The store answered with an error of its own ({status})."),
        _("The store has an error."),
    ),
    Code.NOT_JSON: words(
        Who.NOBODY,
        _("It is tried again by itself. If it lasts, the shop may be closed for maintenance or behind a password."),
        _("The store answered with a web page instead of data."),
    ),
    # The store says: all of it, a person
    Code.TOKEN_REFUSED: words(Who.MERCHANT, _RECONNECT, _("The store no longer accepts our access.")),
    Code.SCOPE_MISSING: words(
        Who.MERCHANT,
        _("Grant it in {platform} and reconnect the store; whatever waits goes out then."),
        _("The store does not allow us what we need: {scopes}."),
        _("The store does not allow us all that we need."),
    ),
    Code.SHOP_FROZEN: words(
        Who.MERCHANT,
        _("Open the shop again in {platform}, then check the connection here."),
        _("The shop is locked or its plan is unpaid ({status})."),
        _("The shop is locked or its plan is unpaid."),
    ),
    Code.SHOP_NOT_FOUND: words(
        Who.MERCHANT, _("Check the shop's address and reconnect it."), _("There is no shop at the store's address.")
    ),
    Code.WRONG_SHOP: words(
        Who.MERCHANT,
        _("Reconnect with the access of this shop."),
        _("Another shop answered: {shop}. Nothing was sent to it."),
        _("Another shop answered. Nothing was sent to it."),
    ),
    Code.ADDRESS_REFUSED: words(
        Who.STAFF,
        _("Correct the store's address: a public https address."),
        _("We do not call the store's address {address}: {why}."),
        _("We do not call the store's address: it is not a public https address."),
    ),
    Code.CREDENTIALS_INCOMPLETE: words(
        Who.MERCHANT,
        _("Reconnect the store with complete access data."),
        _("The store's access data is incomplete: {missing}."),
        _("The store's access data is incomplete."),
    ),
    Code.RECONNECT_NEEDED: words(
        Who.MERCHANT,
        _("Reconnect the store and agree in {platform} once more; whatever waits goes out then, nothing is lost."),
        _("Our access to the store has ended, and only its merchant can renew it."),
    ),
    Code.TOKEN_KIND_REFUSED: words(
        Who.MERCHANT,
        _("Reconnect the store with the client ID and secret of an app; whatever waits goes out then."),
        _("{platform} no longer takes access tokens that never end, and ours is one."),
    ),
    Code.CONSENT_OVER: words(
        Who.MERCHANT,
        _("Reconnect the store once more, and go straight through."),
        _("What {platform} gave us for the consent was used already, or is too old."),
    ),
    # The same, where the shop runs on its owner's own server
    Code.USER_LACKS_RIGHTS: words(
        Who.MERCHANT,
        _(
            "Give the key to an administrator or a shop manager in {platform}, where the key was made. Then check the "
            "connection here."
        ),
        _("The key that lets us in belongs to a user of the shop who may not change its orders."),
    ),
    Code.API_CLOSED: words(
        Who.MERCHANT,
        _(
            "Look among the shop's plugins for one that switches the REST API off or asks for a login there, and let "
            "it allow the addresses that begin with /wp-json/wc/. Then check the connection here."
        ),
        _("A plugin or a setting of the shop keeps every program out ({said})."),
        _("A plugin or a setting of the shop keeps every program out."),
    ),
    Code.SHUT_OUT: words(
        Who.MERCHANT,
        _(
            "Ask your host, or whoever looks after the shop's firewall, to let us through: we call ourselves TrackSync "
            "and ask for addresses that begin with /wp-json/. A “coming soon” page has to let those through, too. Then "
            "check the connection here."
        ),
        _("A web page answers in the shop's place: a firewall, a bot check, or a “coming soon” page ({status})."),
        _("A web page answers in the shop's place: a firewall, a bot check, or a “coming soon” page."),
    ),
    Code.PERMALINKS: words(
        Who.MERCHANT,
        _("In WordPress open Settings, then Permalinks, choose “Post name” and save. Then check the connection here."),
        _("The shop's WordPress does not answer under the addresses that programs use."),
    ),
    Code.PLATFORM_MISSING: words(
        Who.MERCHANT,
        _(
            "Activate {platform} among the plugins there; if the shop lies in a folder, its address needs the folder, "
            "too. Then check the connection here."
        ),
        _("A website answers at the store's address, but {platform} is not active on it."),
    ),
    Code.ADDRESS_MOVED: words(
        Who.MERCHANT,
        _("Reconnect the store, and say that the new address is yours; whatever waits goes out then, nothing is lost."),
        _(
            "The shop's address leads to {to} now. We do not follow by ourselves, because we would hand our access to "
            "whoever is there."
        ),
        _("The store's address leads somewhere else, and we do not hand our access to whoever is there."),
    ),
    Code.CERTIFICATE_REFUSED: words(
        Who.MERCHANT,
        _(
            "Ask your host to renew it, so that a browser opens the shop without a warning. Then check the connection "
            "here."
        ),
        _(
            "The shop's certificate has expired or is not made for its address, so we cannot be sure that it is the "
            "shop that answers."
        ),
    ),
    Code.HTTPS_NOT_SEEN: words(
        Who.MERCHANT,
        _(
            "In WordPress, under Settings, then General, let both addresses begin with https://. If they do, ask your "
            "host to pass X-Forwarded-Proto on to WordPress. Then check the connection here."
        ),
        _("The shop does not notice that we call it by https, and takes no key without it."),
    ),
}
