"""The pages of one dataset: its gallery of issues and its confusions.

Each route reads through ``queries`` and ``counts`` and passes plain values to a template. No rule is stated here.
"""

from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app.catalogue.access import may_search
from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset, Issue, Page
from app.catalogue.table_row import QUESTION
from app.domain.review.verdicts import Category
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.category_words import ANY_ERROR
from app.issues.facet import Choices
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import CONFIDENCE, SORTS, read_search
from app.issues.reviewed.rater_agreement import rater_agreement
from app.openapi.page_parameters import WALKING, filter_parameters, refuse_unread
from app.openapi.parameters import whole_number
from app.site.components.cards import card_wall, cards_on_a_page
from app.site.components.missing_pictures import copy_of, lacking_headers, lacks_pictures
from app.site.components.row_values import MEANING
from app.site.components.share_tags import share_tags
from app.site.corrected.croissant import structured_data
from app.site.gallery import score_map
from app.site.gallery.classes import FEW_CLASSES
from app.site.gallery.confusions import KINDS, Asked, confusion_context
from app.site.gallery.corrected_answers import corrections_context
from app.site.gallery.issue_files import ISSUE_FORMATS, MOST_ROWS
from app.site.gallery.proposals import Proposals, proposals
from app.site.gallery.vote_agreement import agreement_sentences
from app.site.opinions.in_short import backings
from app.web.plain_route import PlainRoute
from app.web.templates import PrerenderedPage, fragment, render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)
router.include_router(score_map.router)

_SORT_TITLES: Final = {
    "suspicion": "Suspicion",
    "margin": "Margin",
    "index": "Index",
    "disagreement": "Disagreement",
    CONFIDENCE: "Confidence",
}


#: Issues that a jump to a page may pass over; further ones are reached by walking, or by a narrower filter.
_MOST_SKIPPED: Final = 100_000


#: Parameters of the page of confusions.
_OF_CONFUSIONS: Final = ("agreement", "kind", "pairs", "page", "q")


class Option(NamedTuple):
    """A value to choose from a list."""

    value: str
    words: str
    chosen: bool


class Field(NamedTuple):
    """A form to enter a value of one facet."""

    parameter: str
    rest: list[tuple[str, str]]  # its hidden fields
    label: str
    listed: list[Option] | None  # what to choose from; None if a class is typed in


