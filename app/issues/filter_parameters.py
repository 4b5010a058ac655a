"""The values that a filter's parameters can have: how a query string spells them, and in which words they read.

What cannot be is refused with what is allowed. The filter itself is in ``app.issues.filter``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from app.catalogue.records import ClassInfo, Dataset
from app.domain.review.verdicts import Category
from app.errors import FilterError, near_names

#: Parameter value -> how the order reads. A minus in front reverses it.
SORTS: Final = {
    "suspicion": "most suspicious first",
    "margin": "lowest normalized margin first",
    "index": "in the order of the test set",
    "disagreement": "reviewers most divided first",
}
REVERSED: Final = {
    "-suspicion": "least suspicious first",
    "-margin": "highest normalized margin first",
    "-index": "in reverse order of the test set",
    "-disagreement": "reviewers most united first",
}
#: Of a dataset without predicted probabilities.
_BY_VOTES: Final = {
    "suspicion": "fewest votes for the given label first",
    "-suspicion": "most votes for the given label first",
    "margin": SORTS["index"],
    "-margin": REVERSED["-index"],
}
#: Of a dataset whose examples have several labels, and so no margin.
_BY_CONFIDENCE: Final = {"margin": "lowest self-confidence first", "-margin": "highest self-confidence first"}
#: Stands for the four categories of confirmed errors.
ANY_ERROR: Final = "error"
CATEGORY_WORDS: Final = {
    Category.CORRECTABLE.value: "correctable",
    Category.MULTI_LABEL.value: "multi-label",
    Category.NEITHER.value: "neither",
    Category.NON_AGREEMENT.value: "non-agreement",
    Category.NON_ERROR.value: "non-error",
    Category.UNREVIEWED.value: "unreviewed",
    ANY_ERROR: "error",
}
_FLAGGED: Final = {"yes": True, "no": False}
_LONGEST_SEARCH: Final = 200
#: What stands before a class where its name is the number of another.
_BY_NAME: Final = "name:"
_BY_NUMBER: Final = "id:"


def order_words(dataset: Dataset, sort: str) -> str:
    """How an order reads. Suspicion is the margin where there is one, and the votes where there is none."""
    words = SORTS | REVERSED
    if not dataset.ranked:
        words |= _BY_VOTES
    elif dataset.confident_learning is None:
        words |= _BY_CONFIDENCE
    return words[sort]


def vote_words(dataset: Dataset, pattern: str) -> str:
    """A vote pattern in words: ``"1-3-0-1"`` -> ``"1 given, 3 guessed, 1 neither"``."""
    pairs = zip(pattern.split("-"), dataset.vote_options, strict=True)
    return ", ".join(f"{n} {option}" for n, option in pairs if n != "0") or "none"


def model_words(dataset: Dataset, least: int | None) -> str:
    """How many models there must be, in words: "at least 7 of 13 models", and "" for any number of them."""
    if least is None:
        return ""
    if least == dataset.n_models:
        return f"all {least} models" if least > 1 else "the only model"
    return f"at least {'one' if least == 1 else least} of {dataset.n_models} models"


def class_value(dataset: Dataset, class_id: int) -> str:
    """How a query string spells a class: by name where that says which one is meant, else by number.

    What is also the number or the name of another class has ``name:`` or ``id:`` before it.
    """
    name, number = dataset.classes[class_id].name, str(class_id)
    if dataset.class_ids.get(name) == class_id:
        return name if _number_of(dataset, name) in (None, class_id) else f"{_BY_NAME}{name}"
    return number if number not in dataset.class_ids else f"{_BY_NUMBER}{number}"


def find_class(dataset: Dataset, parameter: str, value: str) -> ClassInfo:
    """The class of a name or number. Raises FilterError for none, and for what could be two."""
    named, numbered = dataset.class_ids.get(value), _number_of(dataset, value)
    if named is not None and numbered not in (None, named):
        ways = [f"{_BY_NAME}{value}", f"{_BY_NUMBER}{value}"]
        explanation = (
            f"{value!r} is the name of class {named} of {dataset.title} and the number of another; expected "
            f"{ways[0]} or {ways[1]}."
        )
        raise FilterError(parameter, value, ways, explanation)
    found = numbered if named is None else named
    if found is None and value.startswith(_BY_NAME):
        found = dataset.class_ids.get(value.removeprefix(_BY_NAME))
    if found is None and value.startswith(_BY_NUMBER):
        found = _number_of(dataset, value.removeprefix(_BY_NUMBER))
    if found is None:
        found = dataset.folded_class_ids.get(value.casefold().strip())
    if found is not None:
        return dataset.classes[found]
    near = near_names(value, [c.name for c in dataset.classes])
    hint = f" Did you mean {either(near)}?" if near else ""
    last = len(dataset.classes) - 1
    explanation = (
        f"{dataset.title} has no class {value[:80]!r}; expected a class name or a number from 0 to {last}.{hint}"
    )
    raise FilterError(parameter, value, near or [c.name for c in dataset.classes], explanation)


def _number_of(dataset: Dataset, value: str) -> int | None:
    """The class whose number this is."""
    number = value.isascii() and value.isdecimal() and len(value) < 10 and int(value) < len(dataset.classes)
    return int(value) if number else None


def either(words: Sequence[str]) -> str:
    """Words as alternatives.

    >>> either(["cat", "dog", "frog"])
    'cat, dog or frog'
    """
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _agreement(dataset: Dataset, name: str, value: str) -> int:
    allowed = [str(a) for a in dataset.agreements]
    if value not in allowed:
        raise FilterError(name, value, allowed)
    return int(value)


def _category(_: Dataset, name: str, value: str) -> str:
    word = value.replace("-", "_")
    if word not in CATEGORY_WORDS:
        raise FilterError(name, value, list(CATEGORY_WORDS))
    return word


def _class(dataset: Dataset, name: str, value: str) -> int:
    return find_class(dataset, name, value).id


def _votes(dataset: Dataset, name: str, value: str) -> str:
    options = len(dataset.vote_options)
    if options == 0:
        raise FilterError(
            name, value, [], f"{dataset.title} has no vote pattern to filter by: votes went to class names."
        )
    if not re.fullmatch(r"\d{1,3}(-\d{1,3})*", value, re.ASCII) or value.count("-") != options - 1:
        example = "-".join(["0"] * options)
        raise FilterError(
            name,
            value,
            [example],
            f"{name} is {value[:40]!r}; expected counts of {', '.join(dataset.vote_options)} like {example}.",
        )
    return "-".join(str(int(n)) for n in value.split("-"))


def _flagged(_: Dataset, name: str, value: str) -> bool:
    if value not in _FLAGGED:
        raise FilterError(name, value, list(_FLAGGED))
    return _FLAGGED[value]


def _models(dataset: Dataset, name: str, value: str) -> int:
    _require_models(dataset, name, value)
    if not (value.isascii() and value.isdecimal() and len(value) < 6 and 1 <= int(value) <= dataset.n_models):
        raise FilterError(name, value, [f"a whole number from 1 to {dataset.n_models}"])
    return int(value)


def _model(dataset: Dataset, name: str, value: str) -> str:
    _require_models(dataset, name, value)
    if value not in dataset.models:
        raise FilterError(name, value, near_names(value, dataset.models) or dataset.models)
    return value


def _require_models(dataset: Dataset, name: str, value: str) -> None:
    if not dataset.models:
        raise FilterError(
            name, value, [], f"No model's predictions for {dataset.title} are in this catalogue to filter by."
        )


def _search(_: Dataset, name: str, value: str) -> str | None:
    text = " ".join(value.replace("\0", " ").split())
    if len(text) > _LONGEST_SEARCH:
        raise FilterError(
            name, value, [], f"{name} has {len(text)} characters; at most {_LONGEST_SEARCH} can be searched for."
        )
    return text or None


def _sort(_: Dataset, name: str, value: str) -> str:
    if value not in SORTS and value not in REVERSED:
        raise FilterError(name, value, [*SORTS, *REVERSED])
    return value


#: Parameter -> who reads its value. Readers raise FilterError, naming the parameter and what is allowed.
READERS: Final[Mapping[str, Callable[[Dataset, str, str], Any]]] = {
    "agreement": _agreement,
    "category": _category,
    "given": _class,
    "guessed": _class,
    "corrected": _class,
    "votes": _votes,
    "flagged": _flagged,
    "models": _models,
    "model": _model,
    "q": _search,
    "sort": _sort,
}
