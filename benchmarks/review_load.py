"""How long a vote takes while many raters work at once, beside a bare INSERT and COMMIT of the same database.

``python -m benchmarks.review_load`` lets 50 raters vote over 2,000 examples in SQLite, ``--postgresql`` 200 over 10,000
in a PostgreSQL that two servers share. Raters come by HTTP from a process of their own and think ``--pause`` seconds on
average, 3 if nothing else is said: twenty examples a minute, as people do by hand. After ``--seconds`` the run ends,
and what was promised is compared with what is in the store. Times include the raters' own side and whatever else the
machine does; the ratio does not depend on the disk.
"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psycopg
from sqlalchemy import make_url

from ingest.commands.main import main as command
from tests.app.reviews.crowd import Crowd, Server
from tests.app.reviews.postgresql import Cluster

_INSERT = "INSERT INTO bare (rater, item, answer, at) VALUES (1, 2, 'a word', 1.5)"
_TABLE = "CREATE TABLE bare (rater INTEGER, item INTEGER, answer TEXT, at DOUBLE PRECISION)"
#: Bare commits a second, beside the votes.
_BARE_A_SECOND = 10


def bare_sqlite(path: Path) -> Callable[[], None]:
    """A function that inserts a row and waits for the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_TABLE};")
    return lambda: connection.execute(_INSERT) and None


def bare_postgresql(url: str) -> Callable[[], None]:
    """The same in PostgreSQL."""
    connection = psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    )
    connection.execute(_TABLE)
    return lambda: connection.execute(_INSERT) and None


def timed(work: Callable[[], None], until: float) -> list[float]:
    """The seconds of each of some calls a second."""
    found = []
    while time.monotonic() < until:
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
        time.sleep(1 / _BARE_A_SECOND)
    return found


def told(name: str, seconds: Sequence[float]) -> float:
    """Print median and 99th percentile in milliseconds; returns the latter."""
    median, most = np.percentile(np.array(seconds) * 1000, [50, 99])
    print(f"{name:<24} {len(seconds):>7,} in all, median {median:7.1f} ms, p99 {most:7.1f} ms", flush=True)
    return float(most)


def measure(crowd: Crowd, bare: Callable[[], None], seconds: float) -> bool:
    """Let the crowd vote for so long; whether nothing was lost."""
    until = time.monotonic() + seconds
    commits: list[float] = []
    beside = threading.Thread(target=lambda: commits.extend(timed(bare, until)))
    beside.start()
    for one in [*crowd.start(until), beside]:
        one.join()
    most_bare = told("INSERT and COMMIT", commits)
    votes = [one for rater in crowd.raters for one in rater.seconds]
    most = told("a vote over HTTP", votes)
    print(f"{len(votes) / seconds:.0f} votes a second; p99 of a vote is {most / most_bare:.1f} times that of a commit")
    wrong = crowd.wrong()
    print("\n".join(wrong) or "no vote lost or doubled, no example above its quota", flush=True)
    return not wrong


def main() -> int:
    """Measure one database; 1 if a vote was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="200 raters, 10,000 examples, two servers")
    parser.add_argument("--raters", type=int, help="so many")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default 60)")
    parser.add_argument("--pause", type=float, default=3.0, help="seconds that a rater thinks (default 3)")
    arguments = parser.parse_args()
    n_raters, n_examples, n_servers = (200, 10_000, 2) if arguments.postgresql else (50, 2_000, 1)
    n_raters = arguments.raters or n_raters
    with tempfile.TemporaryDirectory(prefix="review-load-", dir="/tmp") as place:  # PostgreSQL runs as another user
        folder = Path(place)
        folder.chmod(0o755)
        catalogue = folder / "catalogue.sqlite"
        if command(["sample", "--catalogue", str(catalogue)]):
            return 1
        cluster = None
        store, bare = f"sqlite:///{folder}/reviews.sqlite", bare_sqlite(folder / "bare.sqlite")
        if arguments.postgresql:
            (folder / "postgresql").mkdir()
            cluster = Cluster(folder / "postgresql")
            store, bare = cluster.database(), bare_postgresql(cluster.database())
        servers: list[Server] = []
        try:
            servers += [Server(catalogue, store, folder / f"log{n}") for n in range(n_servers)]
            bases = [one.base for one in servers]
            crowd = Crowd.of(store, n_raters, n_examples, bases, arguments.pause)
            print(f"{n_raters} raters, {n_examples:,} examples, {n_servers} server{'s' if n_servers > 1 else ''}")
            return 0 if measure(crowd, bare, arguments.seconds) else 1
        finally:
            for one in servers:
                one.kill()
            if cluster is not None:
                cluster.stop("immediate")


if __name__ == "__main__":
    sys.exit(main())
