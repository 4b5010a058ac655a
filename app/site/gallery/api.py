"""The JSON API under /api/v1, with the same filters and queries as the pages.

Answers are put together here and serialised once. The models of ``app.openapi.response_models`` document them; tests
check that the two agree.
"""

from dataclasses import asdict
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from app.catalogue.access import may_show
from app.catalogue.credit import credit_json
from app.catalogue.current import Catalogue, current
from app.catalogue.media_gaps import n_with_medium, not_here, was_read
from app.catalogue.possible_categories import is_possible
from app.catalogue.records import Dataset
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.errors import NotFound
from app.issues import counts, cursors, queries
from app.issues.facets import ROLES
from app.issues.filter import IssueFilter
from app.issues.reviewed.issue_at import issue_at
from app.issues.reviewed.rater_agreement import rater_agreement, weighed_verdict_of
from app.openapi import parameters, response_models
from app.schema.prediction_report import PredictionReport, Twins
from app.site.components.in_review import held_back_json
from app.site.gallery.issue_json import issue_texts, label_texts, opinion_objects, question_json
from app.site.gallery.response_models import PredictionReportOut
from app.site.gallery.vote_agreement import agreement_json, weighed_json
from app.site.opinions.issue_confidence import confidence_json, issue_confidence
from app.site.opinions.issue_opinions import second_opinions
from app.site.stability.predictions import choices_for, count
from app.web.json_response import json_response
from app.web.pagination import next_page
from app.web.plain_route import PlainRoute
from app.web.urls import base_url

PREFIX: Final = "/api/v1"
MOST_ISSUES: Final = 200
DEFAULT_ISSUES: Final = 48
#: On a page, unless fewer are asked for: all classes of most datasets.
MOST_CLASSES: Final = 1_000
_PAGING: Final = ("limit", "after", "fields")

router = APIRouter(prefix=PREFIX, tags=["label errors"], responses=parameters.PROBLEMS, route_class=PlainRoute)
#: Matches what no other route of the API matches.
nothing_else = APIRouter(prefix=PREFIX, include_in_schema=False, route_class=PlainRoute)


@router.get(
    "/datasets",
    response_model=response_models.DatasetList,
    summary="All datasets of the catalogue",
    openapi_extra=parameters.FIELDS,
)
def datasets(request: Request) -> Response:
    """The datasets in the order of the home page. Unknown figures are null."""
    catalogue = current(request)
    fields = parameters.only_fields(request.query_params.multi_items(), response_models.DatasetOut)
    items = [_dataset(request, catalogue, dataset) for dataset in catalogue.datasets.values()]
    return json_response({"items": parameters.chosen(items, fields), "next": None, "total": len(items)})


@router.get(
    "/datasets/{name}",
    response_model=response_models.DatasetOut,
    summary="One dataset",
    openapi_extra=parameters.FIELDS,
)
def dataset(request: Request, name: str) -> Response:
    """Size, flagged, checked and errors of a dataset, and its error categories by agreement threshold."""
    catalogue = current(request)
    found = queries.dataset_named(catalogue, name)
    fields = parameters.only_fields(request.query_params.multi_items(), response_models.DatasetOut)
    return json_response(parameters.chosen([_dataset(request, catalogue, found)], fields)[0])


@router.get(
    "/datasets/{name}/classes",
    response_model=response_models.ClassList,
    summary="Classes of a dataset",
    openapi_extra=parameters.CLASSES,
)
def classes(request: Request, name: str) -> Response:
    """The classes with their examples and thresholds, and how many issues of the filter have each in which role.

    Follow ``next`` until it is null; up to 1,000 classes are one page.
    """
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), _PAGING)
    f = IssueFilter.parse(dataset, rest, others=_PAGING)
    limit = parameters.whole_number("limit", own.get("limit"), MOST_CLASSES, MOST_CLASSES)
    fields = parameters.fields(own.get("fields"), response_models.ClassOut)
    start = cursors.place_of(own["after"]) + 1 if own.get("after") else 0
    shown = dataset.classes[start : start + limit]
    roles = {role: counts.class_counts(catalogue, dataset, f, role) for role in ROLES}
    items = [
        {
            "id": c.id,
            "name": c.name,
            "examples": c.n_examples,
            "threshold": c.threshold,
            "issues": {role: found.get(c.id, 0) for role, found in roles.items()},
        }
        for c in shown
    ]
    n, path = len(dataset.classes), f"{PREFIX}/datasets/{dataset.name}/classes"
    last = cursors.cursor(start + limit - 1) if start + limit < n else None
    following, headers = next_page(request, path, f.query(dataset), limit, fields, last)
    body = {"items": parameters.chosen(items, fields), "next": following, "total": n}
    return json_response(body | {"limit": limit, "most": MOST_CLASSES} | held_back_json(dataset), headers)


