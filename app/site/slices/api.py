"""JSON about a dataset's slices, under /api/v1."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.catalogue.current import current
from app.errors import FilterError, NotFound
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.slices import slices_of
from app.openapi import parameters
from app.site.components.in_review import held_back_json
from app.site.slices import response_models
from app.site.slices.context import SliceRow, slice_rows
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(prefix="/api/v1", tags=["label errors"], responses=parameters.PROBLEMS, route_class=PlainRoute)


@router.get(
    "/datasets/{name}/slices",
    response_model=response_models.SliceList,
    summary="Errors and accuracies by slice",
    openapi_extra=parameters.RANKS,
)
def slices(request: Request, name: str) -> Response:
    """The slices that a dataset names, such as subjects: their errors, and each model's accuracies there."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    told = slices_of(dataset)
    own, rest = parameters.split(request.query_params.multi_items(), ("agreement",))
    if rest:
        word, value = rest[0]
        raise FilterError(word, value, ["agreement"], f"{word[:40]!r} is no parameter; expected agreement.")
    if told is None:
        raise NotFound(f"{dataset.title} has no slices.", [(dataset.title, f"/{name}")])
    f = IssueFilter.parse(dataset, [("agreement", own.get("agreement") or "")])
    items = [_json(row) for row in slice_rows(catalogue, dataset, f.agreement)]
    body = {"column": told.column, "agreement": f.agreement, "items": items, "total": len(items)}
    return json_response(body | held_back_json(dataset))


def _json(row: SliceRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "examples": row.n,
        "errors": row.errors,
        "error_rate": row.rate,
        "interval": row.interval,
        "pruned": row.pruned,
        "correctable": row.correctable,
        "models": [
            {
                "model": score.model,
                "original": score.original_accuracy,
                "corrected": score.corrected_accuracy,
                "difference": score.difference,
                "interval": score.interval,
            }
            for score in row.scores
        ],
    }
