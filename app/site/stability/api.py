"""JSON and CSV about models, under /api/v1: benchmark stability and crossings."""

import csv
import io
from collections.abc import Mapping
from itertools import combinations
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.catalogue.current import current
from app.catalogue.records import Dataset
from app.domain.ranking.accuracy import KINDS, SETS
from app.errors import FilterError
from app.evaluation.stability import too_few
from app.issues import queries
from app.openapi import parameters
from app.site.components.in_review import held_back_header, held_back_json
from app.site.opinions.stored_results import source_named
from app.site.stability import response_models
from app.site.stability.parameters import agreement_of, model_named
from app.site.stability.results import Results, keys_of, results_of
from app.web.json_response import json_response
from app.web.plain_route import PlainRoute
from app.web.urls import base_url

router = APIRouter(prefix="/api/v1", tags=["models"], responses=parameters.PROBLEMS, route_class=PlainRoute)

DEFAULT_PAIRS: Final = 100
MOST_PAIRS: Final = 1_000
_AGREEMENT: Final = {
    "name": "agreement",
    "in": "query",
    "required": False,
    "description": "How many reviewers must agree on a correction; one of the dataset's ``agreements``.",
    "schema": {"type": "integer"},
    "example": 3,
}
_CONFIRMED_BY: Final = {
    "name": "confirmed_by",
    "in": "query",
    "required": False,
    "description": "Count in C only corrections that this second opinion confirms; others have no known label.",
    "schema": {"type": "string"},
}
_KNOWN: Final = ("agreement", "confirmed_by")
_MODEL_WORDS: Final = "A model by platform and name, like ``pytorch/resnet18``; give both or none."
_PAIRS: Final = [
    _AGREEMENT,
    _CONFIRMED_BY,
    {"name": "first", "in": "query", "required": False, "description": _MODEL_WORDS, "schema": {"type": "string"}},
    {"name": "second", "in": "query", "required": False, "description": _MODEL_WORDS, "schema": {"type": "string"}},
    {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "Pairs on a page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_PAIRS, "default": DEFAULT_PAIRS},
    },
    {
        "name": "after",
        "in": "query",
        "required": False,
        "description": "Pairs to leave out; taken from ``next``.",
        "schema": {"type": "integer", "minimum": 0},
    },
]


@router.get(
    "/datasets/{name}/stability",
    response_model=response_models.StabilityOut,
    summary="Benchmark stability",
    openapi_extra={"parameters": [_AGREEMENT, _CONFIRMED_BY]},
)
def stability(request: Request, name: str) -> Response:
    """Accuracies of the dataset's models on the sets D, P, B and C, by original and by corrected labels, with ranks."""
    dataset, agreement, results, _ = _read(request, name, _KNOWN)
    return json_response(_stability(agreement, results) | held_back_json(dataset))


@router.get(
    "/datasets/{name}/stability.csv",
    summary="Benchmark stability as a table",
    response_class=Response,
    openapi_extra={
        "parameters": [_AGREEMENT, _CONFIRMED_BY],
        "responses": {"200": {"description": "One row a model.", "content": {"text/csv": {}}}},
    },
)
def table(request: Request, name: str) -> Response:
    """One row per model: columns of Tables S1 and S2 of the paper, in per cent, then all accuracies and intervals."""
    dataset, agreement, results, own = _read(request, name, _KNOWN)
    confirmed = f"-confirmed-by-{own['confirmed_by']}" if "confirmed_by" in own else ""
    file = f"{dataset.name}-stability-{agreement}-of-{dataset.raters}{confirmed}.csv"
    return Response(
        stability_csv(results),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{file}"', **held_back_header(dataset)},
    )


