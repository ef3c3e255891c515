"""The app was removed in the store: nothing that we hold lets us in any more, and nothing but that is lost.

Who says so is not believed but checked first (orders/hints.py): a message may come days late, when the app is long
back. Its orders and numbers stay; when the same owner installs the app again, the same row is connected again.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from . import tokens
from .choices import DisconnectReason
from .fields import Secret
from .models import Store

log = logging.getLogger(__name__)


def uninstalled(store_id: int, now: datetime, *, refused: Store | None = None) -> bool:
    """Disconnect the store and throw its tokens away. Whether it was connected until now.

    `refused`: the store as it was when its access was found to be refused; where it has been given new access since,
    the app is back, and nothing happens. The app's own id and secret stay: what the platform still has to tell us of
    the shop is signed with them.
    """
    store = Store.objects.connected().filter(pk=store_id).first()
    if store is None:
        return False
    kept = {name: value for name, value in store.credentials.items() if name != "access_token"}
    connected = Store.objects.connected().filter(pk=store_id)
    with transaction.atomic():
        if refused is not None and connected.select_for_update().get().token_expires_at != refused.token_expires_at:
            return False
        # Whoever is asking for another token at this moment saves nothing.
        tokens.forget(connected)
        gone = connected.update(
            disconnected_at=now,
            disconnect_reason=DisconnectReason.UNINSTALLED,
            credentials=Secret(kept),
            hook_topics=[],
            hooks_armed_at=None,
            trouble="",
            trouble_values={},
            trouble_since=None,
            trouble_count=0,
            resume_at=None,
        )
    if gone:
        log.warning("Store %s: the app was removed in the store", store_id)
    return bool(gone)
