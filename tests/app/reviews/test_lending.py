"""Who gets which example when: quotas, leases, repeats, gold; also when all ask at once."""

import json
import threading
import uuid
from collections import Counter, defaultdict

import numpy as np
import pytest
from sqlalchemy import select

from app.domain.review.stopping import StoppingRule
from app.reviews.lending import NoTaskError, Nothing, Task, next_task, renew
from app.reviews.links import Link, LinkError
from app.reviews.questions import AnswerError, Question
from app.reviews.raters import add_rater, progress, rater_of, raters_of, revoke
from app.reviews.ratings import ratings, standing, tallies, vote_records
from app.reviews.rounds import NewItem, NoRoundError, all_rounds, find_round, set_closed
from app.reviews.standing import Kind, set_excluded
from app.reviews.tables import events, items
from app.reviews.voting import KeyReusedError, LapsedError, Vote, cast, take_back
from tests.app.reviews.making import PAIR, opened_round


def vote(store, rater, found, task, answer="a", key=None):
    return cast(store, rater, found, Vote(task.code, answer, key or str(uuid.uuid4())))


def side(task: Task, class_id: int) -> str:
    return "ab"[task.sides.index(class_id)]


def work(store, rater, found, answer=lambda task: "a") -> list[int]:
    """Answer all that is there for a rater: the indices of the examples, in order."""
    seen = []
    while isinstance(task := next_task(store, rater, found), Task):
        seen.append(task.idx)
        vote(store, rater, found, task, answer(task))
    assert task == Nothing(None)
    return seen


def test_each_rater_sees_each_example_once_in_an_order_of_their_own(store):
    found = opened_round(store, 12)
    orders = [work(store, add_rater(store, found, f"r{n}"), found) for n in range(5)]
    assert all(sorted(order) == list(range(12)) for order in orders)
    assert len(set(map(tuple, orders))) == 5
    assert work(store, add_rater(store, found, "sixth"), found) == []
    assert standing(store, found).done == 12


def test_reading_a_task_again_is_the_same_task(store):
    found = opened_round(store)
    rater = add_rater(store, found, "r")
    assert next_task(store, rater, found) == next_task(store, rater, found)


def test_the_task_after_one_is_another_and_stays_so_until_it_is_its_turn(store):
    found = opened_round(store, 5)
    rater = add_rater(store, found, "r")
    seen, task = [], next_task(store, rater, found)
    while isinstance(task, Task):
        after = next_task(store, rater, found, task.code)
        assert next_task(store, rater, found, task.code) == after
        assert next_task(store, rater, found) == task, "what is in view stays in view"
        if isinstance(after, Task):
            assert next_task(store, rater, found, after.code) == Nothing(1), "no more than two at once"
        seen.append(task.idx)
        vote(store, rater, found, task)
        assert next_task(store, rater, found) == after
        task = after
    assert task == Nothing(None)
    assert sorted(seen) == list(range(5))


def test_the_task_after_one_takes_nothing_from_others_that_they_need(store):
    """Of one example with one vote nothing comes after it, and another rater waits for it as before."""
    found = opened_round(store, 2, votes=1, agreements=(1,))
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    task = next_task(store, first, found)
    after = next_task(store, first, found, task.code)
    assert task.idx != after.idx
    assert next_task(store, second, found) == Nothing(600)
    vote(store, first, found, task)
    vote(store, first, found, after)
    assert next_task(store, second, found) == Nothing(None)


def test_a_lapsed_task_does_not_come_after_itself(store, clock):
    found = opened_round(store, 1)
    rater = add_rater(store, found, "r")
    task = next_task(store, rater, found)
    clock.now += 601
    assert next_task(store, rater, found, task.code) == Nothing(None)
    assert next_task(store, rater, found).code == task.code


def test_nothing_comes_after_a_task_of_somebody_else(store):
    found = opened_round(store)
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    task = next_task(store, first, found)
    for code in (task.code, "", "none"):
        with pytest.raises(NoTaskError):
            next_task(store, second, found, code)


