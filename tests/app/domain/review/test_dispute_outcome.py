"""What votes make of a claim."""

import pytest

from app.domain.review.dispute_outcome import Claim, Outcome, outcome, says_already
from app.domain.review.verdicts import Category

CAT, DOG = frozenset({"cat"}), frozenset({"dog"})
NO = frozenset[str]()
#: Claim, what it names -> the outcome for: no error, corrected to dog, both, neither, no agreement, not asked.
VERDICTS = (
    (Category.NON_ERROR, None),
    (Category.CORRECTABLE, DOG),
    (Category.MULTI_LABEL, None),
    (Category.NEITHER, None),
    (Category.NON_AGREEMENT, None),
    (Category.NOT_ASKED, None),
)


@pytest.mark.parametrize(
    ("claim", "proposed", "outcomes"),
    [
        (Claim.GIVEN, NO, "unnn?n"),
        (Claim.GUESSED, DOG, "nunn??"),
        (Claim.GUESSED, CAT, "nnnn??"),
        (Claim.OTHER, DOG, "nunn??"),
        (Claim.OTHER, CAT, "nnnn??"),
        (Claim.BOTH, NO, "nnun??"),
        (Claim.NEITHER, NO, "nnnu??"),
        (Claim.UNFIT, NO, "nnnu??"),
    ],
)
def test_a_claim_is_upheld_by_the_one_verdict_that_says_the_same(claim, proposed, outcomes):
    words = {"u": Outcome.UPHELD, "n": Outcome.NOT_UPHELD, "?": Outcome.UNDECIDED}
    found = [outcome(claim, proposed, category, corrected) for category, corrected in VERDICTS]
    assert found == [words[letter] for letter in outcomes]


def test_a_class_that_nobody_could_choose_is_upheld_where_neither_of_the_others_fits():
    found = [outcome(Claim.OTHER, CAT, category, corrected, asked=False) for category, corrected in VERDICTS[:4]]
    assert found == [Outcome.NOT_UPHELD] * 3 + [Outcome.UPHELD]


def test_of_several_labels_the_named_one_must_be_among_them_and_the_guess_be_all():
    both = CAT | DOG
    assert outcome(Claim.OTHER, CAT, Category.CORRECTABLE, both) is Outcome.UPHELD
    assert outcome(Claim.GUESSED, CAT, Category.CORRECTABLE, both) is Outcome.NOT_UPHELD


def test_what_is_said_already_cannot_be_disputed_but_that_it_should_be_there_can():
    assert says_already(Claim.GUESSED, DOG, Category.CORRECTABLE, DOG)
    assert not says_already(Claim.GIVEN, NO, Category.CORRECTABLE, DOG)
    assert not says_already(Claim.GIVEN, NO, Category.UNREVIEWED, None)
    assert not says_already(Claim.UNFIT, NO, Category.NEITHER, None)
