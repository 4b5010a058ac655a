"""Opinions in files of every format, joined with made-up examples; and joins that are refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import DataError, ManifestError, MissingFileError
from ingest.labels.opinions.entries import read_entries
from ingest.labels.opinions.join import Examples, Joined, join
from ingest.manifest.opinion import OpinionManifest
from ingest.manifest.parse import read_opinion_manifest, shipped_opinions

NAMES = ("ant", "bee", "cat")
GIVEN = np.array([0, 1, 2, 0, 2, 1, 1, 0])
#: What the opinion holds: the given label but for examples 3 and 6.
SETS = [[0], [1], [2], [1, 2], [2], [1], [], [0]]
KEYS = [f"val/photo_{number:03}.png" for number in (5, 3, 8, 1, 2, 4, 7, 6)]
EXAMPLES = Examples(GIVEN, KEYS, NAMES)


def manifest(**changes: Any) -> OpinionManifest:
    said = {"name": "second", "title": "Second look", "licence": "CC0", "redistributable": True, "independent": True}
    said |= {"format": "sets-json", "check": {"example": 3, "classes": [1, 2], "agreement": 0.8}}
    return OpinionManifest.model_validate(said | changes)


def joined(path: Path, examples: Examples = EXAMPLES, **changes: Any) -> Joined:
    said = manifest(**changes)
    return join(path, said, read_entries(path, said, NAMES), examples)


def sets(found: Joined) -> list[list[int]]:
    return [list(found.opinion.held.members(index)) for index in range(len(found.opinion))]


def written(path: Path, content: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, np.array(content))
    elif path.suffix == ".json":
        path.write_text(json.dumps(content))
    else:
        path.write_text(content)
    return path


def test_sets_by_position(tmp_path: Path) -> None:
    found = joined(written(tmp_path / "o.json", SETS))
    assert sets(found) == SETS
    assert found.agreeing == pytest.approx(6 / 7)


def test_counts_and_labels_by_position(tmp_path: Path) -> None:
    counts = np.zeros((8, 3), int)
    for row, members in enumerate(SETS):
        counts[row, members] = 4
    counts[0, 2] = 3
    found = joined(written(tmp_path / "o.npy", counts), format="counts-npy")
    assert sets(found) == SETS
    assert found.opinion.named(0) == [(0, 4), (2, 3)]
    labels = [members[0] if members else -1 for members in SETS]
    check = {"example": 3, "classes": ["bee"], "agreement": 0.8}
    found = joined(written(tmp_path / "l.npy", labels), format="labels-npy", check=check)
    assert sets(found) == [[one] if one >= 0 else [] for one in labels]


def test_entries_belong_to_the_number_in_the_name_less_an_offset(tmp_path: Path) -> None:
    by_number = dict(zip((5, 3, 8, 1, 2, 4, 7, 6), SETS, strict=True))
    path = written(tmp_path / "o.json", [by_number[number + 1] for number in range(8)])
    check = {"example": "val/photo_001.png", "classes": [1, 2], "agreement": 0.8}
    assert sets(joined(path, join="number", offset=1, check=check)) == SETS


@pytest.mark.parametrize("name", ["{}", "other/folder/{}"])
def test_rows_name_their_example(tmp_path: Path, name: str) -> None:
    rows = [f"{name.format(Path(KEYS[i]).name)},{'|'.join(NAMES[c] for c in SETS[i])}" for i in (3, 0, 1, 2, 4, 5, 7)]
    path = written(tmp_path / "o.csv", "\n".join(["file,labels", *rows]))
    how: dict[str, Any] = {"format": "csv-sets", "join": "key", "example": "file", "classes": "labels"}
    assert sets(joined(path, **how)) == SETS
    columns = "\n".join(["example,first,second", "3,1,2", "0,0,", "1,1,", "2,2,", "4,2,", "5,1,", "7,0,"])
    how = {"format": "csv-sets", "classes": ["first", "second"]}
    assert sets(joined(written(tmp_path / "p.csv", columns), **how)) == SETS


def test_columns_of_parquet(tmp_path: Path) -> None:
    table = pa.table({"example": [0, 1, 2, 3, 4, 5, 7], "classes": [SETS[i] for i in (0, 1, 2, 3, 4, 5, 7)]})
    pq.write_table(table, tmp_path / "o.parquet")
    assert sets(joined(tmp_path / "o.parquet", format="parquet")) == SETS


@pytest.mark.parametrize("by", [1, -1])
def test_a_join_shifted_by_one_is_refused_with_both_shares(tmp_path: Path, by: int) -> None:
    """Labels lie in runs, as in sorted test sets, so that most examples agree with their neighbour's label too."""
    given = np.resize(np.repeat([0, 1, 2], 100), 1_000)
    sets_of_all = [[one] for one in given.tolist()]
    path = written(tmp_path / "o.json", [*sets_of_all[by:], *sets_of_all[:by]])
    check = {"example": 50, "classes": [0], "agreement": 0.9}
    with pytest.raises(DataError, match=r"o\.json: expected 90\.0% .*, found 99\.1%; shifted by one .* 100\.0%"):
        joined(path, Examples(given, None, NAMES), check=check)


