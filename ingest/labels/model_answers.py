"""Read a table of models' answers to multiple-choice questions: a row for each question, a column for each model.

Rows are in the order of the examples; columns that repeat what is known of a question must say the same in every row,
so that no row is missing. An answer is an option's letter or number; anything else ("The", "I", nothing) is no answer,
which counts as a wrong one and is told apart.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.csv_table import CsvTable, TableError, open_text, read_table
from app.evaluation.tables.json_rows import LINES, json_lines, table_of
from ingest.errors import DataError, MissingFileError, shown

NO_ANSWER: Final = -1
_LETTER: Final = re.compile(r"\(?([A-Za-z])[.):]?")
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class ModelAnswers:
    """(n, k) options chosen by k models, -1 for no answer; ``models`` are "platform/name", in the order of columns."""

    file: Path
    models: tuple[str, ...]
    options: NDArray[np.int32]

    @property
    def n_missing(self) -> int:
        """Answers that name no option."""
        return int((self.options == NO_ANSWER).sum())

    def sentence(self) -> str:
        """What was read, for the report."""
        total = self.options.size
        said = f"{len(self.models)} models answered {len(self.options):,} questions"
        return f"{said}; {self.n_missing:,} of {total:,} answers name no option and count as wrong"


def read_model_answers(
    path: Path,
    columns: Mapping[str, str],
    n: int | None,
    n_classes: int,
    known: Mapping[str, Sequence[str]],
) -> ModelAnswers:
    """The answers in a CSV or JSON Lines file.

    ``columns`` maps columns to models' names; without any, all columns are models but those of ``known``. ``n`` is the
    number of questions, None where it is not known. ``known``
    maps columns to what they must say of each example, compared without capitals and spaces. Raises MissingFileError or
    DataError naming the row.
    """
    head, rows = _table(path)
    models = dict(columns) or {name: name for name in head if name and name not in known}
    lacking = next((name for name in (*models, *known) if head.count(name) != 1), None)
    if lacking is not None:
        raise DataError(path, f"expected one column {shown(lacking)}, found {shown(head, 200)}")
    if n is not None and len(rows) != n:
        raise DataError(path, f"expected the answers to {n:,} questions, found {len(rows):,} rows")
    _require_same_questions(path, head, rows, known)
    places = [head.index(name) for name in models]
    options = np.array([[option_of(cells[at], n_classes) for at in places] for _, cells in rows], np.int32)
    return ModelAnswers(path, tuple(models.values()), options.reshape(len(rows), len(places)))


def _require_same_questions(
    path: Path, head: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]], known: Mapping[str, Sequence[str]]
) -> None:
    for name, expected in known.items():
        at = head.index(name)
        for (record, cells), wanted in zip(rows, expected, strict=True):
            if _folded(cells[at]) != _folded(wanted) and not _same_option(cells[at], wanted):
                finding = f"expected {shown(wanted)} in {shown(name)}, as the question in this place, found"
                why = "are rows left out, or in another order?"
                raise DataError(path, f"{finding} {shown(cells[at])}: {why}", record=record)


def _same_option(value: Any, wanted: str) -> bool:
    """Whether one is the letter and the other the number of the same option."""
    return option_of(value, len(LETTERS)) == option_of(wanted, len(LETTERS)) != NO_ANSWER


def _folded(value: Any) -> str:
    return " ".join(str("" if value is None else value).replace("_", " ").casefold().split())


def option_of(value: Any, n_classes: int) -> int:
    """The option that a model's answer names, -1 for none.

    >>> option_of("B", 4), option_of("(c)", 4), option_of(3, 4), option_of("The", 4), option_of("", 4)
    (1, 2, 3, -1, -1)
    """
    if isinstance(value, bool) or value is None:
        return NO_ANSWER
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if text.isascii() and text.isdecimal() and len(text) < 3:
        found = int(text)
    elif match := _LETTER.fullmatch(text):
        found = LETTERS.index(match[1].upper())
    else:
        return NO_ANSWER
    return found if found < n_classes else NO_ANSWER


def _table(path: Path) -> tuple[list[str], list[tuple[str, Sequence[Any]]]]:
    try:
        with open_text(path) as stream:
            table = table_of(json_lines(stream), "line") if path.suffix.lower() in LINES else read_table(stream)
            if not isinstance(table, CsvTable):
                raise TableError("expected an object on each line, found other values")
            return list(table.columns or ()), [(f"line {line}", cells) for line, cells in table.rows]
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a table of models' answers, found none") from error
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
