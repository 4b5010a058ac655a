"""The door for participants of Prolific: consent first, then the pages of raters, and back with a completion code.

Prolific sends PROLIFIC_PID, STUDY_ID and SESSION_ID in the address. Only a keyed hash of the first is kept.
"""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.errors import Forbidden, Unreadable
from app.reviews.lending import Nothing
from app.reviews.links import Link
from app.reviews.participants import Outcome, is_participant_id, outcome_of, participant
from app.reviews.rounds import Round
from app.site.review.api import PRIVATE, body_of, in_thread, service_of
from app.site.review.forms import fields_of
from app.site.review.service import ReviewService
from app.web.plain_route import PlainRoute
from app.web.server.path_prefix import here
from app.web.templates import render

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

_PARAMETERS: Final = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
_BACK: Final = "https://app.prolific.com/submissions/complete"


@router.get("/review/prolific/{token}")
async def consent(request: Request, token: str) -> Response:
    """Ask for consent; nothing is stored before it is given."""
    service, found = await _round(request, token)
    _participant_id(request)
    key = service.links.form_key(token)
    return render(request, "review_consent.html", headers=PRIVATE, round=found, form_key=key)


@router.post("/review/prolific/{token}")
async def begin(request: Request, token: str) -> Response:
    """Begin, or go back without having begun."""
    service, found = await _round(request, token)
    sent = fields_of(await body_of(request))
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("This was sent from a page of another site, so it was not taken.")
    if sent.get("form_key") != service.links.form_key(token):
        raise Forbidden("This form is not one of this page, so it was not taken. Open your link again.")
    if sent.get("consent") != "yes":
        return _back(request, found, Outcome.NO_CONSENT)
    rater = await in_thread(participant, service.store, found, _participant_id(request))
    return RedirectResponse(here(f"/review/{service.links.token(Link('rater', rater.code))}"), 303, headers=PRIVATE)


@router.get("/review/prolific-end/{token}")
async def end(request: Request, token: str) -> Response:
    """Back to Prolific with the code for how it ended; to the task that is left, if one is."""
    service = service_of(request)
    rater = await in_thread(service.rater, token)
    left, _ = await in_thread(service.next, rater)
    if not isinstance(left, Nothing):
        return RedirectResponse(here(f"/review/{token}?start=1"), 303, headers=PRIVATE)
    outcome = await in_thread(outcome_of, service.store, rater.row, rater.round)
    return _back(request, rater.round, outcome)


def _back(request: Request, found: Round, outcome: Outcome) -> Response:
    """Back with the code of an outcome; who has answered is paid even where there is none for too fast."""
    codes = found.settings.completion
    code = codes.get(outcome.value) or (codes.get(Outcome.DONE.value) if outcome is Outcome.TOO_FAST else None)
    if code is None:
        return render(request, "review_no_code.html", headers=PRIVATE, round=found, outcome=outcome.value)
    return RedirectResponse(f"{_BACK}?{urlencode({'cc': code})}", 303, headers=PRIVATE)


def _participant_id(request: Request) -> str:
    """The id in the address. Raises Unreadable for an address that is not one of Prolific's."""
    found = {name: request.query_params.get(name, "") for name in _PARAMETERS}
    wrong = [name for name, value in found.items() if not is_participant_id(value)]
    if wrong:
        raise Unreadable(f"Open this address from Prolific: {', '.join(wrong)} is missing, or is no id.")
    return found["PROLIFIC_PID"]


async def _round(request: Request, token: str) -> tuple[ReviewService, Round]:
    service = service_of(request)
    return service, await in_thread(service.round_of_link, service.link(token), "prolific")
