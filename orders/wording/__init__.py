"""Codes become sentences here and nowhere else; the rest of the project keeps codes with values.

reasons.py and lines.py hold the words of every code, sentences.py fills them in, explain.py says of one
shipment what is so, since when, who acts, and what would release it.
"""

from .explain import Explanation, explain, first_line, in_front
from .reasons import Who
from .sentences import attempt_line, fill, outcome_sentence, releases, sentence, show_time, who_acts

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
    "show_time",
    "who_acts",
]
