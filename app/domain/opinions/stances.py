"""What an opinion says of two labels that an example may have, and of the corrections that reviewers made.

An opinion *confirms* a correction where it holds the corrected label and not the given one, and *opposes* it where it
holds the given label and not the corrected one. Where it holds both, another label or none, it does neither.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.opinions.opinion import Integers, Opinion
from app.domain.review.verdicts import ERROR_CATEGORIES, Category


class Stance(StrEnum):
    """What an opinion holds, of the given label and the one proposed or agreed on instead, the "guessed" one."""

    GIVEN = "given"
    GUESSED = "guessed"
    BOTH = "both"
    OTHER = "other"
    SILENT = "silent"


class Support(StrEnum):
    """What all sources together say of a correction."""

    CONFIRMED = "confirmed"  # some confirm it and none opposes it
    OPPOSED = "opposed"  # some oppose it and none confirms it
    DIFFER = "differ"  # some confirm it and some oppose it
    OPEN = "open"  # none does either


#: The stances, in the order of tables; an array of stances holds places in it.
STANCES: Final = tuple(Stance)
_GIVEN, _GUESSED, _BOTH, _OTHER, _SILENT = range(len(STANCES))
#: A letter for each stance, to keep what many sources say of many examples: given, corrected, both, another, silent.
SIGNS: Final = "gcbxs"
SIGN_OF: Final = dict(zip(STANCES, SIGNS, strict=True))
_STANCE_OF: Final = dict(zip(SIGNS, STANCES, strict=True))
#: The categories of a cross table, in its order.
CATEGORIES: Final = (Category.NON_ERROR, *ERROR_CATEGORIES)


def stances(opinion: Opinion, indices: Integers, given: Integers, guessed: Integers) -> NDArray[np.uint8]:
    """(k,) what an opinion says of k examples, as places in ``STANCES``.

    ``given`` and ``guessed`` are (k,) class ids; a guess below 0 is none, and one that equals the given label is no
    alternative to it.

    >>> opinion = Opinion.of_sets([[1], [2, 3], [1, 2], [5], []])
    >>> found = stances(opinion, np.arange(5), np.full(5, 1), np.full(5, 2))
    >>> [STANCES[place].value for place in found]
    ['given', 'guessed', 'both', 'other', 'silent']
    """
    own = opinion.holds(indices, given)
    another = opinion.holds(indices, guessed) & (given != guessed)
    found = np.full(len(own), _OTHER, np.uint8)
    found[own] = _GIVEN
    found[another] = _GUESSED
    found[own & another] = _BOTH
    found[~opinion.speaks[indices]] = _SILENT
    return found


def support(said: Sequence[Stance]) -> Support:
    """What sources together say of a correction, from the stance of each.

    >>> support([Stance.GUESSED, Stance.SILENT]), support([Stance.GUESSED, Stance.GIVEN])
    (<Support.CONFIRMED: 'confirmed'>, <Support.DIFFER: 'differ'>)
    """
    confirmed, opposed = Stance.GUESSED in said, Stance.GIVEN in said
    if confirmed and opposed:
        return Support.DIFFER
    return Support.CONFIRMED if confirmed else Support.OPPOSED if opposed else Support.OPEN


def cross_table(said: Sequence[tuple[Category, Stance]]) -> Mapping[Category, Mapping[Stance, int]]:
    """Category -> stance -> how many of the reviewed examples; unreviewed ones are not there.

    Every cell of the paper's categories is there, one of errors of which nobody asked more only where there are any.

    >>> cross_table([(Category.CORRECTABLE, Stance.GIVEN)] * 2)[Category.CORRECTABLE][Stance.GIVEN]
    2
    """
    counted = Counter(said)
    table = {category: {stance: counted[category, stance] for stance in Stance} for category in CATEGORIES}
    return {c: row for c, row in table.items() if c is not Category.NOT_ASKED or any(row.values())}


def stances_of(signs: str | None) -> tuple[Stance, ...]:
    """What each source says of an example, from a letter for each; none where nobody was asked.

    >>> stances_of("cs")
    (<Stance.GUESSED: 'guessed'>, <Stance.SILENT: 'silent'>)
    """
    return tuple(_STANCE_OF[sign] for sign in signs or "")
