"""The API of raters: ask for a task, vote, take the last vote back.

The token of a link goes with every request as ``Authorization: Bearer``. docs/reviews.md documents it for others who
build a front end.
"""

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import DataError
from starlette.concurrency import run_in_threadpool

from app.errors import KeyTaken, LeaseLapsed, NoLink, NotFound, TooLarge, Unreadable
from app.reviews.lending import NoTaskError, Nothing, renew
from app.reviews.questions import AnswerError
from app.reviews.voting import KeyReusedError, LapsedError, Vote, cast, take_back
from app.site.review.service import AWAY, Rater, ReviewService, away, task_json
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

T = TypeVar("T")
#: Nothing sent to raters may be kept by anybody on the way, nor found by a search engine. The address of a page holds
#: a rater's token: it is told to no other address, not even of this site, whose proxy may write it down.
PRIVATE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
_MOST_BYTES: Final = 64_000


@router.get("/review/api/task")
async def task(request: Request) -> Response:
    """The rater's task: the one on loan, or a new one; with ``?after=TASK`` the one to look at after that."""
    return await in_thread(_task, request)


@router.post("/review/api/votes")
async def votes(request: Request) -> Response:
    """Take a vote: 201 once it is on the disk."""
    body = await body_of(request)
    return await in_thread(_vote, request, body)


@router.delete("/review/api/votes/last")
async def last(request: Request) -> Response:
    """Take the rater's last vote back."""
    return await in_thread(_take_back, request)


@router.post("/review/api/lease")
async def lease(request: Request) -> Response:
    """Renew the lease of a task while its page is open."""
    body = await body_of(request)
    return await in_thread(_renew, request, body)


async def in_thread(answer: Callable[..., T], *arguments: Any) -> T:
    """Call what reads or writes the store in another thread; a database that is away is told as busy."""
    try:
        return await run_in_threadpool(answer, *arguments)
    except DataError as error:
        # PostgreSQL has no text with the character of number 0, so there is nothing of such a name.
        raise NotFound("There is nothing of this name here.") from error
    except AWAY as error:
        raise away() from error


async def body_of(request: Request) -> bytes:
    """The body of a request. Raises TooLarge."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise TooLarge(f"At most {_MOST_BYTES:,} bytes fit into an answer; this has more.")
    return body


def service_of(request: Request) -> ReviewService:
    """The store of this server."""
    service: ReviewService = request.app.state.reviews
    return service


def rater_asking(request: Request) -> Rater:
    """The rater whose token the request carries. Raises NoLink."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoLink("Send the token of your link, its last part, as `Authorization: Bearer TOKEN`.")
    return service_of(request).rater(token.strip())


def take(service: ReviewService, rater: Rater, vote: Vote) -> Vote:
    """Take a vote. Raises NotFound, LeaseLapsed, KeyTaken or Unreadable."""
    try:
        return cast(service.store, rater.row, rater.round, vote)
    except NoTaskError as error:
        raise NotFound(str(error)) from error
    except LapsedError as error:
        raise LeaseLapsed(str(error)) from error
    except KeyReusedError as error:
        raise KeyTaken(str(error)) from error
    except AnswerError as error:
        raise Unreadable(str(error)) from error


def _task(request: Request) -> Response:
    service, rater = service_of(request), rater_asking(request)
    try:
        found, done = service.next(rater, request.query_params.get("after"))
    except NoTaskError as error:
        raise NotFound(str(error)) from error
    if isinstance(found, Nothing):
        return Response(status_code=204, headers=PRIVATE | retry_after(found))
    return json_response(task_json(found, service.classes(rater.round.id), done), PRIVATE)


def retry_after(nothing: Nothing) -> dict[str, str]:
    """When to ask again; nothing where all is done."""
    return {} if nothing.seconds is None else {"Retry-After": str(nothing.seconds)}


def _vote(request: Request, body: bytes) -> Response:
    service, rater = service_of(request), rater_asking(request)
    sent = _object(body)
    unknown = sorted(set(sent) ^ {"task", "answer", "key"})
    if unknown:
        raise Unreadable(f'Expected {{"task", "answer", "key"}} and nothing else; see {unknown[0]!r:.80}.')
    vote = take(service, rater, Vote(_text(sent, "task"), sent["answer"], _uuid(sent["key"])))
    response = json_response({"task": vote.task, "answer": vote.answer, "key": vote.key}, PRIVATE)
    response.status_code = 201
    return response


def _take_back(request: Request) -> Response:
    service, rater = service_of(request), rater_asking(request)
    try:
        code = take_back(service.store, rater.row, rater.round)
    except LapsedError as error:
        raise LeaseLapsed(str(error)) from error
    if code is None:
        raise NotFound("There is no vote of yours to take back.")
    return json_response({"task": code}, PRIVATE)


def _renew(request: Request, body: bytes) -> Response:
    service, rater = service_of(request), rater_asking(request)
    seconds = renew(service.store, rater.row, rater.round, _text(_object(body), "task"))
    if seconds is None:
        raise LeaseLapsed("This task is no longer yours. Ask for another one.")
    return json_response({"seconds": seconds}, PRIVATE)


def _object(body: bytes) -> dict[str, Any]:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"Expected JSON, found something else ({error}).") from error
    if not isinstance(sent, dict):
        raise Unreadable("Expected a JSON object.")
    return sent


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"Expected a text as {name!r}.")
    return value


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(value if isinstance(value, str) else ""))
    except ValueError as error:
        raise Unreadable("Expected a UUID as 'key', a new one for each vote.") from error
