"""Crossings of pairs of models, with their intervals.

    {"first", "second", "kind", "noise_prevalence", "accuracy", "interval", "share"}

``first`` is the better one at low prevalence. Crossings are looked for by first choices, as in the paper's Figures 4, 5
and S2, by original and by corrected labels.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Marks, Partition, joint_counts
from app.domain.ranking.bootstrap import Counts, crossing_intervals
from app.domain.ranking.crossings import Line, crossing
from app.domain.ranking.evidence import enough

ORIGINAL: Final = "original_top1"
CORRECTED: Final = "corrected_top1"
KINDS: Final = (ORIGINAL, CORRECTED)
#: (n,) the first choice of a model for every example, as class ids.
First = NDArray[np.int32]
Pairs = Sequence[tuple[int, int]]


def crossings(test: Partition, keys: Sequence[str], firsts: Sequence[First], pairs: Pairs) -> list[dict[str, Any]]:
    """The crossings of pairs of models, by kind and prevalence; pairs are places in ``keys`` and ``firsts``.

    There are none where B is empty, with nothing to go from, nor where C is too small to rank models on.
    """
    if not test.sizes.benign or not enough(test.sizes.correctable):
        return []
    found = [
        one
        for kind, labels in ((ORIGINAL, test.given), (CORRECTED, test.corrected))
        for one in _of_kind(test, keys, [first == labels for first in firsts], pairs, kind)
    ]
    return sorted(found, key=lambda one: (one["kind"], one["noise_prevalence"], one["first"], one["second"]))


def line(found: Mapping[str, Mapping[str, Any]], kind: str) -> Line | None:
    """A model's line of one kind, from its accuracies; None where one end is unknown.

    The benign end is the same for both kinds, since nothing there was corrected.
    """
    benign, correctable = found["benign"][kind], found["correctable"][kind]
    return None if benign is None or correctable is None else Line(benign, correctable)


def ends_level(prevalence: float) -> bool:
    """Whether models that cross there only meet: on corrected examples alone, beyond which there is nothing."""
    return prevalence >= 1 - 1e-9


def in_words(first: str, second: str, prevalence: float) -> str:
    """A crossing as a sentence says it, on pages and command lines alike.

    >>> in_words("a", "b", 0.25), in_words("a", "b", 1.0)
    ('b overtakes a at N = 25.00 %', 'b draws level with a at N = 100 %')
    >>> in_words("a", "b", 0.99999)
    'b overtakes a just before N = 100 %'
    """
    if ends_level(prevalence):
        return f"{second} draws level with {first} at N = 100 %"
    rounded = f"{100 * prevalence:.2f}"
    return f"{second} overtakes {first} " + ("just before N = 100 %" if rounded == "100.00" else f"at N = {rounded} %")


def _of_kind(
    test: Partition, keys: Sequence[str], marks: Sequence[Marks], pairs: Pairs, kind: str
) -> list[dict[str, Any]]:
    least = test.sizes.noise_prevalence
    of_b, of_c = ([of_model[inside] for of_model in marks] for inside in (test.benign, test.correctable))
    lines = [Line(int(b.sum()) / len(b), int(c.sum()) / len(c)) for b, c in zip(of_b, of_c, strict=True)]
    # Whoever is better at low prevalence comes first, so that it does not matter to a digit in which order one asks.
    ordered = [(i, j) if lines[i].benign > lines[j].benign else (j, i) for i, j in pairs]
    crossed = [(pair, at) for pair in ordered if (at := crossing(lines[pair[0]], lines[pair[1]], least)) is not None]
    benign, correctable = (_joint_counts(of_set, [pair for pair, _ in crossed]) for of_set in (of_b, of_c))
    intervals, shares = crossing_intervals(benign, correctable, least)
    found = []
    for ((ahead, behind), at), interval, share in zip(crossed, intervals.tolist(), shares.tolist(), strict=True):
        found.append(
            {
                "first": keys[ahead],
                "second": keys[behind],
                "kind": kind,
                "noise_prevalence": at.prevalence,
                "accuracy": at.accuracy,
                "interval": None if np.isnan(interval[0]) else interval,
                "share": share,
            }
        )
    return found


def _joint_counts(marks: Sequence[Marks], pairs: Pairs) -> Counts:
    """(pairs, 4) as ``joint_counts`` tells them, of examples that are all in one set."""
    every = np.ones(len(marks[0]) if marks else 0, np.bool_)
    return np.array([joint_counts(marks[i], marks[j], every) for i, j in pairs], np.int64).reshape(-1, 4)
