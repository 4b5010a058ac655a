"""What a visitor asks of a gallery: one value with four faces - query string, English sentence, links, WHERE clause.

A filter is read from a query string once and is then a plain value; HTML, JSON, CSV and counts all come from it. The
WHERE clause is in ``app.issues.where``, which this module knows nothing of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from app.catalogue.records import Chip, Dataset
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.errors import FilterError
from app.issues.filter_parameters import (
    ANY_ERROR,
    CATEGORY_WORDS,
    READERS,
    class_value,
    either,
    model_words,
    order_words,
    vote_words,
)


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """Which issues of one dataset, at which agreement threshold, in which order.

    ``given``, ``guessed`` and ``corrected`` are class ids: an issue matches when its label has that class. ``category``
    holds values of ``Category`` or ``"error"``; several of them mean any of them. ``models`` and ``model`` ask for
    issues whose given label reviewers corrected, but at least so many models, or the one named, predict.
    """

    agreement: int = 3
    category: tuple[str, ...] = ()
    given: int | None = None
    guessed: int | None = None
    corrected: int | None = None
    votes: str | None = None
    flagged: bool | None = None
    models: int | None = None
    model: str | None = None
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
            if name not in READERS:
                if others is not None:
                    allowed = (*READERS, *others)
                    explanation = f"{name[:40]!r} is no parameter; expected {', '.join(allowed)}."
                    raise FilterError(name, value, allowed, explanation)
                continue
            if value == "":
                continue
            parsed = READERS[name](dataset, name, value)
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

    @property
    def of_models(self) -> bool:
        """Whether it asks what models predict."""
        return self.models is not None or self.model is not None

    def query(self, dataset: Dataset, **changes: Any) -> str:
        """The query string of this filter with ``changes`` made, defaults left out, always in the same order."""
        return urlencode(_pairs(dataset, replace(self, **changes) if changes else self), safe="/")

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
        for name, who in (("models", model_words(dataset, self.models)), ("model", self.model)):
            if getattr(self, name) is not None:
                label = f"corrected, but {who} predict{'s' if name == 'model' else ''} the given label"
                chips.append(Chip(label, self.query(dataset, **{name: None})))
        if self.q is not None:
            chips.append(Chip(f"“{self.q}”", self.query(dataset, q=None)))
        return tuple(chips)

    def sentence(self, dataset: Dataset, total: int) -> str:
        """The filter in English, with how many issues it leaves.

        "18 correctable issues of CIFAR-10 at 3 of 5 votes, most suspicious first."
        """
        kinds = either([CATEGORY_WORDS[word] for word in self.category])
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
        if self.of_models:
            who = " and ".join(filter(None, (self.model, model_words(dataset, self.models))))
            verb = "predicts" if self.models is None or dataset.n_models == 1 else "predict"
            clauses.append(f"whose given label {who} {verb} although reviewers corrected it")
        if self.q is not None:
            clauses.append(f"that match “{self.q}”")
        middle = (" " + ", ".join(clauses)) if clauses else ""
        order = order_words(dataset, self.sort)
        if dataset.n_checked:
            middle += f", at {self.agreement} of {dataset.raters} votes"
        return f"{' '.join(parts)}{middle}, {order}."


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
    for name in ("models", "model"):
        if getattr(f, name) is not None:
            pairs.append((name, str(getattr(f, name))))
    if f.q is not None:
        pairs.append(("q", f.q))
    if f.agreement != dataset.default_agreement:
        pairs.append(("agreement", str(f.agreement)))
    if f.sort != "suspicion":
        pairs.append(("sort", f.sort))
    return pairs
