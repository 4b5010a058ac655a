"""The parameters of the API as its documentation lists them.

``app.issues.filter`` reads their values.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel

from app.corrected.formats import FORMATS, Format
from app.corrected.policy import REMOVED
from app.domain.review.changes import Change
from app.domain.review.corrections import OPPOSED, TREATMENTS, Rule
from app.errors import FilterError
from app.issues.facets import FACETS
from app.issues.filter_parameters import REVERSED, SORTS
from app.openapi.response_models import GoneProblem, Problem


def _parameter(name: str, description: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
    return parameter | ({"example": example} if example is not None else {})


_FIELDS: Final = _parameter("fields", "Only these fields of each item, by comma.", {"type": "string"})
_AGREEMENT: Final = _parameter(
    "agreement",
    "How many reviewers must agree on a correction; one of the dataset's ``agreements``.",
    {"type": "integer"},
    3,
)
_SEARCH: Final = _parameter(
    "q",
    "Words to look for in texts, keys and class names; the last one may be a beginning. A number also finds the issue "
    "of that index, words of two classes find issues between them, and a part of a name its class, if no name has it "
    "as a word.",
    {"type": "string"},
)
_SORT: Final = _parameter("sort", "Order; a minus reverses it.", {"type": "string", "enum": [*SORTS, *REVERSED]})
_FILTER: Final = [
    _AGREEMENT,
    *(_parameter(facet.name, facet.says, dict(facet.schema)) for facet in FACETS.values()),
    _SEARCH,
    _SORT,
]

ISSUES: Final = {
    "parameters": [
        *_FILTER,
        _parameter("limit", "Issues on a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 48}),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
        _FIELDS,
    ]
}
CLASSES: Final = {
    "parameters": [
        *_FILTER,
        _parameter(
            "limit", "Classes on a page.", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 1_000}
        ),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
        _FIELDS,
    ]
}
RANKS: Final = {"parameters": [_AGREEMENT]}
ISSUE: Final = {"parameters": [*_FILTER, _FIELDS]}
FIELDS: Final = {"parameters": [_FIELDS]}
PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "description": "A problem.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def issue_file(media_type: str, *, binary: bool) -> dict[str, Any]:
    """The documentation of the issues of a filter as a file."""
    schema = {"type": "string", "format": "binary"} if binary else {"type": "string"}
    return {
        "parameters": _FILTER,
        "responses": {
            "200": {"description": "All issues of the filter.", "content": {media_type: {"schema": schema}}},
            "304": {"description": "It is what you have: If-None-Match names it."},
            "413": PROBLEM_RESPONSE | {"description": "The filter selects more issues than a file holds."},
        },
    }


_POLICY_WORDS: Final = {
    "multi_label": "What becomes of examples in which reviewers see both labels: left out, with their given label, or "
    "with the set of both.",
    "neither": "What becomes of examples in which reviewers see neither label.",
    "non_agreement": "What becomes of examples on which reviewers do not agree, and of errors whose category "
    "was not asked.",
    "unreviewed": "What becomes of examples that were flagged and that nobody checked.",
}
_RULE: Final = _parameter(
    "rule",
    "What makes a verdict: votes counted, or weighed by how often each reviewer seems to err (Dawid and Skene). The "
    "latter where ``raters_known``; ``agreement`` says nothing then.",
    {"type": "string", "enum": [rule.value for rule in Rule], "default": Rule.VOTES.value},
)
_BY_VOTES: Final = [
    _AGREEMENT,
    *(
        _parameter(
            category.value, _POLICY_WORDS[category.value], {"type": "string", "enum": values, "default": values[0]}
        )
        for category, values in ((c, [t.value for t in offered]) for c, offered in TREATMENTS.items())
    ),
    _parameter(
        "confirmed_by",
        "A second opinion: only corrections that it confirms are made; examples with others are left out.",
        {"type": "string"},
    ),
    _parameter(
        "opposed",
        "What becomes of corrections that this opinion opposes, or, if none is named, that an independent one opposes "
        "and none confirms.",
        {"type": "string", "enum": [t.value for t in OPPOSED]},
    ),
    _parameter(
        "confidence",
        "Only corrections that a majority of unlimited raters would make with at least this probability, by the votes "
        "alone: 0 to 1, in hundredths. Examples with others are left out.",
        {"type": "number", "minimum": 0, "maximum": 1},
    ),
]
POLICY: Final = [*_BY_VOTES, _RULE]
_REMOVED: Final = _parameter(
    "removed",
    "Whether removed examples are listed too, with action ``removed``.",
    {"type": "string", "enum": list(REMOVED), "default": REMOVED[0]},
)
_OPINIONS: Final = _parameter(
    "opinions",
    "Whether rows say what each second opinion holds: ``given``, ``guessed`` (the corrected label, if there is one), "
    "``both``, ``other`` or ``silent`` in a column ``opinion_SOURCE``, empty if nobody reviewed the example. JSON has "
    "them in an object ``opinions``.",
    {"type": "string", "enum": list(REMOVED), "default": REMOVED[0]},
)
_CONFIDENCES: Final = _parameter(
    "confidences",
    "Whether rows say how sure corrections are, in columns ``confidence`` and ``probability_right``, empty for all "
    "other examples.",
    {"type": "string", "enum": list(REMOVED), "default": REMOVED[0]},
)
LISTED_POLICY: Final = [*POLICY, _REMOVED, _OPINIONS, _CONFIDENCES]


def corrected_form(form: Format) -> dict[str, Any]:
    """The documentation of a corrected test set in one format."""
    media_type = form.bare_type
    binary = {"type": "string", "format": "binary"} if form.binary else {"type": "string"}
    ok = {"description": "The corrected test set.", "content": {media_type: {"schema": binary}}}
    responses: dict[str, Any] = {"200": ok, "304": {"description": "It is what you have: If-None-Match names it."}}
    if form.binary:
        responses |= {
            "206": {"description": "The bytes that Range asks for.", "content": {media_type: {"schema": binary}}},
            "416": PROBLEM_RESPONSE | {"description": "Range asks for bytes behind the end."},
        }
    return {"parameters": LISTED_POLICY if form.lists_rows else POLICY, "responses": responses}


ROWS: Final = {
    "parameters": [
        *LISTED_POLICY,
        _parameter("limit", "Rows on a page.", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
        _FIELDS,
    ]
}
LABEL: Final = {"parameters": [*POLICY, _FIELDS]}
LABELS: Final = {
    "parameters": [*POLICY, _FIELDS],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "maxItems": 10_000,
                    "items": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]},
                },
                "example": [0, 2405],
            }
        },
    },
    "responses": {
        "413": PROBLEM_RESPONSE | {"description": "More than 10,000 examples, or 4 MB."},
        "422": PROBLEM_RESPONSE | {"description": "The request is no JSON list."},
    },
}
NEGOTIATED: Final = {
    "parameters": LISTED_POLICY,
    "responses": {
        "200": {
            "description": "The corrected test set.",
            "content": {"application/json": {}} | {one.bare_type: {} for one in FORMATS.values()},
        },
        "304": {"description": "It is what you have: If-None-Match names it."},
        "406": PROBLEM_RESPONSE | {"description": "Accept asks for a form in which this cannot be had."},
    },
}
CROISSANT: Final = {
    "parameters": LISTED_POLICY,
    "responses": {
        "200": {
            "description": "JSON-LD that conforms to Croissant 1.1.",
            "content": {"application/ld+json": {"schema": {"type": "object"}}},
        }
    },
}
VERSIONS: Final = {"parameters": [*_BY_VOTES, _FIELDS]}
CHANGES: Final = {
    "parameters": [
        *_BY_VOTES,
        _parameter("version", "What came with this version; with the current one if absent.", {"type": "string"}),
        _parameter("from", "What changed from this version to the current one.", {"type": "string"}),
        _parameter("change", "Only such changes.", {"type": "string", "enum": [change.value for change in Change]}),
        _parameter("limit", "Examples on a page.", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
        _FIELDS,
    ]
}
DISPUTES: Final = {
    "parameters": [
        _parameter("limit", "Disputes on a page.", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100}),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
        _FIELDS,
    ]
}
CHECKSUMS: Final = {
    "parameters": LISTED_POLICY,
    "responses": {
        "200": {
            "description": "A line a file: its SHA-256, two spaces, its name.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
}

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": description, "content": {"application/problem+json": {}}}
    for status, description in {
        400: "A parameter cannot be understood; the problem says which, and what is allowed.",
        404: "Nothing stands at this address.",
        409: "The files this catalogue was built from do not have it.",
    }.items()
}
GONE: Final[dict[int | str, dict[str, Any]]] = {
    410: {"model": GoneProblem, "description": "The version was current once, and is not kept."}
}


def split(pairs: Iterable[tuple[str, str]], own: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The parameters named in ``own``, and the others. Raises FilterError if one of ``own`` is given twice."""
    taken: dict[str, str] = {}
    rest = []
    for name, value in pairs:
        if name not in own:
            rest.append((name, value))
        elif name in taken:
            raise FilterError(name, value, [], f"{name} is given twice; expected once.")
        else:
            taken[name] = value
    return taken, rest


def whole_number(name: str, value: str | None, default: int, most: int) -> int:
    """Parse a parameter from 1 to ``most``. Raises FilterError for anything else."""
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and 1 <= int(value) <= most):
        raise FilterError(name, value, [f"a whole number from 1 to {most}"])
    return int(value)


def fields(value: str | None, model: type[BaseModel]) -> tuple[str, ...] | None:
    """The fields in a comma-separated list, None for all. Raises FilterError for one that the model lacks."""
    if not value:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    for name in names:
        if name not in model.model_fields:
            raise FilterError("fields", name, list(model.model_fields))
    return names


def only_fields(pairs: Iterable[tuple[str, str]], model: type[BaseModel]) -> tuple[str, ...] | None:
    """Like ``fields``, for routes without other parameters. Raises FilterError for any other parameter."""
    own, rest = split(pairs, ("fields",))
    if rest:
        name, value = rest[0]
        raise FilterError(name, value, ["fields"], f"{name[:40]!r} is no parameter; expected fields.")
    return fields(own.get("fields"), model)


def chosen(items: Sequence[dict[str, Any]], names: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """The items with only the requested fields, as far as they have them."""
    return list(items) if names is None else [{name: item[name] for name in names if name in item} for item in items]
