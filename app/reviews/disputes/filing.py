"""Take what a visitor disputes: once, however often it is sent, and no more than an owner can look at."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from app.domain.review.dispute_outcome import Claim
from app.reviews.disputes.moderation import State
from app.reviews.store import Store
from app.reviews.tables import disputes

#: Disputes that may wait for the owner: of all examples together, and of one.
MOST_WAITING: Final = 5_000
MOST_OF_EXAMPLE: Final = 20


class FullError(Exception):
    """So many disputes wait that no more are taken; in a sentence for the visitor."""


@dataclass(frozen=True, slots=True)
class NewDispute:
    """What a visitor claims of an example, in words that can be kept. ``proposed`` are names of classes."""

    dataset: str
    idx: int
    claim: Claim
    proposed: tuple[str, ...]
    reason: str
    source: str | None = None

    @property
    def digest(self) -> str:
        """A name for all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def file_dispute(store: Store, new: NewDispute) -> bool:
    """Take a dispute; it is on the disk when this returns. False if the same was taken before. Raises FullError."""
    try:
        with store.writing() as connection:
            return _file(connection, store.clock(), new)
    except IntegrityError:
        # Sent twice at once, to a database that lets both in: the other one was taken.
        with store.reading() as connection:
            if _is_there(connection, new):
                return False
        raise


def _file(connection: Connection, now: float, new: NewDispute) -> bool:
    if _is_there(connection, new):
        return False
    d = disputes.c
    waiting = d.state == State.WAITING.value
    if _count(connection, waiting, d.dataset == new.dataset, d.idx == new.idx) >= MOST_OF_EXAMPLE:
        raise FullError(
            "Enough is waiting for this example: it was disputed many times. Nothing was taken; what still looks wrong "
            "once that is decided can be sent then."
        )
    if _count(connection, waiting) >= MOST_WAITING:
        raise FullError(
            f"Enough is waiting: {MOST_WAITING:,} disputes, and no more are taken until the owner of this site has "
            "decided some. Nothing was taken. Go back to keep what you wrote, and send it again in a few days."
        )
    row: dict[str, Any] = asdict(new) | {"claim": new.claim.value, "proposed": json.dumps(new.proposed)}
    row |= {"code": f"d{secrets.token_hex(8)}", "filed_at": now, "digest": new.digest}
    connection.execute(insert(disputes), [row | {"state": State.WAITING.value, "round_id": None}])
    return True


def _is_there(connection: Connection, new: NewDispute) -> bool:
    return connection.scalar(select(disputes.c.id).where(disputes.c.digest == new.digest)) is not None


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return int(connection.scalar(select(func.count()).select_from(disputes).where(*which)) or 0)
