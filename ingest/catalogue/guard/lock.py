"""An exclusive lock beside the catalogue, so only one ingest runs at a time; released when the process ends."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ingest.errors import CatalogueError

_POLL_SECONDS: Final = 0.1


def followed(target: Path) -> Path:
    """Where a catalogue is written that is named by a link: a link that was replaced would leave the old file to all
    who read that, and a second lock to those who write it.
    """
    return Path(os.path.realpath(target)) if target.is_symlink() else target


@contextmanager
def exclusive(target: Path, wait: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock on a catalogue. Waits up to ``wait`` seconds for another process, with a message, then refuses.

    Raises CatalogueError if the other process is still at work then, and OSError on a file system without locks: a
    plain marker file would remain when its process is killed.
    """
    path = target.with_name(target.name + ".lock")
    lock = FileLock(path, poll_interval=_POLL_SECONDS, fallback_to_soft=False)
    try:
        _acquire(lock, wait, lambda: say(f"waiting for another ingest into {target} to finish"))
    except Timeout:
        raise CatalogueError(
            f"{target}: another ingest is writing this catalogue and did not finish within {wait:g} seconds; "
            "the catalogue was left as it was. Try again later, or wait longer with --wait SECONDS."
        ) from None
    try:
        yield
    finally:
        # Removed while it is held: a waiting process notices that the file is gone and creates a new one.
        path.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, wait: float, on_wait: Callable[[], None]) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if wait <= 0:
            raise
        on_wait()
        lock.acquire(timeout=wait)
