"""Open the vote store, an SQLite file or a PostgreSQL database, and give out its transactions.

SQLite: write-ahead log, every commit on the disk before it is told, one writer at a time from the beginning of its
transaction. PostgreSQL: rows are locked by who writes. The tables are brought up to date when a store is opened.
"""

import secrets as random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from app.reviews.migrations import HEAD, NewerStoreError, upgrade
from app.reviews.tables import secrets

#: Seconds that a writer waits for others on other servers.
_PATIENCE: Final = 30
#: Names the lock in PostgreSQL that who changes the tables holds.
_LOCK: Final = 0x6C61_6265
_BACKENDS: Final = ("sqlite", "postgresql")
_WRITES: Final = "store_writes"

Clock = Callable[[], float]


class StoreError(Exception):
    """A store that cannot be used, and why, in a sentence."""


def store_url(named: str, catalogue: Path) -> URL:
    """The store of a setting: a database URL or a file; by default ``reviews.sqlite`` beside the catalogue.

    Raises StoreError for a URL of another database.

    >>> str(store_url("", Path("var/catalogue.sqlite")))
    'sqlite:///var/reviews.sqlite'
    """
    if not named:
        named = str(catalogue.parent / "reviews.sqlite")
    if "://" not in named:
        return URL.create("sqlite", database=named)
    try:
        url = make_url(named)
    except ArgumentError as error:
        raise StoreError("expected a file or a database URL such as postgresql+psycopg://host/name") from error
    if url.get_backend_name() not in _BACKENDS:
        raise StoreError(f"expected SQLite or PostgreSQL as the store of votes, found {url.get_backend_name()}")
    return url


class Store:
    """A vote store. ``clock`` tells the seconds since 1970.

    Raises StoreError if it cannot be opened, or is of a newer version of the program.
    """

    def __init__(self, url: URL, clock: Clock = time.time) -> None:
        self.url = url
        self.clock = clock
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # In SQLite, threads of this process queue here instead of sleeping until the file is free.
        self._queue = threading.Lock()
        try:
            self._engine = _engine(url)
            try:
                self._bring_up_to_date()
            except BaseException:
                self._engine.dispose()
                raise
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(f"{shown(url)} needs psycopg: pip install 'label-errors-site[postgres]'") from error
        except NewerStoreError as error:
            raise StoreError(str(error)) from error
        except DBAPIError as error:
            raise StoreError(f"{shown(url)} cannot be used as the store of votes: {error.orig}") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection within a transaction that only reads."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection within a transaction that is committed, to the disk, at the end of the block."""
        if self.is_sqlite:
            with self._queue, self._writing() as connection:
                yield connection
        else:
            with self._writing() as connection:
                yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def secret(self, name: str) -> str:
        """A key to sign with, the same for all servers of the store."""
        with self.reading() as connection:
            return str(connection.scalars(select(secrets.c.value).where(secrets.c.name == name)).one())

    def _bring_up_to_date(self) -> None:
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as connection:
            if _version(connection) == HEAD:
                return
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = _version(connection)
            if found is None and set(inspect(connection).get_table_names()) - {"alembic_version"}:
                raise StoreError(
                    f"{shown(self.url)}: expected a store of votes or an empty database, found another one"
                )
            if found != HEAD:
                upgrade(connection, shown(self.url))
            if connection.scalar(select(secrets.c.name).where(secrets.c.name == "links")) is None:
                connection.execute(insert(secrets), [{"name": "links", "value": random.token_urlsafe(32)}])


def shown(url: URL) -> str:
    """A store in messages, without its password."""
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _engine(url: URL) -> Engine:
    # Errors are logged, and what a statement was given may be the name of a rater.
    if url.get_backend_name() == "sqlite":
        patient = {"timeout": _PATIENCE, "check_same_thread": False}
        engine = create_engine(url, connect_args=patient, pool_size=16, hide_parameters=True)
        event.listen(engine, "connect", _configure)
    else:
        # A connection that a restarted database has dropped is noticed before it is used.
        engine = create_engine(url, pool_pre_ping=True, pool_size=16, max_overflow=16, hide_parameters=True)
    event.listen(engine, "begin", _begin if url.get_backend_name() == "sqlite" else _leave)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by ``_begin``
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _leave(_connection: Connection) -> None:
    """PostgreSQL's driver begins transactions itself."""
