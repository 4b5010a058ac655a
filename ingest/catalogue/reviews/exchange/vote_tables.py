"""Votes in tables: a long one with a row an answer (CSV, Parquet), and the batch results of Mechanical Turk (CSV)."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.csv_table import TableError, open_text, read_table
from app.reviews.elsewhere.vote_import import ImportedVote
from app.reviews.questions import CANNOT_TELL, SIDES
from app.reviews.ratings import RATING_COLUMNS
from ingest.errors import DataError, MissingFileError

#: Names of an example -> its index.
ExampleIndex = Callable[[object], int | None]
_LONG: Final = ("example", "rater", "answer")
_TURK: Final = ("WorkerId", "AssignmentStatus")
_INPUTS: Final = ("Input.example", "Input.index", "Input.key")


@dataclass(frozen=True)
class ReadVotes:
    """The votes of a file, what it was read as, and what of it was left out, in words."""

    votes: Sequence[ImportedVote]
    read_as: str
    left_out: Sequence[str] = ()


def read_vote_table(path: Path, index_of: ExampleIndex) -> ReadVotes:
    """The votes of a table. Raises DataError naming the row, MissingFileError."""
    columns, rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    twice = next((name for name, n in Counter(columns).items() if name and n > 1), None)
    if twice is not None:
        raise DataError(path, f"expected each column once, found {twice!r} twice: which of them counts?")
    if set(_TURK) <= set(columns):
        return _turk(path, columns, rows, index_of)
    lacking = [name for name in _LONG if name not in columns]
    if lacking:
        known = ", ".join(columns)
        raise DataError(path, f"expected the columns {', '.join(_LONG)}, or batch results of MTurk; found {known}")
    return _long(path, columns, rows, index_of)


def _long(
    path: Path, columns: Sequence[str], rows: Iterator[tuple[str, Mapping[str, Any]]], index_of: ExampleIndex
) -> ReadVotes:
    ours = set(RATING_COLUMNS) <= set(columns)
    votes, apart, excluded = [], 0, 0
    for where, row in rows:
        if ours and (_true(row["gold"]) or _true(row["repeat"])):
            apart += 1
            continue
        if ours and _true(row["excluded"]):
            excluded += 1
            continue
        votes.append(
            ImportedVote(
                _index(path, where, row["example"], index_of),
                _cell(path, where, row, "rater"),
                _rated(path, where, row) if ours else _heard(row["answer"], _cell(path, where, row, "answer")),
                where,
                _seconds(path, where, row.get("seconds")),
            )
        )
    told = [f"{apart:,} answers to known or repeated examples left out"] if apart else []
    told += [f"{excluded:,} answers of excluded raters left out"] if excluded else []
    return ReadVotes(votes, "ratings of a round" if ours else "a table with a row an answer", told)


def _rated(path: Path, where: str, row: Mapping[str, Any]) -> str | tuple[str, ...]:
    """The answer in a row of ratings: sides and sets are told by the names of their classes."""
    answer = _cell(path, where, row, "answer")
    if answer == CANNOT_TELL or (row["kind"] != "set" and answer not in SIDES):
        return _heard(answer, answer)
    found = _heard(row["classes"], _cell(path, where, row, "classes"))
    if isinstance(found, str) or (row["kind"] != "set" and len(found) != 1):
        raise DataError(path, f"expected names of classes as a JSON list in classes, found {found!r:.80}", record=where)
    return found


def _turk(
    path: Path, columns: Sequence[str], rows: Iterator[tuple[str, Mapping[str, Any]]], index_of: ExampleIndex
) -> ReadVotes:
    inputs = [name for name in _INPUTS if name in columns]
    answers = [name for name in columns if name.startswith("Answer.")]
    if not inputs:
        raise DataError(path, f"expected a column {', '.join(_INPUTS)}, by which examples are known, found none")
    if len(answers) != 1:
        named = [name for name in answers if name in ("Answer.answer", "Answer.label", "Answer.taskAnswers")]
        if len(named) != 1:
            found = ", ".join(answers) or "none"
            raise DataError(
                path, f"expected one column Answer.answer, Answer.label or Answer.taskAnswers, found {found}"
            )
        answers = named
    votes, rejected = [], 0
    for where, row in rows:
        if str(row["AssignmentStatus"]).strip().lower() == "rejected":
            rejected += 1
            continue
        answer = _cell(path, where, row, answers[0])
        if answers[0] == "Answer.taskAnswers":
            answer = _task_answer(path, where, answer)
        votes.append(
            ImportedVote(
                _index(path, where, row[inputs[0]], index_of),
                _cell(path, where, row, "WorkerId"),
                _heard(answer, answer),
                where,
                _seconds(path, where, row.get("WorkTimeInSeconds")),
            )
        )
    told = [f"{rejected:,} rejected assignments left out"] if rejected else []
    return ReadVotes(votes, "batch results of Mechanical Turk", told)


def _task_answer(path: Path, where: str, text: str) -> str:
    """The label in what ``crowd-classifier`` sends: ``[{"category": {"label": "cat"}}]``."""
    try:
        found = json.loads(text)
        (fields,) = found if isinstance(found, list) else [found]
        (value,) = fields.values()
        return str(value["label"] if isinstance(value, dict) else value)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise DataError(path, f"expected one answer as JSON, found {text!r:.80}", record=where) from error


def _heard(cell: object, answer: str) -> str | tuple[str, ...]:
    """An answer, from a cell and its text; several classes are a list of names, in JSON where the cell is text."""
    if isinstance(cell, list) and all(isinstance(one, str) for one in cell):
        return tuple(cell)
    if answer.startswith("["):
        try:
            found = json.loads(answer)
        except ValueError:
            return answer
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
    return answer


def _index(path: Path, where: str, name: object, index_of: ExampleIndex) -> int:
    found = index_of(name)
    if found is None:
        raise DataError(path, f"expected the index or the key of an example, found {name!r:.60}", record=where)
    return found


def _cell(path: Path, where: str, row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None or value != value or not str(value).strip():  # NaN is unlike itself
        raise DataError(path, f"expected a value in the column {name}, found none", record=where)
    return str(value).strip()


def _seconds(path: Path, where: str, value: object) -> float | None:
    if value is None or not str(value).strip():
        return None
    try:
        found = float(str(value))
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e9:
        raise DataError(path, f"expected seconds, found {value!r:.40}", record=where)
    return found


def _true(value: object) -> bool:
    return str(value).strip().lower() in ("true", "1")


def _csv(path: Path) -> tuple[Sequence[str], Iterator[tuple[str, Mapping[str, Any]]]]:
    try:
        with open_text(path) as stream:
            table = read_table(stream)
            columns = table.columns or ()
            rows = [(f"line {line}", dict(zip(columns, cells, strict=True))) for line, cells in table.rows]
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a file of votes, found none") from error
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
    return columns, iter(rows)


def _parquet(path: Path) -> tuple[Sequence[str], Iterator[tuple[str, Mapping[str, Any]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a file of votes, found none") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"expected Parquet: {error}") from error
    return table.column_names, ((f"row {place}", row) for place, row in enumerate(table.to_pylist()))
