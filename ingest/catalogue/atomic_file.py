"""Write a new catalogue file beside the old one, check it, and replace the old one in one step.

Open readers of the old catalogue are not affected, and any error leaves it unchanged. A killed process leaves a file
``NAME.*.part`` behind, which the next ingest removes. Datasets are written by ``store``, not here.
"""

import errno
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, event, insert, text
from sqlalchemy.exc import DatabaseError

from app.schema.engine import writing_engine
from app.schema.tables import SCHEMA_VERSION, SEARCH_DDL, meta, metadata
from ingest.catalogue.lock import exclusive
from ingest.errors import CatalogueError

Say = Callable[[str], None]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing_catalogue(target: Path, replacing: Collection[str], *, wait: float, say: Say) -> Iterator[Connection]:
    """A connection to a new version of a catalogue, which replaces the old one at the end of the block.

    It starts with the contents of the old one. ``replacing`` are the names of the datasets that the block is going to
    write. If the block raises, the old catalogue is unchanged.

    Raises CatalogueError when another ingest holds the catalogue, when the existing file is not a catalogue, or has
    another version and holds more than ``replacing``, or when the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target, wait, say):
            _remove_leftovers(target, say)
            part = target.with_name(f"{target.name}.{os.getpid()}.part")
            try:
                carried_over = _start(target, part, replacing, say)
                engine = _engine(part)
                with engine.begin() as connection:
                    if not carried_over:
                        _create(connection)
                    yield connection
                    _sign(connection)
                _finish(engine)
                engine.dispose()
                _put_in_place(part, target)
            finally:
                part.unlink(missing_ok=True)
    except (OSError, DatabaseError) as error:
        raise _explained(target, error) from error


def _remove_leftovers(target: Path, say: Say) -> None:
    for leftover in target.parent.glob(f"{_escaped(target.name)}.*.part*"):
        leftover.unlink()
        say(f"removed {leftover.name}, left behind by an ingest that was cut short")


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _start(target: Path, part: Path, replacing: Collection[str], say: Say) -> bool:
    """Copy the old catalogue to build on; False if there is none worth keeping."""
    if not target.exists():
        return False
    found, names = _contents(target)
    if found == str(SCHEMA_VERSION):
        shutil.copyfile(target, part)
        return True
    lost = sorted(set(names) - set(replacing))
    if lost:
        raise CatalogueError(
            f"{target}: expected a catalogue of schema version {SCHEMA_VERSION}, found version {found}, whose datasets "
            f"cannot be carried over: {', '.join(lost)}. Move the file away, or give another one with --catalogue, and "
            "ingest these datasets again."
        )
    say(f"{target} has schema version {found}; it holds nothing else and will be replaced by version {SCHEMA_VERSION}")
    return False


def _contents(target: Path) -> tuple[str, list[str]]:
    """Schema version and dataset names of a catalogue, whatever its version."""
    try:
        with closing(sqlite3.connect(f"{target.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            version = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
            names = [str(name) for (name,) in connection.execute("SELECT name FROM datasets")]
    except sqlite3.DatabaseError as error:
        raise CatalogueError(
            f"{target}: expected a catalogue, found another file ({error}); it is not touched"
        ) from error
    if version is None:
        raise CatalogueError(
            f"{target}: expected a catalogue, found a database without a schema version; it is not touched"
        )
    return str(version[0]), names


def _engine(part: Path) -> Engine:
    engine = writing_engine(part)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        # Nobody else sees this file, and it is discarded on any error: no journal, no waiting for the disk.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")

    return engine


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    for statement in SEARCH_DDL:
        connection.execute(text(statement))


def _sign(connection: Connection) -> None:
    connection.execute(delete(meta))
    written_at = datetime.now(UTC).isoformat(timespec="seconds")
    values = {"schema_version": str(SCHEMA_VERSION), "version": uuid.uuid4().hex, "written_at": written_at}
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in values.items()])


def _finish(engine: Engine) -> None:
    """Merge the search indexes, and check every page and every reference. No ANALYZE: see ``app.schema.tables``."""
    with engine.begin() as connection:
        for table in ("issue_search", "class_search"):
            connection.execute(text(f"INSERT INTO {table} ({table}) VALUES ('optimize')"))  # noqa: S608 - our own names
    with engine.connect() as connection:
        damage = connection.scalar(text("PRAGMA integrity_check"))
        if damage != "ok":
            raise CatalogueError(f"the new catalogue failed its integrity check: {damage}; the old one stays")
        dangling = connection.execute(text("PRAGMA foreign_key_check")).first()
        if dangling is not None:
            raise CatalogueError(
                f"the new catalogue has a row that refers to none: {tuple(dangling)}; the old one stays"
            )


def _put_in_place(part: Path, target: Path) -> None:
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explained(target: Path, error: OSError | DatabaseError) -> CatalogueError:
    original = error.orig if isinstance(error, DatabaseError) else error
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    no_space = isinstance(error, OSError) and error.errno in _NO_SPACE
    if no_space or code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return CatalogueError(
            f"{target}: the disk is full or failing ({original}); expected room for a whole new catalogue beside the "
            "old one. The old catalogue stays as it was."
        )
    return CatalogueError(f"{target}: the catalogue cannot be written ({original}). It stays as it was.")
