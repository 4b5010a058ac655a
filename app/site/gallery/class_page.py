"""The page of one class: what is labelled with it and should not be, what should be and is not, with examples.

Its address ends with the number of the class, because names can have slashes, repeat, or be numbers themselves; a name
in its place leads there. Where the same option of every question is a "class", as A to D are, there is no such page.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import ClassInfo, Dataset
from app.catalogue.table_row import QUESTION
from app.errors import FilterError, NotFound
from app.issues import counts, queries
from app.issues.category_words import ANY_ERROR
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import find_class, near_classes
from app.openapi.page_parameters import AGREEMENT, refuse_unread
from app.site.components.cards import card_wall
from app.site.gallery.classes import FEW_CLASSES
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

_MOST_PAIRS: Final = 10
_EXAMPLES: Final = 6


class Pairs(NamedTuple):
    """The classes that one is confused with in one direction, most frequent first."""

    title: str
    pairs: Sequence[tuple[ClassInfo, int, str]]  # the other class, issues, and the query string of these
    more: int  # classes left out


class Examples(NamedTuple):
    """A few issues, and the query string and number of all of them."""

    title: str
    wall: Markup
    n: int
    query: str


@router.get("/{name}/classes/{which:path}")
def class_page(request: Request, name: str, which: str) -> Response:
    """A class by its number; a name is sent on to it."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    if dataset.modality == QUESTION:
        raise NotFound(
            f"{dataset.title} has questions with options of their own, and no classes.", [(dataset.title, f"/{name}")]
        )
    number = _number(dataset, which)
    if number is None:
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{name}/classes/{_named(dataset, which).id}{asked}", 307)
    refuse_unread(request, AGREEMENT)
    agreement = request.query_params.get("agreement", "")
    f = IssueFilter.parse(dataset, [("agreement", agreement)])
    one = dataset.classes[number]

    def make() -> dict[str, Any]:
        if len(dataset.classes) > FEW_CLASSES:
            require_reader()
        return _context(catalogue, dataset, f, one)

    context = catalogue.galleries.get(("class", dataset.id, f.agreement, number), make)
    return render(
        request,
        "class.html",
        dataset=dataset,
        tab="classes",
        one=one,
        agreement=f.agreement,
        around=[dataset.classes[n] for n in (number - 1, number + 1) if 0 <= n < len(dataset.classes)],
        json_url=f"/api/v1/datasets/{name}/issues?{f.but(given=number).api_query(dataset)}",
        **context,
    )


def _number(dataset: Dataset, which: str) -> int | None:
    """The class id in an address, as it is written there only; None for any other text."""
    plain = which.isascii() and which.isdecimal() and len(which) < 10 and str(int(which)) == which
    return int(which) if plain and int(which) < len(dataset.classes) else None


def _named(dataset: Dataset, which: str) -> ClassInfo:
    """The class of a name. Raises NotFound with those of similar names."""
    try:
        return find_class(dataset, "class", which)
    except FilterError as error:
        names = near_classes(which, [c.name for c in dataset.classes])
        near = [
            (name, f"/{dataset.name}/classes/{dataset.class_ids[name]}") for name in names if name in dataset.class_ids
        ]
        every = [(f"All classes of {dataset.title}", f"/{dataset.name}/classes")]
        raise NotFound(f"{dataset.title} has no class {which[:80]!r}.", near or every) from error


def _context(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, one: ClassInfo) -> dict[str, Any]:
    given = f.but(given=one.id)
    by_category = counts.class_counts(catalogue, dataset, given, "category")
    numbers = {
        "given": counts.total(catalogue, dataset, given),
        "errors": by_category.get(ANY_ERROR, 0),
        "guessed": counts.total(catalogue, dataset, f.but(guessed=one.id)),
        "corrected": counts.total(catalogue, dataset, f.but(corrected=one.id)),
    }
    kinds = ("corrected", "guessed") if dataset.n_checked else ("guessed",)
    pairs = [found for kind in kinds for found in _both_ways(catalogue, dataset, f, one, kind)]
    examples = [
        _examples(catalogue, dataset, f"Labelled {one.name}, and wrong", given.but(category=(ANY_ERROR,))),
        _examples(catalogue, dataset, _corrected_title(dataset, one), f.but(corrected=one.id)),
    ]
    if not any(found.n for found in examples):
        examples = [_examples(catalogue, dataset, f"Labelled {one.name}, and flagged", given)]
    queries_of = {
        "given": given.query(dataset),
        "errors": given.but(category=(ANY_ERROR,)).query(dataset),
        "guessed": f.but(guessed=one.id).query(dataset),
        "corrected": f.but(corrected=one.id).query(dataset),
    }
    return {
        "numbers": numbers,
        "queries": queries_of,
        "pairs": [found for found in pairs if found.pairs],
        "examples": [found for found in examples if found.n],
    }


def _corrected_title(dataset: Dataset, one: ClassInfo) -> str:
    return f"With {one.name} in the corrected label" if dataset.multi_label else f"Corrected to {one.name}"


def _both_ways(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, one: ClassInfo, kind: str
) -> tuple[Pairs, Pairs]:
    """What was labelled so and is something else by ``kind`` of label, and the reverse."""
    away, towards = _confused(catalogue, dataset, f, one, kind)
    verb = {"corrected": "corrected to", "guessed": "guessed to be"}[kind]
    return (
        _pairs(dataset, f"Labelled {one.name}, {verb}", away, one, lambda other: f.but(given=one.id, **{kind: other})),
        _pairs(
            dataset,
            f"{verb.capitalize()} {one.name}, labelled",
            towards,
            one,
            lambda other: f.but(given=other, **{kind: one.id}),
        ),
    )


def _confused(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, one: ClassInfo, kind: str
) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Class id -> issues given ``one`` that are that class by ``kind`` of label; and given that class that are ``one``.

    In sets of labels only classes count that are in one of the two sets, as on the page of confusions.
    """
    if not dataset.multi_label:
        away = counts.class_counts(catalogue, dataset, f.but(given=one.id), kind)
        return away, counts.class_counts(catalogue, dataset, f.but(**{kind: one.id}), "given")
    cells = queries.confusions(catalogue, dataset, f.agreement, kind)
    return (
        {cell.other.id: cell.count for cell in cells if cell.given.id == one.id},
        {cell.given.id: cell.count for cell in cells if cell.other.id == one.id},
    )


def _pairs(
    dataset: Dataset, title: str, found: Mapping[int, int], one: ClassInfo, pair: Callable[[int], IssueFilter]
) -> Pairs:
    ranked = sorted((class_id for class_id in found if class_id != one.id), key=lambda c: (-found[c], c))
    shown = [(dataset.classes[c], found[c], pair(c).query(dataset)) for c in ranked[:_MOST_PAIRS]]
    return Pairs(title, shown, len(ranked) - len(shown))


def _examples(catalogue: Catalogue, dataset: Dataset, title: str, f: IssueFilter) -> Examples:
    page = queries.issue_page(catalogue, dataset, f, _EXAMPLES)
    query = f.query(dataset)
    return Examples(title, card_wall(dataset, page.items, query) if page.items else Markup(""), page.total, query)
