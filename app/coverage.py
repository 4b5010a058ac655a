"""The page that says which datasets' media are here, which could not be read, and who may see them."""

from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

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
    with_medium: int
    percent: float
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
    return render(request, "coverage.html", place="about", rows=rows)


def coverage(dataset: Dataset) -> Coverage:
    """What ingest told of a dataset's media, for a reader."""
    report: dict[str, Any] = dict(dataset.media_report or {})
    shown = int(report.get("issues", 0))
    everyone = AUDIENCE.get(dataset.media_terms, "nothing")
    if dataset.media_terms == "local" and dataset.modality == "text":
        everyone = "the beginnings, with addresses of people masked"
    return Coverage(
        dataset=dataset,
        with_medium=shown,
        percent=100 * shown / dataset.n_issues if dataset.n_issues else 0.0,
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
