"""What a visitor asks of a gallery: one value with four faces - query string, English sentence, links, WHERE clause.

A filter is read from a query string once and is then a plain value; HTML, JSON, CSV and counts all come from it. The
WHERE clause is in ``app.selection``, which this module knows nothing of.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from app.domain.verdicts import ERROR_CATEGORIES, Category
from app.errors import FilterError, near_names
from app.records import Chip, ClassInfo, Dataset

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
PARAMETERS: Final = ("agreement", "category", "given", "guessed", "corrected", "votes", "flagged", "q", "sort")


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues of one dataset, at which agreement threshold, in which order.

    ``given``, ``guessed`` and ``corrected`` are class ids: an issue matches when its label has that class. ``category``
    holds values of ``Category`` or ``"error"``; several of them mean any of them.
    """

    agreement: int = 3
    category: tuple[str, ...] = ()
    given: int | None = None
    guessed: int | None = None
    corrected: int | None = None
    votes: str | None = None
    flagged: bool | None = None
    q: str | None = None
    sort: str = "suspicion"

    @classmethod
    def parse(cls, dataset: Dataset, params: Iterable[tuple[str, str]], others: Sequence[str] | None = None) -> Self:
        """The filter a query string asks for.

        Empty values count as absent, as a form sends them; only ``category`` may be given several times. Parameters
        that are none of a filter's are left alone, or, where ``others`` names those that somebody else has read,
        refused. Raises FilterError naming the parameter, its value and what is allowed.
        """
        found: dict[str, Any] = {"agreement": dataset.default_agreement}
        given: set[str] = set()
        for name, value in params:
            if name not in PARAMETERS:
                if others is not None:
                    allowed = (*PARAMETERS, *others)
                    explanation = f"{name[:40]!r} is no parameter; expected {', '.join(allowed)}."
                    raise FilterError(name, value, allowed, explanation)
                continue
            if value == "":
                continue
            parsed = _READERS[name](dataset, name, value)
            if name == "category":
                parsed = tuple(dict.fromkeys((*found.get("category", ()), parsed)))
            elif name in given:
                raise FilterError(name, value, [], f"{name} is given twice; expected once.")
            given.add(name)
            found[name] = parsed
        return cls(**found)

    @property
    def categories(self) -> frozenset[Category] | None:
        """The categories that match, None for all."""
        if not self.category:
            return None
        chosen: set[Category] = set()
        for word in self.category:
            chosen.update(ERROR_CATEGORIES if word == ANY_ERROR else (Category(word),))
        return frozenset(chosen)

    def query(self, dataset: Dataset, **changes: Any) -> str:
        """The query string of this filter with ``changes`` made, defaults left out, always in the same order."""
        return urlencode(_pairs(dataset, replace(self, **changes) if changes else self))

    def chips(self, dataset: Dataset) -> tuple[Chip, ...]:
        """What narrows the gallery, each with the query string that is left without it."""
        chips = [
            Chip(CATEGORY_WORDS[word], self.query(dataset, category=tuple(c for c in self.category if c != word)))
            for word in self.category
        ]
        for name in ("given", "guessed", "corrected"):
            class_id = getattr(self, name)
            if class_id is not None:
                chips.append(Chip(f"{name}: {dataset.classes[class_id].name}", self.query(dataset, **{name: None})))
        if self.votes is not None:
            chips.append(Chip(f"votes: {vote_words(dataset, self.votes)}", self.query(dataset, votes=None)))
        if self.flagged is not None:
            words = "flagged" if self.flagged else "not flagged"
            chips.append(Chip(f"{words} by confident learning", self.query(dataset, flagged=None)))
        if self.q is not None:
            chips.append(Chip(f"“{self.q}”", self.query(dataset, q=None)))
        return tuple(chips)

    def sentence(self, dataset: Dataset, total: int) -> str:
        """The filter in English, with how many issues it leaves.

        "18 correctable issues of CIFAR-10 at 3 of 5 votes, most suspicious first."
        """
        kinds = _or([CATEGORY_WORDS[word] for word in self.category])
        noun = f"{kinds} issue".lstrip()
        if self.category in ((ANY_ERROR,), (Category.NON_ERROR.value,)):
            noun = kinds  # "54 errors", not "54 error issues"
        parts = [f"{total:,}", noun if total == 1 else f"{noun}s", "of", dataset.title]
        labels = [
            f"{name} label {dataset.classes[class_id].name}"
            for name in ("given", "guessed", "corrected")
            if (class_id := getattr(self, name)) is not None
        ]
        clauses = []
        if labels:
            clauses.append("with " + " and ".join(labels))
        if self.votes is not None:
            clauses.append(f"with the votes {vote_words(dataset, self.votes)}")
        if self.flagged is not None:
            clauses.append(f"{'' if self.flagged else 'not '}flagged by confident learning")
        if self.q is not None:
            clauses.append(f"that match “{self.q}”")
        middle = (" " + ", ".join(clauses)) if clauses else ""
        order = order_words(dataset, self.sort)
        return f"{' '.join(parts)}{middle}, at {self.agreement} of {dataset.raters} votes, {order}."


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


def class_value(dataset: Dataset, class_id: int) -> str:
    """How a query string spells a class: by name where that says which one is meant, else by number."""
    name = dataset.classes[class_id].name
    return name if dataset.class_ids.get(name) == class_id else str(class_id)


def find_class(dataset: Dataset, parameter: str, value: str) -> ClassInfo:
    """The class of a name or number. A name goes before a number. Raises FilterError with names that are near."""
    class_id = dataset.class_ids.get(value)
    if class_id is None and value.isascii() and value.isdecimal() and len(value) < 10:
        class_id = int(value)
    if class_id is None:
        class_id = dataset.folded_class_ids.get(value.casefold().strip())
    if class_id is not None and class_id < len(dataset.classes):
        return dataset.classes[class_id]
    near = near_names(value, [c.name for c in dataset.classes])
    hint = f" Did you mean {_or(near)}?" if near else ""
    last = len(dataset.classes) - 1
    explanation = (
        f"{dataset.title} has no class {value[:80]!r}; expected a class name or a number from 0 to {last}.{hint}"
    )
    raise FilterError(parameter, value, near or [c.name for c in dataset.classes], explanation)


def _pairs(dataset: Dataset, f: IssueFilter) -> list[tuple[str, str]]:
    pairs = [("category", word) for word in f.category]
    for name in ("given", "guessed", "corrected"):
        class_id = getattr(f, name)
        if class_id is not None:
            pairs.append((name, class_value(dataset, class_id)))
    if f.votes is not None:
        pairs.append(("votes", f.votes))
    if f.flagged is not None:
        pairs.append(("flagged", "yes" if f.flagged else "no"))
    if f.q is not None:
        pairs.append(("q", f.q))
    if f.agreement != dataset.default_agreement:
        pairs.append(("agreement", str(f.agreement)))
    if f.sort != "suspicion":
        pairs.append(("sort", f.sort))
    return pairs


def _or(words: list[str]) -> str:
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


_READERS = {
    "agreement": _agreement,
    "category": _category,
    "given": _class,
    "guessed": _class,
    "corrected": _class,
    "votes": _votes,
    "flagged": _flagged,
    "q": _search,
    "sort": _sort,
}
