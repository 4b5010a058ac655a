"""Simulate raters: which flagged examples they are shown, and what they answer.

The model is simple on purpose. A rater is asked whether an example shows the given class, the guessed one, both or
neither. With a probability equal to the example's clarity the answer is the right one, else any of the other three.
Raters answer independently, and some flagged examples are never shown to anybody.
"""

import numpy as np
from numpy.typing import NDArray

from ingest.sample.draft import Draft

ANSWERS = ("given", "guessed", "both", "neither")

#: The share of flagged examples shown to raters.
SHARE_REVIEWED = 0.85


def reviewed(flagged: NDArray[np.intp], rng: np.random.Generator) -> list[int]:
    """The flagged examples shown to raters, drawn at random, in the order of their index."""
    chosen = rng.choice(flagged, round(SHARE_REVIEWED * len(flagged)), replace=False)
    return sorted(chosen.tolist())


def answer(truth: frozenset[int], given: int, guessed: int) -> str:
    """The right answer about an example.

    >>> [answer(frozenset(truth), given=3, guessed=8) for truth in ({3}, {8}, {3, 8}, {5})]
    ['given', 'guessed', 'both', 'neither']
    """
    if given in truth:
        return "both" if guessed in truth else "given"
    return "guessed" if guessed in truth else "neither"


def votes(draft: Draft, index: int, given: int, guessed: int, raters: int, rng: np.random.Generator) -> dict[str, int]:
    """The number of raters for each answer about one example."""
    right = ANSWERS.index(answer(draft.truth[index], given, guessed))
    chances = np.full(len(ANSWERS), (1 - draft.clarity[index]) / (len(ANSWERS) - 1))
    chances[right] = draft.clarity[index]
    counts = rng.multinomial(raters, chances).tolist()
    return dict(zip(ANSWERS, counts, strict=True))
