"""Which column of a table holds labels, files or texts, and which others describe an example."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from app.evaluation.tables.column_meanings import is_label, names_rows
from app.evaluation.tables.number_column import NumberError, numbers
from ingest.datasets.survey.label_classes import may_be_labels
from ingest.datasets.survey.remarks import Remarks, some
from ingest.datasets.survey.table_columns import TableColumns
from ingest.errors import DataError, shown

#: Names by which a column of labels is known, besides those that every reader of labels knows.
_LABELS: Final = frozenset(
    {
        *("category", "categories", "sentiment", "species", "diagnosis", "outcome", "survived", "quality", "intent"),
        *("emotion", "topic", "genre"),
    }
)
_TEXTS: Final = frozenset(
    {
        *("text", "texts", "sentence", "review", "reviews", "content", "body", "comment", "message", "document"),
        *("article", "post", "tweet", "question", "title"),
    }
)
#: From so many words on, values are texts rather than names.
_WORDS: Final = 8
#: From so many rows on, one can tell names from categories.
_ENOUGH: Final = 10
_ID: Final = re.compile(r"(?:.*[\W_])?(?:ids?|uuid|guid|key|index|idx|no|nr)|.*[a-z]I[dD]", re.ASCII)
#: What people separate cells by besides.
#: 2024-05-31, with or without a time; 31.5.2024, 5/31/24.
_DATE: Final = re.compile(r"\s*(?:\d{4}-\d\d?-\d\d?|\d\d?([./])\d\d?\1(?:\d{4}|\d\d))(?:[T ].*)?\s*$", re.ASCII)
_OTHER_MARK: Final = re.compile(r"[|:^~#]| {2,}")


@dataclass(frozen=True)
class Told:
    """What the user says of columns."""

    label: str | None = None
    file: str | None = None
    text: str | None = None
    group: str | None = None


def require_told(table: TableColumns, told: Told) -> None:
    """Raises DataError for an option that names a column that is not there."""
    for option, name in (("label", told.label), ("file", told.file), ("text", told.text), ("group", told.group)):
        if name is not None and name not in table.names:
            listed = ", ".join(map(str, table.names))
            raise DataError(table.path, f"expected the column {shown(name)} of --{option}-column, found {listed[:300]}")


def label_column(table: TableColumns, told: Told, remarks: Remarks) -> str | None:
    """The column of labels; None if no column is called like one. Raises DataError if several are."""
    if told.label is not None:
        return told.label
    called = [name for name in table.cells if is_label(name)]
    if len(called) > 1 and len(fitting := [name for name in called if may_be_labels(table.cells[name])]) == 1:
        others = some([name for name in called if name not in fitting])
        remarks.doubt(
            f"the column {shown(fitting[0])} is taken for the label, and not {others}, which holds no classes"
        )
        called = fitting
    for likely in (list(table.classes), called):
        if len(likely) > 1:
            both = " and ".join(map(shown, likely[:2]))
            raise DataError(table.path, f"found the columns {both}, and each may be the label: say --label-column")
        if likely:
            return likely[0]
    likely = [name for name in table.cells if _plain(name) in _LABELS]
    if len(likely) != 1:
        return None
    remarks.doubt(f"the column {shown(likely[0])} is taken for the label by its name; --label-column names another")
    return likely[0]


def no_label(table: TableColumns) -> DataError:
    """The error for a table none of whose columns is called like a label: it names those that could be one."""
    few = []
    for name, cells in table.cells.items():
        distinct = len(set(cells))
        if 2 <= distinct <= max(2, table.n_rows // 2):
            few.append(f"{name} ({distinct:,} different values)")
    could = f"; it may be {', '.join(few[:8])}" if few else f"; found {', '.join(map(str, table.names))[:300]}"
    if len(table.names) == 1 and (mark := _OTHER_MARK.search(table.names[0])):
        could += f", one column: cells are separated by commas, semicolons or tabs, not by {mark[0]}"
    return DataError(table.path, f"expected to know which column holds the labels: say --label-column{could}")


def file_column(
    table: TableColumns, told: Told, is_file: Callable[[Sequence[Any]], bool], but: Sequence[str | None]
) -> str | None:
    """The column of names of files that are there; those called like one come first."""
    if told.file is not None:
        return told.file
    columns = [name for name in table.texts if name not in but and name != told.text]
    columns.sort(key=lambda name: (not names_rows(name), table.names.index(name)))
    return next((name for name in columns if is_file(table.cells[name])), None)


def text_column(table: TableColumns, told: Told, but: Sequence[str | None], remarks: Remarks) -> str | None:
    """The column of texts: called like one, or of many words, or the only one besides the label."""
    if told.text is not None:
        return told.text
    columns = [name for name in table.names if name in table.texts and name not in but]
    lengths = {name: _mean_words(table.cells[name]) for name in columns}
    named = [name for name in columns if _plain(name) in _TEXTS and lengths[name] >= 2]
    long = [name for name in columns if lengths[name] >= _WORDS]
    likely = named if len(named) == 1 else sorted(set(named) | set(long), key=table.names.index)
    if not likely:
        others = [name for name in table.names if name not in but and not _is_id(name)]
        likely = [name for name in columns if others == [name] and lengths[name] >= 2]
    if len(likely) > 1:
        longest = max(likely, key=lambda name: lengths[name])
        remarks.doubt(
            f"of the columns {some(likely)} the longest, {shown(longest)}, is read; --text-column names another"
        )
        return longest
    return likely[0] if likely else None


def features(
    table: TableColumns, labels: Sequence[str | None], but: Sequence[str | None], remarks: Remarks
) -> tuple[list[str], list[str]]:
    """The columns of a table that describe a row, and those of them that are categories.

    Left out are columns that say whose a row is, that say the same of every row, or that repeat the label.
    """
    columns, categories = [], []
    for name in table.names:
        if name in but:
            continue
        cells = table.cells.get(name)
        reason, is_category = (
            ("columns that are no plain values", False) if cells is None else _use(name, cells, remarks)
        )
        if reason is None and cells is not None and _repeats(cells, labels):
            reason = "columns that say the same as the label"
        if reason is not None:
            remarks.leave_out(reason, name)
            continue
        columns.append(name)
        if is_category:
            categories.append(name)
    if not columns:
        raise DataError(table.path, "expected columns of numbers or categories beside the label, found none")
    return columns, categories


def _use(name: str, cells: Sequence[Any], remarks: Remarks) -> tuple[str | None, bool]:
    """Why a column is left out, or None, and whether its values are categories."""
    values = [cell for cell in cells if cell is not None and str(cell).strip()]
    distinct = len({str(cell).strip() for cell in values})
    if distinct < 2:
        return "columns with the same value in every row", False
    try:
        found = numbers(cells)
    except NumberError as error:
        if _mostly_numbers(values):
            remarks.doubt(f"the column {shown(name)} has numbers, but not only: {error}; it is read as words")
        if len(values) >= _ENOUGH and distinct > len(values) / 2:
            return "columns of words that hardly ever occur twice, such as names and dates", True
        if all(map(_DATE.match, map(str, values))):
            remarks.doubt(f"the column {shown(name)} has dates, read as words: as numbers they would tell a model more")
        return None, True
    if any(isinstance(cell, bool) for cell in values):
        return None, True
    present = found[~np.isnan(found)]
    whole = bool((present == np.trunc(present)).all())
    unique = len(np.unique(present)) == len(present)
    if whole and unique and len(present) >= _ENOUGH:
        if _is_id(name) or bool((np.diff(np.sort(present)) == 1).all()):
            return "columns that number or name the rows", False
        remarks.doubt(f"the column {shown(name)} has another whole number in every row: it may be an id")
    elif whole and _is_id(name):
        remarks.doubt(f"the column {shown(name)} is called like an id, and is read as a number")
    return None, False


def _repeats(cells: Sequence[Any], labels: Sequence[str | None]) -> bool:
    """Whether each value goes with one label, and each label with one value."""
    pairs = {(str(cell), label) for cell, label in zip(cells, labels, strict=True) if label is not None}
    return len(pairs) == len({cell for cell, _ in pairs}) == len({label for _, label in pairs})


def _mostly_numbers(values: Sequence[Any]) -> bool:
    return sum(bool(re.fullmatch(r"\s*[+-]?\d+(?:[.,]\d+)?\s*", str(value))) for value in values) > len(values) / 2


def _mean_words(cells: Sequence[Any]) -> float:
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    return sum(len(text.split()) for text in texts) / max(1, len(texts))


def _is_id(name: str) -> bool:
    return (
        names_rows(name) or name == "" or _ID.fullmatch(name) is not None or _ID.fullmatch(name.casefold()) is not None
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
