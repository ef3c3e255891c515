"""Store Orders: what was ordered in the merchant's stores, and where the number of each parcel stands.

page.py is the page, download.py the file of all that is filtered. filters.py holds the filters as a form, rows.py
makes what is shown of an order. Which orders are found is in orders/listing.py.
"""

from .download import store_orders_csv
from .page import store_orders

__all__ = ["store_orders", "store_orders_csv"]
