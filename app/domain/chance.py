"""How well chance alone would explain what was found."""

from math import exp, log


def chance_of(found: int, expected: float) -> float:
    """A bound on the probability that chance brings about at least ``found`` of independent events, in [0, 1].

    ``expected`` is the sum of the events' probabilities, which may differ from event to event. The bound is Chernoff's,
    ``exp(found - expected - found log(found / expected))``: never less than the probability itself, and 1 where no more
    was found than expected.

    Raises ValueError for numbers below 0.

    >>> chance_of(2, 5.0), chance_of(1, 0.0)
    (1.0, 0.0)
    >>> round(chance_of(3, 0.1), 5)
    0.00067
    """
    if found < 0 or expected < 0:
        raise ValueError(f"{found} found where {expected} were expected: neither can be below 0")
    if found <= expected:
        return 1.0
    if expected == 0:
        return 0.0
    return exp(found - expected - found * log(found / expected))
