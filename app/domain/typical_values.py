"""What is usual in a column of a table among the rows of one class, and so what is unusual in a row.

Some rows of a class have wrong labels. What is usual is therefore judged by the middle half of the class, which they
do not reach, and never by its extremes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Fewer rows say nothing about what is usual.
FEWEST: Final = 8
#: A category that fewer rows of a class have is rare.
RARE: Final = 0.02
#: Half of a normal distribution's middle 95 % by half of its middle 50 %: 1.959964 / 0.674490.
_WIDER: Final = 2.905847
#: Values that so many rows exceed on one side are not unusual, however narrow the middle half is.
_MOST_BEYOND: Final = 0.1


def usual_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """The lowest and the highest usual value of (n,) numbers, NaN left out; infinite where nothing is unusual.

    On each side of the median the range is that in which 95 % of a normal distribution with the same quartile lie. A
    side that more than a tenth of the values exceed has no end.

    >>> low, high = usual_range(np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 40]))
    >>> round(low, 2), round(high, 2)
    (-2.04, 11.04)
    >>> usual_range(np.array([1.0, 2.0]))
    (-inf, inf)
    """
    present = values[~np.isnan(values)]
    if len(present) < FEWEST:
        return -np.inf, np.inf
    lower, middle, upper = np.quantile(present, (0.25, 0.5, 0.75))
    low, high = middle - _WIDER * (middle - lower), middle + _WIDER * (upper - middle)
    low = low if np.mean(present < low) <= _MOST_BEYOND else -np.inf
    high = high if np.mean(present > high) <= _MOST_BEYOND else np.inf
    return float(low), float(high)


def rare_categories(values: Sequence[str | None]) -> dict[str | None, float]:
    """The categories that few of the values are, each with its share; None stands for a missing value.

    >>> rare_categories(["red"] * 99 + ["blue"])
    {'blue': 0.01}
    """
    counts: dict[str | None, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return {value: n / len(values) for value, n in counts.items() if n < RARE * len(values)}
