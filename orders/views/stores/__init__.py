"""The pages of a merchant's stores: the list, one store, connecting and reconnecting, what is done with one, leaving.

listing.py is the list, page.py one store, connecting.py the forms that check a connection live, checklist.py what
such a check found in words, acts.py what is done by a button, start.py the day from which orders are looked after,
places.py where numbers go in a store that has several places for them, leave.py disconnecting and the download of
everything, one_click*.py connecting without typing any access. Guides and forms per platform are in stores/guides.
"""

from .acts import store_check, store_pause, store_resume
from .connecting import connect_pick, connect_store, store_locations, store_reconnect
from .leave import store_disconnect, store_download
from .listing import stores
from .one_click import one_click, one_click_reconnect, shopify_install
from .one_click_back import shopify_back, woocommerce_back, woocommerce_key
from .one_click_invited import invitation
from .page import store
from .places import store_places
from .start import store_start

__all__ = [
    "connect_pick",
    "connect_store",
    "invitation",
    "one_click",
    "one_click_reconnect",
    "shopify_back",
    "shopify_install",
    "store",
    "store_check",
    "store_disconnect",
    "store_download",
    "store_locations",
    "store_pause",
    "store_places",
    "store_reconnect",
    "store_resume",
    "store_start",
    "stores",
    "woocommerce_back",
    "woocommerce_key",
]
