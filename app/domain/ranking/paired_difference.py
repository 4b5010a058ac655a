"""The difference of two accuracies on the same examples, and an interval that tells whether there is one.

Only examples on which exactly one of the two is right say which is better. The interval is Tango's (1998), of all
differences that the score test does not reject; it leaves out 0 just where McNemar's test finds a difference, and it
keeps its 95 per cent with few examples, and where one of the two is never right alone.
"""

import math
from typing import Final

#: The 97.5 % point of the standard normal distribution.
_Z: Final = 1.959963984540054
_STEPS: Final = 60

Interval = tuple[float, float]


def paired_difference(only_first: int, only_second: int, n: int) -> tuple[float, Interval]:
    """By how much the first is more accurate, as a fraction of n examples, and the 95 % interval of that.

    ``only_first`` and ``only_second`` are examples that just one of the two predicts right. Raises ValueError unless
    they are parts of at least one example.

    >>> difference, interval = paired_difference(30, 5, 76)
    >>> round(difference, 3), [round(end, 3) for end in interval]
    (0.329, [0.189, 0.459])
    >>> paired_difference(0, 0, 40)[1][0] < 0 < paired_difference(0, 0, 40)[1][1]
    True
    """
    if min(only_first, only_second) < 0 or only_first + only_second > n or n == 0:
        raise ValueError(f"{only_first} and {only_second} of {n} examples")
    high = _upper(only_first, only_second, n)
    return (only_first - only_second) / n, (-_upper(only_second, only_first, n), high)


def _upper(b: int, c: int, n: int) -> float:
    """The largest difference (b - c) / n that the score test does not reject."""
    low, high = (b - c) / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(b, c, n, middle) > -_Z else (low, middle)
    return high


def _score(b: int, c: int, n: int, difference: float) -> float:
    """The score statistic of a difference (Tango 1998, equations 7 to 10): how far what was seen lies above it."""
    first = 2 * n
    second = -b - c + (2 * n - b + c) * difference
    third = -c * difference * (1 - difference)
    share = (math.sqrt(max(0.0, second * second - 4 * first * third)) - second) / (2 * first)
    variance = n * (2 * share + difference * (1 - difference))
    above = b - c - n * difference
    if variance <= 0:
        return 0.0 if above == 0 else math.copysign(math.inf, above)
    return above / math.sqrt(variance)
