"""Whether a ranking on some examples may be spoken of: one rule for pages, API and reports.

A ranking of models is told from ``FEWEST`` examples on, and nothing is said of how it changes without an interval that
comes from the same examples for all models and rules the opposite out.
"""

from collections.abc import Sequence
from typing import Final

#: With fewer examples a ranking says nothing, whatever its figures are.
FEWEST: Final = 5
#: Fewer examples are weak evidence, and pages say so.
SMALL: Final = 100

Ends = Sequence[float]


def enough(n: int) -> bool:
    """Whether n examples may rank models at all."""
    return n >= FEWEST


def told(n: int, interval: Ends | None) -> tuple[float, float] | None:
    """The 95 % interval of a correlation on n examples, if something may be concluded from it; else None.

    Nothing may where examples are too few, where there is no interval, and where resampling few could not vary it.

    >>> told(18, (-0.77, -0.13)), told(3, (-0.77, -0.13)), told(18, (-1.0, -1.0)), told(1_777, (1.0, 1.0))
    ((-0.77, -0.13), None, None, (1.0, 1.0))
    """
    if not enough(n) or interval is None or stuck(n, interval):
        return None
    return interval[0], interval[1]


def stuck(n: int, interval: Ends) -> bool:
    """Whether n examples are so few that an interval without width says only that resampling had nothing to vary.

    >>> stuck(18, (1, 1)), stuck(18, (1, 2)), stuck(9_964, (1, 1))
    (True, False, False)
    """
    return n < SMALL and interval[0] == interval[1]


def direction(n: int, interval: Ends | None) -> int:
    """The sign of a correlation on n examples, 1 or -1, if all of its interval lies on that side of 0; else 0.

    >>> direction(18, (0.07, 0.58)), direction(18, (-0.77, -0.13)), direction(18, (-0.77, 0.1))
    (1, -1, 0)
    """
    sure = told(n, interval)
    return 0 if sure is None else int(sure[0] > 0) - int(sure[1] < 0)


def turns(n: int, interval: Ends | None) -> bool:
    """Whether a ranking is shown to run against another one: all of the interval of their correlation lies below 0.

    >>> turns(18, (-0.77, -0.13)), turns(18, (-0.77, 0.1)), turns(4, (-0.77, -0.13))
    (True, False, False)
    """
    return direction(n, interval) < 0


def moves(n: int, before: Ends | None, after: Ends | None) -> bool:
    """Whether a model's rank is shown to change: the 95 % intervals of its two ranks, from the same draws, are apart.

    Of few examples, a rank that resampling could not vary says nothing.

    >>> moves(18, (9, 13), (1, 7)), moves(18, (3, 13), (1, 7)), moves(18, None, (1, 7))
    (True, False, False)
    >>> moves(7, (1, 1), (5, 11)), moves(1_428, (34, 34), (1, 2))
    (False, True)
    """
    if not enough(n) or before is None or after is None:
        return False
    if stuck(n, before) or stuck(n, after):
        return False
    return before[1] < after[0] or after[1] < before[0]
