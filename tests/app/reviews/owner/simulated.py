"""Raters who answer by what they are: careful, of one side, or at random."""

import random
import uuid
from collections.abc import Callable, Mapping

from sqlalchemy import Row

from app.reviews.lending import Task, next_task
from app.reviews.raters import add_rater
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.reviews.voting import Vote, cast

Manner = Callable[[Task, random.Random], str]


def truth(idx: int) -> int:
    """The class that an example is: two of three have their given label."""
    return 1 if idx % 3 == 0 else 0


def careful(task: Task, draw: random.Random) -> str:
    """Sees what is there, nineteen times in twenty; practice makes gold items given labels."""
    right = task.question.given[0] if task.question.guessed is None else truth(task.idx)
    seen = right if draw.random() < 0.95 else 1 - right
    return "ab"[task.sides.index(seen)]


def always_a(task: Task, draw: random.Random) -> str:
    return "a"


def at_random(task: Task, draw: random.Random) -> str:
    return draw.choice("ab")


MANNERS: Mapping[str, Manner] = {
    "Ann": careful,
    "Ben": careful,
    "Cleo": careful,
    "Always": always_a,
    "Coin": at_random,
}


def work(store: Store, found: Round, people: Mapping[str, Manner] = MANNERS, seed: int = 0) -> dict[str, Row]:
    """All raters answer all there is for them, in turn, three seconds an answer; returns the raters by name."""
    draw = random.Random(seed)
    raters = {name: add_rater(store, found, name) for name in people}
    waiting = list(raters)
    while waiting:
        for name in list(waiting):
            task = next_task(store, raters[name], found)
            if not isinstance(task, Task):
                waiting.remove(name)
                continue
            if hasattr(store.clock, "now"):
                store.clock.now += 3
            cast(store, raters[name], found, Vote(task.code, people[name](task, draw), str(uuid.uuid4())))
    return raters