def test_an_answer_taken_back_comes_before_what_is_loaded_already(store, clock):
    found = opened_round(store, 4)
    rater = add_rater(store, found, "r")
    first = next_task(store, rater, found)
    second = next_task(store, rater, found, first.code)
    vote(store, rater, found, first)
    clock.now += 5
    third = next_task(store, rater, found, second.code)
    assert take_back(store, rater, found) == first.code
    assert next_task(store, rater, found).code == first.code
    assert next_task(store, rater, found, first.code).code == second.code
    assert next_task(store, rater, found, second.code).code == third.code


def test_seconds_are_counted_from_when_a_task_can_be_in_view(store, clock):
    """Not from when it was loaded behind another, nor from before it was taken back."""
    found = opened_round(store, 3)
    rater = add_rater(store, found, "r")
    first = next_task(store, rater, found)
    second = next_task(store, rater, found, first.code)
    clock.now += 40
    vote(store, rater, found, first)
    clock.now += 3
    vote(store, rater, found, second)
    clock.now += 100
    take_back(store, rater, found)
    clock.now += 2
    vote(store, rater, found, second)
    assert [row["seconds"] for row in ratings(store, found)] == [40, 2]


def test_gold_items_keep_their_share_when_the_next_is_loaded_early(store):
    gold = tuple(NewItem(100 + n, Question("pair", (1,), None, (0, 1), ()), (), gold=True) for n in range(20))
    found = opened_round(store, 20, more=gold, gold=0.5)
    rater = add_rater(store, found, "r")
    seen, task = [], next_task(store, rater, found)
    while isinstance(task, Task):
        after = next_task(store, rater, found, task.code)
        seen.append(task.idx)
        vote(store, rater, found, task)
        task = after if isinstance(after, Task) else next_task(store, rater, found)
    assert len(seen) == 40
    for n in range(1, 41):
        assert sum(idx >= 100 for idx in seen[:n]) <= n / 2 + 1


def test_an_answer_is_stored_as_the_class_it_names_whatever_side_it_was_on(store):
    found = opened_round(store, 30, votes=1, agreements=(1,))
    sides = Counter()
    rater = add_rater(store, found, "r")
    while isinstance(task := next_task(store, rater, found), Task):
        sides[task.sides] += 1
        vote(store, rater, found, task, side(task, 1))
    assert set(sides) == {(0, 1), (1, 0)}
    assert {record["mturk"]["guessed"] for record in vote_records(store, found)} == {1}
    told = list(ratings(store, found))
    assert {(row["a"], row["answer"], row["classes"]) for row in told} == {
        ("cat", "b", '["dog"]'),
        ("dog", "a", '["dog"]'),
    }


def test_records_are_those_of_a_votes_file(store):
    found = opened_round(store, 1)
    for n, answer in enumerate(("given", "guessed", "both", "neither", "guessed")):
        rater = add_rater(store, found, f"r{n}")
        task = next_task(store, rater, found)
        spelled = {"given": side(task, 0), "guessed": side(task, 1)}
        vote(store, rater, found, task, spelled.get(answer, answer))
    assert vote_records(store, found) == [
        {
            "id": 0,
            "given_original_label": 0,
            "given_original_label_name": "cat",
            "our_guessed_label": 1,
            "our_guessed_label_name": "dog",
            "mturk": {"given": 1, "guessed": 2, "both": 1, "neither": 1},
        }
    ]


def test_a_set_is_answered_for_each_class(store):
    question = Question("set", (0,), (1,), (0, 1), ())
    found = opened_round(store, 1, question=question)
    rater = add_rater(store, found, "r")
    task = next_task(store, rater, found)
    for wrong in ("a", {"cat": True}, {"cat": True, "dog": 1}, {"cat": True, "dog": True, "cow": False}, None):
        with pytest.raises(AnswerError):
            vote(store, rater, found, task, wrong)
    vote(store, rater, found, task, {"cat": False, "dog": True})
    (record,) = vote_records(store, found)
    assert record["mturk"] == {"cat": 0, "dog": 1}
    assert (record["given_original_labels"], record["our_guessed_labels"]) == (["cat"], ["dog"])