@router.get(
    "/datasets/{name}/prediction-report",
    response_model=PredictionReportOut,
    summary="How a dataset's probabilities were predicted",
    openapi_extra=parameters.FIELDS,
)
def prediction_report(request: Request, name: str) -> Response:
    """Which models were tried by cross-validation, how good they are, and near-duplicates with different labels.

    It is known where ``label-errors predict`` made the probabilities; elsewhere the answer is 404.
    """
    found = queries.dataset_named(current(request), name)
    fields = parameters.only_fields(request.query_params.multi_items(), PredictionReportOut)
    if found.prediction_report is None:
        place = [(found.title, f"/{name}")]
        raise NotFound(f"How the probabilities of {found.title} were predicted is not known.", place)
    return json_response(parameters.chosen([_report(found, found.prediction_report)], fields)[0])


@router.get(
    "/datasets/{name}/issues",
    response_model=response_models.IssueList,
    summary="Issues of a dataset",
    openapi_extra=parameters.ISSUES,
)
def issues(request: Request, name: str) -> Response:
    """The gallery as JSON: the same filters, the same order. Follow ``next`` until it is null."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), _PAGING)
    f = IssueFilter.parse(dataset, rest, others=_PAGING)
    limit = parameters.whole_number("limit", own.get("limit"), DEFAULT_ISSUES, MOST_ISSUES)
    fields = parameters.fields(own.get("fields"), response_models.IssueOut)
    page = queries.issue_rows(catalogue, dataset, f, limit, after=own.get("after"))
    texts = issue_texts(request, dataset, page.items, label_texts(catalogue, dataset))
    items = orjson.Fragment(f"[{','.join(texts)}]")
    if fields is not None:
        items = orjson.Fragment(orjson.dumps(parameters.chosen([orjson.loads(text) for text in texts], fields)))
    path = f"{PREFIX}/datasets/{dataset.name}/issues"
    following, headers = next_page(request, path, f.api_query(dataset), limit, fields, page.after)
    body = {"items": items, "next": following, "total": page.total, "limit": limit, "most": MOST_ISSUES}
    return json_response(body | held_back_json(dataset), headers)


@router.get(
    "/datasets/{name}/issues/{index}",
    response_model=response_models.IssueDetailOut,
    summary="One issue",
    openapi_extra=parameters.ISSUE,
)
def issue(request: Request, name: str, index: str) -> Response:
    """An issue by its index in the test set, with its verdict at every agreement threshold."""
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), ("fields",))
    fields = parameters.fields(own.get("fields"), response_models.IssueDetailOut)
    f = IssueFilter.parse(dataset, rest, others=("fields",))
    detail = issue_at(catalogue, dataset, index, f.agreement)
    labels = label_texts(catalogue, dataset)
    body: dict[str, Any] = orjson.loads(issue_texts(request, dataset, [detail.row], labels)[0])
    body["answers"] = [
        {
            "answer": vote.word,
            "classes": None if vote.classes is None else [{"id": c.id, "name": c.name} for c in vote.classes],
            "votes": vote.n,
        }
        for vote in detail.votes
    ]
    body["verdicts"] = {
        str(v.agreement): {
            "category": v.category.value,
            "corrected": orjson.Fragment(labels[None if v.corrected is None else v.corrected.id]),
        }
        for v in detail.verdicts
    }
    body["weighed"] = weighed_json(weighed_verdict_of(catalogue, dataset, detail.issue.id))
    body["top_probabilities"] = [{"id": c.id, "name": c.name, "probability": p} for c, p in detail.top_probs]
    averaged = None if detail.doubting is None else dict(zip(("doubting", "of"), detail.doubting, strict=True))
    body["doubting_models"] = averaged
    choices = choices_for(catalogue, dataset, detail.issue.id)
    body["models"] = [
        {"platform": platform, "name": model, "predicted": _predicted(dataset, class_id)}
        for (platform, _, model), class_id in ((key.partition("/"), class_id) for key, class_id in choices)
    ]
    counted = count(detail.issue, choices)
    body["models_predicting"] = None if counted is None else asdict(counted)
    body["second_opinions"] = opinion_objects(second_opinions(catalogue, dataset, detail.issue))
    body["confidence_basis"] = confidence_json(issue_confidence(dataset, detail))
    body["text"] = detail.text
    body["question"] = None if detail.issue.question is None else question_json(detail.issue.question)
    body["row"] = None if detail.issue.row is None else [value._asdict() for value in detail.issue.row]
    body["terms"] = credit_json(dataset)
    return json_response(parameters.chosen([body], fields)[0])


def _predicted(dataset: Dataset, class_id: int) -> dict[str, Any] | None:
    """A model's first choice; None where it gave no answer."""
    return None if class_id < 0 else {"id": class_id, "name": dataset.classes[class_id].name}


