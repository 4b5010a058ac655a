"""Practice and worked examples: examples whose answer is known, shown before a round; nothing of them is stored.

They are exemplars, of whose labels the model is surest, and none of them is a suspect or asked about in the round.
"""

import hmac
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from app.reviews.lending import Task
from app.reviews.questions import NEITHER, SIDES, Question
from app.reviews.rounds import Round
from app.reviews.tables import items
from app.reviews.task_exemplars import exemplars_of
from app.site.review.service import ReviewService, media_address

#: The answer to a question that is asked for each class.
YES: Final = "Yes"


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice item: its task, the answer that is right (none for sets), and in words what it is."""

    task: Task
    answer: str | None
    right: str

    def is_right(self, answer: str | None, heard: Sequence[bool]) -> bool:
        """Whether an answer is right; of a set, what was told of each class, in the order shown."""
        if self.task.question.kind != "set":
            return answer == self.answer
        return list(heard) == [one in self.task.question.given for one in self.task.sides]


@dataclass(frozen=True, slots=True)
class Worked:
    """An example shown with its question and its answer. ``of`` is the class that it is."""

    idx: int
    kind: str
    address: str
    choices: tuple[str, ...]
    says: str
    of: str
    is_neither: bool = False


def practice_of(service: ReviewService, found: Round) -> list[Practice]:
    """The practice items of a round, the same for every rater."""
    with service.store.reading() as connection:
        here = (items.c.round_id == found.id, items.c.practice.is_(True))
        rows = connection.execute(select(items).where(*here).order_by(items.c.spot)).all()
    names = service.names(found.id)
    return [_practice(service, row, names) for row in rows]


def worked_examples(items: Sequence[Practice], classes: Mapping[int, Row[Any]]) -> list[Worked]:
    """One example of a class that is asked for and, where that is an answer, one of a class that is not."""
    if not items:
        return []
    sides = items[0].task.sides
    names = tuple(classes[one].name for one in sides)
    wrong = next((one for one in sides if one not in items[0].task.question.given), sides[0])
    if items[0].task.question.kind == "set":
        one = _worked(items[0], wrong, classes, (classes[wrong].name,), YES)
        return [] if one is None else [one]
    found = [_worked(items[0], wrong, classes, names, classes[wrong].name)]
    if NEITHER in items[0].task.question.words:
        others = [(item, one) for item in items[1:] for one in item.task.sides if one not in sides]
        found += [_worked(item, one, classes, names, NEITHER.capitalize()) for item, one in others[:1]]
    return [one for one in found if one is not None]


def _worked(
    item: Practice, class_id: int, classes: Mapping[int, Row[Any]], names: tuple[str, ...], says: str
) -> Worked | None:
    """The first exemplar of a class of a practice item, at its address there; None if the class has none to show."""
    place = item.task.sides.index(class_id)
    for n, (idx, kind) in enumerate(exemplars_of(item.task, place, classes)[:1]):
        address, of = media_address(item.task, f"e{place}-{n}"), classes[class_id].name
        shown = names if len(names) < 4 else (*names[:3], "…")
        return Worked(idx, kind, address, shown, says, of, is_neither=says == NEITHER.capitalize())
    return None


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
    if task.question.kind == "set":
        return Practice(task, None, ", ".join(names[one] for one in task.sides if one in task.question.given))
    right = task.question.given[0]
    answer = SIDES[task.sides.index(right)] if task.question.kind == "pair" else names[right]
    return Practice(task, answer, names[right])


def _task(service: ReviewService, row: Row[Any]) -> Task:
    question = Question.parse(row.question)
    sides = tuple(random.Random(row.spot).sample(question.classes, len(question.classes)))  # noqa: S311
    return Task(_code(service, row), row.id, row.idx, question, sides, tuple(json.loads(row.media)), row.url, 0.0)


def _code(service: ReviewService, row: Row[Any]) -> str:
    return f"p.{row.id}.{service.links.form_key(f'practice {row.id}')}"
