"""Per-row scores of a block: the probability of the given label, and its strongest rival.

Shapes: ``labels`` is (n,) of class ids 0 .. m - 1, ``block`` is (n, m) of float16, float32 or float64, C-contiguous,
all values between +0 and 1. Such floats sort in the same order as the unsigned integers with the same bits, and are
compared as integers here: numpy compares half precision many times slower.

Results depend on their own row only, so blocks can have any size. Nothing is validated here except what
``doubtful_rows`` reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.exact_sums import least_probabilities
from app.domain.confident_learning.label_quality import Labels, Probabilities

_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {2: np.dtype(np.uint16), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}

#: How far a row may be from summing to 1 for the rounding of its numbers alone, by the bytes of a number.
ROUNDING: Final = {2: 2e-3, 4: 1e-5, 8: 1e-9}

#: A sum that was found to be so near to 1 is within that: the other half is for the rounding of adding it up.
SURE: Final = {size: off / 2 for size, off in ROUNDING.items()}

#: No row is so far from summing to 1 that the other probabilities exceed one minus those known by more than this.
_SLACK: Final = 1e-2

#: Classes of a row as ``less_certain`` tells them, beside class ids.
NONE: Final = -1
UNSETTLED: Final = -2

#: Rows worked on at a time, so that what is made of them stays in the cache.
_ROWS: Final = 1 << 17

#: Of so many margins one is looked at to guess where the lowest end.
_SAMPLED: Final = 64

#: Numbers of half precision that are widened at a time: few enough for a core's own cache, and enough for threads to
#: work side by side, as each piece costs a moment in which none but one can.
_SUMMED: Final = 1 << 18

#: Numbers of a row that single precision adds up: of more, rounding might pass what ``SURE`` leaves to it.
_PIECE: Final = 256


@dataclass(frozen=True, slots=True)
class RowScores:
    """Of each row, (n,): the probability of its given label, the largest other one, and the class of that.

    ``rival`` is the lowest class id among equals, and the given label itself where nobody looked for it, because the
    other is less than a quarter as probable as the given label.
    """

    own: NDArray[np.floating[Any]]
    other: NDArray[np.floating[Any]]
    rival: NDArray[np.unsignedinteger[Any]]

    def __getitem__(self, rows: Any) -> "RowScores":
        return RowScores(self.own[rows], self.other[rows], self.rival[rows])

    def __setitem__(self, rows: Any, scores: "RowScores") -> None:
        self.own[rows], self.other[rows], self.rival[rows] = scores.own, scores.other, scores.rival

    @property
    def own_bits(self) -> NDArray[np.unsignedinteger[Any]]:
        """(n,) ``own`` as whole numbers in the same order."""
        return self.own.view(_UNSIGNED[self.own.itemsize])

    @property
    def other_bits(self) -> NDArray[np.unsignedinteger[Any]]:
        """(n,) ``other`` as whole numbers in the same order."""
        return self.other.view(_UNSIGNED[self.other.itemsize])

    def guessed(self, labels: Labels) -> NDArray[np.int64]:
        """(n,) the most probable class of each row, the lowest id among equals; int64."""
        guesses = labels.astype(np.int64)
        own, other = self.own_bits, self.other_bits
        beaten = (other > own) | ((other == own) & (self.rival < labels))
        guesses[beaten] = self.rival[beaten]
        return guesses

    def margins(self) -> NDArray[np.float64]:
        """(n,) the normalized margins: own probability minus the largest other, low is suspect."""
        margins = self.own.astype(np.float64)
        margins -= self.other
        return margins


def lowest_margins(scores: RowScores, k: int) -> NDArray[np.intp]:
    """At least min(k, n) indices, ascending: the rows of the k lowest normalized margins, their equals, and a few more.

    >>> lowest_margins(RowScores(np.array([0.9, 0.5]), np.array([0.1, 0.3]), np.array([1, 1], np.uint8)), 1).tolist()
    [0, 1]
    """
    n = len(scores.own)
    if not 0 < k < n:
        return np.arange(n if k > 0 else 0)
    # What a sample tells of the k-th margin is a little more than it most times. Margins are rounded here, which may
    # make equals of some and puts none before another.
    coarse = np.promote_types(scores.own.dtype, np.float32)
    sample = np.subtract(scores.own[::_SAMPLED], scores.other[::_SAMPLED], dtype=coarse)
    place = min(len(sample) - 1, k // _SAMPLED * 5 // 4 + 8)
    bound = np.partition(sample, place)[place]
    parts = []
    for at in range(0, n, _ROWS):
        margins = np.subtract(scores.own[at : at + _ROWS], scores.other[at : at + _ROWS], dtype=coarse)
        parts.append(np.flatnonzero(margins <= bound) + at)
    found: NDArray[np.intp] = np.concatenate(parts)
    return found if len(found) >= k else np.arange(n)


def empty_scores(n: int, m: int, dtype: np.dtype[Any]) -> RowScores:
    """Room for the scores of n rows of m classes, in as few bytes as they need."""
    rival = np.min_scalar_type(max(m - 1, 0))
    return RowScores(np.zeros(n, dtype), np.zeros(n, dtype), np.zeros(n, rival))


def score_rows(labels: Labels, block: Probabilities) -> RowScores:
    """The scores of a block of rows.

    ``block`` serves as work space: the entries of given labels are zeroed for a moment and then put back, so nobody
    else may read it meanwhile.

    >>> s = score_rows(np.array([0, 1]), np.array([[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]]))
    >>> s.own.tolist(), s.other.tolist(), s.rival.tolist()
    ([0.25, 0.5], [0.5, 0.25], [1, 0])
    """
    n, m = block.shape
    rival_type = np.min_scalar_type(max(m - 1, 0))
    if m == 1:
        return RowScores(block[:, 0].copy(), np.zeros(n, block.dtype), np.zeros(n, rival_type))
    bits = block.view(_UNSIGNED[block.itemsize])
    flat = bits.reshape(-1)
    starts = np.arange(0, n * m, m)
    given = starts + labels.astype(np.intp)
    own = flat[given]
    flat[given] = 0
    # Several times faster than the maximum along an axis.
    other = np.maximum.reduceat(flat, starts) if n else own
    rival = labels.astype(rival_type)
    close = np.flatnonzero(other > _quarter(own, block.dtype))
    # Finding where the largest stands takes much longer than finding it, so it is done for few rows.
    rows = bits if len(close) == n else bits.take(close, axis=0)
    rival[close] = rows.argmax(axis=1)
    flat[given] = own
    return RowScores(own.view(block.dtype), other.view(block.dtype), rival)


def _quarter(bits: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A quarter of each number, by its bits: its exponent less two; 0 for what is nearly that."""
    two = bits.dtype.type(2 << np.finfo(dtype).nmant)
    quarter: NDArray[Any] = np.maximum(bits, two) - two
    return quarter


