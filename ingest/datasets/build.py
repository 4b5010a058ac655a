"""Turn a loaded dataset into what the catalogue stores: ordered issues, counts and facts.

Every formula is applied here but none is defined here. The result does not depend on SQL; ``ingest.catalogue.rows``
converts it to rows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from app.domain.review.estimates import Basis, basis, estimated_errors
from app.domain.review.verdicts import Category
from app.schema.prediction_report import guesses_changed
from app.schema.tables import SCHEMA_VERSION
from ingest.datasets.example_labels import LabelIds, ModelGuesses
from ingest.datasets.exemplars import Exemplar, choose, choose_of_sets
from ingest.datasets.fingerprints import Source
from ingest.datasets.load import Inputs
from ingest.datasets.matrix_report import indices_of_twins
from ingest.datasets.suspects.issues import Issues, issues_of
from ingest.flagging.cautions import cautions
from ingest.labels.ballots import Verdict
from ingest.labels.files import LabelSet

#: Examples of the largest test set whose guesses are stored.
MOST_GUESSES: Final = 2_000_000


@dataclass(frozen=True)
class Counts:
    """The figures of Tables 1 and 2. ``categories`` counts reviewed issues by agreement threshold."""

    flagged: int | None
    checked: int
    errors: int
    estimated_errors: int | None
    percent_error: float | None
    changed: int  # checked examples for which the model now guesses another label than reviewers were shown
    flagged_as_twins: int  # of the flagged those that are so only as near-duplicates with another label
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
    cautions: Sequence[str]  # what should be known before flagged examples are believed
    #: By class, if they were asked for; see ``for_storing``.
    exemplars: Mapping[int, Sequence[Exemplar]] = field(default_factory=dict)


def build(inputs: Inputs) -> Build:
    """Apply the formulas of ``app.domain`` to a loaded dataset."""
    agreements = inputs.manifest.agreements
    verdicts = {
        review.index: {agreement: review.ballot.verdict(agreement) for agreement in agreements}
        for review in inputs.reviews
    }
    label_ids = LabelIds(len(inputs.classes), _label_sets(inputs, verdicts))
    issues = issues_of(inputs, label_ids)
    return Build(inputs, label_ids, issues, verdicts, _counts(inputs, issues, verdicts), _cautions(inputs))


def for_storing(build: Build, *, exemplars: bool) -> Build:
    """Choose exemplars, if they are asked for, and let go of what storing does not need of many examples.

    Of more examples than those whose guesses are stored, nobody asks again for a score that is not an issue's.
    """
    inputs = build.inputs
    chosen = _exemplars(inputs, build.issues) if exemplars else {}
    if inputs.flagging is not None and len(inputs.flagging.labels) > MOST_GUESSES:
        none = np.zeros(0, np.intp)  # a slice would keep the whole in memory
        bare = replace(inputs.flagging, scores=inputs.flagging.scores[none])
        guesses = ModelGuesses(bare) if isinstance(inputs.guesses, ModelGuesses) else inputs.guesses
        inputs = replace(inputs, flagging=bare, guesses=guesses)
    return replace(build, inputs=inputs, exemplars=chosen)


def _exemplars(inputs: Inputs, issues: Issues) -> Mapping[int, Sequence[Exemplar]]:
    """The exemplars of each class; none if the model's probabilities are unknown."""
    if inputs.labels is None:
        return {}
    if inputs.set_flagging is not None and inputs.labels.sets is not None:
        return choose_of_sets(inputs.labels.sets, inputs.set_flagging.self_confidence, issues.indices)
    if inputs.flagging is None or inputs.labels.ids is None or inputs.benchmark is not None:
        return {}  # the third option of one question is not of a kind with that of another
    return choose(inputs.labels.ids, inputs.flagging.scores.own, issues.indices)


def version(build: Build, sources: Iterable[Source]) -> str:
    """A name for a dataset's content; the same files, manifest, schema and rules give the same name."""
    digest = hashlib.sha256(f"{SCHEMA_VERSION}\n{build.inputs.manifest.text}\n".encode())
    for source in sorted(sources, key=lambda source: source.path):
        digest.update(f"{source.role} {source.path} {source.sha256}\n".encode())
    # A changed rule of ours changes issues or verdicts, and so files that must not change under one version.
    issues = build.issues
    for array in (issues.indices, issues.given, issues.guessed, issues.reviewed, issues.shown, issues.flagged):
        digest.update(np.ascontiguousarray(array).data)
    for index, by_agreement in sorted(build.verdicts.items()):
        digest.update(f"{index} {sorted(by_agreement.items())}\n".encode())
    return digest.hexdigest()[:16]


def _cautions(inputs: Inputs) -> Sequence[str]:
    """Of datasets of one's own alone, for the paper's matrices are known."""
    if inputs.flagging is None or inputs.manifest.paper is not None:
        return ()
    report = inputs.report
    ours = report is not None and not report.by_own_model
    return cautions(inputs.flagging, inputs.classes.names, unseen=report is not None, ours=ours)


def _label_sets(inputs: Inputs, verdicts: dict[int, dict[int, Verdict]]) -> set[LabelSet]:
    found = inputs.labels.several() if inputs.labels is not None else set()
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


def _counts(inputs: Inputs, issues: Issues, verdicts: dict[int, dict[int, Verdict]]) -> Counts:
    categories = {
        agreement: Counter(by_agreement[agreement].category for by_agreement in verdicts.values())
        for agreement in inputs.manifest.agreements
    }
    least = inputs.manifest.agreements[0]
    wrong = {index for index, found in verdicts.items() if found[least].category.is_error}
    flagged, by_learning = _n_flagged(inputs, len(verdicts)), inputs.flagging
    twins = indices_of_twins(inputs.report)
    as_twins = 0 if by_learning is None or not len(twins) else len(np.setdiff1d(twins, by_learning.flagged))
    flagged += as_twins
    seen = (issues.indices[issues.reviewed], issues.shown, issues.guessed[issues.reviewed])
    changed = guesses_changed(inputs.report, zip(*(column.tolist() for column in seen), strict=True))
    both = issues.flagged[issues.reviewed]
    errors_of_flagged = len(wrong.intersection(issues.indices[issues.reviewed[both]].tolist()))
    checked_of_flagged = int(both.sum())
    beside = len(wrong) - errors_of_flagged
    estimated = estimated_errors(flagged, checked_of_flagged, errors_of_flagged, beside, same_model=not changed)
    percent = None if estimated is None or inputs.size is None else 100 * estimated / inputs.size
    waiting = max(0, flagged - checked_of_flagged)
    return Counts(flagged, len(verdicts), len(wrong), estimated, percent, changed, as_twins, waiting, categories)


def _n_flagged(inputs: Inputs, checked: int) -> int:
    if (flagging := inputs.flagging or inputs.set_flagging) is not None:
        return flagging.n_flagged
    return checked if inputs.manifest.flagged is None else inputs.manifest.flagged