def test_one_of_a_list_is_answered_by_name(store):
    question = Question("options", (0,), (1,), (0, 1), ("off-topic",))
    found = opened_round(store, 2, question=question)
    rater = add_rater(store, found, "r")
    vote(store, rater, found, next_task(store, rater, found), "dog")
    vote(store, rater, found, next_task(store, rater, found), "off-topic")
    assert [record["mturk"] for record in vote_records(store, found)].count({"cat": 0, "dog": 1, "off-topic": 0}) == 1


def test_cannot_tell_is_no_vote_and_the_example_goes_to_another(store):
    found = opened_round(store, 1, votes=1, agreements=(1,))
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    vote(store, first, found, next_task(store, first, found), "cannot_tell")
    assert next_task(store, first, found) == Nothing(None)
    assert vote_records(store, found) == []
    assert isinstance(next_task(store, second, found), Task)


def test_a_lease_lapses_and_the_example_goes_to_the_next(store, clock):
    found = opened_round(store, 1, votes=1, agreements=(1,))
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    task = next_task(store, first, found)
    assert next_task(store, second, found) == Nothing(600)
    clock.now += 590
    assert next_task(store, second, found) == Nothing(10)
    clock.now += 11
    other = next_task(store, second, found)
    assert isinstance(other, Task)
    with pytest.raises(LapsedError, match="went to somebody else"):
        vote(store, first, found, task)
    vote(store, second, found, other)
    assert next_task(store, first, found) == Nothing(None)


def test_a_lapsed_lease_that_nobody_took_still_counts(store, clock):
    found = opened_round(store, 1)
    rater = add_rater(store, found, "r")
    task = next_task(store, rater, found)
    clock.now += 10_000
    vote(store, rater, found, task)
    assert standing(store, found).votes == 1


def test_a_lease_is_renewed_while_its_page_is_open(store, clock):
    found = opened_round(store, 1, votes=1, agreements=(1,))
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    task = next_task(store, first, found)
    for _ in range(5):
        clock.now += 500
        assert renew(store, first, found, task.code) == 600
    assert isinstance(next_task(store, second, found), Nothing)
    clock.now += 601
    assert renew(store, first, found, task.code) is None
    assert renew(store, second, found, task.code) is None


def test_a_vote_sent_twice_counts_once_and_another_under_its_key_is_refused(store):
    found = opened_round(store)
    rater = add_rater(store, found, "r")
    task = next_task(store, rater, found)
    assert vote(store, rater, found, task, "b", "k1") == vote(store, rater, found, task, "b", "k1")
    with pytest.raises(KeyReusedError):
        vote(store, rater, found, task, "a", "k1")
    with pytest.raises(LapsedError, match="answered this example already"):
        vote(store, rater, found, task, "b", "k2")
    assert standing(store, found).votes == 1


def test_a_task_of_another_rater_is_none(store):
    found = opened_round(store)
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    with pytest.raises(NoTaskError):
        vote(store, second, found, next_task(store, first, found))


def test_the_last_answer_is_taken_back_and_asked_again(store, clock):
    found = opened_round(store, 3, votes=1, agreements=(1,))
    rater = add_rater(store, found, "r")
    first = next_task(store, rater, found)
    vote(store, rater, found, first, "a")
    clock.now += 1
    second = next_task(store, rater, found)
    clock.now += 1
    assert take_back(store, rater, found) == first.code
    assert vote_records(store, found) == []
    assert next_task(store, rater, found).code == first.code
    vote(store, rater, found, first, "b")
    assert next_task(store, rater, found).code == second.code
    (record,) = vote_records(store, found)
    assert record["mturk"][{0: "given", 1: "guessed"}[first.sides[1]]] == 1
    with store.reading() as connection:
        kinds = list(connection.scalars(select(events.c.kind).order_by(events.c.id)))
    assert kinds == ["vote", "undo", "vote"]