@router.get("/{name}")
def gallery(request: Request, name: str) -> HTMLResponse:
    """The issues of a dataset under a filter, one page at a time."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    refuse_unread(request, (*filter_parameters(dataset), *WALKING))
    f = IssueFilter.parse_page(dataset, params.multi_items())
    limit = cards_on_a_page(dataset, request.app.state.settings.page_size)
    after = params.get("after") or None
    if params.get("page"):
        after = _jump(catalogue, dataset, f, params["page"], limit)
    page = queries.issue_page(catalogue, dataset, f, limit, after, params.get("before") or None)
    query = f.query(dataset)
    changing = {
        "meaning": MEANING if any(one.unusual for issue in page.items for one in issue.row or ()) else None,
        "cards": card_wall(dataset, page.items, query) if page.items else "",
        "previous_url": _page(name, query, "before", page.before),
        "next_url": _page(name, query, "after", page.after),
        "place": _place(page),
        "page_number": "" if page.first is None else str(page.first // limit + 1),
        "seen_elsewhere": _seen_elsewhere(request, dataset, f, query, page.total),
        "structured_data": "" if request.scope["query_string"] else structured_data(request, dataset),
    }
    given = {key: value for key, value in changing.items() if value}

    def make() -> PrerenderedPage:
        context = changing | _around(catalogue, dataset, f, limit)
        return PrerenderedPage(
            "gallery.html", given, **{key: value for key, value in context.items() if key not in given}
        )

    return catalogue.galleries.get(("gallery", dataset.id, f, tuple(given)), make).filled(
        given, lacking_headers(dataset)
    )


def _seen_elsewhere(request: Request, dataset: Dataset, f: IssueFilter, query: str, total: int) -> Markup:
    """What a link to the gallery shows elsewhere: the dataset, or the filter that somebody shares."""
    path, picture = f"/{dataset.name}", f"/share/{dataset.name}.png"
    if not query:
        title = f"{dataset.title}: label errors in the test set"
        return share_tags(request, path, title, dataset.about.get("summary", ""), picture)
    chosen = ", ".join(chip.label for chip in f.chips(dataset))
    title = f"{dataset.title}, {chosen}" if chosen else f"{dataset.title}: label errors in the test set"
    return share_tags(request, path, title, f.sentence(dataset, total), picture, query)


def _page(name: str, query: str, direction: str, cursor: str | None) -> str:
    return "" if cursor is None else f"/{name}?{query}{'&' if query else ''}{direction}={cursor}"


def _jump(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, value: str, limit: int) -> str | None:
    """The cursor after which the page of a number begins, None for the first. Raises FilterError for no page."""
    number = whole_number("page", value, 1, max(1, _last_page(counts.total(catalogue, dataset, f), limit)))
    return None if number == 1 else queries.page_cursor(catalogue, dataset, f, (number - 1) * limit)


def _last_page(total: int, limit: int) -> int:
    """The last page that can be jumped to."""
    return -(-min(total, _MOST_SKIPPED) // limit)


def _place(page: Page[Issue]) -> str:
    """Which issues a page shows: "37–72 of 5,440"; nothing where it shows all, or its cursor does not say."""
    if page.first is None or len(page.items) in (0, page.total):
        return ""
    return f"{page.first + 1:,}–{page.first + len(page.items):,} of {page.total:,}"


def _around(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, limit: int) -> dict[str, Any]:
    """The content around the cards: it depends on the catalogue and the filter alone, not on the page number."""
    found = counts.choices(catalogue, dataset, f)
    fields = {one.name: field for one in found if (field := _field(dataset, f, one))}
    offered = {"margin": dataset.ranked, CONFIDENCE: dataset.confidence.known}
    typed = any(field.listed is None for field in fields.values())
    total, asked = counts.total(catalogue, dataset, f), _asked(f.api_query(dataset))
    api = f"/api/v1/datasets/{dataset.name}/issues"
    side = fragment(
        "side.html",
        dataset=dataset,
        filter=f,
        facets=found,
        fields=fields,
        texts_searched=may_search(dataset),
        without_q=parse_qsl(f.query(dataset, q=None)),
        typed=typed,
        few_classes=len(dataset.classes) <= FEW_CLASSES,
        agreements=[(a, _query(dataset, f, agreement=a), a == f.agreement) for a in dataset.agreements],
    )
    return {
        "dataset": dataset,
        "tab": "",
        "lacking": lacks_pictures(dataset),
        "copy": copy_of(dataset),
        "backings": backings(dataset, f.agreement),
        "at_agreement": _asked(IssueFilter(agreement=f.agreement).api_query(dataset)),
        "side": side,
        "agreement": agreement_sentences(rater_agreement(catalogue, dataset)),
        "chips": f.chips(dataset),
        "sentence": f.sentence(dataset, total),
        "sorts": [_sort(dataset, f, name) for name in SORTS if offered.get(name, True)],
        "shares": _shares(catalogue, dataset, f),
        "json_url": f"{api}{asked}",
        "files": [(form, f"{api}.{form.suffix}{asked}") for form in ISSUE_FORMATS if 0 < total <= MOST_ROWS],
        "last_page": _last_page(total, limit),
        "cut": total > _MOST_SKIPPED,
        "rest": parse_qsl(f.query(dataset), keep_blank_values=True),
        "proposals": proposals(catalogue, dataset, f) if total == 0 else Proposals((), ()),
    }


def _field(dataset: Dataset, f: IssueFilter, choices: Choices) -> Field | None:
    """The form for choices of a facet that there is no room to list."""
    facet = FACETS[choices.name]
    if not choices.more or facet.others is None:
        return None
    rest = parse_qsl(f.query(dataset, **{facet.name: facet.put(())}))
    taken = getattr(f, facet.name)
    listed = None
    if facet.others.listed is not None:
        values = facet.others.listed(dataset)
        listed = [Option(facet.spell(dataset, one), facet.label(dataset, one), one == taken) for one in values]
    return Field(facet.parameter(dataset), rest, facet.others.label(dataset, choices.more), listed)


def _query(dataset: Dataset, f: IssueFilter, **changes: Any) -> str:
    return _asked(f.query(dataset, **changes))


def _asked(query: str) -> str:
    return "?" + query if query else ""


def _shares(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> list[tuple[str, int, str, bool]]:
    """Errors, cleared issues, and all under the rest of the filter: title, number, query string, whether shown."""
    if not dataset.n_checked:
        return []
    found = counts.class_counts(catalogue, dataset, f, "category")
    every = counts.total(catalogue, dataset, f.but(category=()))
    shares = [
        ("Errors", found.get(ANY_ERROR, 0), (ANY_ERROR,)),
        ("Cleared", found.get(Category.NON_ERROR.value, 0), (Category.NON_ERROR.value,)),
        ("Not reviewed", found.get(Category.UNREVIEWED.value, 0), (Category.UNREVIEWED.value,)),
        ("All", every, ()),
    ]
    return [
        (title, n, _query(dataset, f, category=category), f.category == category)
        for title, n, category in shares
        if n or title != "Not reviewed"
    ]


def _sort(dataset: Dataset, f: IssueFilter, name: str) -> tuple[str, str, str]:
    state = {name: "forward", f"-{name}": "reverse"}.get(f.sort, "")
    wanted = f"-{name}" if state == "forward" else name
    title = _SORT_TITLES[name]
    if name == "suspicion" and not dataset.ranked:
        title = "Votes for the given label"
    elif name == "margin" and dataset.confident_learning is None:
        title = "Self-confidence"
    return title, _query(dataset, f, sort=wanted), state


@router.get("/{name}/confusions")
def confusions(request: Request, name: str) -> HTMLResponse:
    """Which given labels hide which corrected, or guessed, ones; and the confident joint."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    params = request.query_params
    refuse_unread(request, _OF_CONFUSIONS)
    kind = params.get("kind") or "corrected"
    kinds = KINDS if dataset.confident_learning else KINDS[:-1]
    if kind not in kinds:
        raise FilterError("kind", kind, kinds)
    f = IssueFilter.parse(dataset, [("agreement", params.get("agreement", ""))])
    if dataset.modality == QUESTION:
        told = corrections_context(catalogue, dataset, f, params.get("page", ""))
        api = f"/api/v1/datasets/{name}/issues?{told['query']}"
        where: dict[str, Any] = {"tab": "confusions", "agreement": f.agreement, "json_url": api}
        return render(request, "corrections.html", dataset=dataset, **where, **told)
    q = read_search(dataset, "q", params.get("q", "")) if kind != "joint" else None
    asked = Asked(params.get("pairs") == "all", params.get("page", ""), q)

    def make() -> dict[str, Any]:
        if len(dataset.classes) > FEW_CLASSES:
            require_reader()
        return confusion_context(catalogue, dataset, f, kind, asked)

    return render(
        request,
        "confusions.html",
        dataset=dataset,
        tab="confusions",
        kind=kind,
        agreement=f.agreement,
        q=q,
        json_url=f"/api/v1/datasets/{name}",
        **catalogue.galleries.get(("confusions", dataset.id, f.agreement, kind, asked), make),
    )
