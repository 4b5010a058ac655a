"""The content of the API reference page, taken from the OpenAPI document of the running site.

Example requests use datasets of the served catalogue, so they work when they are followed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues import queries
from app.issues.filter_parameters import class_value
from app.issues.slices import slices_of

#: Query parameters of the examples of an operation, by the last part of its path.
_EXAMPLES: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "issues": ({"category": "correctable", "limit": "2"}, {"category": "error", "sort": "disagreement", "limit": "5"}),
    "corrected.csv": ({"agreement": "{agreement}"}, {"agreement": "{agreement}", "removed": "include"}),
    "corrected.json": ({"limit": "2", "removed": "include"}, {"neither": "given", "fields": "index,corrected"}),
    "corrected.npz": ({"multi_label": "both"},),
    "classes": ({}, {"category": "correctable"}),
}
#: Operations that only some datasets can answer, by the last part of the path, and which can.
_ASKS: Final[Mapping[str, Callable[[Dataset], bool]]] = {
    **dict.fromkeys(("stability", "stability.csv", "crossings"), lambda dataset: bool(dataset.n_models)),
    "slices": lambda dataset: slices_of(dataset) is not None,
    "prediction-report": lambda dataset: dataset.prediction_report is not None,
    # Whose questions may be shown depends on the site, too.
    **dict.fromkeys(("corrected.benchmark.parquet", "corrected.benchmark.jsonl"), lambda _: False),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, as text."""

    name: str
    place: str  # "path" or "query"
    required: bool
    description: str
    values: str  # what it can be: "integer, 1 to 200, 48 if absent"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    answers: tuple[tuple[str, str], ...]  # (status, description)
    examples: tuple[str, ...]  # addresses that this catalogue answers


def example_dataset(catalogue: Catalogue) -> Dataset | None:
    """The dataset used in examples: one with a downloadable corrected test set and at least one correction."""
    candidates = sorted(catalogue.datasets.values(), key=lambda d: (not d.labels_known, d.n_errors == 0, d.sample))
    return candidates[0] if candidates else None


def operations(openapi: Mapping[str, Any], catalogue: Catalogue) -> tuple[Operation, ...]:
    """The operations of an OpenAPI description, in its order."""
    dataset = example_dataset(catalogue)
    values = _values(catalogue, dataset) if dataset else {}
    answering = {
        last: next(({"name": d.name} for d in catalogue.datasets.values() if asks(d)), {})
        for last, asks in _ASKS.items()
    }
    return tuple(
        _operation(openapi, path, method, operation, answering.get(path.rsplit("/", 1)[-1], values))
        for path, methods in openapi.get("paths", {}).items()
        for method, operation in methods.items()
        if isinstance(operation, Mapping)
    )


def _values(catalogue: Catalogue, dataset: Dataset) -> dict[str, str]:
    values = {"name": dataset.name, "agreement": str(dataset.default_agreement), "version": dataset.version}
    telling = queries.telling_issues(catalogue, dataset, 1)
    if telling:
        values["index"] = values["index_or_key"] = str(telling[0].idx)
        if telling[0].given.classes:
            values["given"] = class_value(dataset, telling[0].given.classes[0].id)
    return values


def _operation(
    openapi: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], values: Mapping[str, str]
) -> Operation:
    return Operation(
        id=path.strip("/").replace("/", "-").replace("{", "").replace("}", "").replace(".", "-") + "-" + method,
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=_parameters(openapi, operation),
        answers=tuple((status, answer.get("description", "")) for status, answer in operation["responses"].items()),
        # A link cannot send a request body.
        examples=_examples(path, values) if method == "get" else (),
    )


def _parameters(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[Parameter, ...]:
    # What a route declares is replaced by what its documentation says about the same parameter.
    found: dict[str, Parameter] = {}
    for raw in operation.get("parameters", ()):
        p = _resolved(openapi, raw)
        found[p["name"]] = Parameter(
            name=p["name"],
            place=p["in"],
            required=bool(p.get("required", False)),
            description=p.get("description", "") or _PATH_WORDS.get(p["name"], ""),
            values=_values_of(_resolved(openapi, p.get("schema", {}))),
        )
    return tuple(found.values())


_PATH_WORDS: Final = {
    "name": "Name of a dataset, as in its address.",
    "index": "Index of an example in the test set, counted from 0.",
    "index_or_key": "Index of an example, or the dataset's own key of it.",
    "version": "The version of a dataset, as its ``version`` field gives it.",
}


def _resolved(openapi: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = openapi
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _values_of(schema: Mapping[str, Any]) -> str:
    choices = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    if len(choices) == 1:
        schema = {**choices[0], **{k: v for k, v in schema.items() if k != "anyOf"}}
    inner = schema.get("items", {}) if schema.get("type") == "array" else schema
    words = []
    if "enum" in inner:
        words.append("one of " + ", ".join(str(v) for v in inner["enum"]))
    elif inner.get("type"):
        words.append(str(inner["type"]))
    low, high = inner.get("minimum"), inner.get("maximum")
    if low is not None and high is not None:
        words.append(f"{low} to {high}")
    if schema.get("default") is not None:
        words.append(f"{schema['default']} if absent")
    return ", ".join(words)


def _examples(path: str, values: Mapping[str, str]) -> tuple[str, ...]:
    filled = path
    for name, value in values.items():
        filled = filled.replace("{" + name + "}", value)
    if "{" in filled:
        return ()
    queries_ = _EXAMPLES.get(path.rsplit("/", 1)[-1], ({},))
    return tuple(
        filled + ("?" + urlencode({k: v.format_map(values) for k, v in query.items()}) if query else "")
        for query in queries_
    )
