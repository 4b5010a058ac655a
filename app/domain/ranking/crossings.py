"""Accuracy as a function of noise prevalence, and where two models cross (section 5 of the paper).

Removing a fraction x of the benign set B from the pruned set P leaves the noise prevalence
N(x) = |C| / (|C| + (1 - x) |B|) and the accuracy A(x) = (A_C |C| + (1 - x) A_B |B|) / (|C| + (1 - x) |B|). Written in N
that is the straight line A = N A_C + (1 - N) A_B, from the accuracy on P at N = |C| / |P| to that on C at N = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.review.corrections import Sizes


@dataclass(frozen=True, slots=True)
class Line:
    """A model: its accuracy on the benign and on the correctable set, original or corrected."""

    benign: float
    correctable: float

    def at(self, prevalence: float) -> float:
        """Accuracy at a noise prevalence.

        >>> Line(benign=0.9, correctable=0.5).at(0.25)
        0.8
        """
        return prevalence * self.correctable + (1 - prevalence) * self.benign

    def after_removing(self, x: float, sizes: Sizes) -> float:
        """A(x): accuracy on what is left of P when a fraction ``x`` of B is removed."""
        kept = (1 - x) * sizes.benign
        return (self.correctable * sizes.correctable + kept * self.benign) / (sizes.correctable + kept)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where two models are equally accurate: ahead of it the one is better, behind it the other."""

    prevalence: float
    accuracy: float


def prevalence_after_removing(x: float, sizes: Sizes) -> float:
    """N(x): the noise prevalence when a fraction ``x`` of B is removed.

    >>> prevalence_after_removing(1.0, Sizes(all=10, benign=8, correctable=2, unknown=0, pruned=10))
    1.0
    """
    return sizes.correctable / (sizes.correctable + (1 - x) * sizes.benign)


def crossing(first: Line, second: Line, least: float) -> Crossing | None:
    """Where two models cross at a noise prevalence from ``least``, |C| / |P|, to 1; None where they do not.

    With d_B = A_B1 - A_B2 and d_C = A_C2 - A_C1 they cross at N = d_B / (d_B + d_C). Parallel lines never cross; equal
    ones are no crossing either.

    >>> crossing(Line(0.9, 0.4), Line(0.8, 0.7), least=0.05).prevalence.__round__(3)
    0.25
    """
    gap_b, gap_c = np.array([first.benign - second.benign]), np.array([second.correctable - first.correctable])
    prevalence = float(prevalences(gap_b, gap_c, least)[0])
    return None if np.isnan(prevalence) else Crossing(prevalence, first.at(prevalence))


def prevalences(
    gap_benign: NDArray[np.float64], gap_correctable: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """d_B / (d_B + d_C) elementwise, NaN where that is no crossing between ``least`` and 1.

    >>> prevalences(np.array([0.1, 0.1, 0.0]), np.array([0.3, -0.1, 0.0]), 0.02).round(2).tolist()
    [0.25, nan, nan]
    """
    total = gap_benign + gap_correctable
    with np.errstate(divide="ignore", invalid="ignore"):
        found = gap_benign / total
    # Lines that only meet in rounding are parallel; a last digit must not push an end of the range out of it.
    parallel = np.abs(total) < 1e-12
    slack = 1e-12
    outside = ~((found >= least - slack) & (found <= 1 + slack))
    return np.where(parallel | outside, np.nan, np.clip(found, least, 1.0))
