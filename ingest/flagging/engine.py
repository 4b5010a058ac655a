"""Confident learning over a matrix larger than memory, in one pass over blocks of rows, on any executor.

The pass keeps a few bytes per row (``row_scores``). These decide nearly everything once the class thresholds are known;
the undecided rows are read again. The formulas are in ``app.domain``; this module maps them over ranges of rows and
combines the parts. Results are the same to the last bit for any block size, executor and number of workers: the result
of a row depends on that row alone, and sums are exact.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning import joint as cl
from app.domain.confident_learning import joint_cells
from app.domain.confident_learning.best_pairs import (
    BestPairs,
    Pairs,
    WantedCells,
    counting_type,
    pairs_in,
    pairs_of,
)
from app.domain.confident_learning.exact_sums import ProbabilitySums, sums_by_class
from app.domain.confident_learning.flag_choice import FlagChoice, number_asked
from app.domain.confident_learning.flag_rules import beaten_by_rival, expected_counts, pruned_by_class
from app.domain.confident_learning.joint import COUNTING_RULES, ConfidentJoint, FlagRule, Joint
from app.domain.confident_learning.joint_cells import JointCounter
from app.domain.confident_learning.label_quality import Labels
from app.domain.confident_learning.row_scores import (
    UNSETTLED,
    RowScores,
    empty_scores,
    less_certain,
    lowest_margins,
    score_rows,
)
from ingest.flagging.executors import Executor, suited
from ingest.flagging.sampled_guesses import SampledGuesses, sampled_guesses
from ingest.matrices.matrix import Matrix
from ingest.matrices.probabilities import settle
from ingest.matrices.row_kernel import look

Advance = Callable[[int], None]
Indices = NDArray[np.signedinteger[Any]]

#: Bytes of the matrix read by one task.
SPAN_BYTES: Final = 32_000_000


@dataclass(frozen=True)
class FlagResult:
    """The result of confident learning on one dataset; arrays by example are (n,), by class (m,)."""

    labels: Labels
    scores: RowScores
    thresholds: NDArray[np.float64]
    label_counts: NDArray[np.int64]
    counted: ConfidentJoint  # its non-empty cells
    flagged: Indices  # of the flagged examples, lowest normalized margin first
    rule: FlagChoice
    softmax: bool
    tolerance: float | None = None  # the stated tolerance for the sums of rows, if any
    n_beyond: int = 0  # rows beyond the usual tolerance
    models: tuple[str, ...] = ()  # those whose mean probabilities these are, if several
    sampled: SampledGuesses | None = None  # of each of several models

    @cached_property
    def joint(self) -> Joint:
        return cl.joint(self.counted, self.label_counts)

    @property
    def n_flagged(self) -> int:
        return len(self.flagged)

    @cached_property
    def self_confidence(self) -> NDArray[np.float64]:
        return self.scores.own.astype(np.float64)

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        return self.scores.margins()

    @cached_property
    def guesses(self) -> NDArray[np.int64]:
        return self.scores.guessed(self.labels)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """All indices, lowest normalized margin first."""
        return cl.suspicion_order(self.margins)

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """(n,) each example's rank in ``order``, from 1."""
        ranks = np.empty(len(self.order), dtype=np.int64)
        ranks[self.order] = np.arange(1, len(self.order) + 1)
        return ranks

    def beyond_sentence(self) -> str:
        """The sentence about rows beyond the usual tolerance, if one was stated; empty if there were none."""
        if self.tolerance is None:
            return ""
        n_rows = len(self.labels) * max(1, len(self.models))
        return (
            f"{self.n_beyond:,} of {n_rows:,} rows are farther from summing to 1 than is usual, within "
            f"{self.tolerance:g}; all rows were divided by their sums in double precision."
        )

    def facts(self) -> dict[str, object]:
        """The facts that pages print about how examples were flagged."""
        return {
            "n": len(self.labels),
            "m": len(self.thresholds),
            "rho": {rule.value: cl.noise_rate(self.counted, self.label_counts, rule) for rule in COUNTING_RULES},
            "number_flagged": {
                rule.value: cl.number_flagged(self.counted, self.label_counts, rule) for rule in COUNTING_RULES
            },
            "off_diagonal": self.counted.off_diagonal.total,
            "rule": self.rule.value if isinstance(self.rule, FlagRule) else str(self.rule),
            "n_flagged": self.n_flagged,
            "softmax": self.softmax,
            **({} if self.tolerance is None else {"tolerance": self.tolerance, "n_beyond": self.n_beyond}),
            **({"models": list(self.models)} if self.models else {}),
        }


