"""JSON about errors by rank, under /api/v1."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from app.catalogue.current import current
from app.errors import FilterError
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.reviewed.judged_flags import ErrorsFlagged
from app.openapi import parameters
from app.site.by_rank import response_models
from app.site.by_rank.context import FEW, ErrorsByRank, errors_by_rank
from app.site.components.in_review import held_back_json
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(prefix="/api/v1", tags=["label errors"], responses=parameters.PROBLEMS, route_class=PlainRoute)


@router.get(
    "/datasets/{name}/ranks",
    response_model=response_models.ErrorsByRankOut,
    summary="Errors by rank",
    openapi_extra=parameters.RANKS,
)
def ranks(request: Request, name: str) -> Response:
    """Errors in bins of rank, and how many the next hundred examples probably hold."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), ("agreement",))
    if rest:
        word, value = rest[0]
        raise FilterError(word, value, ["agreement"], f"{word[:40]!r} is no parameter; expected agreement.")
    f = IssueFilter.parse(dataset, [("agreement", own.get("agreement") or "")])
    return json_response(_json(errors_by_rank(catalogue, dataset, f.agreement)) | held_back_json(dataset))


def _json(found: ErrorsByRank) -> dict[str, Any]:
    fitted = found.fitted or (None,) * len(found.bins)
    return {
        "agreement": found.agreement,
        "checked": found.checked,
        "errors": found.errors,
        "without_rank": found.without_rank,
        "checked_throughout": found.throughout,
        "last_checked": found.last,
        "bins": [
            {
                "first": one.first,
                "last": one.last,
                "checked": one.checked,
                "errors": one.errors,
                "share": one.share,
                "interval": one.interval,
                "fitted": share,
                "checked_so_far": one.checked_so_far,
                "errors_so_far": one.errors_so_far,
                "recall": one.errors_so_far / found.errors if found.flags and found.errors else None,
                "precision": one.errors_so_far / one.checked_so_far if found.flags else None,
            }
            for one, share in zip(found.bins, fitted, strict=True)
        ],
        "forecast": None if found.forecast is None else asdict(found.forecast),
        "no_forecast": found.no_forecast,
        "flags": None if found.flags is None else [_flags_json(one) for one in found.flags],
        "few_from": None if found.forecast is None else {"share": FEW, "rank": found.few_from},
    }


def _flags_json(one: ErrorsFlagged) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "errors": one.errors,
        "flagged": one.flagged,
        "of_flagged": one.n_flagged,
        "recall": one.recall,
        "recall_interval": one.recall_interval,
        "precision": one.precision,
        "precision_interval": one.precision_interval,
    }
