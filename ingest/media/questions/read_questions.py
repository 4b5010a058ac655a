"""Read the questions of a benchmark: text, options, given answer, and whatever else its rows hold.

The order of examples is that of the files' names, and of the rows in each.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, shown
from ingest.manifest.layouts import Options, options_of
from ingest.media.layouts.parquet_files import parquet_parts
from ingest.media.questions.option_lists import (
    LETTERS,
    Named,
    OptionError,
    Spelling,
    given_option,
    option_list,
    worded_option,
)
from ingest.media.questions.question_rows import FileRead, FileRow, file_rows, question_files

#: Columns of the answer key, if the manifest names none: those of MMLU, ARC and others, in this order.
_ANSWERS: Final = ("answer", "answerKey", "label", "target")
_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``given`` is the number of the option that the answer key names."""

    row: FileRow
    text: str
    options: tuple[str, ...]
    given: int


@dataclass(frozen=True)
class Questions:
    """The questions of a benchmark in the order of the examples."""

    questions: Sequence[Question]
    files: Sequence[FileRead]
    spellings: Mapping[Spelling, int]  # how many given answers are written in which way
    options_in: Mapping[str, int]  # how many lists of options are written in which way
    keys: Sequence[str] | None
    columns: Mapping[str, Sequence[str]]  # text columns of all examples that were made from names of files

    def __len__(self) -> int:
        return len(self.questions)

    @cached_property
    def given(self) -> NDArray[Any]:
        """(n,) the given options."""
        n = max((len(question.options) for question in self.questions), default=1)
        return np.array([question.given for question in self.questions], np.min_scalar_type(n))

    def column(self, name: str) -> list[str] | None:
        """A column of all examples as texts; None where some file lacks it."""
        if name in self.columns:
            return list(self.columns[name])
        if any(name not in question.row.cells for question in self.questions):
            return None
        return [question.row.text(name).strip() for question in self.questions]

    def sentences(self) -> list[str]:
        """What had to be interpreted, for the report of whoever loads them."""
        said = [f"{len(self):,} questions in {_n(len(self.files), 'file')}"]
        by = Counter(f"separated by {file.separator}" for file in self.files if file.separator)
        other = [f"{file.file.name} read as {file.encoding}" for file in self.files if file.encoding not in _USUAL]
        said += [f"{_n(n, 'file')} {words}" for words, n in by.most_common()] if len(by) > 1 else []
        said += [f"{n:,} lists of options {words}" for words, n in self.options_in.items()]
        said += [f"{n:,} given answers {spelling.value}" for spelling, n in self.spellings.items()]
        return ["; ".join([*said, *other]), *_repeated(self), *_shifted(self)]


def _repeated(questions: Questions) -> list[str]:
    """Questions that are there more than once with the same options, and where their answers differ, one is wrong."""
    answers: dict[tuple[str, tuple[str, ...]], list[Question]] = {}
    for question in questions.questions:
        answers.setdefault((question.text, tuple(sorted(question.options))), []).append(question)
    several = [group for group in answers.values() if len(group) > 1]
    if not several:
        return []
    said = f"{_n(len(several), 'question')} more than once, with the same options"
    differing = next((group for group in several if len({one.options[one.given] for one in group}) > 1), None)
    if differing is None:
        return [said]
    where = " and ".join(f"{one.row.file.name}, {one.row.record}" for one in differing[:2])
    return [f"{said}; warning: not all with the same answer, as in {where}"]


def _shifted(questions: Questions) -> list[str]:
    """A warning where numbers may count from 1: of so many none names the first option."""
    numbered = set(questions.spellings) == {Spelling.INDEX} and bool(questions.given.all())
    if not numbered or len(questions) < _MANY:
        return []
    return ["warning: no given answer is 0, the first option: numbers count from 0, are these counted from 1?"]


#: With so many answers among four options, none of them the first is no chance (1 in 315).
_MANY: Final = 20
_USUAL: Final = frozenset({"utf-8", "parquet"})


