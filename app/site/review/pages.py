"""The pages of a rater: instructions, practice, one task after another; they work without JavaScript.

The address holds the rater's token, which is all that identifies the rater: no cookie is set. A form sends back a key
that no other site can know, and what comes from a page of another site is refused.
"""

import uuid
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.errors import Forbidden, LeaseLapsed, NotFound, Unreadable
from app.reviews.lending import Nothing, Task, task_of
from app.reviews.links import Link
from app.reviews.participants import is_participant
from app.reviews.questions import BOTH, CANNOT_TELL, NEITHER, SIDES, Question
from app.reviews.raters import LONGEST_NAME, add_rater
from app.reviews.rounds import Round
from app.reviews.voting import Vote, take_back
from app.site.review.api import PRIVATE, body_of, in_thread, retry_after, service_of, take
from app.site.review.forms import fields_of
from app.site.review.practice import Practice, practice_of, practice_task, worked_examples
from app.site.review.service import Rater, ReviewService, media_of, medium_named, shown_classes
from app.site.review.task_media import content, shown_at, shown_of
from app.web.partial_content import full_or_partial
from app.web.plain_route import PlainRoute
from app.web.server.path_prefix import here
from app.web.templates import render

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: A text or picture from a dataset is only displayed, and never run as a page of this site.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_WORDS: Final = {BOTH: "Both", NEITHER: "Neither", CANNOT_TELL: "Cannot tell"}
_HEARD: Final = "heard-"
#: The keys of answers, in order; p, z, n and ? mean something else.
_KEYS: Final = "123456789abcdefghijklmoqrstuvwxy"
#: The buttons of a question that is answered for each class: what is sent, what the button says, its key.
_OF_SETS: Final = [("", "Save", "Enter"), (CANNOT_TELL, "Cannot tell", "0")]


@router.get("/review/media/{code}/{part}")
async def medium(request: Request, code: str, part: str) -> Response:
    """A medium of a task, under a name that tells nothing."""
    service = service_of(request)

    def find() -> tuple[Round, tuple[int, str]] | None:
        found = practice_task(service, code) if code.startswith("p.") else task_of(service.store, code)
        if found is None:
            return None
        task, round_id = found
        named = medium_named(task, part, service.classes(round_id))
        return None if named is None else (service.round_of(round_id), named)

    found = await in_thread(find)
    medium = None if found is None else content(request, found[0].dataset, *found[1])
    if medium is None:
        raise NotFound("There is no picture, text or sound at this address.")
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": _POLICY,
        "Accept-Ranges": "bytes",
        "ETag": f'"{part}"',
        "X-Robots-Tag": "noindex",
    }
    return full_or_partial(request, medium.data, medium.type, headers)


@router.get("/review/{token}")
async def page(request: Request, token: str) -> Response:
    """Where a rater is: at the beginning, in practice, at a task, waiting, pausing, or done."""
    service = service_of(request)
    link = service.link(token)
    if link.kind == "open":
        found = await in_thread(service.round_of_link, link, "open")
        return _rendered(request, "review_join.html", round=found, form_key=service.links.form_key(token))
    rater = await in_thread(service.rater, token)
    asked = request.query_params
    if "pause" in asked:
        return _rendered(request, "review_help.html", round=rater.round, which="pause", n_practice=0, begun=True)
    if "help" in asked:
        return await _help(request, rater)
    if "practice" in asked:
        return await _practice(request, rater)
    return await _task(request, rater)


@router.post("/review/{token}")
async def form(request: Request, token: str) -> Response:
    """Take what a form of these pages sends: a name, an answer, or the wish to take the last answer back."""
    service = service_of(request)
    link = service.link(token)
    sent = fields_of(await body_of(request))
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("This was sent from a page of another site, so it was not taken.")
    if sent.get("form_key") != service.links.form_key(token):
        raise Forbidden("This form is not one of this page, so it was not taken. Open your link again.")
    if link.kind == "open":
        return await in_thread(_join, service, link, sent)
    rater = await in_thread(service.rater, token)
    try:
        if sent.get("do") == "undo":
            await in_thread(take_back, service.store, rater.row, rater.round)
            return _back(token)
        answer = await in_thread(answer_of, service, sent)
        vote = Vote(sent.get("task", ""), answer, key_of(sent))
        await in_thread(take, service, rater, vote)
    except (LeaseLapsed, NotFound) as error:
        return await _task(request, rater, told=error.detail)
    return _back(token, "?saved=1")


