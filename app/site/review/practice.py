"""Practice items: examples whose answer is known, shown with it before a round; nothing of them is stored."""

import hmac
import json
import random
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app.reviews.lending import Task
from app.reviews.questions import SIDES, Question
from app.reviews.rounds import Round
from app.reviews.tables import items
from app.site.review.service import ReviewService


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice item: its task, the answer that is right, and the name of the class that it is."""

    task: Task
    answer: str
    right: str


def practice_of(service: ReviewService, found: Round) -> list[Practice]:
    """The practice items of a round, the same for every rater."""
    with service.store.reading() as connection:
        here = (items.c.round_id == found.id, items.c.practice.is_(True))
        rows = connection.execute(select(items).where(*here).order_by(items.c.spot)).all()
    names = service.names(found.id)
    return [_practice(service, row, names) for row in rows]


def practice_task(service: ReviewService, code: str) -> tuple[Task, int] | None:
    """The task of a practice item's code, with the id of its round; None if there is none."""
    number = code.removeprefix("p.").partition(".")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 12):
        return None
    with service.store.reading() as connection:
        here = (items.c.id == int(number), items.c.practice.is_(True))
        row = connection.execute(select(items).where(*here)).one_or_none()
    if row is None or not hmac.compare_digest(code.encode(), _code(service, row).encode()):
        return None
    return _task(service, row), row.round_id


def _practice(service: ReviewService, row: Row[Any], names: Any) -> Practice:
    task = _task(service, row)
    right = task.question.given[0]
    answer = SIDES[task.sides.index(right)] if task.question.kind == "pair" else names[right]
    return Practice(task, answer, names[right])


def _task(service: ReviewService, row: Row[Any]) -> Task:
    question = Question.parse(row.question)
    sides = tuple(random.Random(row.spot).sample(question.classes, len(question.classes)))  # noqa: S311
    return Task(_code(service, row), row.id, row.idx, question, sides, tuple(json.loads(row.media)), row.url, 0.0)


def _code(service: ReviewService, row: Row[Any]) -> str:
    return f"p.{row.id}.{service.links.form_key(f'practice {row.id}')}"
