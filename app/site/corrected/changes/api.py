"""The API of versions, under /api/v1: the versions of a dataset, and the examples that changed between two."""

from collections.abc import Collection
from itertools import islice
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.catalogue.records import Dataset
from app.catalogue.version_log import ChangedExample, ExampleState, Version, VersionStep, changed, issues_among, log
from app.corrected.policy import ExportOptions
from app.domain.review.changes import Change, ChangeCounts, LabelSet
from app.domain.review.corrections import Treatment
from app.issues import cursors, queries
from app.openapi import parameters
from app.site.components.in_review import held_back_json
from app.site.corrected.changes import response_models
from app.site.corrected.changes.parameters import kind_of, step_of
from app.site.corrected.changes.table import class_name
from app.site.corrected.request import opened, wanted_by_votes
from app.web.json_response import json_response
from app.web.pagination import next_page
from app.web.plain_route import PlainRoute
from app.web.urls import base_url

router = APIRouter(
    prefix="/api/v1", tags=["corrected test sets"], responses=parameters.PROBLEMS, route_class=PlainRoute
)

MOST_CHANGES: Final = 1_000
DEFAULT_CHANGES: Final = 100
_OWN: Final = ("version", "from", "change", "limit", "after", "fields")


@router.get(
    "/datasets/{name}/versions",
    response_model=response_models.VersionList,
    summary="Versions of a dataset",
    openapi_extra=parameters.VERSIONS,
)
def versions(request: Request, name: str) -> Response:
    """Every version that was in this catalogue, the current one first, with the number of changes under a policy."""
    own, rest = parameters.split(request.query_params.multi_items(), ("fields",))
    fields = parameters.fields(own.get("fields"), response_models.VersionOut)
    catalogue, connection = opened(request)
    with connection:
        dataset = queries.dataset_named(catalogue, name)
        wanted = wanted_by_votes(rest, dataset, also=("fields",))
        found = log(connection, dataset, wanted.policy)
    base, query = base_url(request), wanted.query(dataset.default_agreement)
    items = parameters.chosen([_version(base, dataset, version, query) for version in found], fields)
    body = {"items": items, "next": None, "total": len(items), "policy": wanted.words()}
    return json_response(body | held_back_json(dataset))


def _version(base: str, dataset: Dataset, version: Version, query: str) -> dict[str, Any]:
    here = "&".join(filter(None, (f"version={version.name}", query)))
    corrected = f"{base}/api/v1/datasets/{dataset.name}/corrected.csv" + (f"?{query}" if query else "")
    return {
        "version": version.name,
        "former": version.former,
        "since": version.since,
        "until": version.until,
        "size": version.size,
        "counts": _counts(version.counts),
        "note": version.note,
        "links": {
            "changes": f"{base}/api/v1/datasets/{dataset.name}/changes?{here}" if version.former else None,
            "page": f"{base}/{dataset.name}/changes?{here}",
            "corrected": corrected if version.current and dataset.labels_known else None,
        },
    }


@router.get(
    "/datasets/{name}/changes",
    response_model=response_models.ChangeList,
    summary="What changed from one version to the next",
    openapi_extra=parameters.CHANGES,
)
def changes(request: Request, name: str) -> Response:
    """Examples whose label in the corrected test set differs from that in the previous version, by index.

    Only changes of a file are listed: a changed verdict with an unchanged label is not.
    """
    own, rest = parameters.split(request.query_params.multi_items(), _OWN)
    limit = parameters.whole_number("limit", own.get("limit"), DEFAULT_CHANGES, MOST_CHANGES)
    fields = parameters.fields(own.get("fields"), response_models.ChangedOut)
    kind = kind_of(own.get("change"))
    first = cursors.place_of(own["after"]) + 1 if own.get("after") else 0
    catalogue, connection = opened(request)
    with connection:
        dataset = queries.dataset_named(catalogue, name)
        wanted = wanted_by_votes(rest, dataset, also=_OWN)
        found = log(connection, dataset, wanted.policy)
        step = step_of(connection, dataset, wanted.policy, found, own.get("version"), own.get("from"))
        some = list(islice(changed(connection, dataset, step, wanted.policy, first, kind), limit + 1))
        issues = issues_among(connection, dataset, [one.index for one in some])
    which = [f"{key}={own[key]}" for key in ("version", "from", "change") if own.get(key)]
    query = "&".join(filter(None, (wanted.query(dataset.default_agreement), *which)))
    after = cursors.cursor(some[limit - 1].index) if len(some) > limit else None
    following, headers = next_page(request, f"/api/v1/datasets/{dataset.name}/changes", query, limit, fields, after)
    write = _Writer(base_url(request), dataset, step, wanted, issues)
    body = {
        "items": parameters.chosen([write.item(one) for one in some[:limit]], fields),
        "next": following,
        "total": _total(step, kind),
        "limit": limit,
        "most": MOST_CHANGES,
        "policy": wanted.words(),
        "version": step.name,
        "former": step.former,
        "since": step.since,
        "until": step.until,
        "counts": _counts(step.counts),
        "note": step.note,
        **held_back_json(dataset),
    }
    return json_response(body, headers)


def _total(step: VersionStep, kind: Change | None) -> int:
    """How many examples changed in a step, or changed in one way."""
    if step.counts is None:
        return 0
    return step.counts.all if kind is None else int(getattr(step.counts, kind.value))


class _Writer:
    """Writes changed examples as objects."""

    def __init__(
        self, base: str, dataset: Dataset, step: VersionStep, wanted: ExportOptions, issues: Collection[int]
    ) -> None:
        self._base = base
        self._dataset = dataset
        self._step = step
        self._agreement = wanted.policy.agreement
        self._issues = issues
        self._both = wanted.policy.multi_label is Treatment.BOTH

    def item(self, one: ChangedExample) -> dict[str, Any]:
        """An example before and after its change."""
        issue = one.index in self._issues
        path, query = f"{self._dataset.name}/issues/{one.index}", f"?agreement={self._agreement}"
        return {
            "index": one.index,
            "key": one.key,
            "change": one.change.value,
            "before": self._seen(one.before, self._step.former_classes),
            "after": self._seen(one.after, self._step.classes),
            "links": {
                "issue": f"{self._base}/api/v1/datasets/{path}{query}" if issue else None,
                "page": f"{self._base}/{path}{query}" if issue else None,
            },
        }

    def _seen(self, seen: ExampleState | None, classes: tuple[str, ...]) -> dict[str, Any] | None:
        if seen is None:
            return None
        given = self._label(seen.given, classes, self._dataset.multi_label)
        corrected = None
        if seen.corrected is not None:
            corrected = self._label(seen.corrected, classes, self._dataset.multi_label or self._both)
        return {
            "given": given,
            "corrected": corrected,
            "action": seen.action.value,
            "category": seen.category.value,
        }

    def _label(self, label: LabelSet, classes: tuple[str, ...], as_set: bool) -> Any:
        parts = [{"id": c, "name": class_name(c, classes)} for c in label]
        return parts if as_set or len(parts) != 1 else parts[0]


def _counts(counts: ChangeCounts | None) -> dict[str, int] | None:
    if counts is None:
        return None
    return {"added": counts.added, "removed": counts.removed, "relabelled": counts.relabelled}
