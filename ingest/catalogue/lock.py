"""One ingest at a time: an exclusive lock on a file beside the catalogue, gone when the process is."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import CatalogueError

_POLL_SECONDS = 0.1


@contextmanager
def exclusive(target: Path, wait: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock on a catalogue. Waits up to ``wait`` seconds for another process, saying so, then refuses.

    Raises CatalogueError when the other one is still at work then.
    """
    path = target.with_name(target.name + ".lock")
    lock = _acquire(path, wait, lambda: say(f"waiting for another ingest into {target} to finish"))
    if lock is None:
        raise CatalogueError(
            f"{target}: another ingest is writing this catalogue and did not finish within {wait:g} seconds; "
            "the catalogue was left as it was. Try again later, or wait longer with --wait SECONDS."
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _acquire(path: Path, wait: float, on_wait: Callable[[], None]) -> int | None:
    end = time.monotonic() + wait
    told = False
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_there(path, lock):
                return lock
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(lock)
                return None
            if not told:
                on_wait()
                told = True
            time.sleep(_POLL_SECONDS)
        os.close(lock)


def _still_there(path: Path, lock: int) -> bool:
    """Whether the file that was locked is still the one of that name: its last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False
