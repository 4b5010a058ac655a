"""Fill the table of issues, and make its indexes afterwards.

An index that is made of all rows at once costs a third of one that grows with them. In a new catalogue the indexes are
made when all datasets are in. In one that holds others, theirs stay: the rows go into an attached database of their own
first, are indexed there, and are then moved by one statement, which SQLite carries out as a copy of rows and of index
entries, each in its order (its "transfer optimization"). For that both tables must be declared alike, without unique
indexes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateIndex, CreateTable

from app.schema.tables import issues, metadata
from ingest.catalogue.columns import Columns, insert_columns

#: The name under which the database for new issues is attached.
STAGED: Final = "staged"

_IN_STAGED: Final = {"schema_translate_map": {None: STAGED}}


def staged_path(part: Path) -> Path:
    """The file of the database for new issues, beside the new catalogue; the next ingest removes it, as that one."""
    return part.with_name(f"{part.name}.{STAGED}.part")


def insert_issues(connection: Connection, blocks: Iterable[Columns], advance: Callable[[int], None]) -> None:
    """Add the issues of one dataset, in order of their ids."""
    if not _has_indexes(connection):
        for block in blocks:
            advance(insert_columns(connection, issues, block))
        return
    connection.execute(CreateTable(issues), execution_options=_IN_STAGED)
    for block in blocks:
        advance(insert_columns(connection, issues, block, schema=STAGED))
    for index in sorted(issues.indexes, key=lambda index: str(index.name)):
        connection.execute(CreateIndex(index), execution_options=_IN_STAGED)
    connection.execute(text(f"INSERT INTO main.issues SELECT * FROM {STAGED}.issues"))  # noqa: S608 - our own names
    connection.execute(text(f"DROP TABLE {STAGED}.issues"))


def create_indexes(connection: Connection) -> None:
    """Make all indexes of the catalogue that are not there yet."""
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(CreateIndex(index, if_not_exists=True))


def _has_indexes(connection: Connection) -> bool:
    return connection.scalar(text("SELECT 1 FROM main.sqlite_master WHERE name = 'issues_by_idx'")) is not None
