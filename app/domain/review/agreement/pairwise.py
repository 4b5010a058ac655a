"""How often raters agree with each other, and about which pairs of classes they are divided."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.review.agreement.vote_table import Numbers, VoteTable

#: Standard errors to each side of a central 95 % interval.
_WIDE: Final = 1.959963984540054


def agreements(votes: VoteTable) -> tuple[Numbers, Numbers]:
    """(raters, raters) on how many examples both voted, and on how many of these with the same answer.

    The diagonal counts a rater's own votes.

    >>> votes = VoteTable.of([(0, 0, "x"), (0, 1, "x"), (1, 0, "x"), (1, 1, "y")], [0, 1], [0, 1], ["x", "y"])
    >>> together, same = agreements(votes)
    >>> together.tolist(), same.tolist()
    ([[2, 2], [2, 2]], [[2, 1], [1, 2]])
    """
    n = votes.n_raters
    order = np.argsort(votes.example, kind="stable")
    example, rater, answer = votes.example[order], votes.rater[order], votes.answer[order]
    together, same = (np.diag(np.bincount(rater, minlength=n)).astype(np.int64) for _ in range(2))
    most = int(np.bincount(example).max(initial=0))
    for apart in range(1, most):
        there = example[apart:] == example[:-apart]
        cells = rater[apart:] * n + rater[:-apart]
        for table, wanted in ((together, there), (same, there & (answer[apart:] == answer[:-apart]))):
            found = np.bincount(cells[wanted], minlength=n * n).reshape(n, n)
            table += found + found.T
    return together, same


@dataclass(frozen=True, slots=True)
class WithOthers:
    """One rater's agreement with the others on the examples that others looked at too.

    ``kappa`` is the share beyond what chance gives, by the rater's own and the others' frequencies of answers: 1 is
    perfect, 0 chance. ``high`` is the upper end of its 95 % interval. None where it is not defined.
    """

    examples: int
    share: float | None
    kappa: float | None
    high: float | None


def with_others(votes: VoteTable) -> list[WithOthers]:
    """Each rater's agreement with the others; an example counts the same however many others looked at it.

    >>> votes = VoteTable.of([(0, 0, "x"), (0, 1, "x"), (1, 0, "y"), (1, 1, "y")], [0, 1], [0, 1], ["x", "y"])
    >>> with_others(votes)[0]
    WithOthers(examples=2, share=1.0, kappa=1.0, high=1.0)
    """
    counts = votes.counts()
    others = counts[votes.example].astype(np.float64)
    others[np.arange(len(others)), votes.answer] -= 1
    n_others = others.sum(axis=1)
    known = n_others > 0
    others[known] /= n_others[known, None]
    agreed = others[np.arange(len(others)), votes.answer]
    return [
        _with_others(agreed[here], others[here], votes.answer[here])
        for rater in range(votes.n_raters)
        for here in [np.flatnonzero(known & (votes.rater == rater))]
    ]


def _with_others(agreed: NDArray[np.float64], others: NDArray[np.float64], answer: Numbers) -> WithOthers:
    n = len(agreed)
    if not n:
        return WithOthers(0, None, None, None)
    share = float(agreed.mean())
    own = np.bincount(answer, minlength=others.shape[1]) / n
    chance = float(own @ others.mean(axis=0))
    if chance >= 1 or n < 2:
        return WithOthers(n, share, None, None)
    error = float(agreed.std(ddof=1)) / n**0.5
    kappa, high = ((value - chance) / (1 - chance) for value in (share, share + _WIDE * error))
    return WithOthers(n, share, kappa, min(high, 1.0))


@dataclass(frozen=True, slots=True)
class Confused:
    """A pair of classes between which raters had to choose on some examples, and how divided they were.

    ``divided`` counts the examples on which both were chosen; ``share`` is how often two raters of an example who chose
    one of the two chose different ones, None where no two did. Half is what tossing coins gives.
    """

    pair: int
    examples: int
    divided: int
    share: float | None


def confused(pair: Numbers, first: Numbers, second: Numbers) -> list[Confused]:
    """How divided raters were about each pair of classes, the most divided first.

    Three arrays of shape (examples,): the number of the pair that an example asks about, and the votes for either.

    >>> confused(np.array([0, 0, 1]), np.array([3, 5, 0]), np.array([2, 0, 5]))[0]
    Confused(pair=0, examples=2, divided=1, share=0.3)
    """
    against, chosen = first * second, first + second
    pairs = chosen * (chosen - 1) // 2
    n = int(pair.max(initial=-1)) + 1

    each = (np.ones_like(pair), (against > 0).astype(np.int64), against, pairs)
    sums = np.array([np.bincount(pair, weights=values, minlength=n) for values in each], np.int64).T.tolist()
    found = [
        (opposed, Confused(place, examples, divided, opposed / of if of else None))
        for place, (examples, divided, opposed, of) in enumerate(sums)
        if examples
    ]
    return [one for _, one in sorted(found, key=lambda each: (-(each[1].share or 0), -each[0], each[1].pair))]
