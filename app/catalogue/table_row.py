"""One value of an example that is a row of a table."""

from typing import NamedTuple


class RowValue(NamedTuple):
    """A value in a row of a table, None where it is missing, and what is unusual about it for the given label."""

    column: str
    value: float | str | None
    unusual: str | None
