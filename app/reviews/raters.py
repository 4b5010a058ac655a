"""Raters: invited by the owner, or come by themselves through an open link."""

import secrets
from typing import Any

from sqlalchemy import Row, insert, select, update

from app.reviews.links import Link, LinkError
from app.reviews.rounds import SPOTS, Round
from app.reviews.standing import Kind, enter
from app.reviews.store import Store
from app.reviews.tables import raters, rounds

#: Characters of a rater's name that are kept.
LONGEST_NAME = 80


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
        row = connection.execute(select(raters).where(raters.c.code == link.name)).one_or_none()
        if link.kind != "rater" or row is None:
            raise LinkError("This link is not a rater's. Open the address that you were sent.")
        if row.revoked:
            raise LinkError("This link was revoked. Ask who sent it for a new one.")
        return row, Round.of(connection.execute(select(rounds).where(rounds.c.id == row.round_id)).one())


def revoke(store: Store, rater: Row[Any], why: str = "") -> None:
    """Accept a rater's link no longer; the votes stand."""
    with store.writing() as connection:
        enter(connection, store, Kind.REVOKE, rater.round_id, rater_id=rater.id, why=why or None)
        connection.execute(update(raters).where(raters.c.id == rater.id).values(revoked=True))
