"""Open a catalogue file, whatever its name: part of the contract of ``app.schema.tables``.

In a database URL, SQLAlchemy takes the part of a file name after a question mark for options, and it cannot open names
with a percent sign or a hash. So a path is passed on as a path, or quoted once, in this module.

Files are not memory-mapped: copying another file over a mapped one ends every process that has it mapped (SIGBUS).
"""

import math
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, QueuePool, create_engine

_CACHED_STATEMENTS: Final = 256
#: Steps of SQLite's virtual machine between two checks of the time: some tenths of a millisecond.
_STEPS: Final = 5_000


class FileState(NamedTuple):
    """The properties of a file that tell whether it was replaced or written to."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """The state of the regular file at a path, or behind a link there; None if there is none."""
        try:
            found = os.stat(path)  # noqa: PTH116 - on every request, and Path.stat costs three times as much
        except OSError:
            return None
        return cls.of(found) if stat.S_ISREG(found.st_mode) else None


class ReadBudget:
    """The time limit for reads of a connection. SQLite checks it while it works, and stops when it has passed."""

    __slots__ = ("_end",)

    def __init__(self) -> None:
        self._end = math.inf

    def last(self, seconds: float) -> None:
        """Allow reads for so many seconds from now on."""
        self._end = time.monotonic() + seconds

    def end(self) -> None:
        """Stop all reads."""
        self._end = -math.inf

    def free(self) -> None:
        """Remove the time limit."""
        self._end = math.inf

    def over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() > self._end


class ReadingConnection(sqlite3.Connection):
    """An SQLite connection with a time limit for reads; no limit until one is set."""

    budget: ReadBudget

    def __del__(self) -> None:
        # A pool that was given up holds connections until it is collected itself; Python 3.13 warns of those left open.
        with suppress(sqlite3.Error):  # one that could not be opened is none
            self.close()


def connect_to_read(path: Path, *pragmas: str) -> ReadingConnection:
    """A read-only connection to the file. ``pragmas`` are its settings, such as ``"temp_store = MEMORY"``.

    Threads other than the one that opened it may use it, one at a time.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode=ro",
        uri=True,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
        factory=ReadingConnection,
    )
    connection.budget = ReadBudget()
    connection.set_progress_handler(connection.budget.over, _STEPS)
    for pragma in ("query_only = ON", "mmap_size = 0", *pragmas):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def reading_engine(path: Path) -> Engine:
    """An engine with read-only connections. The file is only opened, or found missing, when they connect."""
    return create_engine("sqlite://", creator=lambda: connect_to_read(path), poolclass=NullPool)


def pooled_engine(connect: Callable[[], ReadingConnection], kept: int) -> Engine:
    """An engine over ``connect`` that keeps ``kept`` connections open for reuse."""
    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=kept, max_overflow=-1)


def writing_engine(path: Path) -> Engine:
    """An engine whose connections create the file if it does not exist."""
    return create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