def flag(
    labels: Labels, matrix: Matrix, rule: FlagChoice, advance: Advance, executor: Executor | None = None
) -> FlagResult:
    """Thresholds, confident joint, scores and the flagged set. ``advance`` is called with numbers of rows done, n in
    all.

    ``labels`` is (n,) of any integer type, each from 0 to m - 1. A number or share as the rule is limited to n. Without
    an executor, threads are used for a large matrix. Raises DataError if the matrix does not hold probabilities.
    """
    if executor is None:
        with suited(matrix.nbytes) as threads:
            return flag(labels, matrix, rule, advance, threads)
    if labels.dtype == np.uint64:
        labels = labels.astype(np.int64)  # numpy would return floats for sums of the two types
    scores, sums, n_beyond = _score(labels, matrix, advance, executor)
    off_diagonal = np.zeros(len(labels), np.bool_) if rule is FlagRule.CONFIDENT_JOINT else None
    counts = _count(labels, scores, matrix, sums, executor, off_diagonal)
    flagged = _flagged(labels, scores, matrix, rule, (counts, sums.count, off_diagonal), executor)
    flagged = flagged.astype(counting_type(len(labels)), copy=False)  # there may be millions
    how = matrix.softmax, matrix.tolerance, n_beyond, matrix.models, sampled_guesses(matrix)
    return FlagResult(labels, scores, sums.thresholds, sums.count, counts, flagged, rule, *how)


def _score(
    labels: Labels, matrix: Matrix, advance: Advance, executor: Executor
) -> tuple[RowScores, ProbabilitySums, int]:
    n, m = matrix.shape
    scores = empty_scores(n, m, matrix.dtype)
    sums = sums_by_class(labels[:0], scores.own[:0], m)
    spans = _spans(matrix, SPAN_BYTES)
    tasks = ((matrix, labels[start:stop], start, stop) for start, stop in spans)
    n_beyond = 0
    for (start, stop), (part, part_sums, part_beyond) in zip(spans, executor.map(score_span, tasks), strict=True):
        scores[start:stop] = part
        sums = sums + part_sums
        n_beyond += part_beyond
        advance(stop - start)
    return scores, sums, n_beyond


def score_span(task: tuple[Matrix, Labels, int, int]) -> tuple[RowScores, ProbabilitySums, int]:
    """The scores of a range of rows, its sums for the thresholds, and the number of rows beyond the usual tolerance."""
    matrix, labels, start, stop = task
    m = matrix.shape[1]
    found = empty_scores(stop - start, m, matrix.dtype)
    n_beyond = 0
    for place, block in matrix.raw(start, stop):
        here = slice(place.first - start, place.first - start + len(block))
        scores = found[here]
        n_beyond += place.n_beyond
        rows = look(labels[here], block, scores)
        if len(rows) and not place.settled:
            settle(place, block, rows)
            scores[rows] = score_rows(labels[here][rows], block[rows])
    return found, sums_by_class(labels, found.own, m), n_beyond


