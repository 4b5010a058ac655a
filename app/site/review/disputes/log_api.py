"""The public log of disputes as JSON, under /api/v1."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.catalogue.current import current
from app.errors import FilterError
from app.issues import cursors, queries
from app.issues.reviewed.dispute_log import LoggedDispute, dispute_counts, dispute_log, n_logged
from app.openapi import parameters
from app.site.components.in_review import held_back_json
from app.site.review.disputes import response_models
from app.web.json_response import json_response
from app.web.pagination import next_page
from app.web.plain_route import PlainRoute
from app.web.urls import base_url

router = APIRouter(
    prefix="/api/v1", tags=["corrected test sets"], responses=parameters.PROBLEMS, route_class=PlainRoute
)

_OWN: Final = ("limit", "after", "fields")
_MOST: Final = 1_000
_DEFAULT: Final = 100


@router.get(
    "/datasets/{name}/disputes",
    response_model=response_models.DisputeList,
    summary="Disputed labels",
    openapi_extra=parameters.DISPUTES,
)
def disputes(request: Request, name: str) -> Response:
    """What visitors disputed of a dataset's issues and what became of it, decided last first."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), _OWN)
    if rest:
        word, value = rest[0]
        raise FilterError(word, value, _OWN, f"{word[:40]!r} is no parameter; expected {', '.join(_OWN)}.")
    limit = parameters.whole_number("limit", own.get("limit"), _DEFAULT, _MOST)
    fields = parameters.fields(own.get("fields"), response_models.DisputeOut)
    after = cursors.place_of(own["after"]) if own.get("after") else None
    found, last = dispute_log(catalogue, dataset, after, limit)
    counts, base = dispute_counts(catalogue, dataset), base_url(request)
    cursor = None if last is None else cursors.cursor(last)
    following, headers = next_page(request, f"/api/v1/datasets/{dataset.name}/disputes", "", limit, fields, cursor)
    body = {
        "items": parameters.chosen([_item(base, one) for one in found], fields),
        "next": following,
        "total": n_logged(catalogue, dataset),
        "limit": limit,
        "most": _MOST,
        "counts": counts._asdict(),
        **held_back_json(dataset),
    }
    return json_response(body, headers)


def _item(base: str, one: LoggedDispute) -> dict[str, Any]:
    corrected = None if one.corrected is None else list(one.corrected)
    verdict = {"round": one.round, "category": one.category, "corrected": corrected}
    issue = f"{base}/api/v1/datasets/{one.dataset}/issues/{one.idx}"
    return {
        "dispute": one.code,
        "index": one.idx,
        "filed": one.filed,
        "decided": one.decided,
        "claim": None if one.claim is None else one.claim.value,
        "proposed": list(one.proposed),
        "outcome": one.became,
        "why": one.why,
        "reason": one.reason,
        "source": one.source,
        "verdict": None if one.outcome is None else verdict,
        "history": [{"decided": past.at, "outcome": past.what, "why": past.why} for past in one.history],
        "links": {
            "issue": issue if one.has_page else None,
            "page": f"{base}/{one.dataset}/issues/{one.idx}" if one.has_page else None,
            "log": f"{base}/{one.dataset}/disputes#{one.code}",
        },
    }
