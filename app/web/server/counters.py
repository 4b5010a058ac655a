"""Counters shared by all processes of a server, so that any process can report the totals.

Each process writes to a memory-mapped file of its own, so counting costs as much as writing to an array. The files are
in a folder of the parent process, and each process holds a lock on its own file. The lock tells which processes have
ended: what they counted still counts, but their momentary values do not. A single process has no file.
"""

import contextlib
import mmap
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

try:
    import fcntl
except ImportError:  # pragma: no cover - on systems without these locks every process counts as living
    fcntl = None  # type: ignore[assignment]

#: Environment variable with the folder of processes started together; not a setting, because no one sets it.
FOLDER: Final = "_LABELERRORS_COUNTERS"
_FILE: Final = "counts-"
_ENDED: Final = "ended"

Values: TypeAlias = "array[int]"  # of 64 bits each


class Totals(NamedTuple):
    """The numbers of all processes, by name."""

    #: Everything counted, including by processes that have ended.
    counted: dict[str, int]
    #: The momentary values of each living process.
    living: list[dict[str, int]]


class Counters:
    """The numbers of one process, initially 0: some only grow, the others are momentary values.

    >>> counters = Counters(["requests"], ["connections"])
    >>> counters.add("requests", 2)
    >>> counters.set("connections", 5)
    >>> counters.totals()
    Totals(counted={'requests': 2}, living=[{'connections': 5}])
    """

    def __init__(self, counted: Iterable[str], momentary: Iterable[str], folder: Path | None = None) -> None:
        self._counted, self._momentary = tuple(counted), tuple(momentary)
        #: The index of each number, for callers that add to it often.
        self.place = {name: place for place, name in enumerate((*self._counted, *self._momentary))}
        self._n_bytes = 8 * len(self.place)
        self._folder = folder
        self._lock = -1
        self._memory = mmap.mmap(-1, self._n_bytes) if folder is None else self._mapped(folder)
        self.values: memoryview = memoryview(self._memory).cast("q")

    def add(self, name: str, by: int = 1) -> None:
        """Add to a count."""
        self.values[self.place[name]] += by

    def set(self, name: str, value: int) -> None:
        """Set a momentary value, or a count kept elsewhere."""
        self.values[self.place[name]] = value

    def totals(self) -> Totals:
        """The numbers of all processes. Raises FileNotFoundError if someone has removed their files."""
        if self._folder is None:
            return self._totals([array("q", self.values)], [])
        if os.fstat(self._lock).st_nlink == 0:
            raise FileNotFoundError(self._folder)
        with _held(self._folder, exclusively=False) as ended:
            living: list[Values] = []
            others = [_read(ended, self._n_bytes)]
            for path in self._folder.glob(f"{_FILE}*"):
                lock = os.open(path, os.O_RDWR)
                try:
                    (others if _free(lock) else living).append(_read(lock, self._n_bytes))
                finally:
                    os.close(lock)
        return self._totals(living, others)

    def _totals(self, living: list[Values], others: list[Values]) -> Totals:
        counted = {name: sum(values[self.place[name]] for values in (*living, *others)) for name in self._counted}
        return Totals(counted, [{name: values[self.place[name]] for name in self._momentary} for values in living])

    def close(self) -> None:
        """Release the file; it remains as that of an ended process."""
        self.values.release()
        self._memory.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _mapped(self, folder: Path) -> mmap.mmap:
        with _held(folder, exclusively=True) as ended:
            self._put_together(folder, ended)
            self._lock, _ = tempfile.mkstemp(prefix=_FILE, dir=folder)
            os.truncate(self._lock, self._n_bytes)
            _free(self._lock)  # locks the new file, which marks this process as living
            return mmap.mmap(self._lock, self._n_bytes)

    def _put_together(self, folder: Path, ended: int) -> None:
        """Add the counts of ended processes to one common file, because the number of files would grow without end."""
        total = _read(ended, self._n_bytes)
        for path in folder.glob(f"{_FILE}*"):
            lock = os.open(path, os.O_RDWR)
            try:
                if _free(lock):
                    for place, value in enumerate(_read(lock, self._n_bytes)):
                        total[place] += value
                    path.unlink()
            finally:
                os.close(lock)
        os.pwrite(ended, total.tobytes(), 0)


@contextlib.contextmanager
def _held(folder: Path, *, exclusively: bool) -> Iterator[int]:
    """The file of ended processes, locked while the others are read, so that no count is added twice."""
    file = os.open(folder / _ENDED, os.O_RDWR | (os.O_CREAT if exclusively else 0), 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX if exclusively else fcntl.LOCK_SH)
        yield file
    finally:
        os.close(file)


def _free(lock: int) -> bool:
    """Whether no one else holds the lock on a file; if so, it is locked until the file is closed."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int, n_bytes: int) -> Values:
    return array("q", os.pread(file, n_bytes, 0).ljust(n_bytes, b"\0"))
