"""One made-up benchmark of 20 questions in every form that is read: all must become the same dataset."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.datasets.load import Inputs, load
from ingest.errors import DataError, MissingFileError
from ingest.manifest.parse import read_manifest
from ingest.media.questions.option_lists import LETTERS
from ingest.progress import Lines

MANIFEST = """\
name = "tides"
title = "Tides"
modality = "question"
summary = "Made-up questions about the sea."
{top}

[licence]
name = "CC0"
source = "made up"
media = "host"

[classes]
names = ["A", "B", "C", "D"]
{tables}
[media]
layout = "choices"
{media}
"""
QUESTIONS = [f'Which is the {n}th tide?\u0085It is, of "all", the … one; <b>{n}</b>?' for n in range(20)]
OPTIONS = [[f"tide {n}", "it's ebb", 'a "neap" one', f"${n}^2$"] for n in range(20)]
GIVEN = [n % 4 for n in range(20)]


def rows(answer: Callable[[int], Any], choices: Callable[[list[str]], Any]) -> list[dict[str, Any]]:
    return [
        {"question": text, "subject": "moon" if n < 10 else "sun", "choices": choices(options), "answer": answer(given)}
        for n, (text, options, given) in enumerate(zip(QUESTIONS, OPTIONS, GIVEN, strict=True))
    ]


def as_csv(file: Path, found: list[dict[str, Any]], separator: str = ",", encoding: str = "utf-8") -> None:
    with file.open("w", newline="", encoding=encoding, errors="replace") as stream:
        writer = csv.DictWriter(stream, list(found[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(found)


def as_lines(file: Path, found: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")


def hugging_face_mmlu(folder: Path) -> str:
    pd.DataFrame(rows(int, list)).to_parquet(folder / "test-00000-of-00001.parquet")
    return 'path = "test-00000-of-00001.parquet"'


def parts_of_parquet(folder: Path) -> str:
    found = rows(int, list)
    for part in range(2):
        pd.DataFrame(found[10 * part : 10 * part + 10]).to_parquet(folder / f"test-0000{part}-of-00002.parquet")
    return 'path = "test-*.parquet"'


def arc_of_parquet(folder: Path) -> str:
    """ARC's form: texts and labels of options, some questions numbered and some lettered."""
    found = []
    for n, row in enumerate(rows(int, list)):
        labels = ["1", "2", "3", "4"] if n % 3 == 0 else list("ABCD")
        row["choices"] = {"text": row["choices"], "label": labels}
        row["answerKey"] = labels[row.pop("answer")]
        found.append(row)
    pd.DataFrame(found).to_parquet(folder / "arc.parquet")
    return 'path = "arc.parquet"'


def arc_of_lines(folder: Path) -> str:
    found = rows(lambda given: LETTERS[given], lambda options: {"text": options, "label": list("ABCD")})
    as_lines(folder / "arc.jsonl", [{"answerKey": row.pop("answer"), **row} for row in found])
    return 'path = "arc.jsonl"'


def python_lists(folder: Path) -> str:
    as_csv(folder / "tides.csv", rows(int, repr))
    return 'path = "tides.csv"'


def json_lists_and_semicolons(folder: Path) -> str:
    as_csv(folder / "tides.csv", rows(lambda given: LETTERS[given], json.dumps), ";")
    return 'path = "tides.csv"'


def columns_of_options(folder: Path) -> str:
    found = [{**row, **dict(zip("ABCD", row.pop("choices"), strict=True))} for row in rows(lambda g: LETTERS[g], list)]
    as_csv(
        folder / "tides.tsv", [{"prompt": row.pop("question"), "key": row.pop("answer"), **row} for row in found], "\t"
    )
    return 'path = "tides.tsv"\ncolumn = "prompt"\nchoices = ["A", "B", "C", "D"]\nanswer = "key"'


def one_json_list(folder: Path) -> str:
    (folder / "tides.json").write_text(json.dumps(rows(int, list)), encoding="utf-8")
    return 'path = "tides.json"'


def file_for_each_subject(folder: Path) -> str:
    found = rows(int, list)
    as_lines(folder / "tides_moon.jsonl", [{k: v for k, v in row.items() if k != "subject"} for row in found[:10]])
    as_lines(folder / "tides_sun.jsonl", [{k: v for k, v in row.items() if k != "subject"} for row in found[10:]])
    return 'path = "tides_*.jsonl"\nfile_column = "subject"'


def texts_of_options(folder: Path) -> str:
    found = rows(int, list)
    as_lines(folder / "tides.jsonl", [row | {"answer": row["choices"][row["answer"]]} for row in found])
    return 'path = "tides.jsonl"'


FORMS = [
    texts_of_options,
    hugging_face_mmlu,
    parts_of_parquet,
    arc_of_parquet,
    arc_of_lines,
    python_lists,
    json_lists_and_semicolons,
    columns_of_options,
    one_json_list,
    file_for_each_subject,
]


