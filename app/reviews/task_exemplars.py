"""Which exemplars of its classes stand beside a task."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from app.reviews.lending import Task


def exemplars_of(task: Task, place: int, classes: Mapping[int, Row[Any]]) -> list[tuple[int, str]]:
    """The exemplars, as (index, kind), of the class at a place of a task; the example itself is left out.

    Where it is, as gold items are, one of the task's own exemplars, each class has one fewer: else the class that lacks
    one would be the answer.
    """
    shelves = [json.loads(classes[class_id].exemplars) for class_id in task.sides]
    kept = [(idx, kind) for idx, kind in shelves[place] if idx != task.idx]
    is_exemplar = any(idx == task.idx for shelf in shelves for idx, _ in shelf)
    return kept[: max(len(shelves[place]) - 1, 0)] if is_exemplar else kept
