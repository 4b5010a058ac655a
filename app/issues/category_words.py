"""Categories as filters spell them and as pages say them."""

from collections.abc import Sequence
from typing import Final

from app.catalogue.possible_categories import category_word as own_word
from app.catalogue.records import Dataset
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.issues.filter_parameters import either

#: Means any of the categories of errors.
ANY_ERROR: Final = "error"
#: Means issues of all categories, reviewed or not: what the API shows by default, and pages do not.
ANY: Final = "any"
CATEGORY_WORDS: Final = {
    Category.CORRECTABLE.value: "correctable",
    Category.MULTI_LABEL.value: "multi-label",
    Category.NEITHER.value: "neither",
    Category.NON_AGREEMENT.value: "non-agreement",
    Category.NOT_ASKED.value: "not asked",
    Category.NON_ERROR.value: "non-error",
    Category.UNREVIEWED.value: "unreviewed",
    ANY_ERROR: "error",
}


def categories_of(words: Sequence[str]) -> set[Category]:
    """The categories that words mean."""
    return {c for word in words for c in (ERROR_CATEGORIES if word == ANY_ERROR else (Category(word),))}


def category_word(dataset: Dataset, word: str) -> str:
    """What a category is called of a dataset."""
    return (word != ANY_ERROR and own_word(dataset, Category(word))) or CATEGORY_WORDS[word]


def category_noun(words: Sequence[str]) -> str:
    """The kind of issue of any of these categories, as a noun: "correctable or neither issue", "error"."""
    kinds = either([CATEGORY_WORDS[word] for word in words])
    alone = tuple(words) in ((ANY_ERROR,), (Category.NON_ERROR.value,))
    return kinds if alone else f"{kinds} issue"  # "54 errors", not "54 error issues"
