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
    models = dict(columns) or _all_columns(path, head, rows, known)
    lacking = next((name for name in (*models, *known) if head.count(name) != 1), None)
    if lacking is not None:
        raise DataError(path, f"expected one column {shown(lacking)}, found {shown(head, 200)}")
    if n is not None and len(rows) != n:
        raise DataError(path, f"expected the answers to {n:,} questions, found {len(rows):,} rows")
    _require_same_questions(path, head, rows, known)
    places = [head.index(name) for name in models]
    by_model = [_options([cells[at] for _, cells in rows], n_classes) for at in places]
    options = np.array(by_model, np.int32).reshape(len(places), len(rows)).T
    return ModelAnswers(path, tuple(models.values()), np.ascontiguousarray(options))


def _options(cells: Sequence[Any], n_classes: int) -> list[int]:
    """The options that one model chose: by letter or by number, as most of its answers; "2" among letters is none."""
    found = [option_of(cell, n_classes) for cell in cells]
    numbers = [not isinstance(cell, str) or cell.strip().isdecimal() for cell in cells]
    by_number = sum(number for number, option in zip(numbers, found, strict=True) if option != NO_ANSWER)
    by_letter = sum(option != NO_ANSWER for option in found) - by_number
    other = by_letter >= by_number
    return [NO_ANSWER if number == other else option for number, option in zip(numbers, found, strict=True)]


def _all_columns(
    path: Path, head: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]], known: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Every column as a model of its own name. Raises DataError for one that holds something else than answers."""
    found = {name: name for name in head if name and name not in known}
    for name in found:
        at = head.index(name)
        cells = [(record, str("" if row[at] is None else row[at]).strip()) for record, row in rows]
        said = [(record, cell) for record, cell in cells if cell]
        numbers = [int(cell) for _, cell in said if cell.isascii() and cell.isdecimal() and len(cell) < 10]
        counted = len(numbers) == len(rows) > 2 and numbers in (_upwards(0, rows), _upwards(1, rows))
        none = said if counted else [one for one in said if option_of(one[1], len(LETTERS)) == NO_ANSWER]
        odd = none[0] if 2 * len(none) > len(said) else None
        if odd is not None:
            finding = f"expected answers of a model in each column, found {shown(odd[1])} in {shown(name)}"
            raise DataError(path, f"{finding}: leave out columns that are none", record=odd[0])
    return found


def _upwards(first: int, rows: Sequence[Any]) -> list[int]:
    return list(range(first, first + len(rows)))


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
