"""What the examples of tables and of question sets hold: values of a row, or a question with its options."""

import gzip
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import select

from app.catalogue import access
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Issue
from app.catalogue.table_row import QUESTION, Judge, Question, RowValue
from app.schema import tables

#: The kinds under which media hold rows and questions, by modality.
_KINDS: Final[Mapping[str, str]] = {"tabular": "row", QUESTION: "question"}


def table_rows(catalogue: Catalogue, dataset: Dataset, indices: Collection[int]) -> Mapping[int, tuple[RowValue, ...]]:
    """The row of each example that has one; none where they may not be shown."""
    found = _stored(catalogue, dataset, indices) if dataset.modality == "tabular" else {}
    return {idx: tuple(map(RowValue._make, cells)) for idx, cells in found.items()}


def questions(catalogue: Catalogue, dataset: Dataset, indices: Collection[int]) -> Mapping[int, Question]:
    """The question of each example that has one; none where they may not be shown."""
    found = _stored(catalogue, dataset, indices) if dataset.modality == QUESTION else {}
    return {idx: _question(stored) for idx, stored in found.items()}


def with_rows(catalogue: Catalogue, dataset: Dataset, issues: Sequence[Issue]) -> Sequence[Issue]:
    """The issues with their rows or questions."""
    indices = [issue.idx for issue in issues]
    if asked := questions(catalogue, dataset, indices):
        return [issue._replace(question=asked.get(issue.idx)) for issue in issues]
    rows = table_rows(catalogue, dataset, indices)
    return [issue._replace(row=rows.get(issue.idx)) for issue in issues] if rows else issues


def _stored(catalogue: Catalogue, dataset: Dataset, indices: Collection[int]) -> Mapping[int, Any]:
    kind = _KINDS.get(dataset.modality)
    if kind is None or not access.may_show(dataset, kind):
        return {}
    m = tables.media.c
    found = catalogue.connection.execute(
        select(m.idx, m.bytes, m.encoding).where(m.dataset_id == dataset.id, m.kind == kind, m.idx.in_(indices))
    )
    return {row.idx: orjson.loads(gzip.decompress(row.bytes) if row.encoding == "gzip" else row.bytes) for row in found}


def _question(stored: Mapping[str, Any]) -> Question:
    judge = stored.get("judge")
    said = None if judge is None else Judge(*(str(judge.get(name, "")) for name in Judge._fields))
    return Question(stored["question"], tuple(stored["options"]), said)
