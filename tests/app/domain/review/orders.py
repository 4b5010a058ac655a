"""Votes in every order in which they could have come."""

from collections.abc import Mapping
from functools import cache

from app.domain.review.stopping import Choice, Stopping, fewest_more
from app.domain.review.verdicts import Answer


def votes_until_settled(question: Choice, cast: Mapping[Answer, int], how: Stopping) -> tuple[float, float]:
    """Mean and variance of the number of votes until a rule stops, over all orders of the votes that were cast."""

    @cache
    def until(seen: tuple[int, ...]) -> tuple[float, float]:
        """The mean of the further votes, and of their square."""
        if fewest_more(question, dict(zip(question.answers, seen, strict=True)), how) == 0:
            return 0.0, 0.0
        left = [cast.get(answer, 0) - n for answer, n in zip(question.answers, seen, strict=True)]
        mean = square = 0.0
        for place, n in enumerate(left):
            if n:
                share = n / sum(left)
                more, of_more = until(tuple(k + (place == at) for at, k in enumerate(seen)))
                mean += share * (1 + more)
                square += share * (1 + 2 * more + of_more)
        return mean, square

    mean, square = until((0,) * len(question.answers))
    return mean, square - mean**2