@router.get(
    "/datasets/{name}/crossings",
    response_model=response_models.CrossingOfPair | response_models.CrossingList,
    summary="Crossings of models",
    openapi_extra={"parameters": _PAIRS},
)
def crossings(request: Request, name: str) -> Response:
    """The noise prevalence at which two models are equally accurate; without ``first`` and ``second`` for all pairs."""
    dataset, agreement, results, own = _read(request, name, (*_KNOWN, "first", "second", "limit", "after"))
    first, second = own.get("first"), own.get("second")
    if (first is None) is not (second is None):
        absent = "second" if second is None else "first"
        raise FilterError(absent, "", keys_of(results), f"{absent} is missing; give first and second, or neither.")
    found, few = _by_pair(results), too_few(results["sizes"]["C"])
    if first is not None and second is not None:
        keys = keys_of(results)
        pair = model_named(keys, "first", first), model_named(keys, "second", second)
        return json_response({"agreement": agreement, **_pair(found, pair), "too_few": few} | held_back_json(dataset))
    limit = _whole("limit", own.get("limit"), DEFAULT_PAIRS, 1, MOST_PAIRS)
    after = _whole("after", own.get("after"), 0, 0, 10**9)
    pairs = list(combinations(keys_of(results), 2))
    items = [_pair(found, pair) for pair in pairs[after : after + limit]]
    following, headers = None, {}
    if after + limit < len(pairs):
        here = f"{base_url(request)}/api/v1/datasets/{dataset.name}/crossings"
        source = f"&confirmed_by={own['confirmed_by']}" if "confirmed_by" in own else ""
        following = f"{here}?agreement={agreement}{source}&limit={limit}&after={after + limit}"
        headers["Link"] = f'<{following}>; rel="next"'
    body = {"items": items, "next": following, "total": len(pairs), "too_few": few}
    return json_response(body | held_back_json(dataset), headers)


def stability_csv(results: Results) -> bytes:
    """The table of all models as CSV (RFC 4180); accuracies and intervals in per cent, empty if unknown."""
    head = ["platform", "model", "parameters", "Acc@1", "cAcc@1", "Acc@5", "cAcc@5"]
    head += ["Rank@1", "cRank@1", "Rank@5", "cRank@5"]
    head += [f"{column}_{end}" for column in head[7:] for end in ("low", "high")]
    head += [f"{part}_{kind}{end}" for part in SETS for kind in KINDS for end in ("", "_low", "_high")]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head)
    for model in results["models"]:
        on_c, ranks = model["correctable"], model["ranks"]["correctable"]
        cells: list[Any] = [model["title"], model["name"], model["parameters"]]
        cells += [_per_cent(on_c[kind]) for kind in KINDS]
        cells += [ranks[kind] for kind in KINDS]
        cells += [end for kind in KINDS for end in ranks["intervals"][kind] or (None, None)]
        for part in SETS:
            for kind in KINDS:
                ends = model[part]["intervals"][kind] or (None, None)
                cells += [_per_cent(value) for value in (model[part][kind], *ends)]
        writer.writerow(cells)
    return buffer.getvalue().encode()


def _per_cent(fraction: float | None) -> str | None:
    return None if fraction is None else f"{100 * fraction:.2f}"


def _read(request: Request, name: str, known: tuple[str, ...]) -> tuple[Dataset, int, Results, Mapping[str, str]]:
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), known)
    if rest:
        word, value = rest[0]
        raise FilterError(word, value, known, f"{word[:40]!r} is no parameter; expected {', '.join(known)}.")
    agreement = agreement_of(dataset, own.get("agreement") or str(dataset.default_agreement))
    given = {word: value for word, value in own.items() if value != ""}
    source = given.get("confirmed_by")
    if source is not None:
        source_named(dataset, "confirmed_by", source)
    return dataset, agreement, results_of(catalogue, dataset, agreement, source), given


def _stability(agreement: int, results: Results) -> dict[str, Any]:
    kept = ("sizes", "noise_prevalence", "models", "agreement_of_rankings")
    return {"agreement": agreement, **{key: results[key] for key in kept}, "too_few": too_few(results["sizes"]["C"])}


def _by_pair(results: Results) -> dict[frozenset[str], dict[str, Any]]:
    found: dict[frozenset[str], dict[str, Any]] = {}
    for one in results["crossings"]:
        side = one["kind"].partition("_")[0]
        at = {key: value for key, value in one.items() if key != "kind"}
        found.setdefault(frozenset((one["first"], one["second"])), {})[side] = at
    return found


def _pair(found: Mapping[frozenset[str], Mapping[str, Any]], pair: tuple[str, str]) -> dict[str, Any]:
    sides = found.get(frozenset(pair), {})
    return {
        "first": pair[0],
        "second": pair[1],
        "original": sides.get("original"),
        "corrected": sides.get("corrected"),
    }


def _whole(name: str, value: str | None, default: int, low: int, high: int) -> int:
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) < 11 and low <= int(value) <= high):
        raise FilterError(name, value, [f"a whole number from {low} to {high}"])
    return int(value)
