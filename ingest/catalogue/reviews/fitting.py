"""Which votes of a round still fit a dataset, which may have been loaded anew since it was opened."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from app.reviews.ratings import Tally
from app.schema import tables

_IDS_AT_A_TIME: Final = 500


class Fitting:
    """A dataset as it is now, for comparison with what was asked about."""

    def __init__(self, connection: Connection, dataset: Row[Any]) -> None:
        self._connection = connection
        self._dataset_id = dataset.id
        c, s = tables.classes.c, tables.label_sets.c
        classes = connection.execute(select(c.class_id, c.name).where(c.dataset_id == dataset.id))
        self._names: dict[int, str] = {row.class_id: row.name for row in classes}
        sets = connection.execute(select(s.label_id, s.members).where(s.dataset_id == dataset.id))
        self._members = {row.label_id: tuple(json.loads(row.members)) for row in sets}

    def kept(self, asked: Sequence[Tally], names: Mapping[int, str]) -> list[Tally]:
        """The examples that are issues with the given label, and the classes, that were asked about.

        ``names`` are those of the classes when the round was opened: a number can mean another class by now.
        """
        issues = issues_of(self._connection, self._dataset_id, [tally.idx for tally in asked])
        renamed = {one for one, name in names.items() if self._names.get(one) != name}
        return [tally for tally in asked if self._fits(tally, issues.get(tally.idx), renamed)]

    def _fits(self, tally: Tally, issue: Any, renamed: set[int]) -> bool:
        question = tally.question
        about = {*question.classes, *question.given, *(question.guessed or ())}
        return issue is not None and self._members[issue.given] == question.given and not about & renamed


def issues_of(connection: Connection, dataset_id: int, indices: Sequence[int]) -> dict[int, Any]:
    """The issues of a dataset among some examples, by the index of the example: id, idx and given label."""
    i = tables.issues.c
    found: dict[int, Any] = {}
    for start in range(0, len(indices), _IDS_AT_A_TIME):
        here = (i.dataset_id == dataset_id, i.idx.in_(indices[start : start + _IDS_AT_A_TIME]))
        found |= {row.idx: row for row in connection.execute(select(i.id, i.idx, i.given).where(*here))}
    return found
