"""Media of tasks, read from the catalogue; a rater's link is an invitation by the owner, so all media are shown."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from sqlalchemy import Row, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues import queries
from app.issues.queries import Medium
from app.reviews.lending import Task
from app.schema import tables
from app.site.review.service import exemplars_of, media_address


def content(request: Request, name: str, idx: int, kind: str) -> Medium | None:
    """A medium of an example; None if the catalogue does not have it. On the event loop only."""
    catalogue: Catalogue = request.app.state.catalogue.whole()
    dataset = catalogue.datasets.get(name)
    if dataset is None:
        return None
    if kind != "excerpt":
        return queries.medium(catalogue, dataset, idx, kind)
    text = _excerpt(catalogue, dataset, idx)
    return None if text is None else Medium("text/plain; charset=utf-8", text.encode())


def texts_of(request: Request, name: str, task: Task, classes: Mapping[int, Row[Any]]) -> dict[str, str]:
    """The texts of a task by their addresses, to stand in a page."""
    wanted = [(f"m{n}", task.idx, kind) for n, kind in enumerate(task.media)]
    for place in range(len(task.sides)):
        shown = exemplars_of(task, place, classes)
        wanted += [(f"e{place}-{n}", idx, kind) for n, (idx, kind) in enumerate(shown)]
    found = {}
    for part, idx, kind in wanted:
        medium = content(request, name, idx, kind) if kind in ("text", "excerpt") else None
        if medium is not None:
            found[media_address(task, part)] = medium.data.decode(errors="replace")
    return found


def _excerpt(catalogue: Catalogue, dataset: Dataset, idx: int) -> str | None:
    for table in (tables.issues, tables.exemplars):
        here = (table.c.dataset_id == dataset.id, table.c.idx == idx)
        text = catalogue.connection.scalar(select(table.c.excerpt).where(*here).limit(1))
        if text is not None:
            return str(text)
    return None
