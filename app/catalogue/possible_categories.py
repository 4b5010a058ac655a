"""Which categories the votes of a dataset can result in, and how their agreement is told.

If reviewers could not give an answer at all, its count is unknown rather than 0.
"""

from collections.abc import Mapping
from typing import Final

from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category

#: The answers that lead to a category and that not everyone could choose.
_ANSWERS: Final[Mapping[Category, str]] = {Category.MULTI_LABEL: "both", Category.NEITHER: "neither"}

#: Non-agreement, where one judge looked: what is unclear, or was not judged, and a wrong key without a right one.
ILL_POSED: Final = "ill-posed, or not judged"


def is_possible(category: Category, dataset: Dataset) -> bool:
    """Whether reviewers of a dataset could choose what leads to a category, or some have.

    Errors are "not asked" only where a round stopped before their category was settled.
    Among names of classes a vote for "other" says "neither"; whether raters knew that tell their votes alone.
    """
    answer = _ANSWERS.get(category)
    always = answer is None and category is not Category.NOT_ASKED
    if always or answer in dataset.vote_options:
        return True
    return any(counts.get(category) for counts in dataset.categories.values())


def category_word(dataset: Dataset, category: Category) -> str | None:
    """What a category is called of this dataset, if not as everywhere: one judge cannot disagree with others."""
    return ILL_POSED if dataset.raters == 1 and category is Category.NON_AGREEMENT else None


def votes_words(dataset: Dataset, agreement: int) -> str:
    """An agreement threshold in words: "at 3 of 5 votes", and of a single judge "as one expert judged"."""
    return "as one expert judged" if dataset.raters == 1 else f"at {agreement} of {dataset.raters} votes"