def read(folder: Path, media: str, top: str = 'slice = "subject"', tables: str = "") -> Inputs:
    manifest = folder / "tides.toml"
    manifest.write_text(MANIFEST.format(top=top, media=media, tables=tables), encoding="utf-8")
    return load(read_manifest(manifest), folder, Lines(), complete=True)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_is_the_same_dataset(tmp_path: Path, form: Callable[[Path], str]) -> None:
    found = read(tmp_path, form(tmp_path))
    assert found.benchmark is not None
    assert found.labels is not None
    assert found.slices is not None
    assert found.labels.ids is not None
    assert found.labels.ids.tolist() == GIVEN
    assert [question.text for question in found.benchmark.questions.questions] == QUESTIONS
    assert [list(question.options) for question in found.benchmark.questions.questions] == OPTIONS
    assert (found.slices.names, found.slices.numbers.tolist()) == (("moon", "sun"), [0] * 10 + [1] * 10)


def test_it_goes_into_a_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody judged these questions, so there is no issue yet; nothing is said to be missing but that."""
    media = python_lists(tmp_path)
    read(tmp_path, media)
    catalogue = tmp_path / "catalogue.sqlite"
    assert main(["add", str(tmp_path / "tides.toml"), str(tmp_path), "--catalogue", str(catalogue)]) == 0
    assert "20 given answers by number" in capsys.readouterr().out


def test_a_key_column_names_the_questions(tmp_path: Path) -> None:
    as_lines(tmp_path / "t.jsonl", [{"id": f"q-{n}", **row} for n, row in enumerate(rows(int, list))])
    found = read(tmp_path, 'path = "t.jsonl"\nkey_column = "id"')
    assert found.keys == [f"q-{n}" for n in range(20)]
    as_lines(tmp_path / "t.jsonl", [{"id": "q", **row} for row in rows(int, list)])
    with pytest.raises(DataError, match=r"t\.jsonl: line 2: expected a name of its own, found 'q' in t\.jsonl, line 1"):
        read(tmp_path, 'path = "t.jsonl"\nkey_column = "id"')


def test_an_answer_key_has_one_meaning(tmp_path: Path) -> None:
    """Texts of options that are numbers too: one that can only be a text says that all are; else nobody can tell."""
    texts = ["3", "1", "7", "2"]
    found = [row | {"choices": texts, "answer": texts[row["answer"]]} for row in rows(int, list)]
    as_lines(tmp_path / "t.jsonl", found)
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert benchmark.given.tolist() == GIVEN
    found = [row for row in found if row["answer"] != "7"]
    as_lines(tmp_path / "t.jsonl", found)
    finding = r"line 1: expected .* of one meaning, found '3', option D by number or letter and A by its text"
    with pytest.raises(DataError, match=finding):
        read(tmp_path, 'path = "t.jsonl"')


def test_answers_counted_from_one(tmp_path: Path) -> None:
    """Refused where one names the last option so; and told where by chance none does."""
    found = rows(lambda given: given + 1, list)
    as_lines(tmp_path / "t.jsonl", found)
    with pytest.raises(DataError, match=r"line 4: expected an option, 0 to 3 or A to D, found 4; numbers count from 0"):
        read(tmp_path, 'path = "t.jsonl"')
    as_lines(tmp_path / "t.jsonl", [row | {"answer": 1 + row["answer"] % 3} for row in found])
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert "warning: no given answer is 0" in benchmark.source.notes()[1]
    as_lines(tmp_path / "t.jsonl", rows(int, list))
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert len(benchmark.source.notes()) == 1


def test_a_question_that_is_there_twice_is_told(tmp_path: Path) -> None:
    """And that one of its two answers is wrong, whatever the order of its options."""
    found = rows(int, list)
    again = found[3] | {"choices": found[3]["choices"][::-1], "answer": 0}
    as_lines(tmp_path / "t.jsonl", [*found, again])
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert benchmark.source.notes()[1:] == ["1 question more than once, with the same options"]
    as_lines(tmp_path / "t.jsonl", [*found, again | {"answer": 1}])
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert benchmark.source.notes()[1].endswith(
        "not all with the same answer, as in t.jsonl, line 4 and t.jsonl, line 21"
    )


def test_no_number_is_no_option(tmp_path: Path) -> None:
    """What pandas and others write for the empty cell of a column of numbers."""
    found: dict[str, Any] = {"question": QUESTIONS[:3], "subject": ["moon"] * 3, "answer": [0, 1, 0]}
    found |= {"A": [1.0, 2.0, 3.0], "B": [4.0, 5.0, 6.0], "C": [7.0, float("nan"), 8.0]}
    pq.write_table(pa.table(found), tmp_path / "t.parquet")
    benchmark = read(tmp_path, 'path = "t.parquet"\nchoices = ["A", "B", "C"]').benchmark
    assert benchmark is not None
    assert [len(question.options) for question in benchmark.questions.questions] == [3, 2, 3]


def test_questions_may_have_fewer_options(tmp_path: Path) -> None:
    found = rows(int, list)[:3]
    found[1]["choices"] = ["yes", "no"]
    as_lines(tmp_path / "t.jsonl", found)
    benchmark = read(tmp_path, 'path = "t.jsonl"').benchmark
    assert benchmark is not None
    assert [len(question.options) for question in benchmark.questions.questions] == [4, 2, 4]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"choices": ["yes"]}, "expected 2 to 26 options, found 1"),
        ({"choices": ["a", "b", "c", "d", "e"]}, "expected at most 4 options, one a class, found 5"),
        ({"choices": "__import__('os').getcwd()"}, "expected a list of options, in JSON or as Python writes it"),
        ({"choices": "['a', f'{1}']"}, "expected a list of options, in JSON or as Python writes it"),
        ({"choices": {"text": ["a", "b"], "label": ["1", "1"]}}, "expected different labels of 2 options"),
        ({"choices": [["a"], ["b"]]}, "expected a text for each option, found ['a']"),
        ({"answer": 4}, "expected an option, 0 to 3 or A to D, found 4"),
        ({"answer": "tide"}, "expected an option, 0 to 3 or A to D, found 'tide'"),
        ({"answer": None}, "expected an option, 0 to 3 or A to D, found None"),
        ({"answer": True}, "expected an option, 0 to 3 or A to D, found True"),
        ({"question": "  "}, "expected a question in 'question', found '  '"),
    ],
    ids=str,
)
def test_a_bad_row_is_refused_by_file_and_line(tmp_path: Path, change: dict[str, Any], finding: str) -> None:
    found = rows(int, list)
    found[6] |= change
    as_lines(tmp_path / "t.jsonl", found)
    with pytest.raises(DataError) as error:
        read(tmp_path, 'path = "t.jsonl"')
    assert str(error.value).startswith(f"{tmp_path / 't.jsonl'}: line 7: ")
    assert finding in str(error.value)


def test_a_list_nested_without_end_is_refused(tmp_path: Path) -> None:
    found = rows(int, repr)
    found[0]["choices"] = "[" * 100_000
    as_csv(tmp_path / "t.csv", found)
    with pytest.raises(DataError, match=r"t\.csv: line 2: expected a list of options"):
        read(tmp_path, 'path = "t.csv"')


def test_another_encoding_is_read_where_it_is_named_and_never_guessed(tmp_path: Path) -> None:
    found = [row | {"question": "The sister’s tide?"} for row in rows(int, list)]
    as_csv(tmp_path / "t.csv", found, encoding="mac-roman")
    with pytest.raises(DataError, match=r"t\.csv: line 2: expected UTF-8, found byte 0xD5; other_encoding"):
        read(tmp_path, 'path = "t.csv"')
    benchmark = read(tmp_path, 'path = "t.csv"\nother_encoding = "mac-roman"').benchmark
    assert benchmark is not None
    assert benchmark.questions.questions[0].text == "The sister’s tide?"


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="expected a file of questions, found none"):
        read(tmp_path, 'path = "tides_*.csv"')


# Answers of models

ANSWERS = """
[files]
pred_probs = "votes"