def _n(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def read_questions(folder: Path, given: Mapping[str, object], n_classes: int) -> Questions:
    """The questions that the options of a ``choices`` layout describe, found in a folder.

    Raises MissingFileError or DataError naming file and row.
    """
    told = options_of("choices", given)
    pattern = told.path or "*"
    unanswered: list[_Unanswered] = []
    reads: list[FileRead] = []
    kinds = Counter[str]()
    of_file: list[str] = []
    for path in _once(question_files(folder, pattern)):
        rows, read = file_rows(path, told.other_encoding)
        reads.append(read)
        for row in rows:
            unanswered.append(_unanswered(row, told, n_classes))
            kinds[unanswered[-1].written] += 1
        of_file += [_starred(pattern, path.relative_to(folder).as_posix())] * len(rows)
    if not unanswered:
        raise DataError(folder / pattern, "expected questions, found none")
    named = _answers(unanswered)
    spelled = Counter(one.spelling for one in named)
    questions = [
        Question(one.row, one.text, one.options, given)
        for one, answer in zip(unanswered, named, strict=True)
        for given in answer.options
    ]
    columns = {told.file_column: of_file} if told.file_column else {}
    if told.count is not None and len(questions) != told.count:
        raise DataError(folder / pattern, f"expected {told.count:,} questions, found {len(questions):,}")
    keys = _keys(questions, told, columns)
    return Questions(questions, reads, spelled, kinds if len(kinds) > 1 else {}, keys, columns)


def _once(paths: Sequence[Path]) -> list[Path]:
    """Files without those that are later parts of a Parquet table."""
    later = {part for path in paths if path.suffix.lower() == ".parquet" for part in parquet_parts(path)[1:]}
    return [path for path in paths if path not in later]


def _starred(pattern: str, name: str) -> str:
    """What the star of a pattern stands for in a file's name: "mmlu_*.csv" and "mmlu_virology.csv" give "virology".

    >>> _starred("mmlu_*.csv", "mmlu_virology.csv"), _starred("test.csv", "test.csv")
    ('virology', 'test')
    """
    if "*" not in pattern:
        return Path(name).stem
    parts = [re.escape(part) for part in pattern.split("*")]
    match = re.fullmatch("(.*)".join(parts), name)
    return match[1] if match else Path(name).stem


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A question whose answer key is not understood yet: that depends on those of all others."""

    row: FileRow
    text: str
    options: tuple[str, ...]
    labels: tuple[str, ...] | None
    written: str
    key: object


def _unanswered(row: FileRow, told: Options, n_classes: int) -> _Unanswered:
    text = row.cells.get(told.column)
    if told.column not in row.cells:
        raise row.error(f"expected a column {shown(told.column)}, found {shown(list(row.cells), 200)}")
    if not isinstance(text, str) or not text.strip():
        raise row.error(f"expected a question in {shown(told.column)}, found {shown(text)}")
    if len(text) > _LONGEST:
        raise row.error(f"expected a question of at most {_LONGEST:,} characters, found {len(text):,}")
    try:
        listed = option_list(_options_of(row, told))
        if len(listed.options) > n_classes:
            raise OptionError(f"expected at most {n_classes} options, one a class, found {len(listed.options)}")
        return _Unanswered(row, text, listed.options, listed.labels, listed.written, _answer_of(row, told))
    except OptionError as error:
        raise row.error(str(error)) from error


def _answers(questions: Sequence[_Unanswered]) -> list[Named]:
    """The option that each answer key names: all by number, letter or label, or all by the text of an option.

    Never some so and some otherwise: "3" among texts is the text 3, whatever option has that number.
    """
    worded = [worded_option(one.key, one.options) for one in questions]
    by_text = [one for one in worded if one is not None]
    only_by_number = len(by_text) < len(questions)
    found = []
    for question in questions:
        try:
            found.append(given_option(question.key, question.options, question.labels))
        except OptionError as error:
            if only_by_number:
                raise question.row.error(str(error)) from error
            return by_text
    if not only_by_number:
        for question, by_number, text in zip(questions, found, by_text, strict=True):
            _require_one_meaning(question, by_number, text)
    return found


def _require_one_meaning(question: _Unanswered, by_number: Named, by_text: Named) -> None:
    """Refuse an answer key all of whose answers are texts of options, and may as well be numbers or letters."""
    if question.labels is None and by_number.options != by_text.options:
        places = [LETTERS[min(one.options)] for one in (by_number, by_text)]
        finding = f"found {shown(question.key)}, option {places[0]} by number or letter and {places[1]} by its text"
        raise question.row.error(f"expected an answer key of one meaning, {finding}: write the letters of options")


def _options_of(row: FileRow, told: Options) -> object:
    names = told.choices
    lacking = [name for name in names if name not in row.cells]
    if lacking:
        raise OptionError(f"expected a column {shown(lacking[0])}, found {shown(list(row.cells), 200)}")
    if len(names) == 1:
        return row.cells[names[0]]
    # No number, as pandas has it for an empty cell, is as empty as no text.
    values = [
        "" if row.cells[name] is None or row.cells[name] != row.cells[name] else row.cells[name] for name in names
    ]
    while values and values[-1] == "":
        values.pop()  # a question with fewer options than others
    return values


def _answer_of(row: FileRow, told: Options) -> object:
    names = (told.answer,) if told.answer else _ANSWERS
    name = next((name for name in names if name in row.cells), None)
    if name is None:
        raise OptionError(f"expected a column {shown(names[0])}, found {shown(list(row.cells), 200)}")
    return row.cells[name]


def _keys(questions: Sequence[Question], told: Options, columns: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The examples' own names: those of a column, or file and row where a column is made of files' names."""
    if told.key_column:
        keys = []
        first: dict[str, int] = {}
        for place, question in enumerate(questions):
            key = question.row.text(told.key_column).strip()
            if not key or "\n" in key:
                raise question.row.error(f"expected a name in {shown(told.key_column)}, found {shown(key)}")
            if first.setdefault(key, place) != place:
                raise question.row.error(
                    f"expected a name of its own, found {shown(key)} in {_where(questions[first[key]])} too"
                )
            keys.append(key)
        return keys
    if not told.file_column:
        return None
    seen = Counter[str]()
    found = []
    for name in columns[told.file_column]:
        found.append(f"{name}/{seen[name]}")
        seen[name] += 1
    return found


def _where(question: Question) -> str:
    return f"{question.row.file.name}, {question.row.record}"
