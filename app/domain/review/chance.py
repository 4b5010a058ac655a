"""The probability of finding this many errors by chance alone."""

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
    _require_counts(found, expected, of)
    if found < expected + 1:
        return 1.0
    p = expected / of
    if p == 0:
        return 0.0
    term = exp(_log_ways(found, of) + found * log(p) + (of - found) * log1p(-p))
    tail = 0.0
    for k in range(found, of + 1):
        tail += term
        term *= (of - k) / (k + 1) * p / (1 - p)
    return min(tail, 1.0)


def chance_of_so_few(found: int, expected: float, of: int) -> float:
    """The probability of at most ``found`` of ``of`` independent events that are equally probable, in [0, 1].

    ``expected`` is how many there are on average. Raises ValueError for numbers that cannot be.

    >>> chance_of_so_few(2, 1.0, 2), round(chance_of_so_few(0, 1.0, 2), 12)
    (1.0, 0.25)
    """
    _require_counts(found, expected, of)
    if found == of or expected == of:
        return float(found == of)
    p = expected / of
    if p == 0:
        return 1.0
    return min(1.0, sum(exp(_log_ways(k, of) + k * log(p) + (of - k) * log1p(-p)) for k in range(found + 1)))


def _require_counts(found: int, expected: float, of: int) -> None:
    if not 0 <= found <= of or not 0 <= expected <= of:
        raise ValueError(f"{found} found and {expected} expected of {of}: expected numbers from 0 to {of}")


def _log_ways(found: int, of: int) -> float:
    return lgamma(of + 1) - lgamma(found + 1) - lgamma(of - found + 1)
