"""Raters: invited by the owner, or come by themselves through an open link."""

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Integer, Row, Select, cast, func, insert, select, true, update

from app.reviews.links import Link, LinkError
from app.reviews.rounds import SPOTS, Round
from app.reviews.standing import Kind, enter
from app.reviews.store import Store
from app.reviews.tables import STILL_OPEN, given, items, leases, raters, rounds

#: Characters of a rater's name that are kept.
LONGEST_NAME = 80

# Made once, for they run with each request (see ``app.reviews.lending``).
_ROUND, _RATER = given("round"), given("rater")
_RATER_OF_CODE: Final = select(raters).where(raters.c.code == given("code"))
_ROUND_OF_ID: Final = select(rounds).where(rounds.c.id == _ROUND)
#: How the columns of a count of examples end: how many there are, and how many of them are asked again.
_ENDS: Final = ("", "_again")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many examples a rater has answered, and of how many."""

    done: int
    of: int


def add_rater(store: Store, found: Round, name: str) -> Row[Any]:
    """Add a rater to a round, with an opaque code and an order of examples of their own."""
    values = rater_row(found, name, store.clock())
    with store.writing() as connection:
        connection.execute(insert(raters), [values])
        return connection.execute(select(raters).where(raters.c.code == values["code"])).one()


def rater_row(found: Round, name: str, now: float) -> dict[str, Any]:
    """A new rater of a round as a row."""
    return {
        "round_id": found.id,
        "code": f"r{secrets.token_hex(8)}",
        "name": kept_name(name),
        "salt": secrets.randbelow(SPOTS - 1) + 1,
        "added_at": now,
        "revoked": False,
        "excluded": False,
    }


def kept_name(name: str) -> str:
    """A rater's name as it is kept: what can be printed of it, not too long."""
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]


def raters_of(store: Store, found: Round) -> list[Row[Any]]:
    """The raters of a round, in the order in which they were added."""
    with store.reading() as connection:
        return list(connection.execute(select(raters).where(raters.c.round_id == found.id).order_by(raters.c.id)))


def rater_of(store: Store, link: Link) -> tuple[Row[Any], Round]:
    """The rater whom a link names, and the round. Raises LinkError for one whose link was revoked."""
    with store.reading() as connection:
        row = connection.execute(_RATER_OF_CODE, {"the_code": link.name}).one_or_none()
        if link.kind != "rater" or row is None:
            raise LinkError("This link is not a rater's. Open the address that you were sent.")
        if row.revoked:
            raise LinkError("This link was revoked. Ask who sent it for a new one.")
        return row, Round.of(connection.execute(_ROUND_OF_ID, {"the_round": row.round_id}).one())


def progress(store: Store, rater: Row[Any], found: Round) -> Progress:
    """What a rater has done, and what there is to do: examples that still need votes come and go with other raters.

    Gold items and repeats are counted in from the beginning, in their share: were they counted as they come, the
    number would tell which they are.
    """
    with store.reading() as connection:
        one = connection.execute(_progress(), {"the_round": found.id, "the_rater": rater.id}).one()
    n, repeats = one.seen + one.open - one.both, one.seen_again + one.open_again - one.both_again
    return Progress(one.done, max(one.done, round(n / (1 - found.settings.gold)) + repeats))


@cache
def _progress() -> Select[Any]:
    """What a rater has done; of ordinary examples, how many were seen, are open, and both, and have a repeat."""
    again = func.coalesce(func.sum(cast(items.c.repeated, Integer)), 0)
    seen = select(func.count(), again).select_from(leases.join(items, items.c.id == leases.c.item_id))
    mine, needing = (leases.c.rater_id == _RATER, leases.c.answered.is_(True)), STILL_OPEN
    first = seen.where(*mine, leases.c.occasion == 0, items.c.gold.is_(False))
    still = select(func.count(), again).where(items.c.round_id == _ROUND, items.c.gold.is_(False), needing)
    done = select(func.count().label("done")).where(*mine).subquery()
    counted = {"seen": first, "open": still, "both": first.where(needing)}
    parts = {name: one.subquery(name) for name, one in counted.items()}
    columns = [c.label(f"{name}{end}") for name, part in parts.items() for c, end in zip(part.c, _ENDS, strict=True)]
    joined = done.join(parts["seen"], true()).join(parts["open"], true()).join(parts["both"], true())
    return select(done.c.done, *columns).select_from(joined)


def revoke(store: Store, rater: Row[Any], why: str = "") -> None:
    """Accept a rater's link no longer; the votes stand."""
    with store.writing() as connection:
        enter(connection, store, Kind.REVOKE, rater.round_id, rater_id=rater.id, why=why or None)
        connection.execute(update(raters).where(raters.c.id == rater.id).values(revoked=True))
