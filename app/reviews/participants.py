"""Participants of Prolific and workers of Mechanical Turk: known by a keyed hash of their id, and sent back.

Those of Prolific take back a code for how it ended; workers an assignment, which is some of a round's examples.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from app.domain.review.agreement.rater_signs import Sign
from app.reviews.owner.given_answers import answers_of
from app.reviews.owner.rater_figures import rater_figures
from app.reviews.raters import rater_row
from app.reviews.rounds import Round
from app.reviews.standing import Kind, enter, given_votes
from app.reviews.store import Store
from app.reviews.tables import events, raters

#: What Prolific calls participants, studies and sessions, and Mechanical Turk workers and assignments.
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Panel:
    """Where raters come from. ``mark`` begins the codes of its raters and no others; ``called`` is their name."""

    name: str
    mark: str
    called: str


PROLIFIC: Final = Panel("prolific", "p", "Prolific participant")
MTURK: Final = Panel("mturk", "m", "MTurk worker")


class Outcome(StrEnum):
    """How a participant's session ended."""

    DONE = "done"
    NO_CONSENT = "no_consent"
    SCREENED_OUT = "screened_out"  # there was nothing to look at
    TOO_FAST = "too_fast"


def is_participant_id(text: str) -> bool:
    """Whether a text has the form of an id of Prolific or of Mechanical Turk.

    >>> is_participant_id("5a9d64f5f6dfdd0001eaa73d"), is_participant_id("{{%PROLIFIC_PID%}}")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def participant(store: Store, found: Round, participant_id: str, panel: Panel = PROLIFIC) -> Row[Any]:
    """The rater of a participant, a new one the first time: the same id comes back to the same rater.

    The id itself is stored nowhere. Its hash, with a key of this store, is the rater's opaque code.
    """
    code = panel.mark + _keyed(store, f"{panel.name} {found.id} {participant_id}")
    # A worker is paid by assignment, so the owner must tell one from another. The name says nothing of the code, which
    # stands in published ratings.
    name = panel.called if panel is PROLIFIC else f"{panel.called} {secrets.token_hex(4)}"
    with store.writing() as connection:
        known = select(raters).where(raters.c.code == code)
        row = connection.execute(known).one_or_none()
        if row is None:
            connection.execute(insert(raters), [rater_row(found, name, store.clock()) | {"code": code}])
            row = connection.execute(known).one()
        return row


def is_participant(rater: Row[Any], panel: Panel = PROLIFIC) -> bool:
    """Whether a rater came from a panel, and is to go back there."""
    return str(rater.code).startswith(panel.mark)


def begin_assignment(store: Store, rater: Row[Any], assignment_id: str) -> None:
    """Enter that a worker begins an assignment; one that was begun before goes on where it was."""
    key = _assignment_key(store, assignment_id)
    with store.writing() as connection:
        if _begun(connection, rater, key) is None:
            enter(connection, store, Kind.ASSIGNMENT, rater.round_id, rater_id=rater.id, key=key)


def answered_in(store: Store, rater: Row[Any], assignment_id: str) -> int:
    """How many answers a worker has given since an assignment was begun, without those taken back."""
    with store.reading() as connection:
        begun = _begun(connection, rater, _assignment_key(store, assignment_id))
        if begun is None:
            return 0
        since = given_votes().where(events.c.rater_id == rater.id, events.c.id > begun).subquery()
        return int(connection.scalar(select(func.count()).select_from(since)) or 0)


def _begun(connection: Connection, rater: Row[Any], key: str) -> int | None:
    mine = (events.c.rater_id == rater.id, events.c.key == key, events.c.kind == Kind.ASSIGNMENT.value)
    found: int | None = connection.scalar(select(events.c.id).where(*mine))
    return found


def _assignment_key(store: Store, assignment_id: str) -> str:
    return _keyed(store, f"assignment {assignment_id}")


def _keyed(store: Store, text: str) -> str:
    return hmac.new(store.secret("links").encode(), text.encode(), sha256).hexdigest()[:32]


def outcome_of(store: Store, rater: Row[Any], found: Round) -> Outcome:
    """How it ended for a rater who has nothing left to look at."""
    answers = answers_of(store, found)
    if not any(one.rater == rater.code for one in answers.answers):
        return Outcome.SCREENED_OUT
    figures, _ = rater_figures(answers, {}, {})
    mine = next(one for one in figures if one.code == rater.code)
    return Outcome.TOO_FAST if Sign.TOO_FAST in mine.signs else Outcome.DONE
