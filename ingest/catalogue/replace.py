"""Remove a dataset from the open catalogue, or restore it from the catalogue being replaced.

A new catalogue is built without a journal, so nothing can be rolled back. Rows that were removed too early are copied
from the old file, which is still in place.
"""

from pathlib import Path

from sqlalchemy import Connection, Table, delete, text

from app.schema import tables
from app.schema.tables import issue_id_range
from app.schema.votes import votes

# Full-text tables have no construct in SQLAlchemy; the values are bound.
_SEARCHES = ("issue_search (rowid, body)", "class_search (rowid, name)")

# Children before parents, so that no row refers to a missing one.
_TABLES = (
    tables.predictions,
    tables.repeats,
    tables.stability,
    tables.models,
    tables.verdicts,
    votes,
    tables.facets,
    tables.issues,
    tables.media,
    tables.exemplars,
    tables.examples,
    tables.joint_cells,
    tables.label_sets,
    tables.classes,
    tables.sources,
)


def remove(connection: Connection, dataset_id: int) -> None:
    """Remove all rows of a dataset, including the dataset itself."""
    first, last = issue_id_range(dataset_id)
    for search in _SEARCHES:
        statement = f"DELETE FROM {search.split()[0]} WHERE rowid BETWEEN :first AND :last"  # noqa: S608 - our own names
        connection.execute(text(statement), {"first": first, "last": last})
    for table in _TABLES:
        connection.execute(delete(table).where(table.c.dataset_id == dataset_id))
    connection.execute(delete(tables.datasets).where(tables.datasets.c.id == dataset_id))


def restore(connection: Connection, former: Path, dataset_id: int) -> None:
    """Restore all rows of a dataset from ``former``, a catalogue of the same schema, replacing the present ones."""
    remove(connection, dataset_id)
    connection.execute(text("ATTACH DATABASE :path AS former"), {"path": str(former.resolve())})
    _copy(connection, tables.datasets, "id", dataset_id)
    for table in reversed(_TABLES):
        _copy(connection, table, "dataset_id", dataset_id)
    first, last = issue_id_range(dataset_id)
    for search in _SEARCHES:
        name, columns = search.split(maxsplit=1)
        found = f"SELECT {columns.strip('()')} FROM former.{name} WHERE rowid BETWEEN :first AND :last"  # noqa: S608
        connection.execute(text(f"INSERT INTO {search} {found}"), {"first": first, "last": last})


def _copy(connection: Connection, table: Table, owner: str, dataset_id: int) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    found = f"SELECT {columns} FROM former.{table.name} WHERE {owner} = :dataset"  # noqa: S608 - our own names
    connection.execute(text(f"INSERT INTO main.{table.name} ({columns}) {found}"), {"dataset": dataset_id})
