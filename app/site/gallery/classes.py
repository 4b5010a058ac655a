"""The page of a dataset's classes."""

from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.facets import ROLES
from app.issues.filter import IssueFilter
from app.site.components.tables import header
from app.web.plain_route import PlainRoute
from app.web.templates import fragment, render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: A page contains a list of all classes to choose from only if it is short.
FEW_CLASSES: Final = 40
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
    """A row of the table of classes: the values to search and sort by, and its HTML."""

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
    """All classes of a dataset, with how many issues have them in which role."""
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
    if len(dataset.classes) > FEW_CLASSES:
        require_reader()
    found = {role: counts.class_counts(catalogue, dataset, f, role) for role in ROLES}
    rows = []
    for c in dataset.classes:
        numbers = {role: found[role].get(c.id, 0) for role in ROLES}
        links = [(role, n, f.query(dataset, **{role: c.id})) for role, n in numbers.items()]
        html = fragment("class_row.html", dataset=dataset, row=c, counts=links)
        rows.append(ClassRow(c.id, c.name, c.n_examples, c.threshold, **numbers, html=html))
    return rows