def _count(
    labels: Labels,
    scores: RowScores,
    matrix: Matrix,
    sums: ProbabilitySums,
    executor: Executor,
    off_diagonal: NDArray[np.bool_] | None,
) -> ConfidentJoint:
    """The confident joint. What it counts off its diagonal is marked in ``off_diagonal``, if that is given."""
    m = matrix.shape[1]
    thresholds, label_counts = sums.thresholds, sums.count
    counter = JointCounter(m)
    # All are first counted for their given labels; uncertain ones are subtracted afterwards.
    diagonal = label_counts.copy()
    unsettled = [np.zeros(0, np.intp)]
    for unsure, rows, latent in less_certain(labels, scores, thresholds):
        diagonal -= np.bincount(labels[unsure], minlength=m)
        given = labels[rows]
        counter.add(given, latent)
        if off_diagonal is not None:
            off_diagonal[rows] = (latent >= 0) & (latent != given)
        unsettled.append(rows[latent == UNSETTLED])
    counter.add_diagonal(diagonal)
    tasks = [(matrix, rows, thresholds) for rows in _by_span(np.concatenate(unsettled), matrix, SPAN_BYTES // 8)]
    for (_, rows, _), latent in zip(tasks, executor.map(latent_of_rows, tasks), strict=True):
        counter.add(labels[rows], latent)
        if off_diagonal is not None:
            off_diagonal[rows] = (latent >= 0) & (latent != labels[rows])
    return counter.counted()


def latent_of_rows(task: tuple[Matrix, Indices, NDArray[np.float64]]) -> NDArray[np.int64]:
    """The latent classes of some rows, which are read again."""
    matrix, rows, thresholds = task
    return cl.latent_classes(matrix.rows(rows), thresholds)


def _flagged(
    labels: Labels,
    scores: RowScores,
    matrix: Matrix,
    rule: FlagChoice,
    found: tuple[ConfidentJoint, NDArray[np.int64], NDArray[np.bool_] | None],
    executor: Executor,
) -> Indices:
    counts, label_counts, off_diagonal = found
    if not isinstance(rule, FlagRule):
        return _most_suspicious(scores, number_asked(rule, len(labels)))
    if rule in COUNTING_RULES:
        return _most_suspicious(scores, cl.number_flagged(counts, label_counts, rule))
    flagged = beaten_by_rival(scores)
    if off_diagonal is not None:  # as this rule asks
        flagged &= off_diagonal
    if rule in (FlagRule.PRUNE_BY_CLASS, FlagRule.BOTH):
        flagged &= pruned_by_class(labels, scores, expected_counts(counts, label_counts))
    if rule in (FlagRule.PRUNE_BY_NOISE_RATE, FlagRule.BOTH):
        wanted = expected_counts(counts, label_counts).off_diagonal
        chosen = np.zeros(len(labels), dtype=np.bool_)
        candidates = np.flatnonzero(beaten_by_rival(scores)).astype(counting_type(len(labels)))
        chosen[_best_pairs(labels, candidates, matrix, wanted, executor).index] = True
        flagged &= chosen
    indices = np.flatnonzero(flagged)
    return indices[cl.suspicion_order(scores[indices].margins())]


def _most_suspicious(scores: RowScores, k: int) -> Indices:
    """The k examples of lowest margin; only those of negative margin are considered if there are enough."""
    kind = counting_type(len(scores.own))
    candidates: Indices = np.flatnonzero(beaten_by_rival(scores)).astype(kind)
    if len(candidates) < k:
        candidates = lowest_margins(scores, k).astype(kind)
    return candidates[cl.most_suspicious(scores[candidates].margins(), k)]


def _best_pairs(
    labels: Labels, candidates: Indices, matrix: Matrix, wanted: ConfidentJoint, executor: Executor
) -> Pairs:
    """For each cell of the joint the pairs of largest margin, up to the number wanted, among the candidates' rows."""
    table = wanted.m**2 <= joint_cells.TABLE_CELLS
    best = BestPairs(wanted.dense().ravel() if table else wanted.value, len(labels))
    # Each task gets the floors known when it is submitted, and returns at most a few times what it reads.
    spans = _by_span(candidates, matrix, SPAN_BYTES // 8)
    if table:
        whole = ((matrix, rows, labels[rows], best.floors) for rows in spans)
        parts = executor.map(pairs_of_rows, whole)
    else:
        cells = WantedCells.of(wanted, best.floors)
        some = ((rows, labels[rows]) for rows in spans)
        of_classes = (
            (matrix, rows, given, replace(cells, floor=best.floors).of_classes(given)) for rows, given in some
        )
        parts = executor.map(pairs_of_cells, of_classes)
    for part in parts:
        best.add(part)
    return best.best()


def pairs_of_rows(task: tuple[Matrix, Indices, Labels, NDArray[np.float64]]) -> Pairs:
    """The pairs of some rows, which are read again, without those that cannot be among the best."""
    matrix, rows, labels, floors = task
    return pairs_of(labels, matrix.rows(rows), rows, floors)


def pairs_of_cells(task: tuple[Matrix, Indices, Labels, WantedCells]) -> Pairs:
    """``pairs_of_rows`` for a joint whose wanted cells are told one by one."""
    matrix, rows, labels, wanted = task
    return pairs_in(labels, matrix.rows(rows), rows, wanted)


def _by_span(rows: Indices, matrix: Matrix, span_bytes: int) -> Iterator[Indices]:
    """Split ascending rows into ranges of about this many bytes."""
    for start, stop in _spans(matrix, span_bytes):
        here = rows[slice(*np.searchsorted(rows, [start, stop]))]
        if len(here):
            yield here


def _spans(matrix: Matrix, span_bytes: int) -> list[tuple[int, int]]:
    width = max(1, matrix.shape[1] * matrix.dtype.itemsize)
    return matrix.spans(max(1, span_bytes // width))
