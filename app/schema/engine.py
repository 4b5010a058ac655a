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
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import quote

from sqlalchemy import URL, Engine, NullPool, QueuePool, create_engine

_CACHED_STATEMENTS: Final = 256
#: Steps of SQLite's machine between two looks at the clock: some tenths of a millisecond.
_STEPS: Final = 5_000


class FileState(NamedTuple):
    """What tells whether a file is the one it was, and nobody has written to it since."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """The state of the regular file at a path, or of what a link there leads to; None where there is none."""
        try:
            found = os.stat(path)  # noqa: PTH116 - on every request, and Path.stat costs three times as much
        except OSError:
            return None
        return cls.of(found) if stat.S_ISREG(found.st_mode) else None


class ReadBudget:
    """Until when the reads of a connection may go on. SQLite looks at it while it works, and gives up behind it."""

    __slots__ = ("_end",)

    def __init__(self) -> None:
        self._end = math.inf

    def last(self, seconds: float) -> None:
        """Let reads go on for so long from now on."""
        self._end = time.monotonic() + seconds

    def end(self) -> None:
        """Let no read go on."""
        self._end = -math.inf

    def free(self) -> None:
        """Let reads go on for as long as they take."""
        self._end = math.inf

    def over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() > self._end


class ReadingConnection(sqlite3.Connection):
    """A connection of SQLite whose reads have a budget, without end until one is set."""

    budget: ReadBudget


def connect_to_read(path: Path, *pragmas: str) -> ReadingConnection:
    """A connection that cannot change the file. ``pragmas`` are its settings, such as ``"temp_store = MEMORY"``.

    It may be used by other threads than the one that opened it, one after another.
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
    """An engine whose connections cannot change the file. Nothing is opened, or found missing, before they connect."""
    return create_engine("sqlite://", creator=lambda: connect_to_read(path), poolclass=NullPool)


def pooled_engine(connect: Callable[[], ReadingConnection], kept: int) -> Engine:
    """An engine over ``connect`` that keeps so many connections open for the next who asks."""
    return create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=kept, max_overflow=-1)


def writing_engine(path: Path) -> Engine:
    """An engine whose connections make the file where there is none."""
    return create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