async def _task(request: Request, rater: Rater, told: str = "") -> Response:
    service = service_of(request)
    found, done = await in_thread(service.next, rater)
    await in_thread(service.classes, rater.round.id)  # kept from here on
    key = service.links.form_key(rater.token)
    facts: dict[str, Any] = {
        "round": rater.round,
        "progress": done,
        "form_key": key,
        "told": told,
        "saved": "saved" in request.query_params,
        "back": here(f"/review/prolific-end/{rater.token}") if is_participant(rater.row) else None,
    }
    if isinstance(found, Nothing):
        headers = retry_after(found)
        return _rendered(request, "review_wait.html", headers=headers, seconds=found.seconds, **facts)
    if not done.done and "start" not in request.query_params and not told:
        return await _help(request, rater)
    return _rendered(request, "review_task.html", **task_context(request, service, found, rater.round), **facts)


def task_context(request: Request, service: ReviewService, task: Task, found: Round) -> dict[str, Any]:
    """What the question of a task needs on a page."""
    classes = service.classes(found.id)
    names = {class_id: classes[class_id].name for class_id in task.sides}
    return {
        "task": task,
        "media": media_of(task),
        "classes": shown_classes(task, classes),
        "answers": _answers(task.question, task.sides, names),
        "shown": shown_of(request, found.dataset, task, classes),
        "vote_key": str(uuid.uuid4()),
    }


def _answers(question: Question, sides: tuple[int, ...], names: dict[int, str]) -> list[tuple[str, str, str]]:
    """The answers as (what is sent, what the button says, its key)."""
    if question.kind == "set":
        return _OF_SETS
    found = []
    for place, answer in enumerate(question.answers(sides, names)):
        says = _WORDS.get(answer, answer[:1].upper() + answer[1:])
        if question.kind == "pair" and answer in SIDES:
            says = names[sides[SIDES.index(answer)]]
        elif answer in names.values():
            says = answer
        found.append((answer, says, "0" if answer == CANNOT_TELL else _KEYS[place]))
    return found


async def _help(request: Request, rater: Rater) -> Response:
    """What to do, with worked examples."""
    service, found = service_of(request), rater.round

    def read() -> tuple[list[Practice], bool]:
        return practice_of(service, found), service.progress(rater).done > 0

    items, begun = await in_thread(read)
    classes = service.classes(found.id)
    worked = worked_examples(items, classes)
    return _rendered(
        request,
        "review_help.html",
        round=found,
        which="help",
        n_practice=len(items),
        begun=begun,
        words=items[0].task.question.words if items else (),
        worked=worked,
        shown=shown_at(request, found.dataset, [(one.address, one.idx, one.kind) for one in worked]),
    )


async def _practice(request: Request, rater: Rater) -> Response:
    """A practice item and, once it is answered, what is right; nothing of it is stored."""
    service, asked = service_of(request), request.query_params
    items: list[Practice] = await in_thread(practice_of, service, rater.round)
    place = asked["practice"]
    number = int(place) if place.isascii() and place.isdecimal() and len(place) < 4 else 0
    if not 1 <= number <= len(items):
        raise NotFound("There is no such practice item.")
    item = items[number - 1]
    heard = [asked.get(f"{_HEARD}{place}") for place in range(len(item.task.sides))]
    answer = asked.get("answer") or ("heard" if any(heard) else None)
    return _rendered(
        request,
        "review_practice.html",
        round=rater.round,
        number=number,
        of=len(items),
        item=item,
        answer=answer,
        right=item.right,
        is_right=item.is_right(answer, [one == "yes" for one in heard]),
        **task_context(request, service, item.task, rater.round),
    )


def _join(service: ReviewService, link: Link, sent: dict[str, str]) -> Response:
    service.count(f"open {link.name}")
    found = service.round_of_link(link, "open")
    name = " ".join(sent.get("name", "").split())[:LONGEST_NAME]
    if not name:
        raise Unreadable("Give a name, so that your team knows whose votes these are.")
    rater = add_rater(service.store, found, name)
    return _back(service.links.token(Link("rater", rater.code)))


def answer_of(service: ReviewService, sent: dict[str, str]) -> Any:
    """What a form answers: a word, or for a set true or false for each class."""
    if sent.get("answer"):
        return sent["answer"]
    found = task_of(service.store, sent.get("task", ""))
    if found is None or found[0].question.kind != "set":
        raise Unreadable("Choose an answer.")
    task, round_id = found
    names = service.names(round_id)
    return {names[one]: sent.get(f"{_HEARD}{place}") == "yes" for place, one in enumerate(task.sides)}


def key_of(sent: dict[str, str]) -> str:
    """The key of the vote that a form sends. Raises Unreadable."""
    try:
        return str(uuid.UUID(sent.get("key", "")))
    except ValueError as error:
        raise Unreadable("This form is incomplete. Open your link again.") from error


def _back(token: str, query: str = "?start=1") -> Response:
    return RedirectResponse(f"/review/{token}{query}", 303, headers=PRIVATE)


def _rendered(request: Request, template: str, headers: dict[str, str] | None = None, **context: Any) -> Response:
    return render(request, template, headers=PRIVATE | (headers or {}), **context)
