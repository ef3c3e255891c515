"""Brings a warehouse's CSV file in: parcels with their numbers, payments and dispatches.

Read from bytes to rows: reading.py (encoding, delimiter, header), cells.py (one line), finding.py (what it names),
parcels.py (lines of one parcel together), checking.py (against what is known), writing.py (in bulk). All that is wrong
is told at once, in the words of problems.py, before anything is written.
"""

from .problems import Problem
from .run import Report, import_file, rejected_file

__all__ = ["Problem", "Report", "import_file", "rejected_file"]
