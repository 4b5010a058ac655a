"""The page of one issue, and the page with its player."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.catalogue.current import current
from app.domain.review.verdicts import Category
from app.errors import NotFound
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.reviewed.dispute_log import disputes_of
from app.issues.reviewed.issue_at import issue_at
from app.issues.reviewed.rater_agreement import weighed_verdict_of
from app.openapi.page_parameters import WALKING, filter_parameters, refuse_unread
from app.site.components.cards import cards_on_a_page
from app.site.components.dispute_words import shown_disputes
from app.site.components.missing_pictures import FRAME_POLICY, lacking_headers, outside_picture
from app.site.components.opinion_words import stance_words
from app.site.components.share_tags import share_tags
from app.site.components.youtube import PLAYER_POLICY
from app.site.issue.context import issue_context
from app.site.issue.exemplars import shelves
from app.site.opinions.confidence_words import per_cent
from app.site.opinions.issue_confidence import issue_confidence
from app.site.opinions.issue_opinions import SecondOpinion, second_opinions
from app.site.stability.predictions import choices_by_class, choices_for, count
from app.web.plain_route import PlainRoute
from app.web.templates import issue_path, render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)


def _opinions(found: Sequence[SecondOpinion], category: Category) -> list[tuple[SecondOpinion, str]]:
    """Each opinion and what it says, in words."""
    unasked = "is shown without a verdict to compare it with"
    return [(one, unasked if one.stance is None else stance_words(category, one.stance)) for one in found]


@router.get("/{name}/issues/{index}")
def issue(request: Request, name: str, index: str) -> Response:
    """One issue: its medium, all facts, how the verdict was reached, and its neighbours in the filter."""
    return _issue_page(request, name, index, play=False)


@router.get("/{name}/issues/{index}/play")
def play(request: Request, name: str, index: str) -> Response:
    """The page with a player for an issue's clip, which is loaded from another host."""
    return _issue_page(request, name, index, play=True)


@router.get("/{name}/issues/{index}/picture")
def picture(request: Request, name: str, index: str) -> Response:
    """One picture of another host, and nothing else, for other pages to frame once their visitor agreed to it."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    detail = issue_at(catalogue, dataset, index, dataset.default_agreement)
    address = outside_picture(detail.issue.url)
    if address is None:
        why = f"No picture of example {index[:40]!r} of {dataset.title} is known elsewhere."
        raise NotFound(why, [(f"All issues of {dataset.title}", f"/{name}")])
    headers = {"Content-Security-Policy": FRAME_POLICY, "Referrer-Policy": "no-referrer"}
    return render(request, "picture.html", headers=headers, dataset=dataset, idx=detail.issue.idx, address=address)


def _back(name: str, query: str, start: str | None, index: int) -> str:
    """The address of the card of an issue, on the page of the gallery that shows it."""
    asked = "&".join(filter(None, (query, start and f"after={start}")))
    return f"/{name}{'?' + asked if asked else ''}#i{index}"


def _issue_page(request: Request, name: str, index: str, *, play: bool) -> Response:
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    refuse_unread(request, (*filter_parameters(dataset), *WALKING))
    f = IssueFilter.parse_page(dataset, request.query_params.multi_items())
    detail = issue_at(catalogue, dataset, index, f.agreement)
    place = detail.issue.idx
    settings = request.app.state.settings
    on_a_page = cards_on_a_page(dataset, settings.page_size)
    start = queries.page_start(catalogue, dataset, f, detail.issue, on_a_page)
    choices = choices_for(catalogue, dataset, detail.issue.id)
    context = issue_context(dataset, f, detail, queries.neighbours(catalogue, dataset, f, detail.issue), choices)
    if play and context["clip"] is not None and not context["offers_player"]:
        # The sound itself is here, so neither a page of its own nor another host is needed to hear it.
        return RedirectResponse(issue_path(dataset, place, f.query(dataset)), 307)
    if play and context["clip"] is None:
        raise NotFound(
            f"Example {place} of {dataset.title} has no clip to play.", [("The example", f"/{name}/issues/{place}")]
        )
    predicting = count(detail.issue, choices)
    repeating = IssueFilter(agreement=f.agreement, models=predicting.given or None if predicting else None)
    return render(
        request,
        "issue.html",
        headers={"Content-Security-Policy": PLAYER_POLICY} if play else lacking_headers(dataset),
        tab="issue",
        seen_elsewhere=share_tags(
            request,
            f"/{name}/issues/{place}",
            context["finding_text"],
            f"Example {place} of {dataset.title}.",
            f"/share/{name}/{place}.png",
        ),
        play=play,
        back_url=_back(dataset.name, f.query(dataset), start, place),
        shelves=shelves(catalogue, dataset, detail.issue),
        weighed=weighed_verdict_of(catalogue, dataset, detail.issue.id),
        choices=choices_by_class(dataset, detail.issue, choices),
        predicting=predicting,
        sure=issue_confidence(dataset, detail),
        per_cent=per_cent,
        sources=[one.title for one in dataset.opinions.sources if one.independent],
        opinions=_opinions(second_opinions(catalogue, dataset, detail.issue), detail.issue.category),
        disputed=shown_disputes(disputes_of(catalogue, dataset, place)),
        takes_disputes=bool(settings.disputes),
        contact=settings.contact,
        repeating=repeating.query(dataset) if repeating.models else "",
        **context,
    )
