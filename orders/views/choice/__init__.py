"""The choice of one store: when a number goes to it and which, what that changes, and what follows from it.

page.py is the page itself, pick.py the one without a store, copying.py carries a choice to the merchant's other
stores, sent.py applies it to numbers that were sent already, history.py tells who chose what. answers.py holds the
questions as a form, binding.py ties a form to the store it was opened for, words.py makes the sentences.
"""

from .copying import choice_copy
from .history import choice_history
from .page import choice
from .pick import choice_pick
from .sent import choice_sent

__all__ = ["choice", "choice_copy", "choice_history", "choice_pick", "choice_sent"]
