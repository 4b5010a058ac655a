"""Prepared statements: compiled to SQL once and executed directly on the SQLite connection.

They are for reads that run thousands of times a second. SQLAlchemy compiles the statement and its values; what it
would repeat for every run (look the statement up in its cache, wrap the cursor, wrap the rows) costs as much as the
read itself.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select


class Prepared:
    """A statement with all values filled in except those of ``bindparam``, whose names are in ``open_``."""

    def __init__(self, connection: Connection, statement: Select[Any], *open_: str) -> None:
        compiled = statement.compile(dialect=connection.dialect)
        # Lists of values are expanded here, one placeholder per value.
        spelled = compiled.construct_expanded_state(dict.fromkeys(open_))
        self._sql = spelled.statement
        self._values = dict(spelled.parameters)
        self._order = tuple(spelled.positiontup or ())

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """All rows as SQLite returns them: a Boolean is 0 or 1."""
        found: list[tuple[Any, ...]] = self._run(connection, values).fetchall()
        return found

    def parts(self, connection: Connection, size: int, **values: Any) -> Iterator[list[tuple[Any, ...]]]:
        """The same rows, ``size`` at a time, each read when it is asked for."""
        cursor = self._run(connection, values)
        while rows := cursor.fetchmany(size):
            yield rows

    def _run(self, connection: Connection, values: dict[str, Any]) -> sqlite3.Cursor:
        every = self._values | values
        driver: Any = connection.connection.driver_connection
        cursor: sqlite3.Cursor = driver.execute(self._sql, [every[name] for name in self._order])
        return cursor
