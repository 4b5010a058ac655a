"""The pages of workers of Mechanical Turk, which shows them in a frame: preview, consent, tasks, and the form back.

A browser may keep no cookie and no storage for a page in a frame of another site, so all that is needed stands in the
address: first the parameters that Mechanical Turk adds, then a signed token of worker and assignment. No script is
needed. These are the only pages of this site that may be framed, and by Mechanical Turk alone.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.errors import BadRequest, Forbidden, LeaseLapsed, NoLink, NotFound, SiteError, Unreadable
from app.reviews.lending import Nothing
from app.reviews.links import Link, LinkError
from app.reviews.participants import MTURK, answered_in, begin_assignment, is_participant_id, participant
from app.reviews.raters import rater_of
from app.reviews.rounds import Round
from app.reviews.voting import Vote, take_back
from app.site.review.api import PRIVATE, body_of, in_thread, service_of, take
from app.site.review.forms import fields_of
from app.site.review.pages import answer_of, key_of, task_context
from app.site.review.practice import practice_of
from app.site.review.service import Rater, ReviewService
from app.web.middleware import policy
from app.web.plain_route import PlainRoute
from app.web.server.path_prefix import here
from app.web.templates import render

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: Where answers may be sent back to: nothing else that an address says is believed.
SUBMIT_TO: Final = ("https://www.mturk.com", "https://workersandbox.mturk.com")
#: What frames these pages: the sites of workers, and those on which requesters look at their own tasks.
FRAMES: Final = (
    *SUBMIT_TO,
    "https://worker.mturk.com",
    "https://requester.mturk.com",
    "https://requestersandbox.mturk.com",
)
#: The assignment of somebody who only looks at a task before accepting it.
PREVIEW: Final = "ASSIGNMENT_ID_NOT_AVAILABLE"
_HEADERS: Final = PRIVATE | {"Content-Security-Policy": policy(FRAMES, SUBMIT_TO)}


@dataclass(frozen=True, slots=True)
class Work:
    """A worker at an assignment. ``submit_to`` is the site of Mechanical Turk that the answers go back to."""

    rater: Rater
    assignment_id: str
    submit_to: str
    answered: int

    @property
    def of(self) -> int:
        return self.rater.round.settings.assignment

    @property
    def is_done(self) -> bool:
        return self.answered >= self.of


@router.get("/review/mturk/{token}")
async def page(request: Request, token: str) -> Response:
    """The preview, the question for consent, or where a worker is in an assignment."""
    return await _framed(request, _page(request, token))


@router.post("/review/mturk/{token}")
async def form(request: Request, token: str) -> Response:
    """Begin an assignment, take an answer, or take the last one back."""
    return await _framed(request, _form(request, token))


async def _framed(request: Request, answer: Awaitable[Response]) -> Response:
    """The answer; an error is told in the frame too, where the site's own page of errors would not be shown."""
    try:
        return await answer
    except SiteError as error:
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        facts = {"title": error.title, "detail": error.detail}
        return _rendered(request, "problem", status=error.status, headers=headers, **facts)


async def _page(request: Request, token: str) -> Response:
    service = service_of(request)
    link = service.link(token)
    if link.kind == "assignment":
        return await _task(request, await in_thread(_work, service, link, token))
    found = await in_thread(service.round_of_link, link, "mturk")
    submit_to = _submit_to(request)
    if request.query_params.get("assignmentId") == PREVIEW:
        return await _preview(request, service, found)
    _ids(request, submit_to)
    return _rendered(request, "consent", round=found, form_key=service.links.form_key(token))


async def _form(request: Request, token: str) -> Response:
    service = service_of(request)
    link = service.link(token)
    sent = fields_of(await body_of(request))
    # A frame may be sandboxed, and its forms then come from no site; the key alone says that it is ours.
    if sent.get("form_key") != service.links.form_key(token):
        raise Forbidden("This form is not one of this page, so it was not taken. Open the task again.")
    if link.kind == "assignment":
        return await _answer(request, await in_thread(_work, service, link, token), sent)
    found = await in_thread(service.round_of_link, link, "mturk")
    worker_id, assignment_id, submit_to = _ids(request, _submit_to(request))
    service.count(f"mturk {found.name}")

    def begin() -> str:
        rater = participant(service.store, found, worker_id, MTURK)
        begin_assignment(service.store, rater, assignment_id)
        return f"{rater.code} {assignment_id} {SUBMIT_TO.index(submit_to)}"

    return _to(service.links.token(Link("assignment", await in_thread(begin))))