def test_answers_are_taken_back_one_after_another_until_none_is_left(store):
    found = opened_round(store, 3)
    rater = add_rater(store, found, "r")
    codes = []
    for _ in range(3):
        task = next_task(store, rater, found)
        codes.append(task.code)
        vote(store, rater, found, task)
    assert [take_back(store, rater, found) for _ in range(4)] == [*codes[::-1], None]
    assert standing(store, found).votes == 0


@pytest.mark.parametrize(
    ("rule", "votes"), [(StoppingRule.ERROR, 3), (StoppingRule.CATEGORY, 3), (StoppingRule.NEVER, 5)]
)
def test_a_round_stops_early_by_its_rule(store, rule, votes):
    found = opened_round(store, 2, stop=rule)
    for n in range(5):
        work(store, add_rater(store, found, f"r{n}"), found, lambda task: side(task, 0))
    assert standing(store, found).votes == 2 * votes


def test_no_vote_is_asked_for_in_vain(store):
    """Three agree at once where three suffice: a fourth rater is asked to come back, not to look."""
    found = opened_round(store, 1, stop=StoppingRule.ERROR)
    people = [add_rater(store, found, f"r{n}") for n in range(4)]
    tasks = [next_task(store, one, found) for one in people]
    assert [isinstance(task, Task) for task in tasks] == [True, True, True, False]
    assert tasks[3] == Nothing(600)
    for rater, task, class_id in zip(people, tasks, (0, 0, 1), strict=False):
        vote(store, rater, found, task, side(task, class_id))
    task = next_task(store, people[3], found)
    vote(store, people[3], found, task, side(task, 0))
    assert standing(store, found).votes == 4
    assert standing(store, found).done == 1


def test_repeats_are_asked_once_more_and_counted_never(store):
    more = (NewItem(50, PAIR, (), repeated=True),)
    found = opened_round(store, 12, more=more)
    rater = add_rater(store, found, "r")
    seen = work(store, rater, found)
    assert Counter(seen) == Counter({50: 2} | dict.fromkeys(range(12), 1))
    places = [place for place, idx in enumerate(seen) if idx == 50]
    assert places[1] - places[0] > found.settings.repeat_after or places[1] == len(seen) - 1
    assert standing(store, found).votes == 13
    assert sum(row["repeat"] for row in ratings(store, found)) == 1


def test_gold_items_come_in_their_share_and_are_published_never(store):
    gold = tuple(
        NewItem(100 + n, Question("pair", (1,), None, (0, 1), ("both", "neither")), (), gold=True) for n in range(20)
    )
    found = opened_round(store, 20, more=gold, gold=0.5)
    rater = add_rater(store, found, "r")
    seen = work(store, rater, found)
    assert len(seen) == 40
    for n in range(1, 41):
        assert sum(idx >= 100 for idx in seen[:n]) <= n / 2 + 1
    assert {tally.idx for tally in tallies(store, found)} == set(range(20))
    assert standing(store, found).examples == 20
    assert sum(row["gold"] for row in ratings(store, found)) == 20


def test_progress_counts_down_to_what_is_left(store):
    found = opened_round(store, 3)
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    assert (progress(store, first, found).done, progress(store, first, found).of) == (0, 3)
    vote(store, first, found, next_task(store, first, found))
    assert (progress(store, first, found).done, progress(store, first, found).of) == (1, 3)
    assert progress(store, second, found).of == 3


def test_a_closed_round_takes_no_votes_until_it_is_opened_again(store):
    found = opened_round(store)
    rater = add_rater(store, found, "r")
    task = next_task(store, rater, found)
    set_closed(store, found, closed=True)
    closed = find_round(store, found.name)
    assert next_task(store, rater, closed) == Nothing(None)
    with pytest.raises(LapsedError, match="closed"):
        vote(store, rater, closed, task)
    with pytest.raises(LapsedError, match="closed"):
        take_back(store, rater, closed)
    set_closed(store, found, closed=False)
    vote(store, rater, find_round(store, found.name), task)


