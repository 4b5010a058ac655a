"""The media coverage page: which datasets' media are stored, which could not be read, and who may see them."""

from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app.catalogue.access import may_show
from app.catalogue.current import current
from app.catalogue.media_gaps import NOUNS, n_with_medium, was_read
from app.catalogue.records import Dataset
from app.openapi.page_parameters import refuse_unread
from app.site.components.charts import share_bar
from app.site.components.in_review import held_back_of
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: What everyone may see of a dataset's media, by the terms of its manifest.
AUDIENCE: Final = {
    "host": "everything",
    "local": "nothing",
    "link": "a link to the source",
    "none": "nothing",
}


class Coverage(NamedTuple):
    """A row: how much of a dataset can be seen."""

    dataset: Dataset
    read: bool  # whether a distribution of it was read, so that the figures mean something
    with_medium: int
    shown: int  # how many of these every visitor may see, even if only their beginnings
    percent_words: str
    bar: Markup
    exemplars: int
    exemplars_wanted: int
    absent: int
    unreadable: int
    spare: int  # files of examples that have a better one
    bytes: int
    everyone: str
    here: str  # what a visitor sees on a public site
    source: str | None  # where the rest can be found
    hidden: bool  # nothing of it is shown to visitors, whatever is stored
    unread: str | None  # why none of them could be read
    problems: list[tuple[int, str]]
    exemplar_problems: list[tuple[int, str]]
    fetched_from: list[str]


@router.get("/media-coverage")
def media_coverage(request: Request) -> HTMLResponse:
    """How many issues of each dataset are shown with their picture, text, sound or row."""
    refuse_unread(request, ())
    datasets = current(request).datasets.values()
    rows, held = [coverage(dataset) for dataset in datasets], held_back_of(datasets)
    unread = sum(not row.read and may_show(row.dataset, "excerpt") for row in rows)
    public = any(row.dataset.restricted for row in rows)
    return render(request, "coverage.html", place="coverage", rows=rows, unread=unread, public=public, held_back=held)


def coverage(dataset: Dataset) -> Coverage:
    """The media coverage of a dataset, as ingest reported it."""
    report: dict[str, Any] = dict(dataset.media_report or {})
    with_medium = n_with_medium(dataset)
    hidden = not may_show(dataset, "excerpt")
    shown = 0 if hidden else with_medium
    everyone = AUDIENCE.get(dataset.media_terms, "nothing")
    if dataset.media_terms == "local" and dataset.modality == "text":
        everyone = "excerpts of texts, with addresses and telephone numbers masked"
    exemplars = int(report.get("exemplars", 0))
    return Coverage(
        dataset=dataset,
        read=was_read(dataset),
        with_medium=with_medium,
        shown=shown,
        percent_words=_percent(shown, dataset.n_issues),
        bar=share_bar(round(1000 * shown / dataset.n_issues) if dataset.n_issues else 0),
        exemplars=exemplars,
        exemplars_wanted=int(report.get("exemplars_wanted", exemplars)),
        absent=int(report.get("absent", 0)),
        unreadable=int(report.get("n_problems", 0)),
        spare=int(report.get("spare", 0)),
        bytes=int(report.get("bytes", 0)),
        everyone=everyone,
        here=_here(dataset, with_medium),
        source=None if may_show(dataset, "image") and with_medium else dataset.about.get("homepage") or None,
        hidden=hidden,
        unread=report.get("unread"),
        problems=list(dataset.broken.items()),
        exemplar_problems=[(int(idx), str(why)) for idx, why in report.get("exemplar_problems", ())],
        fetched_from=list(report.get("fetched_from", ())),
    )


def _here(dataset: Dataset, n: int) -> str:
    """What visitors of a public site see of the media, and why it is not more."""
    several = NOUNS.get(dataset.modality, ("medium", "media"))[1]
    which = f"the {several} of {'all ' if n == dataset.n_issues else ''}{_issues(n)}"
    if not may_show(dataset, "excerpt"):
        terms = "the licence does not allow a public site to show them"
        return f"No {several}: the catalogue has {which}, but {terms}." if n else f"No {several}: {terms}."
    if not n:
        return f"No {several}: none were read when this catalogue was built."
    if may_show(dataset, "image"):
        return f"T{which[1:]}."
    masked = "with addresses and telephone numbers masked"
    return f"How {which} begin, {masked}: the licence does not allow a public site to show more."


def _issues(n: int) -> str:
    return f"{n:,} issue{'' if n == 1 else 's'}"


def _percent(some: int, of: int) -> str:
    """A percentage that is 0 or 100 only if it is exactly that.

    >>> _percent(5_239, 5_240), _percent(1, 5_240), _percent(3, 4), _percent(0, 0)
    ('99.9', '< 0.1', '75', '0')
    """
    if not some or some == of:
        return "100" if some else "0"
    share = 100 * some / of
    return "< 0.1" if share < 0.1 else f"{min(share, 99.9):.1f}" if share < 1 or share > 99 else f"{share:.0f}"
