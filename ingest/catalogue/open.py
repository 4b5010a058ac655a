"""Open a catalogue read-only, for the commands that report its contents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from app.schema import tables
from app.schema.engine import reading_engine
from ingest.errors import CatalogueError, MissingFileError


@contextmanager
def open_catalogue(catalogue: Path) -> Iterator[Connection]:
    """A read-only connection to a catalogue of this version.

    Raises MissingFileError if there is none, CatalogueError for another version or another kind of file.
    """
    if not catalogue.is_file():
        raise MissingFileError(catalogue, "expected a catalogue, found none; make one with: label-errors sample")
    engine = reading_engine(catalogue)
    try:
        with engine.connect() as connection:
            _require_version(connection, catalogue)
            yield connection
    except DatabaseError as error:
        raise CatalogueError(f"{catalogue}: expected a catalogue, found another file ({error.orig})") from error
    finally:
        engine.dispose()


def _require_version(connection: Connection, catalogue: Path) -> None:
    found = connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "schema_version"))
    if found != str(tables.SCHEMA_VERSION):
        expected = f"expected schema version {tables.SCHEMA_VERSION}, found {found or 'none'}"
        raise CatalogueError(f"{catalogue}: {expected}; ingest anew")
