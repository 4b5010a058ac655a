"""The page of a dataset's classes, and their names as suggestions while one is typed."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.facets import ROLES
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import class_value
from app.openapi.page_parameters import refuse_unread
from app.site.components.paged_table import table_page
from app.site.components.tables import header
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute
from app.web.templates import fragment, render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: A page contains a list of all classes to choose from only if it is short.
FEW_CLASSES: Final = 40
#: Names suggested while one is typed.
MOST_SUGGESTED: Final = 20
_LONGEST: Final = 200
_CLASS_COLUMNS: Final = (
    ("id", "Id", True),
    ("name", "Class", False),
    ("examples", "Examples", True),
    ("threshold", "Threshold", True),
    ("given", "As given label", True),
    ("guessed", "As guessed label", True),
    ("corrected", "As corrected label", True),
)


class ClassRow(NamedTuple):
    """A row of the table of classes."""

    id: int
    name: str
    examples: int | None
    threshold: float | None
    given: int
    guessed: int
    corrected: int


@router.get("/{name}/classes")
def classes(request: Request, name: str) -> HTMLResponse:
    """The classes of a dataset, a page at a time, with how many issues have them in which role."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    refuse_unread(request, ("agreement", "q", "sort", "page"))
    f = IssueFilter.parse(dataset, [("agreement", params.get("agreement", ""))])
    q = " ".join(params.get("q", "")[:_LONGEST].split())
    sort = _class_sort(params.get("sort") or "id")
    found = catalogue.pages.get(("classes", dataset.id, f.agreement), lambda: _class_rows(catalogue, dataset, f))
    rows = _sorted_classes([row for row in found if q.casefold() in row.name.casefold()] if q else found, sort)
    others = {key: value for key, value in (("q", q), ("agreement", params.get("agreement", ""))) if value}
    page = table_page(params.get("page", ""), len(rows), others | ({"sort": sort} if sort != "id" else {}))
    return render(
        request,
        "classes.html",
        dataset=dataset,
        tab="classes",
        n_rows=len(rows),
        rows=_html(dataset, f, rows[page.rows]),
        page=page,
        q=q,
        sort=sort,
        agreement=f.agreement,
        columns=[header(key, title, numeric, sort, others=others) for key, title, numeric in _CLASS_COLUMNS],
        json_url=f"/api/v1/datasets/{name}/classes",
    )


@router.get("/{name}/classes/names")
def names(request: Request, name: str) -> Response:
    """A JSON list of the first classes with a text in their names, as a filter takes them.

    Names that begin with the text come first.
    """
    dataset = queries.dataset_named(current(request), name)
    text = " ".join(request.query_params.get("q", "")[:_LONGEST].split()).casefold()
    beginning: list[int] = []
    inside: list[int] = []
    for one in dataset.classes:
        place = one.name.casefold().find(text)
        if place >= 0:
            (inside if place else beginning).append(one.id)
        if len(beginning) == MOST_SUGGESTED:
            break
    return json_response([class_value(dataset, c) for c in (beginning + inside)[:MOST_SUGGESTED]])


def _class_sort(sort: str) -> str:
    allowed = [sign + key for key, _, _ in _CLASS_COLUMNS for sign in ("", "-")]
    if sort not in allowed:
        raise FilterError("sort", sort, allowed)
    return sort


def _sorted_classes(rows: Sequence[ClassRow], sort: str) -> list[ClassRow]:
    key = sort.removeprefix("-")
    known = [row for row in rows if getattr(row, key) is not None]
    known.sort(key=lambda row: getattr(row, key), reverse=sort.startswith("-"))
    return known + [row for row in rows if getattr(row, key) is None]


def _class_rows(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> Sequence[ClassRow]:
    if len(dataset.classes) > FEW_CLASSES:
        require_reader()
    found = {role: counts.class_counts(catalogue, dataset, f, role) for role in ROLES}
    return [
        ClassRow(c.id, c.name, c.n_examples, c.threshold, **{role: found[role].get(c.id, 0) for role in ROLES})
        for c in dataset.classes
    ]


def _html(dataset: Dataset, f: IssueFilter, rows: Sequence[ClassRow]) -> Any:
    linked = []
    for row in rows:
        numbers = [(role, getattr(row, role)) for role in ROLES]
        linked.append((row, [(role, n, f.query(dataset, **{role: row.id}) if n else "") for role, n in numbers]))
    return fragment("class_rows.html", dataset=dataset, rows=linked)
