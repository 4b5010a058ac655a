"""Read predictions from JSON: a list of rows or objects, an object of rows, or JSON Lines.

Rows of scores are converted to numbers in blocks; classes are kept until all of them are known. Raises UploadError.
"""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Ranked
from app.evaluation.prediction_rows import MOST_RANKED, By, PredictionRows, Target, UploadError, short
from app.evaluation.tables.csv_table import CsvTable, TableError, open_text
from app.evaluation.tables.json_rows import json_lines, strict_json, table_of
from app.evaluation.tables.prediction_arrays import of_array
from app.evaluation.tables.prediction_columns import layout

#: JSON becomes Python objects many times its size.
_MOST_JSON: Final = 40_000_000
_CELLS: Final = 200_000  # numbers in a block

#: Where a row stands, whose it is, and what is predicted.
_Row = tuple[str, Any, Any]


def read_json(path: Path, target: Target) -> Ranked:
    """(n, k) predictions of a .json file, most probable class first, in the order of the test set."""
    size = path.stat().st_size
    if size > _MOST_JSON:
        raise UploadError(
            f"expected at most {_MOST_JSON:,} bytes of JSON, found {size:,}; .jsonl, CSV and .npy may be larger"
        )
    data = path.read_bytes()
    try:
        body = orjson.loads(data)
        if isinstance(body, dict) or (isinstance(body, list) and body and isinstance(body[0], dict)):
            body = strict_json(data.decode())  # which refuses a key that is there twice
    except orjson.JSONDecodeError as error:
        raise UploadError(f"expected JSON, found something else: {str(error)[:120]}") from error
    except ValueError as error:
        raise UploadError(str(error)[:160]) from error
    if isinstance(body, list):
        return _read_rows(iter(enumerate(body)), "entry", target)
    if not isinstance(body, dict):
        raise UploadError("expected a list of predictions, or an object of them by index or key")
    if isinstance(body.get("predictions"), list):
        by: By | None = "index" if "index" in body else "key" if "key" in body else None
        ids = body[by] if by else None
        if ids is not None and not isinstance(ids, list):
            raise UploadError(f"expected a list at {by!r}, found something else")
        return of_array(_values(body["predictions"], target), ids, by, target)
    return of_array(_values(list(body.values()), target), list(body), "either", target)


def read_json_lines(path: Path, target: Target) -> Ranked:
    """(n, k) predictions of a .jsonl file, most probable class first, in the order of the test set."""
    try:
        with open_text(path) as stream:
            return _read_rows(json_lines(stream), "line", target)
    except TableError as error:
        raise UploadError(str(error)) from error


def _read_rows(rows: Iterator[tuple[int, Any]], unit: str, target: Target) -> Ranked:
    try:
        found = table_of(rows, unit)
        if isinstance(found, CsvTable):
            return _read_table(found, unit, target)
        return _gathered(((f"{unit} {place}", None, row) for place, row in found), None, False, target)
    except TableError as error:
        raise UploadError(str(error)) from error


def _read_table(table: CsvTable, unit: str, target: Target) -> Ranked:
    if table.width > target.n_classes + 22:
        raise UploadError(f"expected at most {target.n_classes + 1} fields, found {table.width:,}")
    shape = layout(table.columns or (), target)

    def rows() -> Iterator[_Row]:
        for place, cells in table.rows:
            row: list[Any] = [cells[column] for column in shape.values]
            name = None if shape.id_column is None else cells[shape.id_column]
            yield f"{unit} {place}", name, row[0] if len(row) == 1 and not shape.scores else row

    return _gathered(rows(), shape.by, shape.scores, target)


