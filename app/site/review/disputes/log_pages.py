"""The public log of disputes, of one dataset and of all, and its Atom feeds."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.catalogue.current import Catalogue, current
from app.catalogue.records import Dataset
from app.issues import cursors, queries
from app.issues.reviewed.dispute_log import dispute_counts, dispute_log
from app.openapi import parameters
from app.openapi.page_parameters import refuse_unread
from app.site.components.atom_entries import MEDIA_TYPE
from app.site.components.dispute_words import shown_disputes
from app.site.components.in_review import held_back_of
from app.site.review.disputes.log_feed import log_feed
from app.web.plain_route import PlainRoute
from app.web.templates import render
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

_SHOWN: Final = 50


@router.get("/disputes")
def all_disputes(request: Request) -> HTMLResponse:
    """The log of all datasets."""
    catalogue = current(request)
    return render(request, "all_disputes.html", place="disputes", **_context(request, catalogue, None))


@router.get("/disputes.atom")
def feed_of_all(request: Request) -> Response:
    """The newest disputes of all datasets."""
    return _feed(request, current(request), None)


@router.get("/{name}/disputes")
def disputes(request: Request, name: str) -> HTMLResponse:
    """The log of a dataset."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    context = _context(request, catalogue, dataset)
    return render(request, "disputes.html", dataset=dataset, tab="disputes", **context)


@router.get("/{name}/disputes.atom")
def feed(request: Request, name: str) -> Response:
    """The newest disputes of a dataset."""
    catalogue = current(request)
    return _feed(request, catalogue, queries.dataset_named(catalogue, name))


def _context(request: Request, catalogue: Catalogue, dataset: Dataset | None) -> dict[str, Any]:
    refuse_unread(request, ("after",))
    own, _ = parameters.split(request.query_params.multi_items(), ("after",))
    after = cursors.place_of(own["after"]) if own.get("after") else None
    found, last = dispute_log(catalogue, dataset, after, _SHOWN)
    here = "" if dataset is None else f"/{dataset.name}"
    shown = catalogue.datasets.values() if dataset is None else ()
    return {
        "held_back": held_back_of(shown),
        "found": shown_disputes(found),
        "counts": dispute_counts(catalogue, dataset),
        "first": after is not None,
        "here": f"{here}/disputes",
        "next_url": None if last is None else f"{here}/disputes?after={cursors.cursor(last)}",
        "feed_url": f"{here}/disputes.atom",
        "json_url": None if dataset is None else f"/api/v1/datasets/{dataset.name}/disputes",
    }


def _feed(request: Request, catalogue: Catalogue, dataset: Dataset | None) -> Response:
    refuse_unread(request, ())
    found, _ = dispute_log(catalogue, dataset, None, _SHOWN)
    shown = [dataset] if dataset is not None else list(catalogue.datasets.values())
    # When the catalogue was written may be later than a decision that is not in it yet.
    since = min((one.built_at for one in shown), default=catalogue.written_at)
    return Response(log_feed(base_url(request), dataset, found, since), media_type=MEDIA_TYPE)
