"""Turn a loaded dataset into what the catalogue stores: ordered issues, counts and facts.

Every formula is applied here but none is defined here. The result does not depend on SQL; ``ingest.catalogue.rows``
converts it to rows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.review.estimates import Basis, basis, estimated_errors
from app.domain.review.verdicts import Category
from app.schema.tables import SCHEMA_VERSION
from ingest.datasets.fingerprints import Source
from ingest.datasets.load import Inputs
from ingest.datasets.sort_orders import by_disagreement, by_margin, by_suspicion, disagreement
from ingest.labels.ballots import Verdict
from ingest.labels.files import LabelSet
from ingest.labels.vote_files import Review


class LabelIds:
    """Label sets and their ids: a single class keeps its id, other sets get the ids after the classes, in order."""

    def __init__(self, n_classes: int, label_sets: Iterable[LabelSet]) -> None:
        self.members: list[LabelSet] = [(class_id,) for class_id in range(n_classes)]
        self.members += sorted({labels for labels in label_sets if len(labels) != 1})
        self._ids = {labels: label_id for label_id, labels in enumerate(self.members)}

    def __getitem__(self, labels: LabelSet) -> int:
        return self._ids[labels]


@dataclass(frozen=True)
class Issues:
    """A dataset's issues in order of suspicion; every array is (k,), with NaN or -1 if there is no value."""

    indices: NDArray[np.int64]
    given: NDArray[np.int64]  # label ids
    guessed: NDArray[np.int64]  # by the present model
    shown: NDArray[np.int64]  # the guess that reviewers were shown; -1 if unreviewed
    flagged: NDArray[np.bool_]
    self_confidence: NDArray[np.float64]
    margins: NDArray[np.float64]
    ranks: NDArray[np.int64]
    by_margin: NDArray[np.int64]
    by_disagreement: NDArray[np.int64]
    reviews: Sequence[Review | None]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(k,) whether the model now guesses another label than reviewers were shown."""
        changed: NDArray[np.bool_] = (self.shown >= 0) & (self.guessed >= 0) & (self.shown != self.guessed)
        return changed


@dataclass(frozen=True)
class Counts:
    """The figures of Tables 1 and 2. ``categories`` counts reviewed issues by agreement threshold."""

    flagged: int | None
    checked: int
    errors: int
    estimated_errors: int | None
    percent_error: float | None
    changed: int  # checked examples for which the model now guesses another label than reviewers were shown
    waiting: int  # flagged examples that nobody reviewed, including those not stored as single issues
    categories: dict[int, Counter[Category]]

    @property
    def basis(self) -> Basis:
        """What the estimated number of errors is based on."""
        return basis(self.waiting, same_model=not self.changed)


@dataclass(frozen=True)
class Build:
    """Everything a catalogue stores about one dataset, apart from media."""

    inputs: Inputs
    label_ids: LabelIds
    issues: Issues
    verdicts: dict[int, dict[int, Verdict]]  # index of a reviewed example -> agreement threshold -> verdict
    counts: Counts


def build(inputs: Inputs) -> Build:
    """Apply the formulas of ``app.domain`` to a loaded dataset."""
    agreements = inputs.manifest.agreements
    verdicts = {
        review.index: {agreement: review.ballot.verdict(agreement) for agreement in agreements}
        for review in inputs.reviews
    }
    label_ids = LabelIds(len(inputs.classes), _label_sets(inputs, verdicts))
    issues = _issues(inputs, label_ids)
    return Build(inputs, label_ids, issues, verdicts, _counts(inputs, issues, verdicts))


def version(build: Build, sources: Iterable[Source]) -> str:
    """A name for a dataset's content; the same files, manifest, schema and rules give the same name."""
    digest = hashlib.sha256(f"{SCHEMA_VERSION}\n{build.inputs.manifest.text}\n".encode())
    for source in sorted(sources, key=lambda source: source.path):
        digest.update(f"{source.role} {source.path} {source.sha256}\n".encode())
    # A changed rule of ours changes issues or verdicts, and so files that must not change under one version.
    issues = build.issues
    for array in (issues.indices, issues.given, issues.guessed, issues.shown, issues.flagged):
        digest.update(array.tobytes())
    for index, by_agreement in sorted(build.verdicts.items()):
        digest.update(f"{index} {sorted(by_agreement.items())}\n".encode())
    return digest.hexdigest()[:16]


