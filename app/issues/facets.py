"""Counts beside choices: how many issues a gallery shows after one more click.

Every count is a sum over cells, groups of issues that agree in everything one can filter by. The cells of a dataset
were counted at ingest; those of a search are counted once, when it is made.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Choice, Dataset, Facet
from app.domain.review.verdicts import Category
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import ANY_ERROR, CATEGORY_WORDS, class_value, model_words, vote_words
from app.issues.where import cells_of_models, cells_of_search
from app.schema import tables

MOST_CHOICES: Final = 12
_CATEGORIES: Final = tuple(Category)
_NONE: Final = -1

Mask = NDArray[np.bool_]
Counts = dict[Any, int]


@dataclass(frozen=True, slots=True)
class Cells:
    """Groups of issues as columns of equal length; ``n`` says how many issues a group has. -1 stands for none.

    ``repeats`` is (cells, models): which models predict the given label. It has no column where no model is asked for.
    """

    category: NDArray[np.int64]  # place in Category
    given: NDArray[np.int64]
    guessed: NDArray[np.int64]
    corrected: NDArray[np.int64]
    votes: NDArray[np.int64]  # place in ``patterns``
    flagged: NDArray[np.bool_]
    n: NDArray[np.int64]
    patterns: tuple[str, ...]
    repeats: Mask

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], n_models: int = 0) -> Self:
        """Cells of rows (category, given, guessed, corrected, vote pattern, flagged, n, models' first choices)."""
        places = {c.value: place for place, c in enumerate(_CATEGORIES)}
        patterns: dict[str | None, int] = {None: _NONE}
        found = list(rows)
        table = [
            (
                places[word],
                given_id,
                _NONE if guessed_id is None else guessed_id,
                _NONE if corrected_id is None else corrected_id,
                patterns.setdefault(pattern, len(patterns) - 1),
                int(flag),
                number,
            )
            for word, given_id, guessed_id, corrected_id, pattern, flag, number, *_ in found
        ]
        category, given, guessed, corrected, votes, flagged, n = np.array(table, dtype=np.int64).reshape(-1, 7).T
        known = tuple(pattern for pattern in patterns if pattern is not None)
        choices = np.frombuffer(b"".join(first for row in found for first in row[7:]), "<i4")
        repeats = choices.reshape(len(found), n_models) == given[:, None]
        return cls(category, given, guessed, corrected, votes, flagged.astype(bool), n, known, repeats)

    def matching(self, dataset: Dataset, f: IssueFilter, leave_out: str = "") -> Mask:
        """(cells,) which cells a filter selects, its dimension ``leave_out`` not being asked."""
        mask = np.ones(len(self.n), dtype=bool)
        categories = f.categories
        if categories is not None and leave_out != "category":
            mask &= np.isin(self.category, [place for place, c in enumerate(_CATEGORIES) if c in categories])
        for name in ("given", "guessed", "corrected"):
            class_id = getattr(f, name)
            if class_id is not None and leave_out != name:
                mask &= np.isin(getattr(self, name), dataset.labels_with[class_id])
        if f.votes is not None and leave_out != "votes":
            mask &= self.votes == (self.patterns.index(f.votes) if f.votes in self.patterns else len(self.patterns))
        if f.flagged is not None and leave_out != "flagged":
            mask &= self.flagged == f.flagged
        if f.models is not None and leave_out != "models":
            mask &= self.repeats.sum(axis=1) >= f.models
        if f.model is not None and leave_out != "model":
            mask &= self.repeats[:, dataset.models.index(f.model)]
        return mask

    def count(self, dataset: Dataset, f: IssueFilter) -> int:
        """How many issues a filter selects."""
        return int(self.n[self.matching(dataset, f)].sum())

    def by_category(self, mask: Mask) -> Counts:
        counts = np.bincount(self.category[mask], weights=self.n[mask], minlength=len(_CATEGORIES))
        found = {c.value: int(counts[place]) for place, c in enumerate(_CATEGORIES)}
        return {ANY_ERROR: sum(found[c.value] for c in _CATEGORIES if c.is_error), **found}

    def by_class(self, mask: Mask, name: str, dataset: Dataset) -> Counts:
        """Class id -> issues whose label ``name`` has this class."""
        ids, n = getattr(self, name)[mask], self.n[mask]
        known = ids != _NONE
        by_label = np.bincount(ids[known], weights=n[known])
        counts: Counts = {}
        for label_id in np.flatnonzero(by_label):
            for member in dataset.labels[int(label_id)].classes:
                counts[member.id] = counts.get(member.id, 0) + int(by_label[label_id])
        return counts

    def by_votes(self, mask: Mask) -> Counts:
        mask = mask & (self.votes != _NONE)
        counts = np.bincount(self.votes[mask], weights=self.n[mask], minlength=len(self.patterns))
        return {pattern: int(counts[place]) for place, pattern in enumerate(self.patterns)}

    def by_flagged(self, mask: Mask) -> Counts:
        return {flag: int(self.n[mask & (self.flagged == flag)].sum()) for flag in (True, False)}

    def by_models(self, mask: Mask, asked: Iterable[int]) -> Counts:
        """Number of models -> corrected issues whose given label at least so many of them predict."""
        per_issue = self.repeats[mask].sum(axis=1)
        return {least: int((per_issue >= least).sum()) for least in asked}

    def by_model(self, mask: Mask, dataset: Dataset) -> Counts:
        return dict(zip(dataset.models, self.repeats[mask].sum(axis=0).tolist(), strict=True))


def cells(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> Cells:
    """The cells a filter's counts are sums of."""
    if f.of_models:
        return _cells_of_models(catalogue, dataset, f)

    def read() -> Cells:
        if f.q is not None:
            require_reader()
            statement = cells_of_search(catalogue.connection, dataset, f.agreement, f.q)
        else:
            t = tables.facets.c
            columns = (t.category, t.given, t.guessed, t.corrected, t.vote_pattern, t.flagged, t.n)
            statement = select(*columns).where(t.dataset_id == dataset.id, t.agreement == f.agreement)
        return Cells.of(catalogue.connection.execute(statement))

    return catalogue.cells.get((dataset.id, f.agreement, f.q), read)


def _cells_of_models(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> Cells:
    """The issues that reviewers corrected, one a cell, with which models predict the given label."""

    def read() -> Cells:
        if f.q is not None:
            require_reader()
        statement = cells_of_models(catalogue.connection, dataset, f.agreement, f.q)
        return Cells.of(catalogue.connection.execute(statement), dataset.n_models)

    return catalogue.cells.get((dataset.id, f.agreement, f.q, "models"), read)


def total(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> int:
    """How many issues a filter selects."""
    unsorted = replace(f, sort="suspicion")
    key = ("total", dataset.id, unsorted)
    return catalogue.facets.get(key, lambda: cells(catalogue, dataset, f).count(dataset, f))


def facets(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> tuple[Facet, ...]:
    """The choices beside a gallery, with the counts that hold under the rest of the filter.

    A choice that replaces another of its dimension is counted as if that one were not taken. Dimensions in which the
    whole dataset has nothing to choose are left out.
    """

    def make() -> tuple[Facet, ...]:
        made = _facets(cells(catalogue, dataset, f), dataset, f)
        if dataset.models:
            made += _model_facets(_cells_of_models(catalogue, dataset, f), dataset, f)
        return tuple(facet for facet in made if facet.choices)

    return catalogue.facets.get(("facets", dataset.id, f), make)


def class_counts(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, name: str) -> Counts:
    """Class id -> issues of a filter whose label ``name`` ("given", "guessed", "corrected") has this class."""
    found = cells(catalogue, dataset, f)
    return found.by_class(found.matching(dataset, f, leave_out=name), name, dataset)


def _facets(found: Cells, dataset: Dataset, f: IssueFilter) -> list[Facet]:
    made = [_category_facet(found, dataset, f)]
    for name in ("given", "guessed", "corrected"):
        counts = found.by_class(found.matching(dataset, f, leave_out=name), name, dataset)

        def label(class_id: int) -> str:
            return dataset.classes[class_id].name

        def value(class_id: int) -> str:
            return class_value(dataset, class_id)

        made.append(_facet(dataset, f, name, f"{name.capitalize()} label", counts, label, value))
    if dataset.vote_options:
        counts = found.by_votes(found.matching(dataset, f, leave_out="votes"))
        made.append(_facet(dataset, f, "votes", "Votes", counts, lambda p: vote_words(dataset, p), str))
    counts = found.by_flagged(found.matching(dataset, f, leave_out="flagged"))
    words = {True: "yes", False: "no"}
    made.append(
        _facet(dataset, f, "flagged", "Flagged by confident learning", counts, words.__getitem__, words.__getitem__)
    )
    return made


def _model_facets(found: Cells, dataset: Dataset, f: IssueFilter) -> list[Facet]:
    """How many models, and which, predict the given label of issues that reviewers corrected."""
    n = dataset.n_models
    asked = sorted({1, -(-n // 4), n // 2 + 1, -(-3 * n // 4), n, f.models or 1})
    counts = found.by_models(found.matching(dataset, f, leave_out="models"), asked)
    choices = [
        Choice(
            str(least),
            model_words(dataset, least),
            counts[least],
            least == f.models,
            f.query(dataset, models=None if least == f.models else least),
        )
        for least in asked
        if counts[least] or least == f.models
    ]
    by_model = found.by_model(found.matching(dataset, f, leave_out="model"), dataset)
    return [
        Facet("models", "Corrected, but models predict the given label", tuple(choices)),
        _facet(dataset, f, "model", "Corrected, but this model predicts it", by_model, str, str),
    ]


def _category_facet(found: Cells, dataset: Dataset, f: IssueFilter) -> Facet:
    counts = found.by_category(found.matching(dataset, f, leave_out="category"))
    choices = []
    for word in (ANY_ERROR, *(c.value for c in _CATEGORIES)):
        active = word in f.category
        if counts[word] or active:
            query = f.query(dataset, category=() if active else (word,))
            choices.append(Choice(word, CATEGORY_WORDS[word], counts[word], active, query))
    return Facet("category", "Category", tuple(choices))


def _facet(
    dataset: Dataset,
    f: IssueFilter,
    name: str,
    title: str,
    counts: Counts,
    label: Callable[[Any], str],
    value: Callable[[Any], str],
) -> Facet:
    chosen = getattr(f, name)
    ranked = sorted((key for key in counts if counts[key] or key == chosen), key=lambda key: (-counts[key], str(key)))
    if chosen is not None:
        ranked = [chosen, *(key for key in ranked if key != chosen)]
    choices = [
        Choice(
            value(key),
            label(key),
            counts.get(key, 0),
            key == chosen,
            f.query(dataset, **{name: None if key == chosen else key}),
        )
        for key in ranked[:MOST_CHOICES]
    ]
    return Facet(name, title, tuple(choices), more=max(0, len(ranked) - MOST_CHOICES))
