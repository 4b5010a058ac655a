"""Disputes in the store: taken once, decided once, settled by a round; on both databases."""

import threading

import pytest
from sqlalchemy import create_engine, make_url, select, text

from app.domain.review.dispute_outcome import Claim, Outcome
from app.reviews.disputes import filing
from app.reviews.disputes.filing import FullError, NewDispute, file_dispute
from app.reviews.disputes.moderation import (
    ModerationError,
    Result,
    State,
    accept,
    find_dispute,
    find_disputes,
    forget_words,
    reject,
    settle,
    waiting_by_dataset,
)
from app.reviews.migrations import HEAD
from app.reviews.rounds import set_closed
from app.reviews.store import Store
from app.reviews.tables import dispute_events
from tests.app.reviews.making import opened_round

NEW = NewDispute("pets", 3, Claim.OTHER, ("dog",), "It barks all day.", "https://example.org/")


def filed(store, **changed):
    file_dispute(store, NewDispute(**{**{name: getattr(NEW, name) for name in NEW.__slots__}, **changed}))
    return find_disputes(store)[-1]


def test_what_is_sent_is_kept_once(store, clock):
    assert file_dispute(store, NEW)
    clock.now += 5
    assert not file_dispute(store, NEW)
    (found,) = find_disputes(store)
    kept = (found.dataset, found.idx, found.claim, found.proposed, found.reason, found.source, found.state)
    assert kept == ("pets", 3, Claim.OTHER, ("dog",), NEW.reason, NEW.source, State.WAITING)
    assert (found.filed_at, found.decided_at, found.round, found.result) == (clock.now - 5, None, None, None)
    filed(store, reason="It barks all night.")
    assert len({one.code for one in find_disputes(store)}) == 2


def test_sent_at_once_by_many_it_is_kept_once(store):
    told = []
    threads = [threading.Thread(target=lambda: told.append(file_dispute(store, NEW))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(told) == [False] * 7 + [True]
    assert len(find_disputes(store)) == 1


def test_no_more_are_taken_than_an_owner_can_look_at(store, monkeypatch):
    monkeypatch.setattr(filing, "MOST_OF_EXAMPLE", 2)
    monkeypatch.setattr(filing, "MOST_WAITING", 3)
    first = filed(store)
    filed(store, reason="Another reason.")
    with pytest.raises(FullError, match="Enough is waiting for this example"):
        filed(store, reason="And another one.")
    filed(store, idx=4)
    with pytest.raises(FullError, match="Enough is waiting: 3 disputes, and no more are taken"):
        filed(store, idx=5)
    reject(store, first, "No.")
    filed(store, idx=5)


def test_the_owner_rejects_with_a_reason_and_once(store, clock):
    found = filed(store)
    for why in ("", " \x00 ", "x" * 501):
        with pytest.raises(ModerationError, match="expected a reason"):
            reject(store, found, why)
    clock.now += 60
    reject(store, found, "It is\na wolf\x1b.")
    again = find_dispute(store, found.code)
    assert (again.state, again.why, again.decided_at) == (State.REJECTED, "It is a wolf.", clock.now)
    with pytest.raises(ModerationError, match="is rejected; expected one that waits"):
        reject(store, found, "By somebody who did not look again.")
    with pytest.raises(ModerationError, match="is rejected already"):
        reject(store, again, "Twice.")


def test_a_round_decides_what_was_accepted_and_again_when_it_has_more_votes(store, clock):
    one, _ = filed(store), filed(store, idx=2)
    asked = opened_round(store)
    reject(store, one, "No.")
    accept(store, find_disputes(store), asked.id)
    assert {(found.state, found.round) for found in find_disputes(store)} == {(State.ACCEPTED, "pets-1")}
    assert waiting_by_dataset(store) == {"pets": 2}
    for found in (one, find_dispute(store, one.code)):
        with pytest.raises(ModerationError, match="is accepted; expected one that waits"):
            accept(store, [found], asked.id)
        with pytest.raises(ModerationError, match="is accepted"):
            reject(store, found, "No.")
    settle(store, {one.id: Result(Outcome.UNDECIDED, "non_agreement", None)}, clock.now + 1)
    settle(store, {one.id: Result(Outcome.UPHELD, "correctable", ("dog",))}, clock.now + 2)
    again = find_dispute(store, one.code)
    assert (again.state, again.round, again.why) == (State.SETTLED, "pets-1", None)
    assert again.decided_at == clock.now + 2
    assert again.result == Result(Outcome.UPHELD, "correctable", ("dog",))
    assert waiting_by_dataset(store) == {"pets": 1}
    assert [found.idx for found in find_disputes(store, states=[State.SETTLED], round_id=asked.id)] == [3]
    with store.reading() as connection:
        here = dispute_events.c.dispute_id == one.id
        record = list(connection.scalars(select(dispute_events.c.state).where(here).order_by(dispute_events.c.id)))
    assert record == ["rejected", "accepted", "settled", "settled"]


def test_of_several_that_are_accepted_together_all_are_or_none(store):
    one, other = filed(store), filed(store, idx=2)
    asked = opened_round(store)
    accept(store, [other], asked.id)
    one, other = find_disputes(store)
    with pytest.raises(ModerationError, match="is accepted"):
        accept(store, [one, other], asked.id)
    assert find_dispute(store, one.code).state is State.WAITING


def test_a_round_that_was_closed_without_an_end_holds_no_dispute(store):
    one = filed(store)
    first, second = opened_round(store), opened_round(store)
    accept(store, [one], first.id)
    set_closed(store, first, closed=True)
    accept(store, find_disputes(store), second.id)
    assert find_dispute(store, one.code).round == "pets-2"
    set_closed(store, second, closed=True)
    reject(store, find_dispute(store, one.code), "Nobody came.")
    assert find_dispute(store, one.code).state is State.REJECTED
    settle(store, {one.id: Result(Outcome.UPHELD, "neither", None)}, 1.0)  # of a round that has it no longer
    assert find_dispute(store, one.code).state is State.REJECTED


def test_words_are_forgotten_and_the_dispute_stays(store):
    one = filed(store)
    forget_words(store, one)
    again = find_dispute(store, one.code)
    assert (again.reason, again.source, again.claim, again.state) == ("", None, one.claim, State.WAITING)
    assert not file_dispute(store, NEW)  # nor does sending it again bring them back


def test_an_unknown_dispute_is_told(store):
    with pytest.raises(ModerationError, match="there is no dispute 'd1'"):
        find_dispute(store, "d1")


def test_a_store_of_the_version_before_gets_the_tables_and_keeps_its_rounds(url):
    store = Store(make_url(url))
    opened_round(store)
    store.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("dispute_events", "disputes"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    store = Store(make_url(url))
    assert file_dispute(store, NEW)
    accept(store, find_disputes(store), 1)
    assert find_disputes(store)[0].round == "pets-1"
    with store.reading() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    store.close()
