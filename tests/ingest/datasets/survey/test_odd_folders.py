"""What people have that is nearly a dataset: read as it is meant, or refused with what to do; never passed over."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.ingest.datasets.survey.conftest import Found, Init, picture, put

KINDS = ["bread", "cars"]
GIVEN = [KINDS[index % 2] for index in range(40)]
TEXTS = [f"a text about {kind} number {index}" for index, kind in enumerate(GIVEN)]


def separated(mark: str) -> str:
    return "\n".join([f"text{mark}label", *(f"{text}{mark}{kind}" for text, kind in zip(TEXTS, GIVEN, strict=True))])


def table_of(rows: slice) -> pa.Table:
    return pa.table({"text": TEXTS[rows], "label": [KINDS.index(kind) for kind in GIVEN[rows]]})


CSV = separated(",")
PACKED = gzip.compress(CSV.encode(), mtime=0)  # which the name of a test is made of
ARROW = b"ARROW1\0\0" + bytes(99)
ROWS = json.dumps([{"text": text, "label": kind} for text, kind in zip(TEXTS, GIVEN, strict=True)])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_may_be_separated_otherwise(tmp_path: Path, init: Init, mark: str) -> None:
    found = init(put(tmp_path / "some", {"data.csv": separated(mark)}))
    assert found.labels == GIVEN
    assert "left out" not in found.said


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("data.csv.gz", PACKED, "unpack it"),
        ("data.zip", b"PK\x03\x04" + bytes(99), "unpack it"),
        ("data.xlsx", b"PK\x03\x04" + bytes(99), "save it as .csv"),
        ("data.ods", b"PK\x03\x04" + bytes(99), "save it as .csv"),
        ("data-00000-of-00001.arrow", ARROW, "write it as .parquet, as to_parquet of pandas and of Hugging Face does"),
        ("data.npz", b"PK\x03\x04" + bytes(99), "write a file for each example, or a .csv"),
        ("data.json", ROWS, "write an object on each line, as .jsonl"),
        ("data.txt", CSV, "if it is a table, call it .csv"),
        ("wine.data", CSV, "if it is a table, call it .csv"),
    ],
)
def test_a_table_that_is_not_read_is_refused_with_what_to_do(
    tmp_path: Path, init: Init, name: str, content: bytes | str, advice: str
) -> None:
    folder = put(tmp_path / "some", {name: content})
    for place in (folder, folder / name):
        found = init(place)
        assert found.status == 1
        assert f"{name}': {advice}" in found.error
        assert not found.out.exists()


def test_what_lies_beside_the_description_of_hugging_face_is_told(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "some", {"data.arrow": ARROW, "state.json": "{}", "dataset_info.json": "{}"}))
    assert found.status == 1
    assert "found 'data.arrow': write it as .parquet" in found.error


@pytest.mark.parametrize(("name", "advice"), [("train.csv.gz", "unpack it"), ("more.xlsx", "save it as .csv")])
def test_a_table_that_is_not_read_beside_one_that_is_is_told(
    tmp_path: Path, init: Init, name: str, advice: str
) -> None:
    found = init(put(tmp_path / "some", {"test.csv": CSV, name: PACKED}))
    assert found.labels == GIVEN
    assert f"left out: files of a kind that is not read ({advice}): '{name}'" in found.said


def test_pictures_in_no_class_folder_are_told(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "some", {f"{kind}.{n}.png": picture(n) for kind in KINDS for n in range(5)}))
    assert found.status == 1
    expected = "expected a folder for each class, or a table that names files and labels"
    assert f"{expected}; found pictures in none, such as 'bread.0.png'" in found.error


def test_another_mark_between_cells_is_told(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "some", {"data.csv": separated("|")}))
    assert found.status == 1
    assert "one column: cells are separated by commas, semicolons or tabs, not by |" in found.error


def test_a_table_without_a_line_of_names_is_doubted(tmp_path: Path, init: Init) -> None:
    folder = put(tmp_path / "some", {"data.csv": CSV.partition("\n")[2]})
    assert "it may be bread (2 different values)" in init(folder).error
    found = init(folder, "--label-column", "bread")
    assert "unsure: the column of labels is called 'bread', as a class is: has the table no" in found.said


def test_a_column_that_says_what_to_learn_from_is_doubted(tmp_path: Path, init: Init) -> None:
    lines = CSV.split("\n")
    parts = ["split", *("test" if index % 4 else "train" for index in range(40))]
    found = init(put(tmp_path / "some", {"data.csv": "\n".join(map(",".join, zip(lines, parts, strict=True)))}))
    assert found.labels == GIVEN
    assert "unsure: the column 'split' says 'test', 'train', and all rows are looked at" in found.said
    assert "left out: columns besides: 'split'" in found.said


def test_rows_without_a_group_are_alone_in_tables_of_one_name(tmp_path: Path, init: Init) -> None:
    """Else the first row to learn from would be in the group of the first that is looked at."""
    rows = "\n".join(["text,label,author", *(f"{text},{kind}," for text, kind in zip(TEXTS, GIVEN, strict=True))])
    folder = put(tmp_path / "some", {"test/metadata.csv": rows, "train/metadata.csv": rows.replace("number", "no.")})
    found = init(folder, "--group-column", "author")
    assert found.status == 0, found.error
    assert not set(found.json("groups.json")) & set(found.json("train_groups.json"))
    assert found.json("groups.json")[3] == "row 3 of test/metadata.csv"


def test_older_names_of_hugging_face(tmp_path: Path, init: Init, checked: Callable[[Found], str]) -> None:
    """Each file has a hash of its own in its name, and the names of classes lie in a file beside."""
    folder = tmp_path / "some"
    (folder / "data").mkdir(parents=True)
    for part, marks in (("test", ("f" * 16, "0123456789abcdef")), ("train", ("a" * 16, "b" * 16))):
        for shard, mark in enumerate(marks):
            rows = slice(20 * shard, 20 * shard + 20)
            parquet.write_table(table_of(rows), folder / f"data/{part}-{shard:05}-of-00002-{mark}.parquet")
    features = {"text": {"_type": "Value"}, "label": {"_type": "ClassLabel", "names": KINDS}}
    (folder / "dataset_infos.json").write_text(json.dumps({"default": {"features": features}}))
    found = init(folder)
    assert found.status == 0, found.error
    assert (found.classes, found.labels) == (KINDS, GIVEN)
    assert np.load(found.out / "train_labels.npy").tolist() == [index % 2 for index in range(40)]
    assert "example 1: cars; " in checked(found)
    # Without the second file of a table, every row of another would have its label.
    (folder / "data/test-00001-of-00002-0123456789abcdef.parquet").unlink()
    found = init(folder)
    assert found.status == 1
    assert "expected all 2 files of its table, found none called 'test-00001-of-00002-....parquet'" in found.error


def test_files_of_two_older_exports_are_refused(tmp_path: Path, init: Init) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for mark in ("a" * 16, "b" * 16):
        parquet.write_table(table_of(slice(0, 40)), folder / f"train-00000-of-00001-{mark}.parquet")
    found = init(folder)
    assert found.status == 1
    assert "expected one file of each number of its table, found" in found.error


def test_names_of_classes_that_configurations_disagree_about_are_not_taken(tmp_path: Path, init: Init) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    parquet.write_table(table_of(slice(0, 40)), folder / "train.parquet")
    infos = {
        str(place): {"features": {"label": {"_type": "ClassLabel", "names": names}}}
        for place, names in enumerate((KINDS, KINDS[::-1]))
    }
    (folder / "dataset_infos.json").write_text(json.dumps(infos))
    assert init(folder).classes == ["0", "1"]


def test_a_table_in_utf_16_is_read_as_it_is_written(
    tmp_path: Path, init: Init, checked: Callable[[Found], str]
) -> None:
    found = init(put(tmp_path / "some", {"data.csv": CSV.encode("utf-16")}))
    assert (found.labels, found.media["encoding"]) == (GIVEN, "utf-16")
    assert f"example 1: cars; data.csv, record 1; '{TEXTS[1]}'" in checked(found)


def test_a_table_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path, init: Init) -> None:
    found = init(put(tmp_path / "some", {"data.csv": CSV.replace("text about", "caf\u00e9").encode("latin-1")}))
    assert found.status == 1
    assert "data.csv: expected CSV in UTF-8, found other text" in found.error
    assert "save it in UTF-8, in Excel as CSV UTF-8" in found.error


def test_of_columns_called_like_labels_measurements_are_none(tmp_path: Path, init: Init) -> None:
    rows = "".join(f"{index / 7},{index / 3},{kind}\n" for index, kind in enumerate(GIVEN))
    found = init(put(tmp_path / "some", {"data.csv": f"x,y,label\n{rows}"}))
    assert (found.labels, found.media["columns"]) == (GIVEN, ["x", "y"])
    assert "unsure: the column 'label' is taken for the label, and not 'y', which holds no classes" in found.said


def test_numbers_in_names_are_told_of_only_where_there_are_some(tmp_path: Path, init: Init) -> None:
    for name, kinds, told in (("capitals", ("Cars", "bread"), False), ("numbers", ("kind10", "kind2"), True)):
        rows = "".join(f"{text},{kinds[index % 2]}\n" for index, text in enumerate(TEXTS))
        found = init(put(tmp_path / name, {"data.csv": f"text,label\n{rows}"}))
        assert ("if numbers in names counted" in found.said) == told


def test_one_class_folder_of_the_kind_of_most_says_what_the_others_hold(tmp_path: Path, init: Init) -> None:
    pictures = {f"photos/{index}.png": picture(index) for index in range(3)}
    found = init(put(tmp_path / "some", pictures | {f"notes/{index}.txt": text for index, text in enumerate(TEXTS)}))
    assert found.status == 1
    assert "expected texts in two class folders at least, found them in 'notes' alone" in found.error
    assert "left out were files that are no texts: 'photos/0.png'" in found.error
