"""Tables shown a page at a time, by number of page."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from app.errors import FilterError

#: The rows of a page, unless it says otherwise.
ROWS: Final = 100


class TablePage(NamedTuple):
    """One page of a table: which of its rows, and the addresses of its neighbours; "" where there is none."""

    number: int
    last: int
    start: int
    stop: int
    previous: str
    next: str

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)


def table_page(text: str, n: int, others: Mapping[str, str], rows: int = ROWS) -> TablePage:
    """The page of a table of n rows that a parameter asks for; ``others`` are the other parameters.

    Raises FilterError for a page that is not there.

    >>> table_page("2", 250, {"sort": "name"})
    TablePage(number=2, last=3, start=100, stop=200, previous='?sort=name', next='?sort=name&page=3')
    >>> table_page("", 0, {})
    TablePage(number=1, last=1, start=0, stop=0, previous='', next='')
    """
    last = max(1, -(-n // rows))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0 if text else 1
    if not 1 <= number <= last:
        allowed = "1" if last == 1 else f"a whole number from 1 to {last}"
        raise FilterError("page", text, [allowed])

    def address(page: int) -> str:
        query = urlencode({**others, "page": str(page)} if page > 1 else others)
        return f"?{query}" if query else "?"

    start = (number - 1) * rows
    return TablePage(
        number,
        last,
        start,
        min(n, start + rows),
        address(number - 1) if number > 1 else "",
        address(number + 1) if number < last else "",
    )
