"""Check a new catalogue before it takes the place of the old one.

A whole one is checked page by page (SQLite's ``quick_check``), each index for as many entries as its table has rows,
and each reference: that takes as long as reading it. Where other datasets are carried over, the old file is held to its
seal (see ``seal``), or without one its pages are checked, while the new rows are made. Afterwards only the rows of the
datasets written now are looked for: in their tables, through each index, and behind each reference.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Index, Table, exists, select, text
from sqlalchemy.dialects import sqlite

from app.schema.tables import issue_id_range, issues, metadata
from ingest.catalogue.guard.seal import is_as_sealed
from ingest.errors import CatalogueError

_STAYS = "the old one stays"
_CHANGED = "some of its bytes are not those that were written, though nobody wrote to it with SQLite"


@contextmanager
def checked_meanwhile(catalogue: Path) -> Iterator[Callable[[], None]]:
    """Check a file in a thread; the function it gives waits, and raises CatalogueError for damage."""
    address = f"{catalogue.resolve().as_uri()}?mode=ro"
    with (
        ThreadPoolExecutor(1, thread_name_prefix="check") as pool,
        closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection,
    ):
        found = pool.submit(_damage, catalogue, connection)

        def require() -> None:
            try:
                damage = found.result()
            except sqlite3.DatabaseError as error:
                damage = str(error)
            if damage is not None:
                raise CatalogueError(
                    f"{catalogue}: the datasets that it holds cannot be carried over, for it is damaged: {damage}; "
                    "it stays as it is"
                )

        try:
            yield require
        finally:
            connection.interrupt()
            pool.shutdown(cancel_futures=True)


def _damage(catalogue: Path, connection: sqlite3.Connection) -> str | None:
    """What is wrong with a file; None if nothing is found. Raises sqlite3.Error where SQLite cannot read it."""
    if (whole := is_as_sealed(catalogue)) is not None:
        return None if whole else _CHANGED
    found = str(connection.execute("PRAGMA quick_check").fetchone()[0])
    return None if found == "ok" else found


def require_whole(connection: Connection) -> None:
    """Check a catalogue as a whole. Raises CatalogueError."""
    damage = connection.scalar(text("PRAGMA main.quick_check"))
    if damage != "ok":
        raise CatalogueError(f"the new catalogue failed its integrity check: {damage}; {_STAYS}")
    for table in metadata.sorted_tables:
        for index in table.indexes:
            _require_entries(connection, table, index, "1")
    dangling = connection.execute(text("PRAGMA main.foreign_key_check")).first()
    if dangling is not None:
        raise CatalogueError(f"the new catalogue has a row that refers to none: {tuple(dangling)}; {_STAYS}")


def require_datasets(connection: Connection, names: Collection[str]) -> None:
    """Check the rows of some datasets. Raises CatalogueError."""
    ids = connection.execute(text("SELECT id, name FROM datasets")).all()
    for dataset_id in sorted(row.id for row in ids if row.name in names):
        low, high = issue_id_range(dataset_id)
        for table in metadata.sorted_tables:
            if "issue_id" in table.columns:
                _require_issues(connection, table, low, high)
            for index in table.indexes:
                mine = f"id BETWEEN {low} AND {high}" if table is issues else f"+dataset_id = {dataset_id}"
                _require_entries(connection, table, index, mine, f"dataset_id = {dataset_id}")


def _require_entries(connection: Connection, table: Table, index: Index, mine: str, through: str | None = None) -> None:
    """Check that an index has an entry for each of the rows ``mine``, which through the index are those ``through``."""
    only = index.dialect_options["sqlite"]["where"]
    condition = "1" if only is None else str(only.compile(dialect=sqlite.dialect()))
    by_table = f"SELECT count(*) FROM {table.name} NOT INDEXED WHERE {mine} AND {condition}"  # noqa: S608 - our own names
    through = f"{through or mine} AND {condition}"
    by_index = f"SELECT count(*) FROM {table.name} INDEXED BY {index.name} WHERE {through}"  # noqa: S608 - our own names
    expected, found = connection.scalar(text(by_table)), connection.scalar(text(by_index))
    if expected != found:
        finding = f"{index.name} has {found:,} entries for {expected:,} rows of {table.name}"
        raise CatalogueError(f"the new catalogue failed its integrity check: {finding}; {_STAYS}")


def _require_issues(connection: Connection, table: Table, low: int, high: int) -> None:
    column = table.c.issue_id
    alone = ~exists().where(issues.c.id == column)
    found = connection.scalar(select(column).where(column.between(low, high), alone).limit(1))
    if found is not None:
        raise CatalogueError(f"the new catalogue has a row that refers to none: {table.name}, {found}; {_STAYS}")
