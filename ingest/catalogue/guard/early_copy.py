"""Copy the old catalogue while the new dataset is still being read.

Which catalogue a new one is built on is only known under the lock: if the one that was copied has been replaced by
then, the copy is not used. Until then it has no name (Linux's O_TMPFILE), so it is gone whenever this process ends.
Where the system or the disk cannot do that, nothing is begun early.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, get_native_id
from typing import Final

from ingest.catalogue.guard.lock import followed

#: Bytes copied before it is asked whether to go on.
_PIECE: Final = 1 << 24
#: The rows that are flagged meanwhile go first.
_NICE: Final = 10


class EarlyCopy:
    """A copy of a catalogue that is being made."""

    def __init__(self, target: Path, held: ExitStack) -> None:
        """Begin; all ends with what is ``held``. Raises OSError or AttributeError where it cannot."""
        if not target.is_file():
            raise FileNotFoundError(target)
        self._source = _open(target, os.O_RDONLY, held)
        self._copy = _open(target.parent, os.O_RDWR | os.O_TMPFILE, held)
        self._first = os.fstat(self._source)
        pool = held.enter_context(ThreadPoolExecutor(1, thread_name_prefix="copy"))
        self._stopped = Event()
        held.callback(self._stopped.set)
        self._copied = pool.submit(self._fill)
        self._synced = pool.submit(self._sync)

    def put_at(self, part: Path, target: Path) -> bool:
        """Give the copy its name.

        False, and nothing is there, if what is at ``target`` now is not what was copied, or it could not be copied.
        """
        if _identity(target.stat()) == _identity(self._first):
            with suppress(OSError):
                self._copied.result()
                # The entry in /proc is a link that must be followed, which Python does if it is told of a folder.
                os.link(f"/proc/self/fd/{self._copy}", part, src_dir_fd=self._copy, follow_symlinks=True)
                return True
        self.give_up()
        return False

    def require_written(self) -> None:
        """Raises OSError if the disk failed: it says so once, not again when the new catalogue is written to it."""
        self._synced.result()

    def give_up(self) -> None:
        """Stop copying, and leave its room to others."""
        self._stopped.set()
        with suppress(OSError):
            self._copied.result()
        os.ftruncate(self._copy, 0)

    def _fill(self) -> None:
        """Copy all bytes. Raises OSError."""
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)  # Linux: of this thread
        done = 0
        while not self._stopped.is_set() and (n := os.copy_file_range(self._source, self._copy, _PIECE, done, done)):
            done += n
        if done != self._first.st_size:
            raise OSError(f"copied {done} bytes of {self._first.st_size}")

    def _sync(self) -> None:
        """Write the copy to the disk: else all of it is written at the end, when nothing is left to do meanwhile."""
        if not self._stopped.is_set():
            os.fsync(self._copy)


@contextmanager
def begun_early(target: Path) -> Iterator[EarlyCopy | None]:
    """Begin to copy a catalogue, if there is one and the system can."""
    with ExitStack() as held:
        try:
            early = EarlyCopy(followed(target), held)
        except (OSError, AttributeError):
            early = None
        yield early


def _open(path: Path, flags: int, held: ExitStack) -> int:
    handle = os.open(path, flags, 0o666)
    held.callback(os.close, handle)
    return handle


def _identity(file: os.stat_result) -> tuple[int, ...]:
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns
