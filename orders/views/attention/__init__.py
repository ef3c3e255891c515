"""Needs attention: one list of all problems in the merchant's stores, and what can be done about them.

page.py shows the list, acts.py tries again and gives up. What counts as a problem is in orders/problems.py.
"""

from .acts import give_up, try_again
from .page import attention

__all__ = ["attention", "give_up", "try_again"]
