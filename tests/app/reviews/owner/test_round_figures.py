"""The figures of a round with three careful raters, one of one side and one at random."""

import uuid
from collections import Counter

import krippendorff
import numpy as np
import pytest

from app.domain.review.agreement.rater_signs import Sign
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import Category
from app.reviews.elsewhere.vote_import import ImportedVote, import_votes
from app.reviews.lending import Task, next_task
from app.reviews.owner.exclusions import NoRaterError, exclude, forget, include, preview, rater_named
from app.reviews.owner.given_answers import answers_of
from app.reviews.owner.round_figures import figures_json, round_figures
from app.reviews.questions import Question
from app.reviews.raters import add_rater
from app.reviews.ratings import ratings, standing, tallies
from app.reviews.rounds import NewItem
from app.reviews.voting import Vote, cast
from tests.app.reviews.making import PAIR, opened_round
from tests.app.reviews.owner.simulated import careful, truth, work

N = 60


@pytest.fixture
def round_(store):
    return opened_round(store, N, agreements=(3, 4, 5))


def by_name(figures):
    return {one.name: one for one in figures.raters}


def test_the_two_who_do_not_look_are_named_and_nobody_else(store, round_):
    work(store, round_)
    found = by_name(round_figures(store, round_))
    assert {name: one.signs for name, one in found.items()} == {
        "Ann": (),
        "Ben": (),
        "Cleo": (),
        "Always": (Sign.ONE_SIDE,),
        "Coin": (Sign.RANDOM,),
    }
    assert found["Always"].remarks[0].startswith("always answers “a”")
    assert found["Coin"].remarks[0].startswith("answers look random")
    assert found["Ann"].seconds == 3.0
    assert found["Ann"].right > 0.8 > found["Coin"].right


def test_what_is_counted_is_what_the_tallies_say(store, round_):
    work(store, round_)
    figures = round_figures(store, round_)
    assert figures.standing == standing(store, round_)
    counted = [
        Counter("given" if meaning["classes"] == [0] else "guessed" for meaning in one.meanings)
        for one in tallies(store, round_)
    ]
    table = np.array([[one["given"], one["guessed"]] for one in counted])
    expected = krippendorff.alpha(value_counts=table, level_of_measurement="nominal")
    assert figures.alpha.value == pytest.approx(expected, abs=1e-12)
    for agreement in (3, 4, 5):
        categories = Counter(
            Category.NON_ERROR
            if one["given"] >= 3
            else Category.CORRECTABLE
            if one["guessed"] >= agreement
            else Category.NON_AGREEMENT
            for one in counted
        )
        assert figures.categories[agreement] == categories
    assert figures.settled == N
    assert figures.saved == 0
    pair = figures.pairs[0]
    assert (pair.first, pair.second, pair.examples) == ("cat", "dog", N)
    against = sum(one["given"] * one["guessed"] for one in counted)
    assert pair.share == pytest.approx(against / (10 * N))


def test_dawid_skene_knows_better_than_the_majority(store, round_):
    """With two of five who do not look, the majority errs more often."""
    work(store, round_)
    figures = round_figures(store, round_)
    wanted = {idx: Category.CORRECTABLE if truth(idx) else Category.NON_ERROR for idx in range(N)}
    by_estimate = {one.idx: one.verdict.category for one in figures.weighed.examples}
    by_votes = {one.idx: one.verdict(3, 3).category for one in answers_of(store, round_).voted()}
    wrong = [sum(found[idx] is not wanted[idx] for idx in range(N)) for found in (by_estimate, by_votes)]
    assert wrong[0] < wrong[1]
    assert set(figures.otherwise) == {idx for idx in range(N) if by_estimate[idx] is not by_votes[idx]}


@pytest.mark.parametrize("name", ["Always", "Coin", "Ann"])
def test_excluding_changes_what_it_says_it_will_change(store, round_, name):
    raters = work(store, round_)
    before = {one.idx: one.meanings for one in tallies(store, round_)}
    said = preview(store, round_, raters[name], exclude=True)
    assert {one.idx: one.meanings for one in tallies(store, round_)} == before, "a preview changes nothing"
    assert (said.votes, said.reopened) == (N, N), "every example lacks one vote then"
    exclude(store, round_, raters[name], "does not look")
    figures = round_figures(store, round_)
    assert figures.alpha == said.after
    assert figures.settled == N - said.reopened
    assert standing(store, round_).needed == N
    row = by_name(figures)[name]
    assert (row.excluded, row.why) == (True, "does not look")
    assert {one["why"] for one in ratings(store, round_) if one["excluded"]} == {"does not look"}
    again = preview(store, round_, rater_named(store, round_, name), exclude=False)
    assert (again.votes, again.after, again.reopened) == (N, said.before, 0)
    include(store, round_, rater_named(store, round_, name))
    assert {one.idx: one.meanings for one in tallies(store, round_)} == before


