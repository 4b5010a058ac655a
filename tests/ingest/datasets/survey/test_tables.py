"""Tables: labels, texts, files and numbers found by what the columns hold, in every format and spelling."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from ingest.commands.main import main
from tests.ingest.datasets.survey.conftest import Found, Init, picture, put

N = 60
KINDS = ["ant", "bee", "cat"]
GIVEN = [KINDS[index % 3] for index in range(N)]
TEXTS = [f"This is the story of one {kind} and of what it did on day {index}." for index, kind in enumerate(GIVEN)]


def flowers(**more: Any) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "length": rng.normal(5, 1, N).round(2),
            "petals": rng.integers(3, 9, N),
            "colour": rng.choice(["red", "blue"], N),
            "label": GIVEN,
            **more,
        }
    )


def reviews(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": GIVEN, **more})


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "csv with semicolons": lambda frame, path: frame.to_csv(
        path.with_suffix(".csv"), index=False, sep=";", decimal=","
    ),
    "csv with row names": lambda frame, path: frame.to_csv(path.with_suffix(".csv")),
    "tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "parquet": lambda frame, path: frame.to_parquet(path),
}


def write(frame: pd.DataFrame, folder: Path, way: str = "csv") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"table.{way.split()[0]}"
    WRITERS[way](frame, path)
    return path


@pytest.mark.parametrize("whole_folder", [True, False], ids=["folder", "file"])
@pytest.mark.parametrize("way", WRITERS)
def test_a_table_of_numbers_and_categories(
    tmp_path: Path, init: Init, checked: Callable[[Found], str], way: str, whole_folder: bool
) -> None:
    frame = flowers()
    path = write(frame, tmp_path / "some", way)
    found = init(path.parent if whole_folder else path)
    assert found.status == 0, found.error
    assert found.manifest.modality == "tabular"
    assert (found.classes, found.labels) == (KINDS, GIVEN)
    assert found.media["columns"] == ["length", "petals", "colour"]
    assert found.media["categories"] == ["colour"]
    first = f"length: {frame['length'][1]}; petals: {frame['petals'][1]}; colour: {frame['colour'][1]}"
    assert f"example 1: bee; {path.name}, record 1; '{first}'" in checked(found)


@pytest.mark.parametrize("way", WRITERS)
def test_a_table_of_texts(tmp_path: Path, init: Init, checked: Callable[[Found], str], way: str) -> None:
    found = init(write(reviews(stars=range(N)), tmp_path / "some", way))
    assert (found.manifest.modality, found.media["column"]) == ("text", "text")
    assert (found.classes, found.labels) == (KINDS, GIVEN)
    assert "left out: columns besides: " in found.said
    assert "example 1: bee; " in checked(found)
    assert "'This is the story of one bee" in checked(found)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        ([0, 10, 2], ["0", "2", "10"]),
        ([True, False, True], ["False", "True"]),
        ([1.0, 2.0, 1.0], ["1", "2"]),
        (["yes", "no", "none"], ["no", "none", "yes"]),
    ],
)
@pytest.mark.parametrize("way", ["csv", "jsonl", "parquet"])
def test_labels_as_names_numbers_and_truths(
    tmp_path: Path, init: Init, checked: Callable[[Found], str], labels: list[Any], names: list[str], way: str
) -> None:
    found = init(write(reviews(label=[labels[index % 3] for index in range(N)]), tmp_path / "some", way))
    assert found.classes == names
    assert found.labels == [str(int(one)) if type(one) is float else str(one) for one in labels] * (N // 3)
    checked(found)


@pytest.mark.parametrize("way", ["csv", "jsonl", "parquet"])
def test_codes_keep_their_zeros(tmp_path: Path, init: Init, checked: Callable[[Found], str], way: str) -> None:
    """01 and 1 used to be one class, without a word."""
    labels = [["01", "1", "02"][index % 3] for index in range(N)]
    found = init(write(reviews(label=labels), tmp_path / "some", way))
    assert sorted(found.classes) == ["01", "02", "1"]
    assert found.labels == labels
    assert "classes that are the same number written otherwise, '01', '1', are different classes" in found.said
    checked(found)


def test_several_labels_in_a_cell_are_doubted(tmp_path: Path, init: Init) -> None:
    labels = [["cat", "cat,dog", "dog"][index % 3] for index in range(N)]
    found = init(write(reviews(label=labels), tmp_path / "some", "csv"))
    assert found.classes == ["cat", "cat,dog", "dog"]
    assert "unsure: 'cat,dog' is a class of its own, and not an example of several classes" in found.said


@pytest.mark.parametrize("spelled", ["path", "name", "stem"])
@pytest.mark.parametrize("way", ["csv", "jsonl", "parquet"])
def test_a_table_of_files(tmp_path: Path, init: Init, checked: Callable[[Found], str], way: str, spelled: str) -> None:
    paths = [f"scans/day{index % 2}/{index}.png" for index in range(N)]
    named = {"path": paths, "name": [Path(one).name for one in paths], "stem": [Path(one).stem for one in paths]}[
        spelled
    ]
    if spelled == "stem":
        named, paths = [f"x{one}" for one in named], [f"scans/x{Path(one).name}" for one in paths]
    folder = put(tmp_path / "some", {path: picture(index) for index, path in enumerate(paths)})
    write(
        pd.DataFrame({"scan": named, "patient": [f"p{index // 4}" for index in range(N)], "label": GIVEN}), folder, way
    )
    put(folder, {"scans/spare.png": picture(3)})
    found = init(folder, "--group-column", "patient")
    assert found.status == 0, found.error
    assert (found.manifest.modality, found.json("index.json"), found.labels) == ("image", paths, GIVEN)
    assert found.json("groups.json") == [f"p{index // 4}" for index in range(N)]
    assert found.manifest.files.groups == "groups.json"
    assert "pictures that table." in found.said
    assert "does not name: 'scans/spare.png'" in found.said
    assert f"example 1: bee; {paths[1]}" in checked(found)


def test_rows_whose_files_or_labels_are_missing_are_left_out(tmp_path: Path, init: Init) -> None:
    paths = [f"{index}.png" for index in range(N)]
    folder = put(tmp_path / "some", {path: picture(1) for path in paths[2:]} | {"7.png": b"", "8.png": "no picture"})
    labels = pd.Series(GIVEN, dtype=object)
    labels[5] = None
    write(pd.DataFrame({"file": paths, "label": labels}), folder)
    found = init(folder)
    kept = [index for index in range(2, N) if index not in (5, 7, 8)]
    assert found.json("index.json") == [paths[index] for index in kept]
    assert found.labels == [GIVEN[index] for index in kept]
    for said in (
        "rows whose file is not there: '0.png', '1.png'",
        "rows without a label: '5.png'",
        "files that cannot be read: '7.png is empty'",
        "files that are no pictures: '8.png'",
    ):
        assert said in found.said


def hugging_face(folder: Path, part: str, shards: int, names: list[str], labels: list[int]) -> None:
    """A dataset of pictures as Hugging Face exports it."""
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    files = [{"bytes": picture(index), "path": f"{index}.png"} for index in range(len(labels))]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(files, kind), "label": pa.array(labels, pa.int64())})
    told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = table.replace_schema_metadata(told)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    size = len(labels) // shards
    for shard in range(shards):
        some = table.slice(shard * size, size if shard < shards - 1 else None)
        parquet.write_table(some, folder / f"data/{part}-{shard:05}-of-{shards:05}.parquet")


def test_a_dataset_of_hugging_face(tmp_path: Path, init: Init, checked: Callable[[Found], str]) -> None:
    """The names of classes are in the order that the file says, which is not that of the alphabet."""
    labels = [index % 3 for index in range(N)]
    hugging_face(tmp_path / "some", "test", 2, ["zebra", "ape", "gnu"], labels)
    hugging_face(tmp_path / "some", "train", 1, ["zebra", "ape", "gnu"], labels[:12])
    found = init(tmp_path / "some")
    assert found.status == 0, found.error
    assert found.classes == ["zebra", "ape", "gnu"]
    assert np.load(found.out / "labels.npy").tolist() == labels
    assert np.load(found.out / "train_labels.npy").tolist() == labels[:12]
    manifest = found.manifest
    assert (manifest.modality, found.media["column"]) == ("image", "image")
    assert manifest.train is not None
    assert manifest.train.path == "data/train-00000-of-00001.parquet"
    assert "example 1: ape; test-00000-of-00002.parquet, 1.png" in checked(found)


def test_a_test_set_without_labels_leaves_the_train_set_to_look_at(tmp_path: Path, init: Init) -> None:
    hugging_face(tmp_path / "some", "test", 1, ["a", "b"], [-1] * 8)
    hugging_face(tmp_path / "some", "train", 1, ["a", "b"], [0, 1] * 6)
    found = init(tmp_path / "some")
    assert found.labels == ["a", "b"] * 6
    assert "has no labels, so the examples of data/train-00000-of-00001.parquet are looked at" in found.said
    assert found.manifest.train is None


def test_a_pair_of_tables(tmp_path: Path, init: Init, checked: Callable[[Found], str]) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    flowers().to_csv(folder / "test.csv", index=False)
    flowers().iloc[::-1].to_csv(folder / "train.csv", index=False)
    found = init(folder)
    assert found.labels == GIVEN
    assert [found.classes[one] for one in np.load(found.out / "train_labels.npy")] == GIVEN[::-1]
    assert found.manifest.train is not None
    assert (found.media["path"], found.manifest.train.path) == ("test.csv", "train.csv")
    checked(found)


def test_columns_that_say_nothing_of_an_example_are_left_out(tmp_path: Path, init: Init) -> None:
    more = {
        "PassengerId": range(100, 100 + N),
        "code": [KINDS.index(one) for one in GIVEN],
        "same": ["x"] * N,
        "name": [f"Name {index}" for index in range(N)],
        "big": [index * index for index in range(N)],
        "store_id": [index % 7 for index in range(N)],
        "price": [str(index / 2) if index % 9 else "unknown" for index in range(N)],
        "flag": [index % 4 == 0 for index in range(N)],
    }
    found = init(write(flowers(**more), tmp_path / "some"))
    assert found.media["columns"] == ["length", "petals", "colour", "big", "store_id", "flag"]
    assert found.media["categories"] == ["colour", "flag"]
    for said in (
        "columns that number or name the rows: 'PassengerId'",
        "columns that say the same as the label: 'code'",
        "columns with the same value in every row: 'same'",
        "hardly ever occur twice, such as names and dates: 'name', 'price'",
        "unsure: the column 'big' has another whole number in every row: it may be an id",
        "unsure: the column 'store_id' is called like an id, and is read as a number",
        "unsure: the column 'price' has numbers, but not only: expected a number, found 'unknown'",
    ):
        assert said in found.said


def test_rows_that_are_numbered_in_another_order_keep_their_labels(
    tmp_path: Path, init: Init, query_of: Callable[[Path], Callable[..., list[Any]]]
) -> None:
    numbers = np.random.default_rng(0).permutation(N)
    found = init(write(reviews(id=numbers), tmp_path / "some"))
    assert found.media["order"] == "rows"
    assert "unsure: a column numbers the rows in another order than theirs" in found.said
    np.save(found.out / "pred_probs.npy", np.full((N, 3), 1 / 3))
    manifest = found.out / "dataset.toml"
    text = manifest.read_text().replace("[files]\n", '[files]\npred_probs = "pred_probs.npy"\n')
    manifest.write_text(text.replace("\nmodality", f"\nflag = {N}\nmodality"))
    catalogue = tmp_path / "catalogue.sqlite"
    assert main(found.command("add", "--catalogue", str(catalogue))) == 0
    rows = query_of(catalogue)("SELECT given, excerpt FROM issues")
    assert len(rows) >= N / 2
    assert all(f"one {KINDS[given]} " in excerpt for given, excerpt in rows)


@pytest.mark.parametrize(
    ("frame", "options", "said"),
    [
        (reviews(label=[f"{index}" for index in range(N)]), (), "expected classes, found 60 different labels of 60"),
        (reviews(label=[index / 7 % 4 for index in range(N)]), (), "expected classes, found"),
        (reviews(label=["same"] * N), (), "expected labels of two classes at least, found one, 'same'"),
        (reviews(label=[None, *GIVEN[1:]]), (), "found none in 1 of 60 rows, counted from 0: 0; label them"),
        (reviews(y=GIVEN), (), "the columns 'label' and 'y', and each may be the label: say --label-column"),
        (
            flowers().rename(columns={"label": "what"}),
            (),
            "which column holds the labels: say --label-column; it may be",
        ),
        (reviews(), ("--label-column", "no"), "expected the column 'no' of --label-column, found text, label"),
        (
            pd.DataFrame({"label": GIVEN, "id": range(N)}),
            (),
            "expected columns of numbers or categories beside the label",
        ),
    ],
)
def test_what_cannot_be_known_or_is_no_class_is_refused(
    tmp_path: Path, init: Init, frame: pd.DataFrame, options: tuple[str, ...], said: str
) -> None:
    found = init(write(frame, tmp_path / "some"), *options)
    assert found.status == 1
    assert said in found.error
    assert "table.csv" in found.error
    assert not found.out.exists()


def test_columns_may_be_told(tmp_path: Path, init: Init) -> None:
    path = write(reviews(y=GIVEN[::-1], title=TEXTS[::-1]), tmp_path / "some")
    found = init(path, "--label-column", "y", "--text-column", "title", "--group-column", "label")
    assert (found.labels, found.media["column"]) == (GIVEN[::-1], "title")
    assert found.json("groups.json") == GIVEN
    assert "3 groups, by the column 'label'" in found.said


def test_several_tables_with_labels_are_refused(tmp_path: Path, init: Init) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        reviews().to_csv(folder / name, index=False)
    found = init(folder)
    assert found.status == 1
    assert "expected one table with labels, found 'a.csv', 'b.csv': give the path of one of them" in found.error


@pytest.mark.parametrize("kind", ["texts", "numbers"])
def test_a_table_that_was_sorted_since_is_refused(kind: str, tmp_path: Path, capsys) -> None:
    """Its rows would be paired, by their places, with the labels of others."""
    rows = [f"{'good' if i % 2 else 'bad'} day number {i}" if kind == "texts" else f"{i % 13}.5" for i in range(40)]
    lines = [f"{row},{('neg', 'pos')[i % 2]}" for i, row in enumerate(rows)]
    table = tmp_path / "days" / "days.csv"
    table.parent.mkdir()
    table.write_text("\n".join(["what,label", *lines]) + "\n")
    assert main(["init", str(table.parent), "--out", str(tmp_path / "out")]) == 0
    manifest = tmp_path / "out" / "dataset.toml"
    check = ["check", str(manifest), str(manifest.parent), "--media", str(table.parent)]
    assert main(check) == 0
    table.write_text("\n".join(["what,label", *sorted(lines)]) + "\n")
    capsys.readouterr()
    for command in (check, ["predict", str(manifest), "--media", str(table.parent)]):
        assert main(command) == 1
        told = capsys.readouterr()
        assert "days.csv" in told.out + told.err
        assert "was changed since its labels were read" in told.out + told.err
    assert not (tmp_path / "out" / "pred_probs.npy").exists()
    assert main(["init", str(table.parent), "--out", str(tmp_path / "out")]) == 0
    assert main(check) == 0


@pytest.mark.parametrize(("written", "told"), [("%Y-%m-%d", True), ("%d.%m.%Y", True), ("week %W", False)])
def test_dates_are_said_to_be_read_as_words(written: str, told: bool, tmp_path: Path, capsys) -> None:
    days = pd.date_range("2024-01-01", periods=20, freq="7D").strftime(written).tolist() * 3
    rows = pd.DataFrame({"seen": days, "size": np.arange(60) % 7 + 0.5, "kind": ["a", "b"] * 30})
    (tmp_path / "table").mkdir()
    rows.to_csv(tmp_path / "table" / "rows.csv", index=False)
    assert main(["init", str(tmp_path / "table"), "--out", str(tmp_path / "out"), "--label-column", "kind"]) == 0
    assert ("unsure: the column 'seen' has dates, read as words" in capsys.readouterr().out) == told
