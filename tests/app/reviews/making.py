"""Rounds over made-up examples, and a clock that tests move."""

from app.domain.review.stopping import StoppingRule
from app.reviews.questions import Question
from app.reviews.rounds import NewItem, Round, Settings, Shelf, open_round
from app.reviews.store import Store

CLASSES = {0: Shelf("cat", ((100, "thumbnail"), (101, "thumbnail"))), 1: Shelf("dog", ((102, "thumbnail"),))}
PAIR = Question("pair", (0,), (1,), (0, 1), ("both", "neither"))


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def opened_round(store: Store, n: int = 4, *, question: Question = PAIR, more: tuple = (), **settings: object) -> Round:
    """A round of ``n`` examples."""
    asked = [NewItem(idx, question, ("image",)) for idx in range(n)]
    chosen = {"agreements": (3,), "stop": StoppingRule.NEVER, "lease_seconds": 600, **settings}
    return open_round(store, "pets", Settings(**chosen), [*asked, *more], CLASSES)
