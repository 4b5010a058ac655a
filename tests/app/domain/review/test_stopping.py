"""Stopping rules: the published means over all orders, and that no rule ever changes what it decides."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from app.domain.review.stopping import Choice, Stopping, StoppingRule, fewest_more, fewest_more_of_sets
from app.domain.review.verdicts import Category, label_set_verdict, verdict
from tests.app.domain.review.orders import votes_until_settled

GIVEN, GUESSED, BOTH, NEITHER = frozenset({0}), frozenset({1}), frozenset({0, 1}), frozenset()
FOUR = Choice(0, (GIVEN, GUESSED, BOTH, NEITHER))
NAMES = {"given": GIVEN, "guessed": GUESSED, "both": BOTH, "neither": NEITHER}
ERROR, CATEGORY = StoppingRule.ERROR, StoppingRule.CATEGORY


def stopping(rule: StoppingRule, *agreements: int) -> Stopping:
    return Stopping(rule, 5, 3, agreements)


def published(folder: Path, name: str) -> Iterator[tuple[Choice, dict]]:
    """The questions of a dataset of the paper, and what five raters answered."""
    for record in json.loads((folder / f"{name}_mturk.json").read_text()):
        cast = dict(record["mturk"])
        if name == "mnist" and record["given_original_label"] == record["our_guessed_label"]:
            cast["guessed"] = 0  # the same votes under two names
        if name == "amazon":
            # Raters chose among three classes and a word; only the guessed class becomes a label.
            classes = {"Negative": 0, "Neutral": 1, "Positive": 2}
            given, guessed = classes[record["given_original_label"]], classes[record["our_guessed_label"]]
            own = {word.casefold(): frozenset({one}) for word, one in classes.items()}
            cast = {own.get(word, word): n for word, n in cast.items()}
            yield Choice(given, tuple(cast), frozenset({guessed})), cast
            continue
        words = tuple(word for word in cast if word not in NAMES)
        named = {NAMES.get(word, word): n for word, n in cast.items()}
        yield Choice(0, (*(NAMES[word] for word in cast if word in NAMES), *words)), named


MEANS = {
    "mnist": (3.35, 3.40),
    "cifar10": (3.69, 3.79),
    "cifar100": (3.62, 3.74),
    "caltech256": (3.41, 3.50),
    "imagenet": (3.53, 3.82),
    "quickdraw": (3.66, 4.16),
    "20news": (3.81, 4.58),
    "imdb": (3.91, 4.19),
    "amazon": (3.98, 4.37),
}


@pytest.fixture(scope="module")
def means(shared: Path) -> dict[str, list[tuple[float, float, float]]]:
    """Dataset -> for each example the mean votes until error or not, the category at 3, and at 3, 4 and 5."""
    found = {}
    for name in MEANS:
        known: dict = {}
        rows = []
        for question, cast in published(shared / "label-errors" / "mturk", name):
            key = (question, tuple(sorted(cast.items(), key=str)))
            if key not in known:
                rules = (stopping(ERROR, 3), stopping(CATEGORY, 3), stopping(CATEGORY, 3, 4, 5))
                known[key] = tuple(votes_until_settled(question, cast, how)[0] for how in rules)
            rows.append(known[key])
        found[name] = rows
    return found


@pytest.mark.parametrize("name", MEANS)
def test_the_published_votes_stop_after_these_many_on_average(means, name):
    rows = means[name]
    error, category = (sum(row[place] for row in rows) / len(rows) for place in (0, 1))
    assert (round(error, 2), round(category, 2)) == MEANS[name]


def test_all_nine_datasets_together(means):
    rows = [row for name in MEANS for row in means[name]]
    assert len(rows) == 15_313
    assert [round(sum(row[place] for row in rows) / len(rows), 2) for place in range(3)] == [3.61, 3.88, 4.24]


WORDS = Choice(0, (GIVEN, GUESSED, "neutral", "off-topic"))
NARROW = Choice(0, (GIVEN, GUESSED, frozenset({2}), NEITHER), eligible=frozenset({1}))


def orders(n_answers: int, n_votes: int) -> Iterator[tuple[int, ...]]:
    """Every way in which votes can be spread over answers."""
    return (counts for counts in product(range(n_votes + 1), repeat=n_answers) if sum(counts) == n_votes)


def completions(question: Choice, counts: tuple[int, ...], left: int) -> list[dict]:
    added = orders(len(counts), left)
    return [dict(zip(question.answers, map(sum, zip(counts, more, strict=True)), strict=True)) for more in added]


@pytest.mark.parametrize("question", [FOUR, WORDS, NARROW], ids=["four", "words", "narrow"])
@pytest.mark.parametrize("agreements", [(3,), (4,), (3, 4, 5)])
def test_votes_stop_exactly_when_no_further_ones_can_change_the_verdict(question, agreements):
    """Against every way in which the votes could go on."""
    for n in range(6):
        for counts in orders(4, n):
            ends = completions(question, counts, 5 - n)
            at = [[verdict(0, end, t, eligible=question.eligible) for end in ends] for t in agreements]
            settled = all(len({(one.category, one.agreed) for one in found}) == 1 for found in at)
            is_error = {found.category.is_error for found in at[0]}
            votes = dict(zip(question.answers, counts, strict=True))
            assert (fewest_more(question, votes, stopping(CATEGORY, *agreements)) == 0) == settled, counts
            assert (fewest_more(question, votes, stopping(ERROR, *agreements)) == 0) == (len(is_error) == 1), counts


@pytest.mark.parametrize("rule", [ERROR, CATEGORY])
def test_the_fewest_further_votes_are_those_of_the_luckiest_order(rule):
    how = stopping(rule, 3, 4)

    def luckiest(counts: tuple[int, ...]) -> int:
        if fewest_more(FOUR, dict(zip(FOUR.answers, counts, strict=True)), how) == 0:
            return 0
        return 1 + min(luckiest((*counts[:k], counts[k] + 1, *counts[k + 1 :])) for k in range(4))

    for n in range(6):
        for counts in orders(4, n):
            votes = dict(zip(FOUR.answers, counts, strict=True))
            assert fewest_more(FOUR, votes, how) == luckiest(counts)


@pytest.mark.parametrize("given", [frozenset({1}), frozenset({1, 2}), frozenset()], ids=str)
def test_sets_never_stop_while_a_vote_could_change_them(given):
    """Against every way in which five raters can go on to hear each of two classes, or not."""
    for n, first, second in product(range(6), repeat=3):
        if max(first, second) > n:
            continue
        grid = product(range(first, first + 6 - n), range(second, second + 6 - n))
        ends = [{1: one, 2: two} for one, two in grid]
        for rule, agreements in ((ERROR, (3,)), (CATEGORY, (3,)), (CATEGORY, (3, 4, 5))):
            more = fewest_more_of_sets(given, {1: first, 2: second}, n, stopping(rule, *agreements))
            assert 0 <= more <= 5 - n
            if more:
                continue
            for t in agreements:
                found = {label_set_verdict(given, end, t).category for end in ends}
                if rule is ERROR:
                    assert len({one is Category.NON_ERROR for one in found}) == 1
                else:
                    assert len(found) == 1


def test_error_or_not_of_a_set_stops_as_soon_as_nothing_can_change_it():
    for n, first, second in product(range(6), repeat=3):
        if max(first, second) > n:
            continue
        grid = product(range(first, first + 6 - n), range(second, second + 6 - n))
        same = {
            label_set_verdict(frozenset({1}), {1: one, 2: two}, 3).category is Category.NON_ERROR for one, two in grid
        }
        more = fewest_more_of_sets(frozenset({1}), {1: first, 2: second}, n, stopping(ERROR, 3))
        assert (more == 0) == (len(same) == 1), (n, first, second)


def test_all_votes_are_asked_for_without_a_rule():
    assert fewest_more(FOUR, {GIVEN: 3}, stopping(StoppingRule.NEVER, 3, 4, 5)) == 2
    assert fewest_more_of_sets(frozenset({1}), {1: 3}, 3, stopping(StoppingRule.NEVER, 3)) == 2


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="expected numbers from 3 to 5"):
        Stopping(StoppingRule.NEVER, 5, 3, (2,))
    with pytest.raises(ValueError, match="expected more than half"):
        Stopping(StoppingRule.ERROR, 6, 3, (3,))
    with pytest.raises(ValueError, match="found votes for maybe"):
        fewest_more(FOUR, {"maybe": 1}, stopping(ERROR, 3))
