"""One open catalogue file: its connections, and whether it is still the file that was opened.

Catalogues are replaced by renaming, which does not affect an open file. But a file can also be overwritten, truncated
or edited in place while it is read. The file's state is therefore compared before and after each read, and an answer
that was read while the file changed is discarded.
"""

import os
import stat
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine

from app.schema.engine import FileState, ReadBudget, ReadingConnection, connect_to_read, pooled_engine

#: Connections opened at the start, so that the file can be read when another one, or none, has taken its place.
_KEPT: Final = 8
_SETTINGS: Final = ("temp_store = MEMORY", "cache_size = -16000")
_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100


class CatalogueReplacedError(Exception):
    """The file at the catalogue's path is another one by now. Ask for the current catalogue and begin again."""


class LongReadError(Exception):
    """What is asked for takes long to read: let a thread with a connection of its own do it (``readers``)."""


#: Whether this very read is one on the event loop, for whom others wait. It is the read's own: no other thread sees it.
ON_LOOP: Final[ContextVar[bool]] = ContextVar("on_loop", default=False)


def require_reader() -> None:
    """Raises LongReadError on the event loop: what comes now takes long to read, or to make of what was read."""
    if ON_LOOP.get():
        raise LongReadError


class UnreadableCatalogueError(ValueError):
    """A file that is no catalogue one can serve; the message says what was expected and what was found."""


class CatalogueFile:
    """A file at a path as it is now, for as long as nobody writes to it.

    ``prepare`` is done to each connection, such as to withhold something from who reads over it.
    """

    def __init__(self, path: Path, prepare: Callable[[ReadingConnection], None] | None = None) -> None:
        self.path = path
        # Not to wait for someone who writes into what may be no file at all.
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        weakref.finalize(self, os.close, self._handle)
        found = os.fstat(self._handle)
        self.state = FileState.of(found)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableCatalogueError("expected a file, found a folder or a device")
        self._require_all_pages()
        self._engine: Engine = pooled_engine(_connector(path, self.state, prepare), _KEPT)
        weakref.finalize(self, self._engine.dispose)

    def _require_all_pages(self) -> None:
        """Refuse a file that is still being copied: its header says how many pages there will be."""
        header = os.pread(self._handle, _HEADER, 0)
        if len(header) < _HEADER or not header.startswith(_MAGIC):
            raise UnreadableCatalogueError("expected a catalogue, found another file")
        page = int.from_bytes(header[16:18])
        expected = int.from_bytes(header[28:32]) * (65_536 if page == 1 else page)
        if expected != self.state.size:
            raise UnreadableCatalogueError(f"expected {expected:,} bytes, found {self.state.size:,}")

    def intact(self) -> bool:
        """Whether nobody has written to the file since it was opened, wherever it lies by now."""
        return FileState.of(os.fstat(self._handle)) == self.state

    def require_pages(self, connection: Connection) -> None:
        """Raises UnreadableCatalogueError for pages of two files, as they lie in one that was copied over by half."""
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise UnreadableCatalogueError(f"expected pages that belong together, found {found!s:.80}")

    def connection(self) -> Connection:
        """A connection to this file, to be closed by the caller, who then gives it back.

        Raises CatalogueReplacedError when none is kept and the file is not at its place any more.
        """
        connection = self._engine.connect()
        budget_of(connection).free()
        return connection

    def keep_connections(self) -> None:
        """Open now those connections that are to be there whatever becomes of the path."""
        opened = [self.connection() for _ in range(_KEPT)]
        for connection in opened:
            connection.close()


def _connector(
    path: Path, state: FileState, prepare: Callable[[ReadingConnection], None] | None
) -> Callable[[], ReadingConnection]:
    def connect() -> ReadingConnection:
        # What is opened is what stood there before and stands there afterwards.
        if FileState.at(path) != state:
            raise CatalogueReplacedError
        connection = connect_to_read(path, *_SETTINGS)
        if FileState.at(path) != state:
            connection.close()
            raise CatalogueReplacedError
        if prepare is not None:
            prepare(connection)
        return connection

    return connect


def driver_of(connection: Connection) -> ReadingConnection:
    """SQLite's own connection behind one of SQLAlchemy's."""
    return cast("ReadingConnection", connection.connection.driver_connection)


def budget_of(connection: Connection) -> ReadBudget:
    """The budget of a connection to a catalogue file."""
    driver: Any = connection.connection.driver_connection
    return cast("ReadBudget", driver.budget)