def test_an_excluded_rater_makes_room_and_can_be_taken_in_again(store):
    found = opened_round(store, 2, votes=1, agreements=(1,))
    first, second = (add_rater(store, found, name) for name in ("first", "second"))
    work(store, first, found)
    assert set_excluded(store, first, Kind.EXCLUDE, found.settings.stopping, "always a") == 2
    assert standing(store, found).votes == 0
    assert {row["why"] for row in ratings(store, found)} == {"always a"}
    task = next_task(store, second, found)
    vote(store, second, found, task)
    set_excluded(store, first, Kind.INCLUDE, found.settings.stopping)
    # Both have voted on one example now: the first vote is the one that counts.
    assert [len(tally.meanings) for tally in tallies(store, found)] == [1, 1]
    assert len(list(ratings(store, found))) == 3
    assert standing(store, found).done == 2


def test_a_revoked_link_is_not_accepted_and_the_votes_stand(store):
    found = opened_round(store, 1)
    rater = add_rater(store, found, "r")
    work(store, rater, found)
    assert rater_of(store, Link("rater", rater.code))[0].id == rater.id
    revoke(store, raters_of(store, found)[0])
    with pytest.raises(LinkError, match="revoked"):
        rater_of(store, Link("rater", rater.code))
    assert standing(store, found).votes == 1


def test_rounds_have_names_of_their_own(store):
    assert [opened_round(store).name, opened_round(store).name] == ["pets-1", "pets-2"]
    assert [one.name for one in all_rounds(store)] == ["pets-1", "pets-2"]
    with pytest.raises(NoRoundError, match="expected one of: pets-1, pets-2"):
        find_round(store, "pets-3")


@pytest.mark.parametrize("rule", [StoppingRule.NEVER, StoppingRule.CATEGORY])
def test_no_quota_is_exceeded_when_all_ask_at_once(store, rule):
    """Twelve raters over ten examples of five votes; they answer, give up, and take back, in threads of their own."""
    found = opened_round(store, 10, stop=rule)
    people = [add_rater(store, found, f"r{n}") for n in range(12)]
    seen: dict[int, list[int]] = defaultdict(list)
    failures: list[BaseException] = []

    def take_part(number: int) -> None:
        rater, turn = people[number], 0
        try:
            while isinstance(task := next_task(store, rater, found), Task):
                turn += 1
                answer = "cannot_tell" if (number, turn) in ((3, 1), (5, 2)) else side(task, (number * task.idx) % 2)
                vote(store, rater, found, task, answer)
                seen[number].append(task.item_id)
                if turn == 2 and number % 4 == 0:
                    take_back(store, rater, found)
                    seen[number].pop()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=take_part, args=(number,)) for number in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures, failures
    for rater in people:  # those who were told to wait while others had the rest
        while isinstance(task := next_task(store, rater, found), Task):
            vote(store, rater, found, task, side(task, task.idx % 2))
    assert all(len(set(theirs)) == len(theirs) for theirs in seen.values())
    now = standing(store, found)
    assert now.done == 10
    with store.reading() as connection:
        counts = list(connection.scalars(select(items.c.n_votes)))
    assert max(counts) <= 5
    assert rule is not StoppingRule.NEVER or counts == [5] * 10
    by_pair = Counter((row["example"], row["rater"]) for row in ratings(store, found))
    assert set(by_pair.values()) == {1}
    assert json.dumps(vote_records(store, found))


def test_no_example_comes_early_for_everybody(store):
    """The places of the examples in the orders of two raters have nothing in common."""
    found = opened_round(store, 40, votes=25, agreements=(13,))
    orders = [work(store, add_rater(store, found, f"r{n}"), found) for n in range(12)]
    places = np.array([np.argsort(order) for order in orders])
    between = np.corrcoef(places)[np.triu_indices(12, 1)]
    # Of independent orders the mean has a standard deviation of 1 / sqrt(39 * 66); uneven gaps made it .3.
    assert abs(between.mean()) < 5 / np.sqrt(39 * len(between))
