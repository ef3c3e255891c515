"""/healthz: this process answers. /readyz: the database answers, workers show progress, nothing due is forgotten.

The second reads the workers' progress rows and the due rows, never the queue: a cluster whose workers are stuck
looks busy there, and tells of itself that all is well. For monitoring; both are open to everybody and name nobody.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import pulse
from orders.backlog import backlog

# A stuck group is replaced within 50 seconds.
SILENT = timedelta(seconds=90)
FORGOTTEN = timedelta(minutes=5)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all; touches no database."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where everything is in order, else 503; JSON with the figures in seconds and the problems in words."""
    found: dict[str, float | None] = {"worker": None, "oldest_due": None, "longest_unserved": None}
    try:
        progress, work = pulse.age(), backlog()
    except Error as error:
        connection.close()
        problems = [f"The database does not answer, or is not up to date ({type(error).__name__})."]
    else:
        found |= {
            "worker": _seconds(progress),
            "oldest_due": _seconds(work.due),
            "longest_unserved": _seconds(work.unserved),
        }
        problems = _problems(progress, work.unserved)
    told = {"ready": not problems, "problems": problems, "seconds": found}
    return JsonResponse(told, status=503 if problems else 200)


def _problems(progress: timedelta | None, unserved: timedelta | None) -> list[str]:
    problems = []
    if progress is None:
        problems.append("No worker has shown progress yet. Is `manage.py worker` running?")
    elif progress > SILENT:
        problems.append(
            f"No worker has shown progress for {progress.total_seconds():.0f} s. Is `manage.py worker` running?"
        )
    if unserved is not None and unserved > FORGOTTEN:
        problems.append(f"A number is due, and nobody has looked after its store for {unserved.total_seconds():.0f} s.")
    return problems


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 1)
