"""What is true and how each rater errs, both estimated from the votes alone.

Dawid and Skene (1979), "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm". Every example
has one truth; a rater who sees truth k answers a with a probability of the rater's own. The truths need not be the
answers: "no, maybe, yes" may be said about what is or is not. Nothing is drawn at random: the same votes give the same
result, whatever the order of examples, raters or votes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.review.agreement.vote_table import VoteTable

#: Votes with which all raters together speak for how a single one errs, so that who gave few is not judged by them.
STRENGTH: Final = 10.0
#: Votes spread evenly over what raters together answer to each truth: nothing is impossible.
_EVENLY: Final = 1.0
_MOST_STEPS: Final = 500
_TOLERANCE: Final = 1e-7
_LEAST: Final = 1e-10

Shares = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """The result. ``posterior`` (examples, truths) and ``confusion`` (raters, truths, answers) are probabilities.

    ``prevalence`` (truths,) is how frequent each truth is. ``converged`` is false if the number of steps ran out.
    """

    posterior: Shares
    confusion: Shares
    prevalence: Shares
    steps: int
    converged: bool


def dawid_skene(
    votes: VoteTable, meaning: Shares | None = None, *, strength: float = STRENGTH, steps: int = _MOST_STEPS
) -> Estimate:
    """The probability of each truth for each example, and what each rater answers to each truth.

    ``meaning`` (answers, truths) is what an answer speaks for to begin with, rows that sum to 1; by default truths are
    the answers. ``strength`` is how many votes the errors of all raters together count for in those of one; 0 trusts
    each rater's own votes alone, as the paper of 1979 does. An example without votes gets the prevalence.

    Raises ValueError for a meaning that does not fit.

    >>> rows = [(e, r, int(e >= 5)) for e in range(10) for r in range(2)] + [(e, 2, 0) for e in range(10)]
    >>> found = dawid_skene(VoteTable.of(rows, range(10), range(3), range(2)))
    >>> found.posterior.argmax(axis=1).tolist(), found.confusion[2, 1].argmax().item()
    ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 0)
    """
    meaning = np.eye(votes.n_answers) if meaning is None else meaning
    if meaning.ndim != 2 or len(meaning) != votes.n_answers or not np.allclose(meaning.sum(axis=1), 1):
        raise ValueError(
            f"meaning of shape {meaning.shape}: expected ({votes.n_answers}, truths) with rows that sum to 1"
        )
    if (meaning < 0).any() or strength < 0:
        raise ValueError("expected no meaning and no strength below 0")
    posterior = _start(votes, meaning)
    before = -np.inf
    for step in range(1, steps + 1):
        prevalence, confusion = _maximise(votes, posterior, strength)
        posterior, likelihood = _expect(votes, prevalence, confusion)
        if abs(likelihood - before) <= _TOLERANCE * max(1.0, abs(likelihood)):
            return Estimate(posterior, confusion, prevalence, step, True)
        before = likelihood
    return Estimate(posterior, confusion, prevalence, steps, False)


def _start(votes: VoteTable, meaning: Shares) -> Shares:
    """(examples, truths) the shares of the votes, by what they speak for; even without votes."""
    counts = votes.counts()
    n = counts.sum(axis=1, keepdims=True)
    even: Shares = np.full((len(counts), meaning.shape[1]), 1 / meaning.shape[1])
    return np.where(n > 0, counts @ meaning / np.maximum(n, 1), even)


def _maximise(votes: VoteTable, posterior: Shares, strength: float) -> tuple[Shares, Shares]:
    """The prevalence of truths and the raters' confusions that fit a posterior best."""
    n_raters, n_answers, n_truths = votes.n_raters, votes.n_answers, posterior.shape[1]
    cells = votes.rater * n_answers + votes.answer
    by_truth = [
        np.bincount(cells, weights=posterior[votes.example, truth], minlength=n_raters * n_answers)
        for truth in range(n_truths)
    ]
    said: Shares = np.stack(by_truth, axis=1).astype(np.float64)
    said = said.reshape(n_raters, n_answers, n_truths).transpose(0, 2, 1)
    together = said.sum(axis=0) + (_EVENLY / n_answers if strength else 0.0)
    said = said + strength * _normalised(together)
    prevalence = posterior.mean(axis=0) if len(posterior) else np.full(n_truths, 1 / n_truths)
    return prevalence, _normalised(said)


def _normalised(values: Shares) -> Shares:
    """Values divided by the sums of their last axis; even where there is nothing."""
    totals = values.sum(axis=-1, keepdims=True)
    return np.where(totals > 0, values / np.where(totals > 0, totals, 1), 1 / values.shape[-1])


def _expect(votes: VoteTable, prevalence: Shares, confusion: Shares) -> tuple[Shares, float]:
    """The posterior of each example's truth, and the logarithm of the likelihood of all votes."""
    logs = np.log(np.maximum(confusion, _LEAST)).transpose(1, 0, 2).reshape(len(prevalence), -1)
    cells = votes.rater * votes.n_answers + votes.answer
    joint = np.stack(
        [np.bincount(votes.example, weights=of_truth[cells], minlength=votes.n_examples) for of_truth in logs], axis=1
    )
    joint += np.log(np.maximum(prevalence, _LEAST))
    highest = joint.max(axis=1, keepdims=True)
    shares = np.exp(joint - highest)
    totals = shares.sum(axis=1, keepdims=True)
    return shares / totals, float((highest + np.log(totals)).sum())