@nothing_else.get("/{rest:path}")
def nothing(_: Request, rest: str) -> Response:
    """Answer any other address under the API with the API's kind of error, not with a page."""
    raise NotFound(f"There is nothing at {PREFIX}/{rest[:80]}.", [("API documentation", "/api")])


def _dataset(request: Request, catalogue: Catalogue, dataset: Dataset) -> dict[str, Any]:
    base = base_url(request)
    address = f"{base}{PREFIX}/datasets/{dataset.name}"
    return {
        "name": dataset.name,
        "title": dataset.title,
        "modality": dataset.modality,
        "sample": dataset.sample,
        "size": dataset.size,
        "classes": len(dataset.classes),
        "flagged": dataset.n_flagged,
        "checked": dataset.n_checked,
        "checked_of_flagged": dataset.n_flagged_checked,
        "errors": dataset.n_errors,
        "non_errors": dataset.n_non_errors,
        "guesses_changed": dataset.n_guesses_changed,
        "unreviewed": dataset.n_waiting,
        "estimated_errors": dataset.estimated_errors,
        "basis": dataset.basis,
        "percent_error": dataset.percent_error,
        "categories": {str(a): category_counts(dataset, a) for a in dataset.agreements},
        "agreements": dataset.agreements,
        "rater_agreement": agreement_json(rater_agreement(catalogue, dataset)),
        "flag_rule": dataset.flag_rule,
        "missing": not_here(dataset),
        **held_back_json(dataset),
        "media": _media(dataset),
        "version": dataset.version,
        "built_at": dataset.built_at,
        "terms": credit_json(dataset),
        "links": {
            "self": address,
            "page": f"{base}/{dataset.name}",
            "issues": f"{address}/issues",
            "classes": f"{address}/classes",
            "corrected": f"{address}/corrected.csv" if dataset.labels_known else None,
            "prediction_report": f"{address}/prediction-report" if dataset.prediction_report else None,
        },
    }


def _report(dataset: Dataset, report: PredictionReport) -> dict[str, Any]:
    """The report under the names of the file that ``predict`` writes, with labels for their ids."""
    told = report.model_dump(exclude={"n_near_duplicates", "n_twins", "twins"})
    told["near_duplicates"] = {
        "pairs": report.n_near_duplicates,
        "n_different": report.n_twins,
        "different_labels": [_twins(dataset, pair) for pair in report.twins],
    }
    return told


def _twins(dataset: Dataset, pair: Twins) -> dict[str, Any]:
    def one(index: int, given: int) -> dict[str, Any]:
        return {"index": index, "given": {"id": given, "name": dataset.classes[given].name}}

    first, second = one(pair.first, pair.first_given), one(pair.second, pair.second_given)
    return {"first": first, "second": second, "similarity": pair.similarity}


def _media(dataset: Dataset) -> dict[str, Any] | None:
    """How many issues have their medium; None if no distribution was read."""
    if not was_read(dataset):
        return None
    shown = "whole" if may_show(dataset, "image") else "excerpts" if may_show(dataset, "excerpt") else "nothing"
    return {"issues": n_with_medium(dataset), "of": dataset.n_issues, "shown": shown}


def category_counts(dataset: Dataset, agreement: int) -> dict[str, int | None]:
    """Errors by category; None for a category that reviewers of this dataset could not choose.

    "Not asked" is there only where a round left errors without a category.
    """
    counts = dataset.categories.get(agreement, {})
    found = {c.value: counts.get(c, 0) if is_possible(c, dataset) else None for c in ERROR_CATEGORIES}
    if found[Category.NOT_ASKED.value] is None:
        del found[Category.NOT_ASKED.value]
    return found
