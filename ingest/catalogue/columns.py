"""Write columns of values into a table of the catalogue, many rows with one prepared statement.

A row that becomes an object of SQLAlchemy costs several times what SQLite takes to store it. Here the driver is handed
tuples, zipped from columns. Which columns a table has is said in ``app.schema`` alone: this module refuses others, and
columns that are missing although they must not be empty.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Table

#: Columns of one length by name; one that is None, or is not named, is null in all rows.
Columns = Mapping[str, Sequence[Any] | None]

#: Rows of a block: few enough for their objects to stay in a core's cache, and enough for a statement not to count.
BLOCK: Final = 8_192


def insert_columns(connection: Connection, table: Table, columns: Columns, *, schema: str = "main") -> int:
    """Insert rows given as columns; the number of rows.

    ``schema`` is the attached database of the table. Raises ValueError for columns that the table does not have, lacks,
    or of different lengths.
    """
    given = {name: values for name, values in columns.items() if values is not None}
    n = len(next(iter(given.values()), ()))
    if n:
        statement = _statement(table, tuple(given), schema)
        connection.exec_driver_sql(statement, list(zip(*given.values(), strict=True)))
    return n


@lru_cache
def _statement(table: Table, names: tuple[str, ...], schema: str) -> str:
    unknown = set(names) - set(table.columns.keys())
    absent = {column.name for column in table.columns if not column.nullable} - set(names)
    if unknown or absent:
        raise ValueError(f"{table.name}: expected its columns, found {unknown or 'none'} beside them, not {absent}")
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    return f"INSERT INTO {schema}.{table.name} ({columns}) VALUES ({values})"  # noqa: S608 - our own names
