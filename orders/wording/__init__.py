"""Codes become sentences here and nowhere else; the rest of the project keeps codes with values.

sentences.py holds the words of every code, explain.py puts those of one shipment together: what is
so, since when, who acts, and what would release it.
"""

from .explain import Explanation, explain, first_line, in_front
from .sentences import Who, attempt_line, fill, outcome_sentence, releases, sentence, who_acts, who_acts_sentence

__all__ = [
    "Explanation",
    "Who",
    "attempt_line",
    "explain",
    "fill",
    "first_line",
    "in_front",
    "outcome_sentence",
    "releases",
    "sentence",
    "who_acts",
    "who_acts_sentence",
]
