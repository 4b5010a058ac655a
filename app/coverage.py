"""The page that says which datasets' media are here, which could not be read, and who may see them."""

from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app.absence import n_with_medium, was_read
from app.charts import share_bar
from app.database import current
from app.records import Dataset
from app.rendering import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

#: What everyone sees of a dataset's media, by the terms of its manifest.
AUDIENCE: Final = {
    "host": "everything",
    "local": "nothing",
    "link": "a link to the source",
    "none": "nothing",
}


class Coverage(NamedTuple):
    """A row: how much of a dataset can be seen."""

    dataset: Dataset
    read: bool  # a distribution of it was read, so that the figures mean something
    with_medium: int
    percent_words: str
    bar: Markup
    exemplars: int
    absent: int
    unreadable: int
    bytes: int
    everyone: str
    unread: str | None  # why none of them could be read
    problems: list[tuple[int, str]]
    fetched_from: list[str]


@router.get("/media-coverage")
async def media_coverage(request: Request) -> HTMLResponse:
    """How many issues of each dataset are shown with their picture, text or sound."""
    rows = [coverage(dataset) for dataset in current(request).datasets.values()]
    return render(request, "coverage.html", place="coverage", rows=rows, unread=sum(not row.read for row in rows))


def coverage(dataset: Dataset) -> Coverage:
    """What ingest told of a dataset's media, for a reader."""
    report: dict[str, Any] = dict(dataset.media_report or {})
    shown = n_with_medium(dataset)
    everyone = AUDIENCE.get(dataset.media_terms, "nothing")
    if dataset.media_terms == "local" and dataset.modality == "text":
        everyone = "how the texts begin, addresses and telephone numbers masked"
    return Coverage(
        dataset=dataset,
        read=was_read(dataset),
        with_medium=shown,
        percent_words=_percent(shown, dataset.n_issues),
        bar=share_bar(round(1000 * shown / dataset.n_issues) if dataset.n_issues else 0),
        exemplars=int(report.get("exemplars", 0)),
        absent=int(report.get("absent", 0)),
        unreadable=int(report.get("n_problems", 0)),
        bytes=int(report.get("bytes", 0)),
        everyone=everyone,
        unread=report.get("unread"),
        problems=list(dataset.broken.items()),
        fetched_from=list(report.get("fetched_from", ())),
    )


def _percent(some: int, of: int) -> str:
    """A share that says 0 or 100 only where it is just that.

    >>> _percent(5_239, 5_240), _percent(1, 5_240), _percent(3, 4), _percent(0, 0)
    ('99.9', '< 0.1', '75', '0')
    """
    if not some or some == of:
        return "100" if some else "0"
    share = 100 * some / of
    return "< 0.1" if share < 0.1 else f"{min(share, 99.9):.1f}" if share < 1 or share > 99 else f"{share:.0f}"
