"""Media of tasks, read from the catalogue; a rater's link is an invitation by the owner, so all media are shown.

A row of a table is stored with marks at values that are unusual for its given label, and a question with what a judge
found. They are left out: they would tell which label was given, or which is right.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from fastapi import Request
from sqlalchemy import Row, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues import queries
from app.issues.queries import Medium
from app.reviews.lending import Task
from app.reviews.task_exemplars import exemplars_of
from app.schema import tables
from app.site.review.service import media_address

#: Kinds that stand in the page itself.
_IN_PAGE: Final = ("text", "excerpt", "row", "question")


def content(request: Request, name: str, idx: int, kind: str) -> Medium | None:
    """A medium of an example; None if the catalogue does not have it. On the event loop only."""
    catalogue: Catalogue = request.app.state.catalogue.whole()
    dataset = catalogue.datasets.get(name)
    if dataset is None:
        return None
    if kind == "excerpt":
        text = _excerpt(catalogue, dataset, idx)
        return None if text is None else Medium("text/plain; charset=utf-8", text.encode())
    found = queries.medium(catalogue, dataset, idx, kind)
    return (
        found if found is None or kind not in _UNTOLD else Medium(found.type, orjson.dumps(_UNTOLD[kind](found.data)))
    )


def unmarked(row: bytes) -> list[list[Any]]:
    """A row of a table, as (column, value), without its marks.

    >>> unmarked(b'[["age",91,"above 65"],["colour","red",null]]')
    [['age', 91], ['colour', 'red']]
    """
    return [cell[:2] for cell in orjson.loads(row)]


def unjudged(question: bytes) -> dict[str, Any]:
    """A multiple-choice question with its options, and nothing else.

    >>> unjudged(b'{"question":"2 + 2?","options":["3","4"],"judge":{"answer":"1"}}')
    {'question': '2 + 2?', 'options': ['3', '4']}
    """
    stored = orjson.loads(question)
    return {name: stored[name] for name in ("question", "options")}


_UNTOLD: Final[Mapping[str, Callable[[bytes], Any]]] = {"row": unmarked, "question": unjudged}


def shown_of(request: Request, name: str, task: Task, classes: Mapping[int, Row[Any]]) -> dict[str, Any]:
    """What of a task stands in its page, by address: texts, and rows as lists of (column, value)."""
    wanted = [(f"m{n}", task.idx, kind) for n, kind in enumerate(task.media)]
    for place in range(len(task.sides)):
        shown = exemplars_of(task, place, classes)
        wanted += [(f"e{place}-{n}", idx, kind) for n, (idx, kind) in enumerate(shown)]
    return shown_at(request, name, [(media_address(task, part), idx, kind) for part, idx, kind in wanted])


def shown_at(request: Request, name: str, wanted: Iterable[tuple[str, int, str]]) -> dict[str, Any]:
    """Of media, as (address, index, kind), those that stand in a page, by address."""
    found: dict[str, Any] = {}
    for address, idx, kind in wanted:
        medium = content(request, name, idx, kind) if kind in _IN_PAGE else None
        if medium is not None:
            text = medium.data.decode(errors="replace")
            found[address] = orjson.loads(text) if kind in _UNTOLD else text
    return found


def _excerpt(catalogue: Catalogue, dataset: Dataset, idx: int) -> str | None:
    for table in (tables.issues, tables.exemplars):
        here = (table.c.dataset_id == dataset.id, table.c.idx == idx)
        text = catalogue.connection.scalar(select(table.c.excerpt).where(*here).limit(1))
        if text is not None:
            return str(text)
    return None
