"""What one judge finds wrong with a question's answer key, and the verdict that follows.

The types are those of MMLU-Redux (Gema et al. 2024, section 2): a question is all right, or its key is wrong in one of
four ways, or it cannot be answered as it is put. One judge decides; there is no vote to count.
"""

from enum import StrEnum

from app.domain.review.verdicts import Category, Verdict


class ErrorType(StrEnum):
    """What a judge finds; the values are as pages say them."""

    OK = "all right"
    WRONG_GROUND_TRUTH = "wrong answer key"
    MULTIPLE_CORRECT_ANSWERS = "several correct answers"
    NO_CORRECT_ANSWER = "no correct answer"
    BAD_QUESTION_CLARITY = "unclear question"
    BAD_OPTIONS_CLARITY = "unclear options"
    EXPERT = "not judged: needs an expert"


def judged(given: int, error_type: ErrorType, named: frozenset[int]) -> Verdict:
    """The verdict on a question with a given answer; ``named`` are the options that the judge names as correct.

    A wrong key is correctable where the judge names one other option, and else nothing is known but that it is wrong.
    Several correct answers make a question multi-label, with those named if at least two are; else the given one is
    all that is known of them. What is unclear, or was
    not judged, has no correction: non-agreement, which pages call ill-posed.

    >>> judged(2, ErrorType.WRONG_GROUND_TRUTH, frozenset({1}))
    Verdict(category=<Category.CORRECTABLE: 'correctable'>, agreed=frozenset({1}))
    >>> judged(2, ErrorType.WRONG_GROUND_TRUTH, frozenset({2})).category
    <Category.NON_AGREEMENT: 'non_agreement'>
    >>> judged(2, ErrorType.OK, frozenset({1})).category
    <Category.NON_ERROR: 'non_error'>
    """
    match error_type:
        case ErrorType.OK:
            return Verdict(Category.NON_ERROR)
        case ErrorType.WRONG_GROUND_TRUTH if len(named) == 1 and given not in named:
            return Verdict(Category.CORRECTABLE, named)
        case ErrorType.MULTIPLE_CORRECT_ANSWERS:
            return Verdict(Category.MULTI_LABEL, named if len(named) > 1 else named | {given})
        case ErrorType.NO_CORRECT_ANSWER:
            return Verdict(Category.NEITHER)
        case _:
            return Verdict(Category.NON_AGREEMENT)
