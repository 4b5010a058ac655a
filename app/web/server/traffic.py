"""Traffic of a server over all its processes, as ``/metrics`` reports it.

Requests are counted when they have been answered. Momentary values such as connections and memory are read once a
second.
"""

import asyncio
import os
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from app.web.server.counters import FOLDER, Counters, Totals
from app.web.server.request_record import RequestRecord

#: Groups of requests: generated downloads, stored files, and rendered answers.
GROUPS: Final = ("page", "api", "download", "evaluation", "media", "static", "operation", "refused")
#: "none" are requests whose client disconnected.
STATUSES: Final = ("2xx", "3xx", "4xx", "5xx", "none")
#: Upper bounds of durations in seconds, with one more group above the last.
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
#: Counted elsewhere in the process, and values of the moment.
COUNTED: Final = ("kept_answers_hits", "kept_answers_misses", "access_log_lines_lost", "cpu_ns")
MOMENTARY: Final = ("pid", "rss", "connections", "evaluations", "kept_answers_bytes")

_LOOK: Final = 1.0  # seconds
_BINS: Final = len(BOUNDS) + 1
_WIDTH: Final = len(STATUSES) + 2 + _BINS


def group_of(method: str, path: str) -> str:
    """The group of a request, by its address; ``path`` is without a proxy's prefix.

    >>> [group_of("GET", path) for path in ("/mnist", "/api/v1/datasets", "/mnist/corrected.csv", "/static/site.css")]
    ['page', 'api', 'download', 'static']
    """
    if path.endswith("/evaluate") and method == "POST":
        return "evaluation"
    last = path.rpartition("/")[2]
    if last.startswith("corrected.") and not last.endswith(".json"):
        return "download"
    if path.startswith("/api/"):
        return "api"
    if path.startswith(("/media/", "/static/")):
        return path.split("/")[1]
    return "operation" if path in ("/healthz", "/metrics", "/robots.txt", "/favicon.ico") else "page"


class Traffic:
    """Counts the requests of one process, beside other processes that serve the same site.

    ``sources`` maps names of ``COUNTED`` and ``MOMENTARY`` to functions that are read once a second.
    """

    def __init__(self) -> None:
        shared = os.environ.get(FOLDER)
        names = [
            f"{group} {name}"
            for group in GROUPS
            for name in (*STATUSES, "bytes", "ns", *(f"bin {place}" for place in range(_BINS)))
        ]
        self._counters = Counters((*names, *COUNTED), MOMENTARY, Path(shared) if shared else None)
        self._first = {group: place * _WIDTH for place, group in enumerate(GROUPS)}
        self.sources: dict[str, Callable[[], int]] = {"pid": os.getpid, "cpu_ns": time.process_time_ns, "rss": _rss}

    def __call__(self, record: RequestRecord) -> None:
        """Count a request."""
        scope, status = record.scope, record.status
        group = group_of(scope["method"], scope["path"]) if "path" in scope else "refused"
        first, values = self._first[group], self._counters.values
        values[first + (min(status // 100, 5) - 2 if status is not None else 4)] += 1
        first += len(STATUSES)
        values[first] += record.n_bytes
        values[first + 1] += int(record.seconds * 1e9)
        values[first + 2 + bisect_left(BOUNDS, record.seconds)] += 1

    def look(self) -> None:
        """Read the momentary values of the process."""
        for name, source in self.sources.items():
            self._counters.set(name, source())

    async def keep_looking(self) -> None:
        """Read them once a second, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK)

    def totals(self) -> Totals:
        """The numbers of all processes, with current values for this one."""
        self.look()
        return self._counters.totals()

    def close(self) -> None:
        """Release the shared file; its counts remain."""
        self.look()
        self._counters.close()


def requests(totals: Totals, group: str) -> Mapping[str, int]:
    """Requests of a group by status class, for classes with any.

    >>> traffic = Traffic()
    >>> scope = {"method": "GET", "path": "/mnist"}
    >>> traffic(RequestRecord(scope, came_at=0, seconds=0.004, status=200, n_bytes=10))
    >>> requests(traffic.totals(), "page"), durations(traffic.totals(), "page")[0][2:4]
    ({'2xx': 1}, [('0.005', 1), ('0.01', 1)])
    """
    return {status: n for status in STATUSES if (n := totals.counted[f"{group} {status}"])}


def durations(totals: Totals, group: str) -> tuple[list[tuple[str, int]], float]:
    """How many requests of a group took at most so many seconds, and the sum of their seconds."""
    found, n = [], 0
    for place, bound in enumerate((*map(str, BOUNDS), "+Inf")):
        n += totals.counted[f"{group} bin {place}"]
        found.append((bound, n))
    return found, totals.counted[f"{group} ns"] / 1e9


def _rss() -> int:
    """Memory of this process in bytes; 0 if the system does not tell."""
    if sys.platform != "linux":
        return 0
    pages = Path("/proc/self/statm").read_bytes().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
