"""What the models of a dataset predict for its issues, read from the first choices stored by ingest."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, func, select

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset, Issue
from app.domain.opinions.stances import Stance
from app.domain.review.verdicts import Category
from app.schema import tables

#: What a model says of an example where it gave no answer, or none that names a class: never right.
NO_ANSWER: Final = ClassInfo(-1, "no answer", None, None)


def predicted_class(dataset: Dataset, class_id: int) -> ClassInfo:
    """The class of a model's first choice, ``NO_ANSWER`` for -1."""
    return NO_ANSWER if class_id == NO_ANSWER.id else dataset.classes[class_id]


class Corrected(NamedTuple):
    """Which examples count as corrected: at a threshold, and where a second opinion is named those that it confirms."""

    agreement: int
    confirmed_by: str | None = None

    def where(self, dataset: Dataset) -> list[ColumnElement[bool]]:
        """The conditions on verdicts."""
        v = tables.verdicts.c
        found = [
            v.dataset_id == dataset.id,
            v.agreement == self.agreement,
            v.category == Category.CORRECTABLE.value,
        ]
        if self.confirmed_by is None:
            return found
        said = {signs: dataset.opinions.stance(signs, self.confirmed_by) for signs in dataset.opinions.patterns}
        return [*found, v.opinions.in_([signs for signs, stance in said.items() if stance is Stance.GUESSED])]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An example of C for which two models make different first choices, by class id."""

    idx: int
    given: int
    corrected: int
    first: int
    second: int
    media: Mapping[str, list[int]] | None


def disagreements(
    catalogue: Catalogue, dataset: Dataset, corrected: Corrected, pair: tuple[int, int]
) -> list[Disagreement]:
    """The correctable examples on which two models, given by index, differ, in the order of suspicion."""
    i, v, p = tables.issues, tables.verdicts, tables.predictions
    rows = catalogue.connection.execute(
        select(i.c.idx, i.c.given, v.c.corrected, i.c.media, p.c.top)
        .select_from(v.join(i, i.c.id == v.c.issue_id).join(p, p.c.issue_id == v.c.issue_id))
        .where(*corrected.where(dataset))
        .order_by(v.c.issue_id)
    )
    first, second = pair
    found = []
    for row in rows:
        top = np.frombuffer(row.top, "<i4")
        one, other = int(top[first]), int(top[second])
        if one != other:
            media = json.loads(row.media) if row.media else None
            found.append(Disagreement(row.idx, row.given, row.corrected, one, other, media))
    return found


@dataclass(frozen=True, slots=True)
class Repeated:
    """An example of C and the models that still predict the label that reviewers overruled, by their places."""

    idx: int
    given: int
    corrected: int
    models: tuple[int, ...]
    media: Mapping[str, list[int]] | None


def repeated_labels(catalogue: Catalogue, dataset: Dataset, corrected: Corrected) -> list[Repeated]:
    """The correctable examples whose wrong label any model predicts, most models first."""
    i, v, p = tables.issues, tables.verdicts, tables.predictions
    rows = catalogue.connection.execute(
        select(i.c.idx, i.c.given, v.c.corrected, p.c.top, i.c.media)
        .select_from(v.join(i, i.c.id == v.c.issue_id).join(p, p.c.issue_id == v.c.issue_id))
        .where(*_repeats(dataset, corrected, 1))
        .order_by(p.c.n_given.desc(), v.c.issue_id)
    )
    return [
        Repeated(
            row.idx,
            row.given,
            row.corrected,
            tuple(np.flatnonzero(np.frombuffer(row.top, "<i4") == row.given).tolist()),
            json.loads(row.media) if row.media else None,
        )
        for row in rows
    ]


def count_repeated(catalogue: Catalogue, dataset: Dataset, corrected: Corrected, least: int) -> int:
    """The number of correctable examples whose wrong label so many models predict; with 0 all that are shown."""
    v, p = tables.verdicts, tables.predictions
    statement = select(func.count()).select_from(v.join(p, p.c.issue_id == v.c.issue_id))
    return catalogue.connection.scalar(statement.where(*_repeats(dataset, corrected, least))) or 0


def _repeats(dataset: Dataset, corrected: Corrected, least: int) -> list[ColumnElement[bool]]:
    return [*corrected.where(dataset), tables.predictions.c.n_given >= least]


def choices_for(catalogue: Catalogue, dataset: Dataset, issue_id: int) -> list[tuple[str, int]]:
    """(key, class id) of each model's first choice for an issue, in the order of models; [] without any."""
    if not dataset.models:
        return []
    p = tables.predictions.c
    packed = catalogue.connection.scalar(select(p.top).where(p.issue_id == issue_id))
    return [] if packed is None else list(zip(dataset.models, np.frombuffer(packed, "<i4").tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class PredictedLabelCount:
    """How many models predict each label of an issue."""

    of: int
    given: int
    corrected: int | None  # None if reviewers did not correct it


def count(issue: Issue, choices: Sequence[tuple[str, int]]) -> PredictedLabelCount | None:
    """Counts of the models' first choices for an issue; None without any."""
    if not choices:
        return None
    chosen = Counter(class_id for _, class_id in choices)
    corrected = None if issue.corrected is None else chosen[issue.corrected.id]
    return PredictedLabelCount(len(choices), chosen[issue.given.id], corrected)


def choices_by_class(
    dataset: Dataset, issue: Issue, choices: Iterable[tuple[str, int]]
) -> list[tuple[ClassInfo, list[str], list[str]]]:
    """(class, its roles as a label of the issue, keys of the models that predict it), most models first.

    Models that gave no answer come last, with a class of no number that belongs to no dataset.
    """
    found: dict[int, list[str]] = {}
    for key, class_id in choices:
        found.setdefault(class_id, []).append(key)
    labels = {"given": issue.given, "guessed": issue.guessed, "corrected": issue.corrected}
    silent = found.pop(NO_ANSWER.id, None)
    return [
        (
            ClassInfo(class_id, issue.question.option(class_id), None, None)
            if issue.question is not None
            else dataset.classes[class_id],
            [role for role, label in labels.items() if label and any(c.id == class_id for c in label.classes)],
            keys,
        )
        for class_id, keys in sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    ] + ([] if silent is None else [(NO_ANSWER, [], silent)])