def _label_sets(inputs: Inputs, verdicts: dict[int, dict[int, Verdict]]) -> set[LabelSet]:
    found = inputs.labels.distinct() if inputs.labels is not None else set()
    for review in inputs.reviews:
        found |= {review.given, review.shown}
    if inputs.guesses is not None and inputs.guesses.sets is not None:
        issues = {review.index for review in inputs.reviews}
        if inputs.set_flagging is not None:
            issues |= set(inputs.set_flagging.flagged.tolist())
        found |= {inputs.guesses[index] for index in issues}
    for by_agreement in verdicts.values():
        found |= {verdict.corrected for verdict in by_agreement.values() if verdict.corrected is not None}
    return found


def _issues(inputs: Inputs, label_ids: LabelIds) -> Issues:
    reviews = {review.index: review for review in inputs.reviews}
    reviewed = np.array(sorted(reviews), dtype=np.int64)
    flagging = inputs.flagging or inputs.set_flagging
    # Without a matrix, the published list is what confident learning flagged.
    flagged = reviewed if flagging is None else np.sort(flagging.flagged).astype(np.int64)
    indices = np.union1d(reviewed, flagged)
    found = [reviews.get(int(index)) for index in indices]
    missing = np.full(len(indices), np.nan)
    margins = missing if flagging is None else flagging.margins[indices]
    confirmations = np.array([np.nan if review is None else review.ballot.confirmations for review in found])
    entropies = np.array([np.nan if review is None else disagreement(review.ballot.distributions) for review in found])
    # Label sets have no margin: they are ranked by pooled self-confidence.
    scores = margins if inputs.set_flagging is None else inputs.set_flagging.self_confidence[indices]
    order = by_suspicion(scores, confirmations, indices)
    return Issues(
        indices=indices[order],
        given=np.array([_given(inputs, label_ids, int(indices[place]), found[place]) for place in order], np.int64),
        guessed=np.array([_guess(inputs, label_ids, int(indices[place]), found[place]) for place in order], np.int64),
        shown=np.array([_shown(label_ids, found[place]) for place in order], np.int64),
        flagged=np.isin(indices, flagged)[order],
        self_confidence=missing if flagging is None else flagging.self_confidence[indices][order],
        margins=margins[order],
        ranks=np.full(len(indices), -1) if flagging is None else flagging.ranks[indices][order],
        by_margin=by_margin(scores, indices)[order],
        by_disagreement=by_disagreement(entropies, indices)[order],
        reviews=[found[place] for place in order],
    )


def _given(inputs: Inputs, label_ids: LabelIds, index: int, review: Review | None) -> int:
    if review is not None:
        return label_ids[review.given]
    if inputs.labels is None:
        raise ValueError(f"{inputs.manifest.name}: an issue that is neither reviewed nor labelled, {index}")
    return label_ids[inputs.labels[index]]


def _guess(inputs: Inputs, label_ids: LabelIds, index: int, review: Review | None) -> int:
    if inputs.guesses is not None:
        return label_ids[inputs.guesses[index]]
    # Without a model the published guess is the only one.
    return _shown(label_ids, review)


def _shown(label_ids: LabelIds, review: Review | None) -> int:
    return -1 if review is None else label_ids[review.shown]


def _counts(inputs: Inputs, issues: Issues, verdicts: dict[int, dict[int, Verdict]]) -> Counts:
    categories = {
        agreement: Counter(by_agreement[agreement].category for by_agreement in verdicts.values())
        for agreement in inputs.manifest.agreements
    }
    least = inputs.manifest.agreements[0]
    wrong = {index for index, found in verdicts.items() if found[least].category.is_error}
    flagged = _n_flagged(inputs, len(verdicts))
    changed = int(issues.changed.sum())
    errors_of_flagged = sum(int(index) in wrong for index in issues.indices[issues.flagged])
    checked_of_flagged = sum(int(index) in verdicts for index in issues.indices[issues.flagged])
    beside = len(wrong) - errors_of_flagged
    estimated = estimated_errors(flagged, checked_of_flagged, errors_of_flagged, beside, same_model=not changed)
    percent = None if estimated is None or inputs.size is None else 100 * estimated / inputs.size
    waiting = max(0, flagged - checked_of_flagged)
    return Counts(flagged, len(verdicts), len(wrong), estimated, percent, changed, waiting, categories)


def _n_flagged(inputs: Inputs, checked: int) -> int:
    if (flagging := inputs.flagging or inputs.set_flagging) is not None:
        return flagging.n_flagged
    return checked if inputs.manifest.flagged is None else inputs.manifest.flagged
