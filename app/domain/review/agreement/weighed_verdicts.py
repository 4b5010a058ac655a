"""The category and the corrected label that probabilities of answers lead to, in place of counted votes.

What more than half of the probability is for is what reviewers agree on; the categories are those of
``app.domain.review.verdicts``, so that the same policies apply.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.review.verdicts import Answer, Category, Verdict, agreed_on

_HALF: Final = 0.5


def weighed_verdict(given: int, shares: Mapping[Answer, float], *, eligible: frozenset[int] | None = None) -> Verdict:
    """The verdict on an example with one label, from the probability of each answer.

    ``eligible`` are the classes that can become a corrected label, None for all.

    >>> cat, dog = frozenset({3}), frozenset({5})
    >>> weighed_verdict(3, {cat: 0.2, dog: 0.8})
    Verdict(category=<Category.CORRECTABLE: 'correctable'>, agreed=frozenset({5}))
    >>> weighed_verdict(3, {cat: 0.4, dog: 0.4, "off-topic": 0.2}).category
    <Category.NON_AGREEMENT: 'non_agreement'>
    """
    winner = next((answer for answer, share in shares.items() if share > _HALF), None)
    if winner == frozenset({given}):
        return Verdict(Category.NON_ERROR)
    return agreed_on(winner, eligible)


def weighed_set_verdict(given: frozenset[int], there: Mapping[int, float]) -> Verdict:
    """The verdict on an example with a set of labels, from the probability that each class is there.

    >>> weighed_set_verdict(frozenset({7}), {7: 0.1, 9: 0.9})
    Verdict(category=<Category.CORRECTABLE: 'correctable'>, agreed=frozenset({9}))
    """
    found = frozenset(label for label, share in there.items() if share > _HALF)
    if found == given:
        return Verdict(Category.NON_ERROR)
    return Verdict(Category.CORRECTABLE, found) if found else Verdict(Category.NON_AGREEMENT)
