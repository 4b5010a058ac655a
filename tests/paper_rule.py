"""The paper's rule (section 4, Table 2), spelled out over its four answers: an oracle for what the catalogue says."""

from collections.abc import Mapping

from app.domain.review.verdicts import Category


def paper_category(counts: Mapping[str, int], agreement: int) -> Category:
    """The category of votes of five, by answer; answers that are not among the four support none."""
    if counts.get("given", 0) >= 3:
        return Category.NON_ERROR
    if counts.get("guessed", 0) >= agreement:
        return Category.CORRECTABLE
    if counts.get("both", 0) >= agreement:
        return Category.MULTI_LABEL
    if counts.get("neither", 0) >= agreement:
        return Category.NEITHER
    return Category.NON_AGREEMENT
