"""The staff's pages, on Django's own admin.

queue.py and shipments.py are where the work is done; orders.py, stores.py and catalogue.py hold the
facts; invitations.py lets merchants in, privacy.py answers their customers; confirmed.py is how anything
acts: it asks first, by permission, and happens by POST. What the pages say about a number comes from
orders/wording.
"""

from django.contrib import admin

from . import (  # noqa: F401  (each registers its models)
    catalogue,
    invitations,
    mails,
    orders,
    privacy,
    queue,
    shipments,
    stores,
)
from .site import furnish

furnish(admin.site)