def test_a_wrong_offset_is_told_with_both_shares(tmp_path: Path) -> None:
    path = written(tmp_path / "o.json", [[int(one)] for one in GIVEN[[3, 4, 1, 5, 0, 7, 6, 2]]])
    check = {"example": "val/photo_001.png", "classes": [0], "agreement": 0.8}
    assert joined(path, join="number", offset=1, check=check).agreeing == 1
    with pytest.raises(DataError, match=r"found 28\.6%; shifted by one entry it is 100\.0%. The join is shifted"):
        joined(path, join="number", offset=0, check=check)


REFUSED: list[tuple[dict[str, Any], Any, str]] = [
    ({"check": {"example": 3, "classes": [0], "agreement": 0.8}}, SETS, r"expected 0 to be held of example 3, found 1"),
    ({"check": {"example": 9, "classes": [0], "agreement": 0.8}}, SETS, "index from 0 to 7, found 9"),
    ({"check": {"example": 3, "classes": ["dog"], "agreement": 0.8}}, SETS, "a class of the dataset, found 'dog'"),
    ({"check": {"example": "x", "classes": [0], "agreement": 0.8}}, SETS, "a key of the dataset, found 'x'"),
    ({"check": {"example": 3, "classes": [1, 2], "agreement": 0.9}}, SETS, r"expected 90\.0% .* found 85\.7%"),
    ({}, SETS[:-1], "an entry for each of 8 examples, found 7"),
    ({}, [*SETS, [0]], "entry for each of 8 examples, found 9"),
    ({}, {"a": 1}, "a list of lists"),
    ({}, [*SETS[:7], [3]], r"entry 7: expected a list of different class ids from 0 to 2, found \[3\]"),
    ({}, [*SETS[:7], [0, 0]], "entry 7"),
    ({}, [*SETS[:7], "0"], "entry 7"),
    ({"join": "number"}, SETS, "expected an example of the dataset, found none|shifted"),
]


@pytest.mark.parametrize(("changes", "content", "finding"), REFUSED)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: Any, content: Any, finding: str) -> None:
    with pytest.raises(DataError, match=finding):
        joined(written(tmp_path / "o.json", content), **changes)


CSV_REFUSED: list[tuple[str, str]] = [
    ("example,classes\n0,ant\n0,ant", "line 3: expected one entry an example, found another for that of line 2"),
    ("example,classes\n0,ant\n11,bee", "line 3: expected an example of the dataset for '11', found none"),
    ("example,classes\nx,ant", "line 2: expected the number of an example, found 'x'"),
    ("example,classes\n0,ant\n1,dog", "line 3: .*dog"),
    ("index,classes\n0,ant", "expected one column 'example', found index, classes"),
]


@pytest.mark.parametrize(("content", "finding"), CSV_REFUSED)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, content: str, finding: str) -> None:
    check = {"example": 0, "classes": ["ant"], "agreement": 0.1}
    with pytest.raises(DataError, match=finding):
        joined(written(tmp_path / "o.csv", content), format="csv-sets", check=check)


