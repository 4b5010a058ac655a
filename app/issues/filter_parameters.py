"""Parse and write the values of filter parameters: orders, searches, agreement thresholds and classes.

An invalid value is refused with a message that names the allowed ones. The other parameters of a filter are defined in
``app.issues.facets``.
"""

from collections.abc import Sequence
from heapq import nlargest
from itertools import islice
from typing import Final

from app.catalogue.records import ClassInfo, Dataset
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import majority_of
from app.errors import FilterError, NotOffered, near_names

#: The default order.
SUSPICION: Final = "suspicion"
#: The order of corrections alone: other issues have no confidence.
CONFIDENCE: Final = "confidence"
#: Parameter value -> the order in words. A leading minus reverses it.
SORTS: Final = {
    SUSPICION: "most suspicious first",
    "margin": "lowest normalized margin first",
    "index": "in the order of the test set",
    "disagreement": "reviewers most divided first",
    CONFIDENCE: "surest corrections first",
}
REVERSED: Final = {
    "-suspicion": "least suspicious first",
    "-margin": "highest normalized margin first",
    "-index": "in reverse order of the test set",
    "-disagreement": "reviewers most united first",
    f"-{CONFIDENCE}": "most doubtful corrections first",
}
#: Orders for a dataset without predicted probabilities.
_BY_VOTES: Final = {
    "suspicion": "fewest votes for the given label first",
    "-suspicion": "most votes for the given label first",
    "margin": SORTS["index"],
    "-margin": REVERSED["-index"],
}
#: Orders for a multi-label dataset, whose examples have no margin.
_BY_CONFIDENCE: Final = {"margin": "lowest self-confidence first", "-margin": "highest self-confidence first"}
#: Why a round of reviews offers fewer agreement thresholds than there are.
_STOPPED: Final = {
    StoppingRule.NEVER: "was opened so",
    StoppingRule.ERROR: "asked for votes only until it was settled whether a label is an error",
    StoppingRule.CATEGORY: "asked for votes only until the category was settled there",
}
_LONGEST_SEARCH: Final = 200
#: Class names that are compared with a mistyped one.
_COMPARED: Final = 200
#: Prefix of a class name that is also the number of another class.
_BY_NAME: Final = "name:"
_BY_NUMBER: Final = "id:"


def order_words(dataset: Dataset, sort: str) -> str:
    """The order in words. Suspicion means the margin if there is one, else the votes."""
    words = SORTS | REVERSED
    if not dataset.ranked:
        words |= _BY_VOTES
    elif dataset.confident_learning is None:
        words |= _BY_CONFIDENCE
    return words[sort]


def class_value(dataset: Dataset, class_id: int) -> str:
    """A class as written in a query string: its name if that is unambiguous, else its number.

    If that is also the number or name of another class, it gets the prefix ``name:`` or ``id:``.
    """
    name, number = dataset.classes[class_id].name, str(class_id)
    if dataset.class_ids.get(name) == class_id:
        return name if _number_of(dataset, name) in (None, class_id) else f"{_BY_NAME}{name}"
    return number if number not in dataset.class_ids else f"{_BY_NUMBER}{number}"


def find_class(dataset: Dataset, parameter: str, value: str) -> ClassInfo:
    """The class with a name or number. Raises FilterError if there is none or if it is ambiguous."""
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
    near = near_classes(value, [c.name for c in dataset.classes])
    hint = f" Did you mean {either(near)}?" if near else ""
    last = len(dataset.classes) - 1
    explanation = (
        f"{dataset.title} has no class {value[:80]!r}; expected a class name or a number from 0 to {last}.{hint}"
    )
    raise FilterError(parameter, value, near or [c.name for c in dataset.classes], explanation)


def near_classes(wanted: str, names: Sequence[str], most: int = 5) -> list[str]:
    """The class names closest to what was typed, best first. Of many, those that contain it come first.

    >>> near_classes("retriever", [f"class {i}" for i in range(1_000)] + ["golden retriever"])
    ['golden retriever']
    """
    if len(names) <= _COMPARED:
        return near_names(wanted, names, most)
    text = wanted.casefold().strip()[:100]
    inside = list(islice((name for name in names if text and text in name.casefold()), most))
    if inside:
        return inside
    # Comparing takes long, so only the names are compared that have most in common with it: pairs of letters.
    pairs = {text[i : i + 2] for i in range(len(text) - 1)}
    alike = nlargest(_COMPARED, names, key=lambda name: sum(map(name.casefold().__contains__, pairs)))
    return near_names(wanted, alike, most)


def _number_of(dataset: Dataset, value: str) -> int | None:
    """The class with this number."""
    number = value.isascii() and value.isdecimal() and len(value) < 10 and int(value) < len(dataset.classes)
    return int(value) if number else None


def either(words: Sequence[str]) -> str:
    """Words as alternatives.

    >>> either(["cat", "dog", "frog"])
    'cat, dog or frog'
    """
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def read_agreement(dataset: Dataset, name: str, value: str) -> int:
    """Parse an agreement threshold that the dataset offers. Raises NotOffered or FilterError for any other."""
    if value not in map(str, dataset.agreements):
        raise no_agreement(dataset, name, value)
    return int(value)


def no_agreement(dataset: Dataset, name: str, value: str) -> FilterError:
    """The refusal of an agreement threshold: NotOffered if a round of reviews is why there are no verdicts at it."""
    allowed = [str(a) for a in dataset.agreements]
    possible = map(str, range(majority_of(dataset.raters), dataset.raters + 1))
    rounds = dataset.about.get("rounds") or ()
    limiting = [one for one in rounds if value not in map(str, one["agreements"])]
    if value not in possible or not limiting:
        return FilterError(name, value, allowed)
    why = (
        f"{name} is {value}; {dataset.title} offers only {either(allowed)}: {limiting[-1]['name']}, a round of votes, "
        f"{_STOPPED[limiting[-1]['stop']]}."
    )
    return NotOffered(name, value, allowed, why)


def read_search(_: Dataset, name: str, value: str) -> str | None:
    """Parse the words of a search; None if there are none. Raises FilterError if the text is too long."""
    text = " ".join(value.replace("\0", " ").split())
    if len(text) > _LONGEST_SEARCH:
        raise FilterError(
            name, value, [], f"{name} has {len(text)} characters; at most {_LONGEST_SEARCH} can be searched for."
        )
    return text or None


def read_sort(dataset: Dataset, name: str, value: str) -> str:
    """Parse an order. Raises FilterError for an unknown one, and for one that the dataset does not offer."""
    if value not in SORTS and value not in REVERSED:
        raise FilterError(name, value, [*SORTS, *REVERSED])
    why_not = dataset.confidence.why_not(dataset.title)
    if why_not is not None and value.removeprefix("-") == CONFIDENCE:
        raise FilterError(name, value, [], f"{why_not}.")
    return value
