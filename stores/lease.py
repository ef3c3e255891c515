"""One writer per store: a lease that is taken, renewed and given back by one conditional UPDATE each.

Always by the database's clock, on SQLite and PostgreSQL alike: the clocks of the machines that run
workers do not matter. A renewal also writes down when the holder last wrote to the store, so that
whoever takes over from a dead one knows how long a request of his may still be executing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now

from .models import EPOCH, Store


class LeaseLost(Exception):
    """Somebody else writes to this store now: stop at once."""


@dataclass(frozen=True)
class Lease:
    """The right to write to one store for `seconds` after the last renewal."""

    store_id: int
    token: uuid.UUID
    seconds: float
    left_by: datetime | None  # the last write of a holder who died with it; None where it was given back

    def renew(self) -> None:
        """Right before a request that writes. Raises LeaseLost when the lease is somebody else's now."""
        if not self._mine().update(leased_until=Now() + timedelta(seconds=self.seconds), wrote_at=Now()):
            raise LeaseLost(self.store_id)

    def is_mine(self) -> bool:
        """Whether it still stands."""
        return self._mine().filter(leased_until__gt=Now()).exists()

    def give_back(self) -> None:
        """The store is free again at once; nothing happens when it is somebody else's already."""
        self._mine().update(lease=None, leased_until=EPOCH)

    def _mine(self):  # type: ignore[no-untyped-def]
        return Store.objects.filter(pk=self.store_id, lease=self.token)


def take(store_id: int, seconds: float) -> Lease | None:
    """The lease of this store for so many seconds, None while somebody else holds it."""
    before = Store.objects.filter(pk=store_id).values_list("lease", "wrote_at").first()
    if before is None:
        return None
    token = uuid.uuid4()
    taken = Store.objects.filter(pk=store_id, lease=before[0], leased_until__lte=Now()).update(
        lease=token, leased_until=Now() + timedelta(seconds=seconds), served_at=Now()
    )
    if not taken:
        return None
    return Lease(store_id, token, seconds, left_by=None if before[0] is None else before[1])