def test_a_key_of_two_examples_is_of_neither(tmp_path: Path) -> None:
    """Nobody can tell whose opinion it is."""
    path = written(tmp_path / "o.csv", "example,classes\nval/photo_003.png,bee\nval/photo_005.png,ant")
    check = {"example": 1, "classes": ["bee"], "agreement": 0.1}
    assert sets(joined(path, join="key", format="csv-sets", check=check))[:2] == [[0], [1]]
    examples = Examples(GIVEN, [*KEYS[:-1], KEYS[0]], NAMES)
    said = "line 3: expected an example of the dataset for 'val/photo_005.png', found 2 of that key"
    with pytest.raises(DataError, match=said):
        joined(path, examples, join="key", format="csv-sets", check=check)


def test_a_dataset_without_keys_joins_by_index_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "o.json", SETS)
    with pytest.raises(DataError, match="expected a dataset whose examples have keys"):
        joined(path, Examples(GIVEN, None, NAMES), join="number", offset=1)


def test_pickles_are_refused(tmp_path: Path) -> None:
    """Neither the array of objects nor the bare pickle is opened."""

    class Told:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "opened",))

    np.save(tmp_path / "objects.npy", np.array([Told()], dtype=object), allow_pickle=True)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Told()))
    for name in ("objects.npy", "bare.npy"):
        for kind in ("counts-npy", "labels-npy"):
            with pytest.raises(DataError, match=name):
                joined(tmp_path / name, format=kind)
    for name, protocol in (("told.pkl", 4), ("told.csv", 2), ("old.pickle", 0)):
        (tmp_path / name).write_bytes(pickle.dumps(Told(), protocol))
        for kind, read in (("sets-json", "a JSON file"), ("counts-npy", "a .npy file"), ("labels-npy", "a .npy file")):
            with pytest.raises(DataError, match=f"{name}: expected {read}.*, found a pickle, which is not read"):
                joined(tmp_path / name, format=kind)
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("content", "kind", "finding"),
    [
        (np.zeros((8, 4), int), "counts-npy", r"\(n, 3\), found shape \(8, 4\)"),
        (np.full((8, 3), -1), "counts-npy", "counts from 0 on, found -1"),
        (np.full((8, 3), 0.5), "counts-npy", "whole numbers"),
        (np.full(8, 3), "labels-npy", "a class from 0 to 2, or -1 for none, found 3"),
        (np.zeros((8, 2), int), "labels-npy", "one class an example"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, content: Any, kind: str, finding: str) -> None:
    with pytest.raises(DataError, match=finding):
        joined(written(tmp_path / "o.npy", content), format=kind)


def test_manifests_are_read_strictly(tmp_path: Path) -> None:
    assert [one.name for one in shipped_opinions()] == ["cifar10h", "real"]
    assert read_opinion_manifest("real").offset == 1
    with pytest.raises(MissingFileError, match="expected cifar10h, real or a TOML file"):
        read_opinion_manifest("unknown")
    good = (
        'name = "x"\ntitle = "X"\nlicence = "CC0"\nredistributable = true\nindependent = true\nformat = "sets-json"\n'
        '[check]\nexample = 1\nclasses = ["a"]\nagreement = 0.5\n'
    )
    assert read_opinion_manifest(str(written(tmp_path / "x.toml", good))).name == "x"
    for bad, finding in (
        (good.replace("title", "titel"), "title: missing"),
        (good.replace("sets-json", "pickle"), "format: expected"),
        (good.replace("0.5", "0.0"), "check.agreement"),
        (good.replace("[check]", "offset = 2\n[check]"), "offset: goes with"),
        (good.replace("[check]", 'join = "key"\n[check]'), "join"),
        (good[: good.index("[check]")], "check: missing; expected a table"),
        ("name = ", "expected TOML"),
    ):
        with pytest.raises(ManifestError, match=finding):
            read_opinion_manifest(str(written(tmp_path / "bad.toml", bad)))
