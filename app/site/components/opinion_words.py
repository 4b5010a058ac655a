"""What second opinions say, in words and as a line on a card."""

from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from app.catalogue.records import Dataset
from app.domain.opinions.stances import Stance, stances_of
from app.domain.review.verdicts import Category

#: Of a correction.
CORRECTION_WORDS: Final = {
    Stance.GUESSED: "confirms the correction",
    Stance.GIVEN: "opposes the correction",
    Stance.BOTH: "holds both labels",
    Stance.OTHER: "holds another label",
    Stance.SILENT: "says nothing",
}
#: Of any other reviewed example.
LABEL_WORDS: Final = {
    Stance.GUESSED: "holds the guessed label",
    Stance.GIVEN: "holds the given label",
    Stance.BOTH: "holds both labels",
    Stance.OTHER: "holds another label",
    Stance.SILENT: "says nothing",
}


def stance_words(category: Category, stance: Stance) -> str:
    """What a source says of an example, after its name.

    >>> stance_words(Category.CORRECTABLE, Stance.GUESSED)
    'confirms the correction'
    """
    return (CORRECTION_WORDS if category is Category.CORRECTABLE else LABEL_WORDS)[stance]


def card_line(dataset: Dataset, category: Category, signs: str | None) -> str:
    """The line of a card, as HTML; empty where nobody was asked, or nobody says anything."""
    if not signs or not dataset.opinions.sources:
        return ""
    return _line(tuple(source.title for source in dataset.opinions.sources), category, signs)


@lru_cache(maxsize=1024)
def _line(titles: tuple[str, ...], category: Category, signs: str) -> str:
    said = [
        f"{escape(title)} {stance_words(category, stance)}"
        for title, stance in zip(titles, stances_of(signs), strict=True)
        if stance is not Stance.SILENT
    ]
    return str(Markup('<p class="second-opinion">%s</p>') % Markup("; ".join(said))) if said else ""  # noqa: S704
