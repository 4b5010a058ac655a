"""The parameters of the API as its documentation states them. They are read by ``app.filters``."""

from collections.abc import Iterable
from typing import Any, Final

from app.errors import FilterError
from app.filters import CATEGORY_WORDS, REVERSED, SORTS
from app.models import Problem

_NAMES: Final = {
    "agreement": ("How many reviewers must agree on a correction; one of the dataset's ``agreements``.", "integer", 3),
    "given": ("A class of the given label, by name or number.", "string", None),
    "guessed": ("A class of the guessed label, by name or number.", "string", None),
    "corrected": ("A class of the corrected label, by name or number.", "string", None),
    "votes": ("A vote pattern: counts in the order of the dataset's options, joined by minus signs.", "string", None),
    "q": ("Words to look for in texts, keys and class names; the last one may be a beginning.", "string", None),
}


def _parameter(name: str, description: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
    return parameter | ({"example": example} if example is not None else {})


def _plain(name: str) -> dict[str, Any]:
    description, kind, example = _NAMES[name]
    return _parameter(name, description, {"type": kind}, example)


_AGREEMENT: Final = _plain("agreement")
_CATEGORY: Final = _parameter(
    "category",
    "Categories to show; may be given several times.",
    {"type": "array", "items": {"type": "string", "enum": list(CATEGORY_WORDS)}},
)
_FLAGGED: Final = _parameter(
    "flagged", "Whether confident learning flagged it.", {"type": "string", "enum": ["yes", "no"]}
)
_SORT: Final = _parameter("sort", "Order; a minus reverses it.", {"type": "string", "enum": [*SORTS, *REVERSED]})
_FILTER: Final = [
    _AGREEMENT,
    _CATEGORY,
    *(_plain(name) for name in ("given", "guessed", "corrected", "votes")),
    _FLAGGED,
    _plain("q"),
    _SORT,
]

ISSUES: Final = {
    "parameters": [
        *_FILTER,
        _parameter("limit", "Issues on a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 48}),
        _parameter("after", "Cursor of the page; taken from ``next``.", {"type": "string"}),
    ]
}
CLASSES: Final = {"parameters": _FILTER}
ISSUE: Final = {"parameters": [_AGREEMENT]}
CORRECTED: Final = {
    "parameters": [
        _AGREEMENT,
        _parameter(
            "removed",
            "Whether removed examples are listed too, with action ``removed``.",
            {"type": "string", "enum": ["omit", "include"], "default": "omit"},
        ),
    ],
    "responses": {"200": {"description": "The corrected test set.", "content": {"text/csv": {}}}},
}

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": description, "content": {"application/problem+json": {}}}
    for status, description in {
        400: "A parameter cannot be understood; the problem says which, and what is allowed.",
        404: "Nothing stands at this address.",
        409: "The files this catalogue was built from do not have it.",
    }.items()
}


def split(pairs: Iterable[tuple[str, str]], own: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The parameters named in ``own``, and the others. Raises FilterError for one of them given twice."""
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
