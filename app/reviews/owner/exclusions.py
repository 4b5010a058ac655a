"""Leave raters out of a round and take them in again, told before it is done; and forget who they were.

Excluding deletes nothing: it is an event, and what stands is counted anew. Forgetting deletes, because its purpose is
that nothing is left by which a person could be known.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, select, update

from app.domain.review.agreement.alpha import Alpha
from app.domain.review.verdicts import Category
from app.reviews.owner.given_answers import Voted, answers_of
from app.reviews.owner.round_figures import alpha_of
from app.reviews.rounds import Round
from app.reviews.standing import Kind, count_anew, enter, set_excluded
from app.reviews.store import Store
from app.reviews.tables import events, items, leases, raters

#: What a forgotten rater is called.
FORGOTTEN: Final = "(forgotten)"
#: Characters of a reason that are kept.
LONGEST_REASON: Final = 500


class NoRaterError(LookupError):
    """There is no such rater, or more than one; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Change:
    """An example whose category changes; None where it has too few votes for one."""

    idx: int
    before: Category | None
    after: Category | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What excluding a rater, or taking one in again, changes. ``votes`` stop, or begin, to count."""

    votes: int
    reopened: int  # examples that then need more votes, and did not before
    changes: Sequence[Change]  # at the lowest threshold of the round
    before: Alpha
    after: Alpha


def rater_named(store: Store, found: Round, name: str) -> Row[Any]:
    """The one rater of a round with a code or a name. Raises NoRaterError."""
    with store.reading() as connection:
        people = connection.execute(select(raters).where(raters.c.round_id == found.id).order_by(raters.c.id)).all()
    theirs = [one for one in people if name == one.code] or [one for one in people if name == one.name]
    if len(theirs) == 1:
        return theirs[0]
    if theirs:
        codes = ", ".join(one.code for one in theirs)
        raise NoRaterError(f"{found.name}: {len(theirs)} raters are called {name!r}; expected one of: {codes}")
    known = ", ".join(f"{one.name} ({one.code})" for one in people) or "(none was added yet)"
    raise NoRaterError(f"{found.name}: there is no rater {name!r}; expected one of: {known}")


def preview(store: Store, found: Round, rater: Row[Any], *, exclude: bool) -> Preview:
    """What excluding a rater would change, or taking the rater in again."""
    answers = answers_of(store, found)
    out = answers.excluded
    then = out | {rater.code} if exclude else out - {rater.code}
    before, after = answers.voted(), answers.voted(then)
    verdicts_before, verdicts_after = _categories(before, found), _categories(after, found)
    indices = sorted({*verdicts_before, *verdicts_after})
    pairs = [(idx, verdicts_before.get(idx), verdicts_after.get(idx)) for idx in indices]
    return Preview(
        votes=abs(sum(len(one.votes) for one in before) - sum(len(one.votes) for one in after)),
        reopened=sum(was is not None and now is None for _, was, now in pairs),
        changes=[Change(idx, was, now) for idx, was, now in pairs if was is not now],
        before=alpha_of(before, answers),
        after=alpha_of(after, answers),
    )


def _categories(voted: Sequence[Voted], found: Round) -> dict[int, Category]:
    how = found.settings.stopping
    return {
        one.idx: one.category(how, how.agreements[0])
        for one in voted
        if one.question.fewest_more(one.meanings, how) == 0
    }


def exclude(store: Store, found: Round, rater: Row[Any], why: str) -> int:
    """Exclude a rater with a reason: the examples voted on. Raises ValueError without a reason."""
    reason = " ".join(why.split())[:LONGEST_REASON]
    if not reason:
        raise ValueError("expected a reason: it stands in the ratings and in the report of the round")
    return set_excluded(store, rater, Kind.EXCLUDE, found.settings.stopping, reason)


def include(store: Store, found: Round, rater: Row[Any]) -> int:
    """Take an excluded rater in again: the examples voted on."""
    return set_excluded(store, rater, Kind.INCLUDE, found.settings.stopping)


def forget(store: Store, found: Round, rater: Row[Any], *, votes: bool = False) -> int:
    """Forget who a rater was: name and link; the votes stay, under a new random name, unless ``votes`` go too.

    Returns how many answers stay, or went. A link of the rater is no longer accepted.
    """
    with store.writing() as connection:
        theirs = (events.c.rater_id == rater.id, events.c.kind == Kind.VOTE.value)
        answered = connection.execute(select(events.c.item_id).where(*theirs)).all()
        if not votes:
            anonymous = {"name": FORGOTTEN, "code": f"r{secrets.token_hex(8)}", "revoked": True}
            connection.execute(update(raters).where(raters.c.id == rater.id).values(**anonymous))
            # What the owner wrote of a person may name the person.
            connection.execute(update(events).where(events.c.rater_id == rater.id).values(why=None))
            # An assignment of Mechanical Turk leads to its worker.
            assignments = (events.c.rater_id == rater.id, events.c.kind == Kind.ASSIGNMENT.value)
            connection.execute(delete(events).where(*assignments))
            enter(connection, store, Kind.FORGET, found.id, rater_id=rater.id)
            return len(answered)
        connection.execute(delete(events).where(events.c.rater_id == rater.id))
        connection.execute(delete(leases).where(leases.c.rater_id == rater.id))
        connection.execute(delete(raters).where(raters.c.id == rater.id))
        enter(connection, store, Kind.FORGET, found.id)
        ids = {row.item_id for row in answered}
        mine = select(items).where(items.c.round_id == found.id).order_by(items.c.id).with_for_update()
        for item in connection.execute(mine).all():
            if item.id in ids:
                count_anew(connection, item, found.settings.stopping)
        return len(answered)
