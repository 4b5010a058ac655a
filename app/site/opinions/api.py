"""JSON about second opinions and controls, under /api/v1."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.catalogue.current import Catalogue, current
from app.catalogue.records import Dataset
from app.errors import FilterError, NotInCatalogue
from app.evaluation.stability import too_few
from app.issues import queries
from app.openapi import parameters
from app.site.components.in_review import held_back_json
from app.site.opinions import response_models
from app.site.opinions.confidence_context import confidence_object
from app.site.opinions.stored_results import controls_of, report_of
from app.site.stability.parameters import agreement_of
from app.site.stability.results import why_not
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute

router = APIRouter(prefix="/api/v1", tags=["models"], responses=parameters.PROBLEMS, route_class=PlainRoute)

_KNOWN: Final = ("agreement",)


@router.get(
    "/datasets/{name}/opinions",
    response_model=response_models.OpinionsOut,
    summary="Second opinions",
    openapi_extra=parameters.RANKS,
)
def opinions(request: Request, name: str) -> Response:
    """What independent relabellings say of the reviewed examples, and of those that nobody flagged."""
    catalogue, dataset, agreement = _read(request, name)
    found = report_of(catalogue, dataset, agreement)
    return json_response({"agreement": agreement, **found, **held_back_json(dataset)})


@router.get(
    "/datasets/{name}/control",
    response_model=response_models.ControlOut,
    summary="Controls of the models' ranking",
    openapi_extra=parameters.RANKS,
)
def control(request: Request, name: str) -> Response:
    """The models' rankings where no label is wrong, where others confirm or oppose a correction, and by chance."""
    catalogue, dataset, agreement = _read(request, name)
    found = controls_of(catalogue, dataset, agreement)
    if found is None:
        raise NotInCatalogue(why_not(dataset))
    return json_response({"agreement": agreement, **_told(found), **held_back_json(dataset)})


@router.get(
    "/datasets/{name}/confidence",
    response_model=response_models.DatasetConfidenceOut,
    summary="How sure corrections are",
)
def confidence(request: Request, name: str) -> Response:
    """What the confidence of corrections rests on, how many have how much, and whether it tells which are right."""
    dataset = queries.dataset_named(current(request), name)
    for word, value in request.query_params.multi_items():
        raise FilterError(word, value, [], f"{word[:40]!r} is no parameter; expected none.")
    return json_response({**confidence_object(dataset), **held_back_json(dataset)})


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """Controls as stored, and beside each ranking why it is none, where its examples are too few."""
    told = {**found, **{name: _turnover(found[name]) for name in ("corrected", "non_errors")}}
    for part in ("confirmed", "opposed"):
        told[part] = {source: _turnover(one) for source, one in found[part].items()}
    return told


def _turnover(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "too_few": too_few(one["n"])}


def _read(request: Request, name: str) -> tuple[Catalogue, Dataset, int]:
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), _KNOWN)
    if rest:
        word, value = rest[0]
        raise FilterError(word, value, _KNOWN, f"{word[:40]!r} is no parameter; expected agreement.")
    return catalogue, dataset, agreement_of(dataset, own.get("agreement") or str(dataset.default_agreement))
