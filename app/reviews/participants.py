"""Participants of Prolific: known by a keyed hash of their id, and sent back with a code for how it ended."""

import hmac
import re
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, insert, select

from app.domain.review.agreement.rater_signs import Sign
from app.reviews.owner.given_answers import answers_of
from app.reviews.owner.rater_figures import rater_figures
from app.reviews.raters import rater_row
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.reviews.tables import raters

#: What Prolific calls participants, studies and sessions.
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
NAME: Final = "Prolific participant"
#: How the codes of participants begin; those of other raters begin otherwise.
_MARK: Final = "p"


class Outcome(StrEnum):
    """How a participant's session ended."""

    DONE = "done"
    NO_CONSENT = "no_consent"
    SCREENED_OUT = "screened_out"  # there was nothing to look at
    TOO_FAST = "too_fast"


def is_participant_id(text: str) -> bool:
    """Whether a text has the form of an id of Prolific.

    >>> is_participant_id("5a9d64f5f6dfdd0001eaa73d"), is_participant_id("{{%PROLIFIC_PID%}}")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def participant(store: Store, found: Round, participant_id: str) -> Row[Any]:
    """The rater of a participant, a new one the first time: the same id comes back to the same rater.

    The id itself is stored nowhere. Its hash, with a key of this store, is the rater's opaque code.
    """
    key = store.secret("links").encode()
    code = _MARK + hmac.new(key, f"prolific {found.id} {participant_id}".encode(), sha256).hexdigest()[:32]
    with store.writing() as connection:
        known = select(raters).where(raters.c.code == code)
        row = connection.execute(known).one_or_none()
        if row is None:
            connection.execute(insert(raters), [rater_row(found, NAME, store.clock()) | {"code": code}])
            row = connection.execute(known).one()
        return row


def is_participant(rater: Row[Any]) -> bool:
    """Whether a rater came from Prolific, and is to go back there."""
    return str(rater.code).startswith(_MARK)


def outcome_of(store: Store, rater: Row[Any], found: Round) -> Outcome:
    """How it ended for a rater who has nothing left to look at."""
    figures, _ = rater_figures(answers_of(store, found), {}, {})
    mine = next(one for one in figures if one.code == rater.code)
    if not mine.counts.n_answers:
        return Outcome.SCREENED_OUT
    return Outcome.TOO_FAST if Sign.TOO_FAST in mine.signs else Outcome.DONE