async def _preview(request: Request, service: ReviewService, found: Round) -> Response:
    """An example whose answer is known; nothing is lent and nothing can be answered."""
    items = await in_thread(practice_of, service, found)
    await in_thread(service.classes, found.id)
    shown = task_context(request, service, items[0].task, found) if items else {}
    return _rendered(request, "preview", round=found, is_example=bool(items), **shown)


async def _task(request: Request, work: Work, told: str = "") -> Response:
    service, rater = service_of(request), work.rater
    facts: dict[str, Any] = {
        "round": rater.round,
        "work": work,
        "of": work.of,
        "form_key": service.links.form_key(rater.token),
        "told": told,
        "seconds": None,
    }
    if work.is_done:
        return _rendered(request, "done", **facts)
    found, far = await in_thread(service.next, rater)
    # The last assignments of a round have fewer examples.
    facts["of"] = min(work.of, work.answered + max(0, far.of - far.done))
    if isinstance(found, Nothing):
        return _rendered(request, "done", **facts | {"seconds": found.seconds})
    await in_thread(service.classes, rater.round.id)
    return _rendered(request, "task", **facts, **task_context(request, service, found, rater.round))


async def _answer(request: Request, work: Work, sent: Mapping[str, str]) -> Response:
    service, rater, fields = service_of(request), work.rater, dict(sent)
    try:
        if fields.get("do") == "undo":
            if work.answered:  # what was answered in another assignment is paid for
                await in_thread(take_back, service.store, rater.row, rater.round)
        else:
            answer = await in_thread(answer_of, service, fields)
            await in_thread(take, service, rater, Vote(fields.get("task", ""), answer, key_of(fields)))
    except (LeaseLapsed, NotFound) as error:
        return await _task(request, work, told=error.detail)
    return _to(rater.token)


def _work(service: ReviewService, link: Link, token: str) -> Work:
    """Who works at what, by a token that was signed here. Raises NoLink, TooManyRequests."""
    code, assignment_id, place = link.name.split(" ")
    try:
        row, found = rater_of(service.store, Link("rater", code))
    except LinkError as error:
        raise NoLink(str(error)) from error
    service.count(row.code)
    answered = answered_in(service.store, row, assignment_id)
    return Work(Rater(row, found, token), assignment_id, SUBMIT_TO[int(place)], answered)


def _submit_to(request: Request) -> str | None:
    """Where answers go back to; None if the address does not say. Raises BadRequest for any other place."""
    asked = request.query_params.getlist("turkSubmitTo")
    if any(one.rstrip("/") not in SUBMIT_TO for one in asked):
        raise BadRequest(f"turkSubmitTo: expected {' or '.join(SUBMIT_TO)}, found something else.")
    return asked[-1].rstrip("/") if asked else None


def _ids(request: Request, submit_to: str | None) -> tuple[str, str, str]:
    """Worker, assignment, and where answers go back to. Raises Unreadable for an address that lacks one."""
    found = {name: request.query_params.get(name, "") for name in ("workerId", "assignmentId")}
    wrong = [name for name, value in found.items() if not is_participant_id(value) or value == PREVIEW]
    wrong += ["turkSubmitTo"] if submit_to is None else []
    if wrong or submit_to is None:
        raise Unreadable(f"Open this address from Mechanical Turk: {', '.join(wrong)} is missing, or is no id.")
    return found["workerId"], found["assignmentId"], submit_to


def _to(token: str) -> Response:
    return RedirectResponse(here(f"/review/mturk/{token}"), 303, headers=_HEADERS)


def _rendered(
    request: Request, state: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response:
    more = _HEADERS | dict(headers or {})
    return render(request, "review_mturk.html", status=status, headers=more, state=state, **context)
