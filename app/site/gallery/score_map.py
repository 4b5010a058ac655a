"""The map of a dataset's issues: how many have which self-confidence and which margin, to choose some of them by a box.

Issues are counted in small squares, never drawn one by one. Sides are powers of two, so that a square counted here has
exactly the issues that the gallery shows for it.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import ColumnElement, Integer, cast

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.errors import NotInCatalogue
from app.issues import queries
from app.issues.category_words import ANY_ERROR
from app.issues.facet_kinds.range_facets import MARGIN, SELF_CONFIDENCE, Range
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter
from app.issues.where import counted_by
from app.openapi.page_parameters import refuse_unread
from app.schema import tables
from app.site.components.charts import Frame, score_squares
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Squares across the drawing and across the table; as many to the unit where all of it is shown.
FINE: Final = 32
COARSE: Final = 8
#: By how much the drawing is enlarged where all issues lie in a part of it.
_ZOOMS: Final = (8, 4, 2)
#: Square -> issues in it; a square is named by the numbers of its lower ends, in squares from zero.
Squares = Mapping[tuple[int, int], int]


class Cell(NamedTuple):
    """A cell of the table: how many issues, and the query string of the gallery that shows them."""

    n: int
    query: str
    words: str


def has_map(dataset: Dataset) -> bool:
    """Whether a dataset's issues have both scores."""
    return SELF_CONFIDENCE.exists(dataset) and MARGIN.exists(dataset) and bool(dataset.n_issues)


@router.get("/{name}/map")
def score_map(request: Request, name: str) -> HTMLResponse:
    """The issues of a dataset by both scores; with ``category=error``, the errors among them."""
    catalogue = current(request)
    dataset = _mapped(catalogue, name)
    params = request.query_params
    refuse_unread(request, ("agreement", "category"))
    asked = [(key, params.get(key, "")) for key in ("agreement", "category")]
    f = IssueFilter.parse(dataset, asked)

    def make() -> dict[str, Any]:
        require_reader()
        found = squares(catalogue, dataset, f, FINE)
        frame = frame_of(found)
        return map_context(
            dataset, f, found if frame.side == FINE else squares(catalogue, dataset, f, frame.side), frame
        )

    return render(
        request,
        "map.html",
        dataset=dataset,
        tab="",
        f=f,
        json_url=f"/api/v1/datasets/{name}/issues",
        **catalogue.pages.get(("map", dataset.id, f), make),
    )


@router.get("/{name}/map/issues")
def box(request: Request, name: str) -> Response:
    """The gallery of the issues in a box, whose ends are four fields of a form."""
    dataset = _mapped(current(request), name)
    params = request.query_params
    ends = {
        "self_confidence": (params.get("confidence_from", ""), params.get("confidence_to", "")),
        "margin": (params.get("margin_from", ""), params.get("margin_to", "")),
    }
    ranges = [(key, "..".join(map(str.strip, pair))) for key, pair in ends.items() if any(map(str.strip, pair))]
    others = [(key, params.get(key, "")) for key in ("agreement", "category")]
    query = IssueFilter.parse(dataset, [*ranges, *others]).query(dataset)
    return RedirectResponse(f"/{dataset.name}{'?' + query if query else ''}", 303)


def _mapped(catalogue: Catalogue, name: str) -> Dataset:
    dataset = queries.dataset_named(catalogue, name)
    if not has_map(dataset):
        raise NotInCatalogue(f"The issues of {dataset.title} have no scores in this catalogue to draw a map of.")
    return dataset


def frame_of(found: Squares) -> Frame:
    """The part to draw of issues counted in ``FINE`` squares to the unit: as little as holds them all.

    >>> frame_of({(0, -32): 3, (3, -26): 1})
    Frame(across=32, side=256, left=0, low=-256)
    >>> frame_of({(0, -32): 3, (31, 31): 1})
    Frame(across=32, side=32, left=0, low=-32)
    """
    xs, ys = [x for x, _ in found] or [0], [y for _, y in found] or [0]
    for zoom in _ZOOMS:
        across, step = FINE // zoom, max(1, FINE // COARSE // zoom)  # the table's cells begin where the frame does
        left = min(min(xs) // step * step, FINE - across)
        low = min(min(ys) // step * step, FINE - 2 * across)
        if max(xs) < left + across and max(ys) < low + 2 * across:
            return Frame(FINE, FINE * zoom, left * zoom, low * zoom)
    return Frame(FINE, FINE, 0, -FINE)


def squares(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, side: int) -> Squares:
    """The issues of a filter, counted in squares by self-confidence and margin, ``side`` squares to the unit."""
    i = tables.issues.c
    places = _place(i.self_confidence, side), _place(i.normalized_margin, side)
    statement = counted_by(catalogue.connection, dataset, f, places)
    found: dict[tuple[int, int], int] = {}
    for x, y, n in catalogue.connection.execute(statement):
        if x is not None and y is not None:
            # The largest scores are in the last square, as in the last range.
            square = min(x, side - 1), min(y, side - 1)
            found[square] = found.get(square, 0) + n
    return found


def _place(column: ColumnElement[Any], side: int) -> ColumnElement[int]:
    """The square of a score, rounded down; a cast alone rounds towards zero."""
    scaled = column * float(side)
    return cast(scaled, Integer) - cast(scaled < cast(scaled, Integer), Integer)


def map_context(dataset: Dataset, f: IssueFilter, found: Squares, frame: Frame) -> dict[str, Any]:
    """What the page shows of squares, counted as the frame says."""
    cells: dict[tuple[int, int], int] = {}
    step = FINE // COARSE
    for (x, y), n in found.items():
        cell = x // step, y // step
        cells[cell] = cells.get(cell, 0) + n
    rows = sorted({y for _, y in cells}, reverse=True)
    first, side = frame.left // step, frame.side // step
    columns = range(first, first + COARSE)
    shares = [("All issues", ()), ("Errors", (ANY_ERROR,))] if dataset.n_errors else []
    return {
        "drawing": score_squares(found, frame),
        "frame": frame,
        "part": frame.side > FINE,
        "n": sum(found.values()),
        "columns": [_words(_range(x, side)) for x in columns],
        "rows": [
            (_words(_range(y, side)), [_cell(dataset, f, (x, y), side, cells.get((x, y), 0)) for x in columns])
            for y in rows
        ],
        "shares": [(title, _here(dataset, f, category), f.category == category) for title, category in shares],
        "hidden": [(key, value) for key, value in _hidden(dataset, f)],
    }


def _range(place: int, side: int) -> Range:
    return Range(place / side, (place + 1) / side)


def _words(value: Range) -> str:
    return f"{value.low:.4g} to {value.high:.4g}".replace("-", "−")


def _cell(dataset: Dataset, f: IssueFilter, cell: tuple[int, int], side: int, n: int) -> Cell:
    confidence, margin = (_range(place, side) for place in cell)
    query = f.query(dataset, self_confidence=confidence, margin=margin) if n else ""
    words = f"self-confidence {_words(confidence)}, margin {_words(margin)}"
    return Cell(n, query, words)


def _hidden(dataset: Dataset, f: IssueFilter) -> list[tuple[str, str]]:
    chosen = [("category", FACETS["category"].spell(dataset, word)) for word in f.category] or [("category", "any")]
    return chosen + ([("agreement", str(f.agreement))] if f.agreement != dataset.default_agreement else [])


def _here(dataset: Dataset, f: IssueFilter, category: tuple[str, ...]) -> str:
    query = f.api_query(dataset, category=category)
    return f"/{dataset.name}/map{'?' + query if query else ''}"
