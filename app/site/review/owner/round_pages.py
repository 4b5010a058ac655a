"""The owner's page of a round, behind a signed link: figures, the same as JSON and CSV, and leaving raters out.

Nothing changes before the page has said what would: a first form shows it, and a second one does it.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Row

from app.errors import Forbidden, NotFound, Unreadable
from app.reviews.owner.exclusions import LONGEST_REASON, NoRaterError, exclude, include, preview, rater_named
from app.reviews.owner.rater_figures import RATER_COLUMNS, RaterFigures, rater_row
from app.reviews.owner.round_figures import figures_json, round_figures
from app.reviews.rounds import Round
from app.site.review.api import PRIVATE, body_of, in_thread, service_of
from app.site.review.forms import fields_of
from app.site.review.owner.context import figures_context
from app.site.review.service import OWNER, ReviewService
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute
from app.web.server.path_prefix import here, prefix_of
from app.web.templates import render

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: A cell of free text that begins so would be a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@router.get("/review/owner/{token}")
async def page(request: Request, token: str) -> Response:
    """The figures of a round; from now on the visitor also sees its examples on the site while it is open."""
    return await _page(request, token)


@router.get("/review/owner/{token}/figures.json")
async def figures(request: Request, token: str) -> Response:
    """The figures as JSON."""
    service, found = await _asked(request, token)
    shown = await in_thread(round_figures, service.store, found)
    return json_response(figures_json(shown), PRIVATE)


@router.get("/review/owner/{token}/raters.csv")
async def raters(request: Request, token: str) -> Response:
    """The raters as CSV."""
    service, found = await _asked(request, token)
    shown = await in_thread(round_figures, service.store, found)
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{found.name}-raters.csv"'}
    return Response(_csv(shown.raters), media_type="text/csv; charset=utf-8; header=present", headers=headers)


@router.post("/review/owner/{token}")
async def form(request: Request, token: str) -> Response:
    """Show what leaving a rater out, or taking one in again, would change; or do it."""
    service, found = await _asked(request, token)
    sent = fields_of(await body_of(request))
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("This was sent from a page of another site, so nothing was done.")
    if sent.get("form_key") != service.links.form_key(token):
        raise Forbidden("This form is not one of this page, so nothing was done. Open your link again.")
    leaves_out = sent.get("do") == "exclude"
    if sent.get("do") not in ("exclude", "include"):
        raise Unreadable("Choose whether to exclude a rater or to include one again.")
    why = " ".join(sent.get("why", "").split())[:LONGEST_REASON]
    if leaves_out and not why:
        raise Unreadable("Give a reason: it stands in the ratings and in the report of the round.")
    rater = await in_thread(_rater, service, found, sent.get("rater", ""))
    if bool(rater.excluded) is leaves_out:  # done already, from another tab or on the command line
        return RedirectResponse(here(f"/review/owner/{token}#raters"), 303, headers=PRIVATE)
    if "sure" not in sent:
        shown = await in_thread(lambda: preview(service.store, found, rater, exclude=leaves_out))
        return await _page(request, token, asked={"rater": rater, "why": why, "preview": shown, "excludes": leaves_out})
    if leaves_out:
        await in_thread(exclude, service.store, found, rater, why)
    else:
        await in_thread(include, service.store, found, rater)
    return RedirectResponse(here(f"/review/owner/{token}#raters"), 303, headers=PRIVATE)


async def _page(request: Request, token: str, asked: dict[str, Any] | None = None) -> Response:
    service, found = await _asked(request, token)
    shown = await in_thread(round_figures, service.store, found)
    context = figures_context(shown) | {"asked": asked, "form_key": service.links.form_key(token), "token": token}
    response = render(request, "review_owner.html", headers=PRIVATE, **context)
    secure = request.url.scheme == "https"
    response.set_cookie(
        OWNER, token, httponly=True, samesite="lax", secure=secure, path=prefix_of(request.scope) or "/"
    )
    return response


async def _asked(request: Request, token: str) -> tuple[ReviewService, Round]:
    """The round of an owner's link. Raises NoLink."""
    service = service_of(request)
    return service, await in_thread(service.round_of_link, service.link(token), "owner")


def _rater(service: ReviewService, found: Round, code: str) -> Row[Any]:
    try:
        return rater_named(service.store, found, code)
    except NoRaterError as error:
        raise NotFound("There is no such rater in this round.") from error


def _csv(found: Sequence[RaterFigures]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(RATER_COLUMNS)
    writer.writerows([_cell(value) for value in rater_row(one).values()] for one in found)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
