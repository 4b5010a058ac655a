"""The pages of one dataset: its issues, one issue, its classes, its confusions, its corrected test set.

Each route reads through ``queries`` and ``facets``, and hands plain values to a template. No rule is stated here.
"""

from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from app import facets, queries
from app.audience import may_search
from app.cards import wall
from app.catalogue_file import require_reader
from app.confusion_page import KINDS, confusion_context
from app.croissant import structured_data
from app.database import Catalogue, current
from app.domain.verdicts import ERROR_CATEGORIES
from app.errors import FilterError, NotFound
from app.exemplars import shelves
from app.filter_values import SORTS
from app.filters import IssueFilter
from app.issue_page import issue_context
from app.overview import header
from app.records import Dataset
from app.rendering import Frame, fragment, issue_path, render
from app.routes import PlainRoute
from app.stability.predictions import choices_by_class, choices_for, count
from app.youtube import PLAYER_POLICY

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

_SORT_TITLES: Final = {
    "suspicion": "Suspicion",
    "margin": "Margin",
    "index": "Index",
    "disagreement": "Disagreement",
}
#: A list of all classes to choose from is part of the page only where it is short.
_FEW_CLASSES: Final = 40
_CLASS_COLUMNS: Final = (
    ("id", "Id", True),
    ("name", "Class", False),
    ("examples", "Examples", True),
    ("threshold", "Threshold", True),
    ("given", "As given label", True),
    ("guessed", "As guessed label", True),
    ("corrected", "As corrected label", True),
)


@router.get("/{name}")
def gallery(request: Request, name: str) -> HTMLResponse:
    """The issues of a dataset under a filter, a page at a time."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    f = IssueFilter.parse(dataset, params.multi_items())
    limit = request.app.state.settings.page_size
    page = queries.issue_page(catalogue, dataset, f, limit, params.get("after") or None, params.get("before") or None)
    query = f.query(dataset)
    changing = {
        "cards": wall(dataset, page.items, query) if page.items else "",
        "previous_url": _page(name, query, "before", page.before),
        "next_url": _page(name, query, "after", page.after),
        "structured_data": "" if request.scope["query_string"] else structured_data(request, dataset),
    }
    given = {key: value for key, value in changing.items() if value}

    def make() -> Frame:
        context = changing | _around(catalogue, dataset, f)
        return Frame("gallery.html", given, **{key: value for key, value in context.items() if key not in given})

    return catalogue.galleries.get(("gallery", dataset.id, f, tuple(given)), make).filled(given)


def _page(name: str, query: str, direction: str, cursor: str | None) -> str:
    return "" if cursor is None else f"/{name}?{query}{'&' if query else ''}{direction}={cursor}"


def _around(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> dict[str, Any]:
    """What stands around the cards: it depends on the catalogue and the filter alone, not on the page."""
    found = facets.facets(catalogue, dataset, f)
    of_classes = [facet.name for facet in found if facet.more and facet.name in ("given", "guessed", "corrected")]
    side = fragment(
        "side.html",
        dataset=dataset,
        filter=f,
        facets=found,
        texts_searched=may_search(dataset),
        sub=frozenset(c.value for c in ERROR_CATEGORIES),
        without_q=parse_qsl(f.query(dataset, q=None)),
        class_forms={name: parse_qsl(f.query(dataset, **{name: None})) for name in of_classes},
        model_form=parse_qsl(f.query(dataset, model=None)),
        few_classes=bool(of_classes) and len(dataset.classes) <= _FEW_CLASSES,
        agreements=[(a, _query(dataset, f, agreement=a), a == f.agreement) for a in dataset.agreements],
    )
    return {
        "dataset": dataset,
        "tab": "",
        "side": side,
        "chips": f.chips(dataset),
        "sentence": f.sentence(dataset, facets.total(catalogue, dataset, f)),
        "sorts": [_sort(dataset, f, name) for name in SORTS if dataset.ranked or name != "margin"],
        "json_url": f"/api/v1/datasets/{dataset.name}/issues{_query(dataset, f)}",
    }


def _query(dataset: Dataset, f: IssueFilter, **changes: Any) -> str:
    query = f.query(dataset, **changes)
    return "?" + query if query else ""


def _sort(dataset: Dataset, f: IssueFilter, name: str) -> tuple[str, str, str]:
    state = {name: "forward", f"-{name}": "reverse"}.get(f.sort, "")
    wanted = f"-{name}" if state == "forward" else name
    title = _SORT_TITLES[name]
    if name == "suspicion" and not dataset.ranked:
        title = "Votes for the given label"
    elif name == "margin" and dataset.confident_learning is None:
        title = "Self-confidence"
    return title, _query(dataset, f, sort=wanted), state


@router.get("/{name}/issues/{index}")
def issue(request: Request, name: str, index: str) -> Response:
    """One issue: its medium, all facts, how the verdict came about, and its neighbours in the filter."""
    return _issue_page(request, name, index, play=False)


@router.get("/{name}/issues/{index}/play")
def play(request: Request, name: str, index: str) -> Response:
    """The page of an issue with a player of its clip: the only page that loads anything from another host."""
    return _issue_page(request, name, index, play=True)


def _issue_page(request: Request, name: str, index: str, *, play: bool) -> Response:
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    f = IssueFilter.parse(dataset, request.query_params.multi_items())
    place = int(index) if index.isascii() and index.isdecimal() and len(index) <= 12 else -1
    detail = queries.issue_detail(catalogue, dataset, place, f.agreement)
    if detail is None:
        raise NotFound(
            f"No issue of {dataset.title} has the index {index[:40]!r}. Only flagged or reviewed examples have a page.",
            [(f"All issues of {dataset.title}", f"/{name}")],
        )
    previous, following = queries.neighbours(catalogue, dataset, f, detail.issue)
    context = issue_context(dataset, f, detail, previous, following)
    if play and context["clip"] is not None and not context["offers_player"]:
        # The sound itself is here: no page of its own, and no other host, is needed to hear it.
        return RedirectResponse(issue_path(dataset, place, f.query(dataset)), 307)
    if play and context["clip"] is None:
        raise NotFound(
            f"Example {place} of {dataset.title} is no clip to play.", [("The example", f"/{name}/issues/{place}")]
        )
    choices = choices_for(catalogue, dataset, detail.issue.id)
    predicting = count(detail.issue, choices)
    repeating = IssueFilter(agreement=f.agreement, models=predicting.given or None if predicting else None)
    return render(
        request,
        "issue.html",
        headers={"Content-Security-Policy": PLAYER_POLICY} if play else None,
        tab="issue",
        play=play,
        shelves=shelves(catalogue, dataset, detail.issue),
        choices=choices_by_class(dataset, detail.issue, choices),
        predicting=predicting,
        repeating=repeating.query(dataset) if repeating.of_models else "",
        **context,
    )


class ClassRow(NamedTuple):
    """A row of the table of classes: what it can be found and sorted by, and how it looks."""

    id: int
    name: str
    examples: int | None
    threshold: float | None
    given: int
    guessed: int
    corrected: int
    html: Markup


@router.get("/{name}/classes")
def classes(request: Request, name: str) -> HTMLResponse:
    """All classes of a dataset, with how many issues carry them in which role."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    f = IssueFilter.parse(dataset, [("agreement", params.get("agreement", ""))])
    q = " ".join(params.get("q", "")[:200].split())
    sort = _class_sort(params.get("sort") or "id")
    rows = catalogue.pages.get(("classes", dataset.id, f.agreement), lambda: _class_rows(catalogue, dataset, f))
    rows = _sorted_classes([row for row in rows if q.casefold() in row.name.casefold()], sort)
    others = {key: value for key, value in (("q", q), ("agreement", params.get("agreement", ""))) if value}
    return render(
        request,
        "classes.html",
        dataset=dataset,
        tab="classes",
        n_rows=len(rows),
        rows=Markup("").join(row.html for row in rows),
        q=q,
        sort=sort,
        agreement=f.agreement,
        columns=[header(key, title, numeric, sort, others=others) for key, title, numeric in _CLASS_COLUMNS],
        json_url=f"/api/v1/datasets/{name}/classes",
    )


