"""Which categories the votes of a dataset can result in.

If reviewers could not give an answer at all, its count is unknown rather than 0.
"""

from collections.abc import Mapping
from typing import Final

from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category

#: The answers that lead to a category and that not everyone could choose.
_ANSWERS: Final[Mapping[Category, str]] = {Category.MULTI_LABEL: "both", Category.NEITHER: "neither"}


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
