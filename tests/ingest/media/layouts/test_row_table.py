"""Rows of tables as media: the same rows from every format, by their numbers, with nothing guessed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from ingest.media import MediaCountError, MediaError, MediaProblem, open_media
from ingest.media.layouts.row_table import open_row_table, read_rows

COLUMNS = ["age", "colour", "kind", "size"]
ROWS: list[list[Any]] = [[41, "red", "a", 1.5], [None, "blue", "b", 2.0], [7, None, "a", -0.25]]
TOLD = {"columns": ["age", "colour", "size"], "categories": ["colour"]}


def write_csv(folder: Path, separator: str = ",", mark: str = ".") -> Path:
    cells = [["" if value is None else str(value).replace(".", mark) for value in row] for row in ROWS]
    path = folder / "t.csv"
    path.write_text("\n\n".join(separator.join(row) for row in [COLUMNS, *cells]) + "\n")
    return path


def write_lines(folder: Path) -> Path:
    path = folder / "t.jsonl"
    path.write_text("".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in ROWS))
    return path


def write_parquet(folder: Path) -> Path:
    columns = dict(zip(COLUMNS, map(list, zip(*ROWS, strict=True)), strict=True))
    table = pa.table(columns)
    for part in range(2):
        some = table.slice(0, 2) if part == 0 else table.slice(2)
        parquet.write_table(some, folder / f"t-0000{part}-of-00002.parquet")
    return folder / "t-00000-of-00002.parquet"


FORMATS = {
    "commas": write_csv,
    "semicolons": lambda folder: write_csv(folder, ";", ","),
    "tabs": lambda folder: write_csv(folder, "\t"),
    "lines": write_lines,
    "parquet": write_parquet,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    path = FORMATS[name](tmp_path)
    frame = read_rows(path, TOLD["columns"], TOLD["categories"])
    expected = pd.DataFrame({"age": [41, np.nan, 7], "colour": ["red", "blue", None], "size": [1.5, 2, -0.25]})
    assert frame.columns.tolist() == expected.columns.tolist()
    np.testing.assert_array_equal(frame["age"], expected["age"])
    np.testing.assert_array_equal(frame["size"], expected["size"])
    assert frame["colour"].tolist() == ["red", "blue", None]
    source = open_media("row-table", tmp_path, TOLD)
    assert source is not None
    rows = {item.index: json.loads(item.data) for item in source.items({2: None, 0: None})}  # type: ignore[union-attr]
    assert rows == {
        0: [["age", 41, None], ["colour", "red", None], ["size", 1.5, None]],
        2: [["age", 7, None], ["colour", None, None], ["size", -0.25, None]],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age,colour,size\n1,red,2\n1,red,large\n", "line 3, column 'size': expected a number, found 'large'"),
        ("age,colour\n1,red\n", "expected one column 'size', found 0 of"),
        ("age,size,colour,size\n1,1,red,2\n", "expected one column 'size', found 2 of"),
        ("age,colour,size\n1,red\n", "line 2: expected 3 cells as in line 1, found 2"),
        ("index,age,colour,size\n1,1,red,2\n0,1,red,2\n", "column 'index' numbers them in another"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(MediaError) as refused:
        read_rows(tmp_path / "t.csv", TOLD["columns"], TOLD["categories"])
    assert "t.csv" in str(refused.value)
    assert said in str(refused.value)


def test_an_order_of_rows_that_is_stated_is_taken(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("index,age\n1,10\n0,20\n")
    for layout, told in (("row-table", {"columns": ["age"]}), ("text-table", {"column": "age"})):
        with pytest.raises(MediaError, match="numbers them in another"):
            list(open_media(layout, tmp_path, told).items({0: None}))  # type: ignore[union-attr]
        source = open_media(layout, tmp_path, {**told, "order": "rows"})
        (item,) = source.items({0: None})  # type: ignore[union-attr]
        assert b"10" in item.data  # type: ignore[union-attr]
        with pytest.raises(MediaError, match='expected "rows", found'):
            open_media(layout, tmp_path, {**told, "order": "text"})


def test_parquet_in_another_order_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"index": [1, 0], "age": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(MediaError, match="column 'index' numbers them in another"):
        read_rows(tmp_path / "t.parquet", ["age"])


def test_rows_and_labels_must_be_as_many(tmp_path: Path) -> None:
    write_csv(tmp_path)
    source = open_row_table(tmp_path, {**TOLD, "count": 4})
    assert source is not None
    with pytest.raises(MediaCountError, match="expected 4 rows, found 3"):
        list(source.items({0: None}))
    (problem,) = open_row_table(tmp_path, TOLD).items({3: None})  # type: ignore[union-attr]
    assert isinstance(problem, MediaProblem)
    assert problem.absent


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "columns'.*expected a list, needed by row-table, found none"),
        ({"columns": []}, "expected a list of names of columns, each once, found"),
        ({"columns": ["a", "a"]}, "expected a list of names of columns, each once"),
        ({"columns": ["a"], "categories": ["b"]}, "expected names of columns, found 'b'"),
        ({"columns": ["a"], "column": "a"}, "is unknown; expected one of path, order, columns, categories, count"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, told: dict[str, Any], said: str) -> None:
    with pytest.raises(MediaError, match=said):
        open_media("row-table", tmp_path, told)