def test_changed_categories_are_told_one_by_one(store):
    """Where votes stop early, some verdicts stand without the excluded rater, some change, some are open again."""
    found = opened_round(store, N, stop=StoppingRule.CATEGORY, agreements=(3,))
    raters = work(store, found)
    majority = found.settings.stopping
    now = {one.idx: one.verdict(3, 3).category for one in answers_of(store, found).voted()}
    said = preview(store, found, raters["Coin"], exclude=True)
    without = answers_of(store, found).voted({raters["Coin"].code})
    settled = {
        one.idx: one.verdict(3, 3).category for one in without if one.question.fewest_more(one.meanings, majority) == 0
    }
    assert {one.idx: (one.before, one.after) for one in said.changes} == {
        idx: (now[idx], settled.get(idx)) for idx in now if settled.get(idx) is not now[idx]
    }
    assert 0 < said.reopened < N
    figures = round_figures(store, found)
    assert figures.saved == 5 * N - figures.standing.votes > 0


def test_a_rater_who_is_out_is_still_compared(store, round_):
    raters = work(store, round_)
    before = by_name(round_figures(store, round_))["Coin"].with_others
    exclude(store, round_, raters["Coin"], "coin")
    assert by_name(round_figures(store, round_))["Coin"].with_others == before


def test_a_reason_is_needed(store, round_):
    raters = work(store, round_)
    with pytest.raises(ValueError, match="expected a reason"):
        exclude(store, round_, raters["Coin"], "  ")
    assert not by_name(round_figures(store, round_))["Coin"].excluded


def test_forgetting_leaves_the_votes_under_another_name(store, round_):
    raters = work(store, round_)
    before = figures_json(round_figures(store, round_))["alpha"]
    n = forget(store, round_, raters["Coin"])
    assert n == N
    text = str([list(row.values()) for row in ratings(store, round_)]) + str(figures_json(round_figures(store, round_)))
    assert raters["Coin"].code not in text
    assert "'Coin'" not in text
    assert figures_json(round_figures(store, round_))["alpha"] == before
    with pytest.raises(NoRaterError, match="there is no rater 'Coin'"):
        rater_named(store, round_, "Coin")


def test_forgetting_with_the_votes_leaves_nothing(store, round_):
    raters = work(store, round_)
    assert forget(store, round_, raters["Coin"], votes=True) == N
    figures = round_figures(store, round_)
    assert "Coin" not in by_name(figures)
    assert (figures.standing.votes, figures.standing.needed) == (4 * N, N)


def test_who_came_from_a_file_without_times_is_not_called_fast(store, round_):
    work(store, round_)
    votes = [ImportedVote(idx, "Dora", "cat", f"line {idx + 2}") for idx in range(N)]
    import_votes(store, round_, votes)
    dora = by_name(round_figures(store, round_))["Dora"]
    assert (dora.seconds, dora.counts.n_timed, dora.counts.n_fast) == (None, 0, 0)
    assert Sign.TOO_FAST not in dora.signs


def test_who_clicks_through_sets_is_called_fast(store):
    """Answers that name a set of classes take time too, and so does saying that one cannot tell."""
    question = Question("set", (0,), (1,), (0, 1), ())
    found = opened_round(store, 20, question=question)
    for name, seconds in (("Ann", 4), ("Ben", 4), ("Quick", 1)):
        rater = add_rater(store, found, name)
        while isinstance(task := next_task(store, rater, found), Task):
            store.clock.now += seconds
            answer = "cannot_tell" if task.idx % 5 == 0 else {"cat": True, "dog": False}
            cast(store, rater, found, Vote(task.code, answer, str(uuid.uuid4())))
    raters = by_name(round_figures(store, found))
    assert {name: one.signs for name, one in raters.items()} == {"Ann": (), "Ben": (), "Quick": (Sign.TOO_FAST,)}
    assert raters["Quick"].remarks == ("20 of 20 answers took less than 1.2 s",)


def test_gold_items_and_repeats_are_counted(store):
    gold = [
        NewItem(100 + n, PAIR.__class__("pair", (n % 2,), None, (0, 1), ("both", "neither")), ("image",), gold=True)
        for n in range(12)
    ]
    again = [NewItem(200 + n, PAIR, ("image",), repeated=True) for n in range(12)]
    found = opened_round(store, 40, more=(*gold, *again), gold=0.2, repeat_after=3)
    work(store, found)
    raters = by_name(round_figures(store, found))
    assert raters["Ann"].counts.gold_right >= 0.8 * raters["Ann"].counts.gold > 0
    assert raters["Ann"].counts.repeats_same >= 0.7 * raters["Ann"].counts.repeats > 0
    assert raters["Always"].counts.gold_right < raters["Always"].counts.gold
    assert raters["Ann"].votes == 52, "neither gold items nor repeats are votes"


def test_an_empty_round_has_figures_too(store, round_):
    found = figures_json(round_figures(store, round_))
    assert found["alpha"]["value"] is None
    assert found["progress"]["seconds_left"] is None
    assert found["raters"] == []


def test_names_that_are_not_one_rater_are_refused(store, round_):
    work(store, round_, {"Ann": careful})
    second = work(store, round_, {"Ann": careful})["Ann"]
    with pytest.raises(NoRaterError, match="2 raters are called 'Ann'"):
        rater_named(store, round_, "Ann")
    assert rater_named(store, round_, second.code).id == second.id
