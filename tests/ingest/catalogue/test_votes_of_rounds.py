"""Votes of several rounds over the same examples: they add up while there is room, else the newer ones count."""

from app.domain.review.stopping import StoppingRule
from app.reviews.questions import Question
from app.reviews.ratings import Tally
from app.reviews.rounds import Round, Settings
from ingest.catalogue.reviews.ballots_of_rounds import counted

GIVEN, GUESSED = {"classes": [0]}, {"classes": [1]}
QUESTION = Question("pair", (0,), (1,), (0, 1), ("both", "neither"))
OTHER = Question("pair", (0,), (2,), (0, 2), ("both", "neither"))
NEVER, ERROR, CATEGORY = StoppingRule.NEVER, StoppingRule.ERROR, StoppingRule.CATEGORY


def over(*rounds: tuple) -> dict[int, tuple]:
    """Index -> (number of votes, rule, rounds), of rounds as (rule, meanings, question)."""
    asked = []
    for number, (rule, meanings, *question) in enumerate(rounds, start=1):
        settings = Settings(stop=rule, agreements=(3,))
        tally = Tally(
            7,
            question[0] if question else QUESTION,
            tuple(meanings),
            tuple(f"rater-{place}" for place in range(len(meanings))),
        )
        asked.append((Round(number, f"r{number}", "pets", 0.0, True, settings), [tally]))
    return {idx: (len(one.tally.meanings), one.how.rule, sorted(one.rounds)) for idx, one in counted(asked).items()}


def test_what_each_round_has_too_little_of_both_have_enough_of():
    assert over((NEVER, [GUESSED] * 2)) == {}
    assert over((NEVER, [GUESSED] * 2), (NEVER, [GIVEN] * 3)) == {7: (5, NEVER, ["r1", "r2"])}
    assert over((NEVER, [GUESSED] * 2), (CATEGORY, [GUESSED])) == {7: (3, CATEGORY, ["r1", "r2"])}


def test_beyond_the_votes_of_one_round_the_newer_ones_count():
    assert over((NEVER, [GUESSED] * 5), (NEVER, [GIVEN] * 5)) == {7: (5, NEVER, ["r2"])}
    assert over((NEVER, [GUESSED] * 5), (ERROR, [GUESSED] * 3)) == {7: (3, ERROR, ["r2"])}


def test_too_few_newer_votes_take_nothing_away():
    assert over((NEVER, [GUESSED] * 5), (NEVER, [GIVEN] * 2)) == {7: (5, NEVER, ["r1"])}
    assert over((CATEGORY, [GUESSED] * 3), (NEVER, [GIVEN])) == {7: (3, CATEGORY, ["r1"])}


def test_votes_on_another_question_are_not_added_up():
    assert over((NEVER, [GUESSED] * 2), (NEVER, [GIVEN] * 3, OTHER)) == {}
    assert over((NEVER, [GUESSED] * 2), (CATEGORY, [GIVEN] * 3, OTHER)) == {7: (3, CATEGORY, ["r2"])}
