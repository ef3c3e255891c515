"""The figures of speed and of faults: commands that print them again for anyone, not tests.

    python -m tests.bench          latency, cost, throughput (make bench)
    python -m tests.bench.million  the merchants' list of orders with a million of them, page by page
    python -m tests.bench.hooks    a flood of the stores' messages: replayed, forged, late, out of order
    python -m tests.bench.chaos    kills and faults, counted by the pretend stores' own book (make chaos)

Everything runs on this machine: a PostgreSQL of its own with fsync on, pretend stores on loopback,
and the real `manage.py worker` in its own processes.
"""