def _class_sort(sort: str) -> str:
    allowed = [sign + key for key, _, _ in _CLASS_COLUMNS for sign in ("", "-")]
    if sort not in allowed:
        raise FilterError("sort", sort, allowed)
    return sort


def _sorted_classes(rows: list[ClassRow], sort: str) -> list[ClassRow]:
    key = sort.removeprefix("-")
    known = [row for row in rows if getattr(row, key) is not None]
    known.sort(key=lambda row: getattr(row, key), reverse=sort.startswith("-"))
    return known + [row for row in rows if getattr(row, key) is None]


def _class_rows(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> list[ClassRow]:
    roles = ("given", "guessed", "corrected")
    if len(dataset.classes) > _FEW_CLASSES:
        require_reader()
    counts = {role: facets.class_counts(catalogue, dataset, f, role) for role in roles}
    rows = []
    for c in dataset.classes:
        numbers = {role: counts[role].get(c.id, 0) for role in roles}
        links = [(role, n, f.query(dataset, **{role: c.id})) for role, n in numbers.items()]
        html = fragment("class_row.html", dataset=dataset, row=c, counts=links)
        rows.append(ClassRow(c.id, c.name, c.n_examples, c.threshold, **numbers, html=html))
    return rows


@router.get("/{name}/confusions")
def confusions(request: Request, name: str) -> HTMLResponse:
    """Which given label hides which corrected, or guessed, one; and the confident joint."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    kind = params.get("kind") or "corrected"
    kinds = KINDS if dataset.confident_learning else KINDS[:-1]
    if kind not in kinds:
        raise FilterError("kind", kind, kinds)
    f = IssueFilter.parse(dataset, [("agreement", params.get("agreement", ""))])
    everything = params.get("pairs") == "all"

    def make() -> dict[str, Any]:
        if len(dataset.classes) > _FEW_CLASSES:
            require_reader()
        return confusion_context(catalogue, dataset, f, kind, everything)

    return render(
        request,
        "confusions.html",
        dataset=dataset,
        tab="confusions",
        kind=kind,
        agreement=f.agreement,
        json_url=f"/api/v1/datasets/{name}",
        **catalogue.pages.get(("confusions", dataset.id, f.agreement, kind, everything), make),
    )