def row_sums(block: Probabilities) -> NDArray[np.floating[Any]]:
    """(n,) roughly the sum of each row: good to tell sums near 1 from others. NaN and infinities show.

    Half precision is widened by shifting its bits into those of single precision, which makes every number too small
    by 2**112.

    >>> row_sums(np.array([[0.25, 0.5], [0.5, 0.5]], dtype=np.float16)).tolist()
    [0.75, 1.0]
    """
    n, m = block.shape
    if block.itemsize != 2:
        sums = np.zeros(n, np.float64)
        for start in range(0, m, _PIECE):
            sums += np.einsum("ij->i", block[:, start : start + _PIECE])
        return sums
    bits = block.view(np.uint16)
    height = max(1, _SUMMED // max(1, m))
    wide = np.empty((min(height, n), m), np.uint32)
    shifted = np.empty(n, np.float32)
    for start in range(0, n, height):
        some = bits[start : start + height]
        np.copyto(wide[: len(some)], some)
        np.left_shift(wide, 13, out=wide)
        np.einsum("ij->i", wide[: len(some)].view(np.float32), out=shifted[start : start + height])
    shifted *= np.float32(2.0**112)
    return shifted


def doubtful_rows(scores: RowScores, sums: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Indices, ascending, of the rows that must be looked at before their scores count.

    A row passes when all its numbers lie between +0 and 1 and its sum is safely within rounding of 1. Numbers below
    0, above 1 or none at all have more bits than 1 has, so the largest of a row tells.
    """
    one = np.ones(1, scores.own.dtype).view(scores.own_bits.dtype)[0]
    off = np.abs(sums - 1)
    bound = SURE[scores.own.itemsize]
    largest = [values.max(initial=0) for values in (off, scores.own_bits, scores.other_bits)]
    if largest[0] <= bound and largest[1] <= one and largest[2] <= one:
        return np.zeros(0, np.intp)
    # What is no number is not near one either.
    return np.flatnonzero(~(off <= bound) | (scores.own_bits > one) | (scores.other_bits > one))


def less_certain(
    labels: Labels, scores: RowScores, thresholds: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]]:
    """The rows that are perhaps not counted for their given label; those of them that may be counted; their classes.

    Most examples are what they are called, and confidently so: those are left out. Most others reach no threshold:
    those are among the first rows, not among the second. The second are counted in the confident joint, as far as their
    scores tell, for the most probable class among those whose threshold they reach, the lowest id among equals.
    ``NONE`` where they reach none, ``UNSETTLED`` where a class may be meant whose probability is not among the scores:
    such rows must be read again. Rows come ascending, in parts.

    >>> s = RowScores(np.array([0.9, 0.5, 0.1]), np.array([0.1, 0.3, 0.1]), np.array([1, 1, 1], np.uint8))
    >>> parts = less_certain(np.array([0, 0, 0]), s, np.array([0.6, 0.2]))
    >>> [(unsure.tolist(), rows.tolist(), latent.tolist()) for unsure, rows, latent in parts]
    [([1, 2], [1], [1])]
    """
    least = least_probabilities(thresholds)
    at_least = _least_reaching(least, scores.own.dtype)
    for start in range(0, len(labels), _ROWS):
        here = slice(start, start + _ROWS)
        own, other = scores.own_bits[here], scores.other_bits[here]
        unsure = own < at_least.take(labels[here])
        unsure |= own <= other
        hopeful = np.maximum(own, other) >= at_least.min()
        hopeful &= unsure
        rows = np.flatnonzero(hopeful) + start
        yield np.flatnonzero(unsure) + start, rows, _hopeful(labels[rows].astype(np.int64), scores[rows], least)


def _least_reaching(needed: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """(m,) for each threshold, the bits of the least number of a type that reaches it."""
    with np.errstate(over="ignore"):
        nearest = needed.astype(dtype)
    below = nearest < needed
    nearest[below] = np.nextafter(nearest[below], dtype.type(np.inf))
    return nearest.view(_UNSIGNED[dtype.itemsize])


def _hopeful(labels: NDArray[np.int64], scores: RowScores, needed: NDArray[np.float64]) -> NDArray[np.int64]:
    latent = scores.guessed(labels)
    top = np.maximum(scores.own_bits, scores.other_bits).view(scores.own.dtype)
    below = np.flatnonzero(top < needed[latent])
    latent[below] = _runners_up(labels[below], scores[below], needed)
    return latent


def _runners_up(labels: NDArray[np.int64], scores: RowScores, needed: NDArray[np.float64]) -> NDArray[np.int64]:
    """Latent classes of rows that do not reach the threshold of their most probable class."""
    rival = scores.rival.astype(np.int64)
    own, other = scores.own.astype(np.float64), scores.other.astype(np.float64)
    top = np.maximum(own, other)
    # Where the given label is the most probable class, the rival comes next; where it is not, nobody knows what does.
    kept = scores.guessed(labels) == labels
    known = kept & (rival != labels)
    second = known & (other >= needed[rival])
    latent = np.where(second, rival, NONE)
    bound = np.minimum(np.where(kept, other, top), 1 + _SLACK - np.where(known, own + other, top))
    latent[~second & (bound >= needed.min())] = UNSETTLED
    return latent
