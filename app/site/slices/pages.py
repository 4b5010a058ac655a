"""The page of a dataset's slices: where the errors are, and what correcting them does to each model there."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.catalogue.current import current
from app.catalogue.records import Dataset
from app.errors import FilterError, NotFound, near_names
from app.issues import queries
from app.issues.filter import IssueFilter
from app.issues.slices import slice_words, slices_of
from app.openapi.page_parameters import refuse_unread
from app.site.components.charts import share_bar
from app.site.components.tables import header
from app.site.slices.context import SliceRow, finding, slice_rows
from app.web.plain_route import PlainRoute
from app.web.templates import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=PlainRoute)

#: Columns that every dataset has, and those that need a model: key, title, whether a number.
_COLUMNS: Final = (
    ("name", "", False),
    ("n", "Examples", True),
    ("errors", "Errors", True),
    ("rate", "Error rate", True),
)
_OF_MODEL: Final = (("original", "Original", True), ("corrected", "Corrected", True), ("difference", "Change", True))
_USUAL: Final = "-rate"


@router.get("/{name}/slices")
def slices(request: Request, name: str) -> HTMLResponse:
    """All slices, sorted; of the one asked for by its name, every model."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    told = slices_of(dataset)
    if told is None:
        raise NotFound(f"{dataset.title} has no slices.", [(dataset.title, f"/{name}")])
    params = request.query_params
    refuse_unread(request, ("agreement", "model", "sort", told.column))
    f = IssueFilter.parse(dataset, [("agreement", params.get("agreement", ""))])
    found = slice_rows(catalogue, dataset, f.agreement)
    # Without scores, as while examples are held back, no model is to be chosen.
    models = dataset.models if any(row.scores for row in found) else ()
    model = _model(dataset, params.get("model", ""), found) if models else ""
    sort = _sort(params.get("sort") or _USUAL, with_model=bool(model))
    asked = params.get(told.column, "")
    if asked and asked not in told.names:
        raise FilterError(told.column, asked, near_names(asked, told.names) or told.names)
    chosen = next((row for row in found if row.name == (asked or (found[0].name if found else ""))), None)
    at = {} if f.agreement == dataset.default_agreement else {"agreement": str(f.agreement)}
    others = at | ({"model": model} if model and params.get("model") else {})
    columns = (("name", told.title, False), *_COLUMNS[1:], *(_OF_MODEL if model else ()))
    return render(
        request,
        "slices.html",
        dataset=dataset,
        tab="slices",
        told=told,
        rows=[_shown(dataset, f, row, {**others, told.column: row.name}, model) for row in _sorted(found, sort, model)],
        columns=[header(key, title, number, sort, others=others) for key, title, number in columns],
        model=model,
        models=models,
        at=at,
        sort=sort,
        usual=_USUAL,
        chosen=chosen,
        chosen_asked=bool(asked),
        finding="" if chosen is None else finding(chosen),
        total=len(found),
        json_url=f"/api/v1/datasets/{name}/slices" + (f"?{urlencode(at)}" if at else ""),
    )


def _model(dataset: Dataset, asked: str, found: Sequence[SliceRow]) -> str:
    """The model asked for; by default the best by corrected labels. "" without models."""
    if asked and asked not in dataset.models:
        raise FilterError("model", asked, near_names(asked, dataset.models) or dataset.models)
    if asked or not dataset.models:
        return asked
    right = dict.fromkeys(dataset.models, 0)
    for row in found:
        for score in row.scores:
            right[score.model] += score.corrected
    return max(dataset.models, key=lambda model: right[model])


def _sort(sort: str, *, with_model: bool) -> str:
    keys = [key for key, _, _ in (*_COLUMNS, *(_OF_MODEL if with_model else ()))]
    allowed = [sign + key for key in keys for sign in ("", "-")]
    if sort not in allowed:
        raise FilterError("sort", sort, allowed)
    return sort


def _sorted(found: Sequence[SliceRow], sort: str, model: str) -> list[SliceRow]:
    key, backwards = sort.removeprefix("-"), sort.startswith("-")

    def value(row: SliceRow) -> Any:
        if key in ("name", "n", "errors", "rate"):
            return getattr(row, key)
        score = _score(row, model)
        if score is None or score.difference is None:
            return -2.0
        return {"difference": score.difference}.get(key) or getattr(score, f"{key}_accuracy", score.difference)

    return sorted(found, key=value, reverse=backwards)


def _score(row: SliceRow, model: str) -> Any:
    return next((score for score in row.scores if score.model == model), None)


def _shown(dataset: Dataset, f: IssueFilter, row: SliceRow, here: Mapping[str, str], model: str) -> dict[str, Any]:
    return {
        "row": row,
        "words": slice_words(row.name),
        "bar": share_bar(round(1000 * row.rate), "given-fill"),
        "issues": f"/{dataset.name}?{f.but(category=('error',), slice=row.name).query(dataset)}",
        "here": f"/{dataset.name}/slices?{urlencode(here)}#one",
        "score": _score(row, model),
    }