[answers]
file = "answers.csv"

[answers.models]
one = "ocean/one-1.5"
two = "ocean/two"

[answers.same]
key = "given"
"""


def answered(folder: Path, table: list[dict[str, Any]]) -> Inputs:
    as_csv(folder / "answers.csv", table)
    return read(folder, hugging_face_mmlu(folder), tables=ANSWERS)


def table() -> list[dict[str, Any]]:
    return [{"one": LETTERS[n % 4], "two": ["B", "The", "", "I"][n % 4], "key": LETTERS[n % 4]} for n in range(20)]


def test_answers_become_votes_and_no_answer_none(tmp_path: Path) -> None:
    found = answered(tmp_path, table())
    assert found.answers is not None
    assert found.matrix is not None
    assert found.answers.models == ("ocean/one-1.5", "ocean/two")
    assert found.answers.options[:4].tolist() == [[0, 1], [1, -1], [2, -1], [3, -1]]
    assert found.matrix.rows(np.array([0, 1])).tolist() == [
        [1.25 / 3, 1.25 / 3, 0.25 / 3, 0.25 / 3],
        [0.125, 0.625, 0.125, 0.125],
    ]


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (lambda found: found[:-1], "expected the answers to 20 questions, found 19 rows"),
        (
            lambda found: [*found[1:], found[0]],
            "line 2: expected '0' in 'key', as the question in this place, found 'B'",
        ),
        (lambda found: [{k: v for k, v in row.items() if k != "two"} for row in found], "expected one column 'two'"),
    ],
)
def test_answers_that_do_not_belong_here_are_refused(tmp_path: Path, spoil: Any, finding: str) -> None:
    with pytest.raises(DataError) as error:
        answered(tmp_path, spoil(table()))
    assert "answers.csv" in str(error.value)
    assert finding in str(error.value)
