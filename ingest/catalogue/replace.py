"""Remove a dataset from the open catalogue, or restore it from the catalogue being replaced.

A new catalogue is built without a journal, so nothing can be rolled back. Rows that were removed too early are copied
from the old file, which is still in place.
"""

from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, text
from sqlalchemy.schema import DropIndex

from app.schema import opinions, slice_tables, tables
from app.schema.facet_tables import facets, unreviewed
from app.schema.tables import issue_id_range
from app.schema.votes import rater_agreement, votes, weighed_verdicts

# Full-text tables have no construct in SQLAlchemy; the values are bound.
_SEARCHES = ("issue_search (rowid, body)", "class_search (rowid, name)")

# Children before parents, so that no row refers to a missing one.
_TABLES = (
    slice_tables.issue_slices,
    slice_tables.example_slices,
    slice_tables.slice_results,
    opinions.opinions,
    opinions.opinion_reports,
    opinions.confidence_reports,
    opinions.opinion_sources,
    opinions.confirmed_stability,
    opinions.controls,
    opinions.guesses,
    opinions.bare_versions,
    tables.predictions,
    tables.repeats,
    tables.stability,
    tables.models,
    tables.verdicts,
    votes,
    weighed_verdicts,
    rater_agreement,
    facets,
    unreviewed,
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
    """Remove all rows of a dataset, including the dataset itself.

    If most issues are its own, their indexes go too: it takes longer to remove entries than to make the few others
    again. They are made when the new issues are in.
    """
    first, last = issue_id_range(dataset_id)
    d = tables.datasets.c
    mine, all_of_them = (
        connection.scalar(select(func.coalesce(func.sum(d.n_issues), 0)).where(which)) or 0
        for which in (d.id == dataset_id, d.id.is_not(None))
    )
    if 2 * mine > all_of_them:
        for index in tables.issues.indexes:
            connection.execute(DropIndex(index, if_exists=True))
    for search in _SEARCHES:
        statement = f"DELETE FROM {search.split()[0]} WHERE rowid BETWEEN :first AND :last"  # noqa: S608 - our own names
        connection.execute(text(statement), {"first": first, "last": last})
    for table in _TABLES:
        connection.execute(delete(table).where(of_dataset(table, dataset_id)))
    connection.execute(delete(tables.datasets).where(d.id == dataset_id))


def of_dataset(table: Table, dataset_id: int) -> ColumnElement[bool]:
    """The condition for the rows of a dataset: a range of issues' ids where these come first, as not all such tables
    have an index of datasets.
    """
    first = next(iter(table.primary_key), None)
    if table is tables.issues or (first is not None and first.name == "issue_id"):
        return table.c[table.primary_key.columns.keys()[0]].between(*issue_id_range(dataset_id))
    return table.c.dataset_id == dataset_id


def restore(connection: Connection, former: Path, dataset_id: int) -> None:
    """Restore all rows of a dataset from ``former``, a catalogue of the same schema, replacing the present ones."""
    remove(connection, dataset_id)
    connection.execute(text("ATTACH DATABASE :path AS former"), {"path": str(former.resolve())})
    _copy(connection, tables.datasets, tables.datasets.c.id == dataset_id)
    for table in reversed(_TABLES):
        _copy(connection, table, of_dataset(table, dataset_id))
    first, last = issue_id_range(dataset_id)
    for search in _SEARCHES:
        name, columns = search.split(maxsplit=1)
        found = f"SELECT {columns.strip('()')} FROM former.{name} WHERE rowid BETWEEN :first AND :last"  # noqa: S608
        connection.execute(text(f"INSERT INTO {search} {found}"), {"first": first, "last": last})


def _copy(connection: Connection, table: Table, which: ColumnElement[bool]) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    compiled = which.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})  # numbers of ours
    found = f"SELECT {columns} FROM former.{table.name} AS {table.name} WHERE {compiled}"  # noqa: S608 - our own names
    connection.execute(text(f"INSERT INTO main.{table.name} ({columns}) {found}"))
