"""What an operator does about a store that could not be connected, in a sentence. What merchants read is in orders.

No credential is among the values of an error; an address may be one that was typed into the wrong place, so whoever
prints more than one person's input asks for it to be left out.
"""

from __future__ import annotations

from .connectors.codes import Code
from .connectors.errors import ConnectorError, StoreBusy

# {values} are those of the error.
ADVICE = {
    Code.TOKEN_REFUSED: "The store refused the access. Copy it again from the store, whole and without spaces.",
    Code.SCOPE_MISSING: "The access lacks permissions in the store: {scopes}. Grant them there, then connect again.",
    Code.SHOP_FROZEN: "The shop is frozen or locked. Its owner has to talk to the platform.",
    Code.SHOP_NOT_FOUND: "There is no shop at this address. Check its name.",
    Code.WRONG_SHOP: "Another shop answered: {shop}. Use the address under which the platform knows this one.",
    Code.CREDENTIALS_INCOMPLETE: "The credentials lack {missing}.",
    Code.RECONNECT_NEEDED: "The access has ended and cannot be renewed. The merchant has to agree in the store again.",
    Code.TOKEN_KIND_REFUSED: "The platform takes no token of this kind any more. Use an app's client id and secret.",
    Code.CONSENT_OVER: "The code of the consent was used already or is too old. The merchant has to agree again.",
    Code.USER_LACKS_RIGHTS: "The key is right, but its user is neither administrator nor shop manager in the shop.",
    Code.API_CLOSED: "A plugin or setting of the shop keeps programs out ({said}). It has to let /wp-json/wc/ through.",
    Code.SHUT_OUT: "A web page answered in the shop's place ({status}): its firewall has to let TrackSync through.",
    Code.PERMALINKS: "WordPress has no addresses for programs. In Settings > Permalinks: “Post name”, then save.",
    Code.PLATFORM_MISSING: "A website answered, but the shop is not active on it. A shop in a folder needs the folder.",
    Code.ADDRESS_MOVED: "The address leads to {to}. Connect that one, if it is the same shop.",
    Code.CERTIFICATE_REFUSED: "The shop's certificate cannot be trusted: expired, or not made for this address.",
    Code.HTTPS_NOT_SEEN: "A proxy hides https from the shop, which then takes no key. It has to set X-Forwarded-Proto.",
}
_BLANK = {"scopes": "", "shop": "", "missing": "", "said": "", "status": "", "to": "another address"}
ADDRESS_ADVICE = {
    "empty": "The address is empty.",
    "unreadable": "{address} cannot be read as an address.",
    "scheme": "{address} is neither https:// nor http://.",
    "plain_http": "{address} is plain http:, where anybody on the way reads the credentials. Use https://.",
    "userinfo": "An address with a user name or password in it is not taken. Give the credentials in --credentials.",
    "private": "{address} lies in a private network. Only TRACKSYNC_ALLOW_HOSTS can open one.",
    "port": "{address}: https is spoken to on port 443 only.",
    "custom_domain": "{address} is the shop's own domain. Use the platform's name for it (name.myshopify.com).",
    "shop_name": "{address} is no name that a shop can have (name.myshopify.com).",
}


def advice(error: ConnectorError, *, repeat_address: bool = True) -> str:
    """What to do about it. `repeat_address`: whether the address that was given may stand in the sentence."""
    values = {key: ", ".join(value) if isinstance(value, list) else value for key, value in error.reason.values.items()}
    if error.reason.code == Code.ADDRESS_REFUSED:
        said = ADDRESS_ADVICE.get(str(values.get("why")), "{address} cannot be used as a store's address.")
        return said.format(address=(repeat_address and values.get("address")) or "The address")
    if isinstance(error, StoreBusy):
        return f"The store gave no usable answer ({error.reason.code}). Check the address and try again."
    said = ADVICE.get(Code(error.reason.code), "The store refused the connection: {code}.")
    return said.format(**_BLANK | {"code": error.reason.code} | {key: value for key, value in values.items() if value})
