"""The form on which a visitor disputes what is said of an issue; there only on servers that take disputes.

The page is the same for everyone, so it holds no key: who sends it is told by the browser (``forms.from_elsewhere``),
and what is sent twice is taken once.
"""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.catalogue.current import Catalogue, current
from app.catalogue.records import Dataset, Issue
from app.domain.review.dispute_outcome import Claim
from app.errors import EnoughWaiting, Forbidden, InReview, TooLarge
from app.issues import queries
from app.issues.reviewed.issue_at import index_of, issue_at
from app.openapi import parameters
from app.openapi.page_parameters import refuse_unread
from app.reviews.disputes.filing import FullError, NewDispute, file_dispute
from app.reviews.disputes.visitor_words import LONGEST_REASON, LONGEST_SOURCE, WordsError, reason_of, source_of
from app.site.components.cards import card
from app.site.components.finding import finding
from app.site.review.api import in_thread, service_of
from app.site.review.disputes.choices import claimed, claims_on, classes_to_name, named_class
from app.site.review.forms import from_elsewhere, sent_fields
from app.web.plain_route import PlainRoute
from app.web.rate_limit import network_of
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Bytes of a form: each character of a reason may take twelve.
_MOST_BYTES: Final = 32_000
_MOST_IGNORED: Final = 4_000_000
#: A field that people do not see; programs that fill in every form fill it in too.
_TRAP: Final = "website"
_FIELDS: Final = ("claim", "class", "reason", "source")
_HEADERS: Final = {"X-Robots-Tag": "noindex"}


@router.get("/{name}/issues/{index}/dispute")
def form(request: Request, name: str, index: str) -> Response:
    """The form, or thanks for what was sent."""
    refuse_unread(request, ("sent",))
    own, _ = parameters.split(request.query_params.multi_items(), ("sent",))
    catalogue, sent = current(request), own.get("sent") == "1"
    try:
        dataset, issue = _issue(catalogue, name, index)
    except InReview as held_back:
        if not sent:
            raise
        # Who has just sent a dispute is told that it was taken, whatever was accepted meanwhile.
        return _thanks(request, queries.dataset_named(catalogue, name), index_of(index), held_back)
    return _page(request, dataset, issue, sent=sent)


@router.post("/{name}/issues/{index}/dispute")
async def send(request: Request, name: str, index: str) -> Response:
    """Take a dispute: once it is on the disk, back to the page, which says thanks."""
    if from_elsewhere(request):
        raise Forbidden("This was sent from a page of another site, so nothing was taken.")
    fields = await sent_fields(request.headers, await _body(request), (*_FIELDS, _TRAP))
    try:
        dataset, issue = _issue(current(request), name, index)
    except InReview as held_back:
        raise InReview(f"Nothing was taken. {held_back.detail} What looks wrong then can be sent again.") from held_back
    try:
        new = _dispute(dataset, issue, fields)
    except WordsError as error:
        return _page(request, dataset, issue, fields=fields, told=error)
    service = service_of(request)
    service.disputes.count(network_of(request.scope), f"{dataset.name} {issue.idx}")
    try:
        await in_thread(file_dispute, service.store, new)
    except FullError as error:
        raise EnoughWaiting(str(error)) from error
    address = f"/{name}/issues/{issue.idx}/dispute?sent=1"
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})


async def _body(request: Request) -> bytes:
    """The body of a form. What is somewhat too large is read to its end, or the visitor would not see the answer."""
    body, n_bytes = b"", 0
    async for piece in request.stream():
        n_bytes += len(piece)
        body += piece if n_bytes <= _MOST_BYTES else b""
        if n_bytes > _MOST_IGNORED:
            break
    if n_bytes > _MOST_BYTES:
        raise TooLarge(f"At most {_MOST_BYTES:,} bytes fit into this form; more was sent, and nothing taken.")
    return body


def _issue(catalogue: Catalogue, name: str, index: str) -> tuple[Dataset, Issue]:
    """The issue of an address. Raises InReview for one that an open round holds back, else NotFound."""
    dataset = queries.dataset_named(catalogue, name)
    return dataset, issue_at(catalogue, dataset, index, dataset.default_agreement).issue


def _dispute(dataset: Dataset, issue: Issue, fields: dict[str, str]) -> NewDispute:
    """What a form says. Raises WordsError naming the field that cannot be taken."""
    if fields.get(_TRAP):
        raise WordsError(_TRAP, "Leave the field “Website” empty: people do not see it.")
    claim = claimed(dataset, issue, fields.get("claim", ""), fields.get("class", ""))
    proposed: tuple[str, ...] = ()
    if claim is Claim.GUESSED and issue.guessed is not None:
        proposed = tuple(one.name for one in issue.guessed.classes)
    elif claim is Claim.OTHER:
        proposed = (named_class(dataset, issue, fields.get("class", "")),)
    reason, source = reason_of(fields.get("reason", "")), source_of(fields.get("source", ""))
    return NewDispute(dataset.name, issue.idx, claim, proposed, reason, source)


def _thanks(request: Request, dataset: Dataset, idx: int, held_back: InReview) -> Response:
    """Thanks for a dispute, without a word of the example, which is held back."""
    return render(
        request,
        "dispute.html",
        headers=_HEADERS,
        dataset=dataset,
        issue=None,
        idx=idx,
        in_review=held_back.detail,
        tab="issue",
        json_url=f"/api/v1/datasets/{dataset.name}",
        sent=True,
        told=None,
    )


def _page(
    request: Request,
    dataset: Dataset,
    issue: Issue,
    *,
    sent: bool = False,
    fields: dict[str, str] | None = None,
    told: WordsError | None = None,
) -> Response:
    given: dict[str, Any] = {name: (fields or {}).get(name, "") for name in _FIELDS}
    return render(
        request,
        "dispute.html",
        status=422 if told else 200,
        headers=_HEADERS | ({"Cache-Control": "no-store"} if told else {}),
        dataset=dataset,
        issue=issue,
        idx=issue.idx,
        in_review=None,
        tab="issue",
        json_url=f"/api/v1/datasets/{dataset.name}/issues/{issue.idx}",
        finding=finding(dataset, issue),
        card=card(dataset, issue),
        claims=claims_on(dataset, issue),
        classes=classes_to_name(dataset, issue),
        sent=sent,
        given=given,
        told=told,
        longest_reason=LONGEST_REASON,
        longest_source=LONGEST_SOURCE,
    )
