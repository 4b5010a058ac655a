"""Write a new catalogue file beside the old one, check it, and replace the old one in one step.

Open readers of the old catalogue are not affected, and any error leaves it unchanged. A killed process leaves a file
``NAME.*.part`` behind, which the next ingest removes. Datasets are written by ``store``, not here.
"""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, event, insert, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateTable

from app.schema.engine import writing_engine
from app.schema.tables import SCHEMA_VERSION, SEARCH_DDL, meta, metadata
from ingest.catalogue.guard.early_copy import EarlyCopy
from ingest.catalogue.guard.lock import exclusive, followed
from ingest.catalogue.guard.seal import KEY, sealing, unsealed
from ingest.catalogue.guard.verify import checked_meanwhile, require_datasets, require_whole
from ingest.catalogue.issue_table import STAGED, create_indexes, staged_path
from ingest.errors import NO_SPACE, CatalogueError

Say = Callable[[str], None]

#: Nobody else sees these files, and they are discarded on any error: no journal, no waiting for the disk, no zeros over
#: what was deleted. Rows come in order and indexes are sorted in pieces, so little has to be in memory.
_PRAGMAS: Final = ("journal_mode = OFF", "synchronous = OFF", "secure_delete = OFF", "cache_size = -16384")

#: Pages of a search index that are rewritten at most to merge it when few of its rows are new.
_MERGED_PAGES: Final = 2_000


@contextmanager
def replacing_catalogue(
    target: Path, replacing: Collection[str], *, wait: float, say: Say, early: EarlyCopy | None = None
) -> Iterator[Connection]:
    """A connection to a new version of a catalogue, which replaces the old one at the end of the block.

    It starts with the contents of the old one. ``replacing`` are the names of the datasets that the block is going to
    write. If the block raises, the old catalogue is unchanged. ``early`` is a copy of it that was begun.

    Raises CatalogueError when another ingest holds the catalogue, when the existing file is not a catalogue, or has
    another version and holds more than ``replacing``, or when the disk is full.
    """
    target = followed(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target, wait, say):
            _remove_leftovers(target, say)
            part = target.with_name(f"{target.name}.{os.getpid()}.part")
            try:
                with _beginning(target, part, replacing, say, early) as finish, _writing(part) as connection:
                    if finish is None:
                        _create(connection)
                    yield connection
                    create_indexes(connection)
                    _sign(connection)
                    _merge_searches(connection, whole=finish is None)
                    connection.commit()
                    with sealing(part) as seal:
                        if finish is None or not replacing:
                            require_whole(connection)
                        else:
                            require_datasets(connection, replacing)
                        if finish is not None:
                            finish()
                        seal()
                _put_in_place(part, target)
            finally:
                part.unlink(missing_ok=True)
                staged_path(part).unlink(missing_ok=True)
    except (OSError, DatabaseError, sqlite3.Error) as error:
        raise _explained(target, error) from error


def _remove_leftovers(target: Path, say: Say) -> None:
    for leftover in target.parent.glob(f"{_escaped(target.name)}.*.part*"):
        leftover.unlink()
        say(f"removed {leftover.name}, left behind by an ingest that was cut short")


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


@contextmanager
def _beginning(
    target: Path, part: Path, replacing: Collection[str], say: Say, early: EarlyCopy | None
) -> Iterator[Callable[[], None] | None]:
    """Copy the old catalogue to build on, and check it meanwhile; gives what waits for the check.

    None if there is none worth keeping.
    """
    if not _is_kept(target, replacing, say):
        if early is not None:
            early.give_up()
        yield None
        return
    with checked_meanwhile(target) as require_undamaged:
        if early is None or not early.put_at(part, target):
            shutil.copyfile(target, part)
            yield require_undamaged
            return

        def finish() -> None:
            require_undamaged()
            early.require_written()

        yield finish


def _is_kept(target: Path, replacing: Collection[str], say: Say) -> bool:
    if not target.exists():
        return False
    found, names = _contents(target)
    if found == str(SCHEMA_VERSION):
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
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise CatalogueError(
            f"{target}: expected a catalogue, found another file ({error}); it is not touched"
        ) from error
    if version is None:
        raise CatalogueError(
            f"{target}: expected a catalogue, found a database without a schema version; it is not touched"
        )
    return str(version[0]), names


@contextmanager
def _writing(part: Path) -> Iterator[Connection]:
    """A connection to the new file, with the database for new issues attached."""
    engine = writing_engine(part)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"ATTACH DATABASE ? AS {STAGED}", [str(staged_path(part))])
        for schema in ("main", STAGED):
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {schema}.{pragma}")

    try:
        with engine.connect() as connection:
            yield connection
            connection.commit()
    finally:
        engine.dispose()


def _create(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
    for statement in SEARCH_DDL:
        connection.execute(text(statement))


def _sign(connection: Connection) -> None:
    connection.execute(delete(meta))
    written_at = datetime.now(UTC).isoformat(timespec="seconds")
    values = {
        "schema_version": str(SCHEMA_VERSION),
        "version": uuid.uuid4().hex,
        "written_at": written_at,
        KEY: unsealed(),
    }
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in values.items()])


def _merge_searches(connection: Connection, *, whole: bool) -> None:
    """Merge the pieces of the search indexes; if other datasets were carried over, only so much as they do not count.

    No ANALYZE: see ``app.schema.tables``.
    """
    for table in ("issue_search", "class_search"):
        how = "VALUES ('optimize')" if whole else f", rank) VALUES ('merge', {-_MERGED_PAGES})"
        columns = f"{table})" if whole else table
        connection.execute(text(f"INSERT INTO {table} ({columns} {how}"))


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


def _explained(target: Path, error: OSError | DatabaseError | sqlite3.Error) -> CatalogueError:
    original = error.orig if isinstance(error, DatabaseError) else error
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    no_space = isinstance(error, OSError) and error.errno in NO_SPACE
    if no_space or code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return CatalogueError(
            f"{target}: the disk is full or failing ({original}); expected room for a whole new catalogue beside the "
            "old one. The old catalogue stays as it was."
        )
    return CatalogueError(f"{target}: the catalogue cannot be written ({original}). It stays as it was.")
