"""One parcel's page: why its number is, or is not, in the store, and what the merchant can do about it.

page.py shows it, acts.py does what its buttons say, buttons.py finds which of them apply, words.py has what is said
here only. Why, in a sentence, comes from orders/wording, what can be done about it from orders/remedies.py.
"""

from .acts import cancel, look, try_again
from .page import shipment

__all__ = ["cancel", "look", "shipment", "try_again"]