def _gathered(rows: Iterator[_Row], by: By | None, scores: bool, target: Target) -> Ranked:
    """Predictions of rows, which are scores where that is said, or where the first has a fraction for each class."""
    first = next(rows, None)
    if first is None:
        raise UploadError(f"expected {target.n:,} predictions, found none")
    rows = chain([first], rows)
    if not scores and not _has_scores(first[2], target):
        kept = list(islice(rows, target.n + 1))
        if len(kept) > target.n:
            raise UploadError(f"expected {target.n:,} predictions, found more than that")
        ids = None if by is None else [name for _, name, _ in kept]
        return of_array(_values([row for _, _, row in kept], target), ids, by, target)
    gathered = PredictionRows(target, by)
    height = max(1, _CELLS // target.n_classes)
    while block := list(islice(rows, height)):
        values = np.array([_scores(where, row, target) for where, _, row in block], np.float64)
        gathered.add(values, None if by is None else [name for _, name, _ in block], True)
    return gathered.aligned()


def _has_scores(row: Any, target: Target) -> bool:
    whole = isinstance(row, list) and len(row) == target.n_classes > 1
    return whole and all(_is_number(cell) for cell in row) and any(isinstance(cell, float) for cell in row)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and (cell != cell or abs(cell) < 1e300)


def _scores(where: str, row: Any, target: Target) -> list[Any]:
    if not isinstance(row, list) or len(row) != target.n_classes:
        raise UploadError(f"{where}: expected {target.n_classes} scores as in the row before, found {short(row)}")
    wrong = next((cell for cell in row if not _is_number(cell)), 0)
    if wrong != 0:
        raise UploadError(f"{where}: expected a number, found {short(wrong)}")
    return row


def _values(rows: list[Any], target: Target) -> NDArray[Any]:
    """A list of classes, or of equally long lists of classes or of scores, as an array."""
    if not rows:
        raise UploadError(f"expected {target.n:,} predictions, found none")
    if len(rows) > target.n:
        raise UploadError(f"expected {target.n:,} predictions, found {len(rows):,}")
    nested = isinstance(rows[0], list)
    width = len(rows[0]) if nested else 1
    if width > max(target.n_classes, MOST_RANKED):
        raise UploadError(f"expected at most {max(target.n_classes, MOST_RANKED):,} values a row, found {width:,}")
    for place, row in enumerate(rows):
        cells = row if isinstance(row, list) else [row]
        if isinstance(row, list) is not nested or len(cells) != width or width == 0:
            raise UploadError(f"expected rows of one shape, found another at row {place} (counted from 0)")
        if not all(isinstance(cell, int | float | str) for cell in cells):
            raise UploadError(f"expected classes or numbers, found something else at row {place} (counted from 0)")
    flat = [cell for row in rows for cell in row] if nested else rows
    truths = sum(isinstance(cell, bool) for cell in flat)
    if 0 < truths < len(flat):
        raise UploadError("expected classes or numbers, found true and false among others")
    if any(isinstance(cell, str) for cell in flat):
        array: NDArray[Any] = np.array([str(cell) for cell in flat], object)
    elif truths:
        array = np.array(flat, np.bool_)
    elif all(isinstance(cell, int) for cell in flat) and width != target.n_classes:
        array = np.array([min(max(cell, -1), 2**31) for cell in flat], np.int64)
    else:
        array = _as_floats(flat)
        if not nested or width != target.n_classes:
            array = _whole_or_same(array)
        elif width > 1 and (np.sort(array.reshape(-1, width), axis=1) == np.arange(width)).all():
            raise UploadError(
                f"expected fewer classes a row, or scores that are no classes: all {width} in each row can be ranked "
                "classes or scores"
            )
    return array.reshape(len(rows), width) if nested else array


def _as_floats(cells: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(cells, np.float64)
    except OverflowError as error:
        raise UploadError("expected classes or numbers, found a whole number of more than 300 digits") from error


def _whole_or_same(array: NDArray[np.float64]) -> NDArray[Any]:
    whole = np.isfinite(array).all() and (array == np.floor(array)).all() and (np.abs(array) < 2**31).all()
    return array.astype(np.int64) if whole else array
