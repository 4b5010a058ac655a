"""Corrected test sets as CSV (RFC 4180): UTF-8, a header, CRLF, and no cell that a spreadsheet would run.

What happens to an example is decided in ``domain.corrections``; this module only writes it down.
"""

import csv
import io
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from app import schema
from app.database import Catalogue
from app.domain.corrections import Action, action
from app.domain.verdicts import Category
from app.errors import NotHere
from app.records import Dataset, Label

COLUMNS: Final = ("index", "key", "given", "given_name", "corrected", "corrected_name", "action", "category")
ROWS_PER_CHUNK: Final = 2_000
# A cell that starts with one of these is a formula to spreadsheets.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")

#: index -> (given, category, corrected) of the reviewed or flagged examples.
Verdicts = dict[int, tuple[int, Category, int | None]]


def corrected_csv(catalogue: Catalogue, dataset: Dataset, agreement: int, include_removed: bool) -> Iterator[bytes]:
    """A corrected test set, in pieces of many rows.

    Everything that can be refused is refused before the first piece: raises NotHere when the given labels of the
    dataset are not in this catalogue. Labels of several classes are written as numbers, or names, joined by "|".
    """
    if not dataset.labels_known:
        raise NotHere(
            f"The given labels of {dataset.title} are not in this catalogue, so its corrected test set cannot be "
            "written. Load the dataset again with its labels file beside the verdicts."
        )
    connection = catalogue.open()
    verdicts = _verdicts(connection, dataset, agreement)
    return _pieces(connection, dataset, verdicts, include_removed)


def _pieces(connection: Connection, dataset: Dataset, verdicts: Verdicts, include_removed: bool) -> Iterator[bytes]:
    cells = {label.id: (_numbers(label), _safe(_names(label))) for label in dataset.labels.values()}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    written = 0
    with connection:
        for start, labels, keys in _blocks(connection, dataset):
            for offset, given in enumerate(labels.tolist()):
                index = start + offset
                _, category, corrected = verdicts.get(index, (given, Category.UNREVIEWED, None))
                done = action(category)
                if done is Action.REMOVED and not include_removed:
                    continue
                now = {Action.CORRECTED: corrected, Action.KEPT: given, Action.REMOVED: None}[done]
                after = ("", "") if now is None else cells[now]
                key = _safe(keys[offset]) if keys else ""
                writer.writerow((index, key, *cells[given], *after, done.value, category.value))
                written += 1
                if written % ROWS_PER_CHUNK == 0:
                    yield _taken(buffer)
    yield _taken(buffer)


def _blocks(connection: Connection, dataset: Dataset) -> Iterator[tuple[int, NDArray[np.uint32], list[str] | None]]:
    e = schema.examples.c
    rows = connection.execution_options(stream_results=True, max_row_buffer=1).execute(
        select(e.start, e.labels, e["keys"].label("packed_keys")).where(e.dataset_id == dataset.id).order_by(e.start)
    )
    for row in rows:
        labels = np.frombuffer(zlib.decompress(row.labels), dtype="<u4")
        keys = zlib.decompress(row.packed_keys).decode().split("\n") if row.packed_keys is not None else None
        yield row.start, labels, keys


def _verdicts(connection: Connection, dataset: Dataset, agreement: int) -> Verdicts:
    i, v = schema.issues, schema.verdicts
    rows = connection.execute(
        select(i.c.idx, i.c.given, v.c.category, v.c.corrected)
        .select_from(v.join(i, i.c.id == v.c.issue_id))
        .where(v.c.dataset_id == dataset.id, v.c.agreement == agreement)
    )
    return {row.idx: (row.given, Category(row.category), row.corrected) for row in rows}


def _taken(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece


def _numbers(label: Label) -> str:
    return "|".join(str(c.id) for c in label.classes)


def _names(label: Label) -> str:
    return "|".join(c.name for c in label.classes)


def _safe(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA_SIGNS) else text
