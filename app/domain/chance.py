"""How well chance alone would explain what was found."""

from math import exp, lgamma, log, log1p


def chance_of(found: int, expected: float, of: int) -> float:
    """A bound on the probability that chance brings about at least ``found`` of ``of`` independent events, in [0, 1].

    ``expected`` is the sum of the events' probabilities, which may differ from event to event. The bound is the tail of
    the binomial distribution with the same mean: exact where all are equal, and never less than the probability itself
    from one more than expected on (Hoeffding 1956, theorem 4); below that it is 1.

    Raises ValueError for numbers that cannot be.

    >>> chance_of(2, 5.0, 10), chance_of(1, 0.0, 10)
    (1.0, 0.0)
    >>> round(chance_of(3, 0.2, 6), 5)
    0.00069
    """
    if not 0 <= found <= of or not 0 <= expected <= of:
        raise ValueError(f"{found} found and {expected} expected of {of}: expected numbers from 0 to {of}")
    if found < expected + 1:
        return 1.0
    if expected == 0:
        return 0.0
    p = expected / of
    ways = lgamma(of + 1) - lgamma(found + 1) - lgamma(of - found + 1)
    term = exp(ways + found * log(p) + (of - found) * log1p(-p))
    tail = 0.0
    for k in range(found, of + 1):
        tail += term
        term *= (of - k) / (k + 1) * p / (1 - p)
    return min(tail, 1.0)
