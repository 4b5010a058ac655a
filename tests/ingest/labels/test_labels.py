"""Labels, sets of labels and class names: every form and spelling of them reads the same, in ``add`` as in ``flag``."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.errors import DataError
from ingest.labels.flag_input import read_class_names, read_given_labels
from ingest.labels.label_sets import read_label_sets
from ingest.manifest.parse import read_manifest
from ingest.matrices.matrix import open_matrix, open_part

NAMES = ["ant", "bee", "cat"]
IDS = [0, 2, 1, 1, 0, 2]
MARK = "\ufeff"


def put(path: Path, content: Any) -> Path:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=content.dtype.hasobject)
    elif isinstance(content, dict):
        pq.write_table(pa.table(content), path)
    else:
        path.write_text(json.dumps(content))
    return path


def named() -> list[str]:
    return [NAMES[i] for i in IDS]


def lines(values: Any) -> str:
    return "".join(f"{value}\n" for value in values)


SAME: dict[str, tuple[str, Any]] = {
    "blank lines at the end": ("l.txt", lines(IDS) + "\n\n"),
    "blank lines between": ("l.txt", lines(IDS).replace("\n", "\n\n \n")),
    "names in lines": ("l.txt", lines(named())),
    "a mark, CRLF": ("l.txt", MARK + lines(IDS).replace("\n", "\r\n")),
    "CR alone": ("l.txt", lines(IDS).replace("\n", "\r")),
    "UTF-16": ("l.txt", lines(named()).encode("utf-16")),
    "whole fractions in lines": ("l.txt", lines(map(float, IDS))),
    "CSV with blank lines": ("l.csv", "label\n" + lines(IDS) + "\n\n"),
    "CSV with whole fractions": ("l.csv", "label\n" + lines(map(float, IDS))),
    "CSV by semicolons": ("l.csv", MARK + "id;label\r\n" + "".join(f"{k},5;{i}\r\n" for k, i in enumerate(named()))),
    "quoted lines": ("l.txt", lines(f'"{name}"' for name in named())),
    "CSV in UTF-16 with tabs": ("l.csv", ("id\tlabel\n" + "".join(f"x\t{i}\n" for i in IDS)).encode("utf-16")),
    "CSV of R": ("l.csv", '"label"\n' + "".join(f'"{k + 1}","{name}"\n' for k, name in enumerate(named()))),
    "CSV of pandas": ("l.csv", ",label\n" + "".join(f"{k},{i}\n" for k, i in enumerate(IDS))),
    "TSV": ("l.tsv", "label\tnote\n" + "".join(f"{i}\tx\n" for i in IDS)),
    "CSV with separators at the ends": ("l.csv", "id,label,\n" + "".join(f"{k},{i},\n" for k, i in enumerate(IDS))),
    "CSV by another word": ("l.csv", "file,Class\n" + "".join(f"{k}.png,{i}\n" for k, i in enumerate(IDS))),
    "JSON objects": ("l.json", [{"file": f"{k}.png", "label": name} for k, name in enumerate(named())]),
    "JSON objects of numbers": ("l.json", [{"y": i, "text": "label"} for i in IDS]),
    "JSON objects in order": ("l.json", [{"index": k, "label": IDS[k]} for k in (3, 0, 5, 1, 4, 2)]),
    "JSON names a line": ("l.jsonl", lines(f'"{name}"' for name in named())),
    "JSON numbers a line": ("l.ndjson", MARK + lines(IDS).replace("\n", "\r\n\n")),
    "JSON objects a line": ("l.jsonl", lines(json.dumps({"index": k, "label": IDS[k]}) for k in (3, 0, 5, 1, 4, 2))),
    "JSON objects of one field": ("l.jsonl", lines(json.dumps({"kind": name}) for name in named())),
    "Parquet by another word": ("l.parquet", {"target": named(), "other": IDS}),
    "JSON fractions": ("l.json", [float(i) for i in IDS]),
    "JSON names": ("l.json", named()),
    "npy fractions": ("l.npy", np.array(IDS, np.float32)),
    "npy column of fractions": ("l.npy", np.array(IDS, np.float64).reshape(-1, 1)),
    "npy names": ("l.npy", np.array(named())),
    "npy bytes": ("l.npy", np.array(named(), "S")),
    "Parquet fractions": ("l.parquet", {"label": [float(i) for i in IDS], "other": IDS}),
    "Parquet names": ("l.parquet", {"label": named()}),
    "Parquet of pandas": ("l.parquet", {"kind": IDS, "__index_level_0__": list(range(6))}),
    "Parquet categories": ("l.parquet", {"label": pa.array(named()).dictionary_encode()}),
}


@pytest.mark.parametrize("form", SAME)
def test_labels_in_every_form(tmp_path: Path, form: str) -> None:
    name, content = SAME[form]
    assert read_given_labels(put(tmp_path / name, content), 3, NAMES).tolist() == IDS


TRUTHS = [True, False, False, True]
OF_TRUTHS: dict[str, Any] = {
    "l.npy": np.array(TRUTHS),
    "l.json": TRUTHS,
    "l.csv": "label\n" + lines(TRUTHS),
    "l.txt": lines(str(t).upper() for t in TRUTHS),
    "l.parquet": {"label": TRUTHS},
}


@pytest.mark.parametrize("name", OF_TRUTHS)
def test_true_and_false_are_labels_of_two_classes(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, OF_TRUTHS[name])
    assert read_given_labels(path, 2, None).tolist() == [1, 0, 0, 1]
    assert read_given_labels(path, 2, ["true", "false"]).tolist() == [0, 1, 1, 0]
    with pytest.raises(DataError, match=r"example 0 .*, found '(True|TRUE)'"):
        read_given_labels(path, 3, None)


STARS = ["1", "2", "3"]
FOLDERS = sorted(map(str, range(12)))
TEXTS: dict[str, Callable[[list[str]], Any]] = {
    "l.txt": lines,
    "l.csv": lambda texts: "label\n" + lines(texts),
    "l.json": list,
    "l.npy": np.array,
    "l.parquet": lambda texts: {"label": texts},
}


@pytest.mark.parametrize("name", TEXTS)
def test_class_names_that_are_numbers(tmp_path: Path, name: str) -> None:
    """One reading for all of a file; where both fit, the file is refused until it is said which."""
    for names, ids in ((STARS, [0, 2, 1, 1, 0, 2]), (FOLDERS, list(range(12)))):
        m = len(names)
        by_number = put(tmp_path / f"numbers-{m}-{name}", TEXTS[name]([str(i) for i in ids]))
        by_name = put(tmp_path / f"names-{m}-{name}", TEXTS[name]([names[i] for i in ids]))
        assert read_given_labels(by_number, m, names, "numbers").tolist() == ids
        assert read_given_labels(by_name, m, names, "names").tolist() == ids
        if names is STARS:
            assert read_given_labels(by_number, m, names).tolist() == ids
            assert read_given_labels(by_name, m, names).tolist() == ids
            continue
        for path in (by_number, by_name):
            with pytest.raises(DataError, match=r"is the name of class \d+ and the number of class \d+; say which"):
                read_given_labels(path, m, names)
    with pytest.raises(DataError, match="expected the name of a class, found '0'"):
        read_given_labels(tmp_path / f"numbers-3-{name}", 3, STARS, "names")
    with pytest.raises(DataError, match=r"expected a class from 0 to 2, found 3; .* look counted from 1"):
        read_given_labels(tmp_path / f"names-3-{name}", 3, STARS, "numbers")


def test_names_that_are_numbers_may_have_become_fractions(tmp_path: Path) -> None:
    """As pandas writes a column of numbers in which one was missing: 1.0 is the class called 1, not class 1."""
    path = put(tmp_path / "l.csv", "label\n1.0\n3.0\n2.0\n")
    assert read_given_labels(path, 3, STARS).tolist() == [0, 2, 1]
    path = put(tmp_path / "l.csv", "label\n1.0\n2.0\n")
    with pytest.raises(DataError, match=r"'1\.0' is the name of class 0 and the number of class 1; say which"):
        read_given_labels(path, 3, STARS)
    assert read_given_labels(path, 3, STARS, "names").tolist() == [0, 1]
    assert read_given_labels(path, 3, STARS, "numbers").tolist() == [1, 2]
    with pytest.raises(
        DataError, match=r"expected the name of a class, '1' to '3', or its number from 0 to 2, found '4\.0'"
    ):
        read_given_labels(put(tmp_path / "l.csv", "label\n1.0\n4.0\n"), 3, STARS)


def test_numbers_that_are_stored_as_such_are_numbers_of_classes(tmp_path: Path) -> None:
    ids = list(range(12))
    for path in (
        put(tmp_path / "l.npy", np.array(ids)),
        put(tmp_path / "l.json", ids),
        put(tmp_path / "l.parquet", {"label": ids}),
    ):
        assert read_given_labels(path, 12, FOLDERS).tolist() == ids


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.txt", "0\n\n\n9\n", "example 1 .line 4.: expected a class from 0 to 2, found 9"),
        ("l.csv", "label\n\n0\n\n9\n", "example 1 .line 5.: expected a class from 0 to 2, found 9"),
        ("l.csv", "label,label\n0,1\n", "expected one column 'label', found 2"),
        ("l.csv", "id,label\n0,1,2\n3,4\n", "line 3: expected 3 cells as in line 2, found 2"),
        ("l.csv", "id,label\n0,1\n1,1,x\n", "line 3: expected 2 cells as in line 1, found 3"),
        ("l.csv", '"label"\n"1","0"\n"2","1",7\n', "line 3: expected 2 cells as in line 2, found 3"),
        ("l.csv", "sep=;\nid;label\n0;1\n1\n", "line 4: expected 2 cells as in line 2, found 1"),
        ("l.csv", "id|label\n0|1\n", "example 0 .line 2.: .*found '0|1'; it looks like cells separated by bars: exp"),
        ("l.csv", "id label\n0 1\n", "example 0 .line 2.: .*found '0 1'; it looks like cells separated by spaces"),
        ("l.txt", "0\t1\n", "it looks like cells separated by tabs: .* in a file that ends in .csv or .tsv"),
        (
            "l.txt",
            "label\n0\n",
            "found 'label'; columns are named in the first line of .csv and .tsv files alone",
        ),
        (
            "l.csv",
            gzip.compress(b"label\n0\n", mtime=0),
            "expected text, found a file compressed by gzip: unpack it first",
        ),
        ("l.txt", b"PK\x03\x04" + bytes(40), "expected text, found a zip archive"),
        ("l.csv", "label\n1\nNA\n", "example 1 .line 3.: expected the number of a class .*, found 'NA'"),
        ("l.csv", 'label\n"1,234"\n', "found '1,234'"),
        ("l.csv", "label\n0.5\n", "found '0.5'"),
        ("l.jsonl", '{"label": 0}\n\n{"label": 9}\n', "example 1 .line 3.: expected a class from 0 to 2, found 9"),
        (
            "l.jsonl",
            '{"label": 0}\n\n{"label": 1\n',
            "line 3: expected one value of JSON a line, found that it breaks at",
        ),
        ("l.jsonl", '{"label": 0}\n{"class": 1}\n', "line 2: expected a field 'label' as in line 1, found none"),
        ("l.jsonl", '{"label": 0, "label": 1}\n', "line 1: expected each key once in an object, found 'label' twice"),
        ("l.jsonl", "0\n{}\n", "example 1 .line 2.: expected a label, found {}"),
        ("l.jsonl", '{"label": null}\n', "example 0 .line 1.: expected a label, found None"),
        ("l.jsonl", '{"file": "a", "kind": 0}\n', "expected a column 'label', found file, kind"),
        (
            "l.json",
            [{"index": 1, "label": 9}, {"index": 0, "label": 0}],
            "example 1 .entry 0, counted from 0.: .*found 9",
        ),
        ("l.csv", "y,target\n0,1\n", "found y, target; several of them may be it: say which by --label-column"),
        ("l.csv", "0,1\n1,1\n2,0\n", "expected a first line that names the columns, one of them 'label', found 0, 1"),
        (
            "l.csv",
            "id,label\n2,0\n0,1\n1,2\n",
            "all numbers of rows in the column 'id', in another order: call it index",
        ),
        ("l.json", "[0, null]", "example 1 .*: expected a label, found None"),
        ("l.json", '["0", true]', "example 1 .*: expected a label, found True"),
        ("l.csv", "label\n1\n".encode("utf-16-le"), "zero bytes"),
        ("l.csv", "label\nbäh\n".encode("latin-1"), "expected CSV in UTF-8"),
    ],
)
def test_bad_labels_are_named(tmp_path: Path, name: str, content: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_given_labels(put(tmp_path / name, content), 3, None)


def test_a_first_line_that_is_a_label_is_not_lost(tmp_path: Path) -> None:
    path = put(tmp_path / "l.csv", lines(named()))
    with pytest.raises(
        DataError, match="line 1: expected the name of the column, found 'ant', which looks like a label"
    ):
        read_given_labels(path, 3, NAMES)
    for first in ("2", "-1", "1.0", "7"):
        path = put(tmp_path / "l.csv", f"{first}\n" + lines(IDS))
        with pytest.raises(DataError, match=f"line 1: .*found '{first}', which looks like a label: put label above it"):
            read_given_labels(path, 3, None, n=6)
    # pandas calls a column without a name 0; it may be a label too, and the number of examples tells.
    path = put(tmp_path / "l.csv", "0\n" + lines(IDS))
    assert read_given_labels(path, 3, NAMES, n=6).tolist() == IDS
    for n in (None, 7):
        with pytest.raises(
            DataError, match=r"found '0', .* or is what pandas calls .*: put label above it or in its pl"
        ):
            read_given_labels(path, 3, NAMES, n=n)
    # With the row names of R, or a column index, it can be no label.
    assert read_given_labels(put(tmp_path / "l.csv", '"2"\n"1",0\n"2",1\n'), 3, NAMES).tolist() == [0, 1]
    assert read_given_labels(put(tmp_path / "l.csv", "index,2\n1,0\n0,1\n"), 3, NAMES).tolist() == [1, 0]


@pytest.mark.parametrize("first", ["0|2", "1", "ant", "[0]"])
def test_a_first_line_that_is_a_set_of_labels_is_not_lost(tmp_path: Path, first: str) -> None:
    path = put(tmp_path / "s.csv", f"{first}\n0|1\n2\n")
    with pytest.raises(DataError, match=r"line 1: .* which looks like a label: put labels above it"):
        read_label_sets(path, 3, NAMES)


@pytest.mark.parametrize("form", ["l.csv", "l.json", "l.jsonl", "l.parquet"])
def test_the_column_of_labels_may_be_said(tmp_path: Path, form: str) -> None:
    table = {"label": [0] * 6, "second label": IDS}
    rows = [{"label": 0, "second label": i} for i in IDS]
    contents = {
        "l.csv": "label,second label\n" + "".join(f"0,{i}\n" for i in IDS),
        "l.json": rows,
        "l.jsonl": lines(map(json.dumps, rows)),
        "l.parquet": table,
    }
    path = put(tmp_path / form, contents[form])
    assert read_given_labels(path, 3, None, column="second label").tolist() == IDS
    with pytest.raises(DataError, match="expected a column 'third', found label, second label"):
        read_given_labels(path, 3, None, column="third")


SETS = [(0, 2), (), (1,), (0, 1, 2)]
SPELLED = [["cat", "ant"], [], ["bee"], ["ant", "bee", "cat"]]
ONES = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])


def joined(mark: str, values: Any) -> str:
    return "id,labels\n" + "".join(f"{k},{mark.join(map(str, some))}\n" for k, some in enumerate(values))


OF_SETS: dict[str, tuple[str, Any]] = {
    "JSON numbers": ("s.json", [list(s) for s in SETS]),
    "JSON names": ("s.json", SPELLED),
    "JSON objects": ("s.json", [{"id": k, "labels": some} for k, some in enumerate(SPELLED)]),
    "JSON joined a line": ("s.jsonl", lines(json.dumps({"labels": "|".join(some)}) for some in SPELLED)),
    "JSON lists a line": ("s.jsonl", lines(json.dumps(some) for some in SPELLED)),
    "JSON indicators a line": (
        "s.jsonl",
        lines(json.dumps({"bee": b, "ant": a, "cat": c}) for a, b, c in ONES.tolist()),
    ),
    "JSON fractions": ("s.json", [[float(i) for i in s] for s in SETS]),
    "CSV by bars": ("s.csv", joined("|", SPELLED)),
    "CSV by semicolons": ("s.csv", joined("; ", SETS)),
    "CSV alone": ("s.csv", 'labels\n"0;2"\n""\n1\n0;1;2\n'),
    "CSV of JSON": ("s.csv", 'labels\n"[0, 2]"\n"[]"\n"[1]"\n"[""ant"", ""bee"", ""cat""]"\n'),
    "CSV of indicators": ("s.csv", "id,ant,cat,bee\n" + "".join(f"7,{a},{c},{b}\n" for a, b, c in ONES)),
    "CSV of numbered indicators": ("s.csv", "0,1,2\n" + "".join(f"{a}.0,{b}.0,{c}.0\n" for a, b, c in ONES)),
    "Parquet lists": ("s.parquet", {"labels": [list(s) for s in SETS]}),
    "Parquet lists of names": ("s.parquet", {"labels": SPELLED, "id": [1, 2, 3, 4]}),
    "Parquet joined": ("s.parquet", {"label": ["|".join(s) for s in SPELLED]}),
    "Parquet indicators": ("s.parquet", {"cat": ONES[:, 2] == 1, "ant": ONES[:, 0] == 1, "bee": ONES[:, 1] == 1}),
    "npy of true and false": ("s.npy", ONES == 1),
    "npy of fractions": ("s.npy", ONES.astype(float)),
}


@pytest.mark.parametrize("form", OF_SETS)
def test_sets_in_every_form(tmp_path: Path, form: str) -> None:
    name, content = OF_SETS[form]
    assert read_label_sets(put(tmp_path / name, content), 3, NAMES) == SETS


def test_sets_of_class_names_that_are_numbers(tmp_path: Path) -> None:
    path = put(tmp_path / "s.csv", joined("|", [[0, 1], [2]]))
    assert read_label_sets(path, 3, STARS) == [(0, 1), (2,)]
    path = put(tmp_path / "s.csv", joined("|", [[1, 2], [2]]))
    with pytest.raises(DataError, match="'1' is the name of class 0 and the number of class 1"):
        read_label_sets(path, 3, STARS)
    assert read_label_sets(path, 3, STARS, "names") == [(0, 1), (1,)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.csv", joined("|", [["ant"], ["eel"]]), "example 1 .line 3.: expected the name .* found 'eel'"),
        ("s.csv", joined(";", [[0], [9]]), "example 1 .line 3.: expected a class from 0 to 2, found 9"),
        ("s.csv", "id,ant,bee\n1,0,1\n", "expected a column 'labels', or one for each class, found id, ant, bee"),
        ("s.csv", "ant,bee,cat\n0,1,2\n", "example 0 .line 2.: expected 0 or 1, found 2"),
        ("s.csv", "labels\n\"['ant']\"\n", "joined by . or ;, or a JSON list, found \"\\['ant'\\]\""),
        ("s.csv", 'labels\n"ant,bee"\n', "found 'ant,bee'; labels of a set are joined by . or ; in a cell"),
        ("s.parquet", {"labels": [[0], None]}, "example 1 .*: expected a label, found none"),
        ("s.parquet", {"labels": [0, 1]}, "example 0 .*: expected class numbers, as an array or a list"),
        ("s.json", [[0], [True]], "example 1 .*: expected class numbers"),
    ],
)
def test_bad_sets_are_named(tmp_path: Path, name: str, content: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_label_sets(put(tmp_path / name, content), 3, NAMES)


def test_lists_of_class_names(tmp_path: Path) -> None:
    for name, content in (
        ("n.txt", "ant\nbee\ncat\n\n"),
        ("n.txt", MARK + "ant\r\n\r\nbee\r\ncat"),
        ("n.txt", "ant\nbee\ncat\n".encode("utf-16")),
        ("n.csv", "ant\nbee\ncat\n"),
        ("n.csv", "id;name\n0;ant\n1;bee\n2;cat\n"),
        ("n.csv", "name\nant\nbee\ncat\n"),
        ("n.csv", "Class\nant\nbee\ncat\n"),
        ("n.csv", '"ant"\n"bee"\n"cat"\n'),
        ("n.jsonl", '"ant"\n"bee"\n"cat"\n'),
        ("n.json", '[{"id": 0, "name": "ant"}, {"id": 1, "name": "bee"}, {"id": 2, "name": "cat"}]'),
    ):
        assert read_class_names(put(tmp_path / name, content)) == NAMES, content
    # U+0085 and U+2028 end no line.
    assert read_class_names(put(tmp_path / "n.txt", "a\x85b\nc\u2028d\n")) == ["a\x85b", "c\u2028d"]
    for content in (["ant", ""], ["ant", " "]):
        with pytest.raises(DataError, match="class 1: expected a name, found"):
            read_class_names(put(tmp_path / "n.json", content))


@pytest.mark.parametrize("name", ["n.txt", "n.csv"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("0 ant\n1 bee\n2 cat\n", "found numbered ones, '0 ant': write them in a .csv file whose first line"),
        ("id name\n0 ant\n1 bee\n", "found numbered ones, '0 ant'"),
        ("0: ant\n1: bee\n", "found numbered ones, '0: ant'"),
        ("1|ant\n2|bee\n", "found numbered ones, '1.ant'"),
        ("ant|a\nbee|b\n", "found cells separated by bars, 'ant.a'"),
    ],
)
def test_names_of_classes_in_rows_of_cells_are_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(DataError, match=f"expected one name a line, {said}"):
        read_class_names(put(tmp_path / name, content))


def test_names_of_classes_may_hold_numbers_and_marks(tmp_path: Path) -> None:
    for names in (["1 star", "2 stars"], ["tench, Tinca tinca", "goldfish, Carassius"], ["0", "1"], ["10 a", "20 b"]):
        assert read_class_names(put(tmp_path / "n.txt", lines(names))) == names
    with pytest.raises(DataError, match="all numbers of rows in the column 'id', in another order"):
        read_class_names(put(tmp_path / "n.csv", "id,name\n1,bee\n0,ant\n2,cat\n"))


def test_columns_of_a_matrix_whose_classes_are_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(12), 5)
    numbered = put(tmp_path / "n.parquet", {str(i): probs[:, i] for i in range(12)})
    called = put(tmp_path / "c.parquet", {name: probs[:, i] for i, name in enumerate(FOLDERS)})
    for path, said in ((numbered, "numbers"), (called, "names")):
        found = open_matrix([path], 5, 12, names=FOLDERS, classes_are=said)
        assert np.array_equal(found.rows(np.arange(5)), probs)
        with pytest.raises(DataError, match="by names or by numbers of classes, in different orders; say which: --cl"):
            open_part(path, FOLDERS)
    three = probs[:, :3] / probs[:, :3].sum(axis=1, keepdims=True)
    for columns in (["0", "1", "2"], STARS):
        path = put(tmp_path / "s.parquet", {columns[i]: three[:, i] for i in (2, 0, 1)})
        assert np.array_equal(open_matrix([path], 5, 3, names=STARS).rows(np.arange(5)), three)
    with pytest.raises(DataError, match="expected a column for each class, found none called '0'"):
        open_part(path, STARS, "numbers")


def test_a_matrix_that_is_a_text_is_told_how_to_become_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"p\.csv: expected a matrix as .npy, .*read_csv\('p\.csv'\)\.to_parquet"):
        open_part(put(tmp_path / "p.csv", "a,b\n0.5,0.5\n"))


def test_labels_beside_very_long_texts(tmp_path: Path) -> None:
    rows = "".join(f'{name},"{"long text, " * 30_000}"\n' for name in named())
    assert read_given_labels(put(tmp_path / "l.csv", "label,text\n" + rows), 3, NAMES).tolist() == IDS


def test_the_command_takes_what_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = np.arange(48) % 12
    put(tmp_path / "p.npy", np.eye(12)[ids] * 0.9 + 0.1 / 12)
    put(tmp_path / "l.txt", lines(ids))
    put(tmp_path / "n.txt", lines(FOLDERS))
    given = ["flag", tmp_path / "p.npy", "--labels", tmp_path / "l.txt", "--classes", tmp_path / "n.txt"]
    command = [str(part) for part in given]
    assert main(command) == 1
    assert "l.txt: found classes that can be names or numbers" in capsys.readouterr().err
    assert main([*command, "--classes-are", "numbers"]) == 0
    assert "flagged by calibrated: 0 (0.00 %)" in capsys.readouterr().out
    assert main([*command, "--classes-are", "names"]) == 0
    assert "flagged by calibrated: 0" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "form",
    ["names.csv", "pandas.csv", "said.jsonl", "names.json", "fractions.npy", "fractions.parquet", "lines.txt"],
)
def test_add_takes_labels_as_flag_does(tiny: Any, tmp_path: Path, form: str, query_of: Any) -> None:
    ids = tiny.labels.tolist()
    tiny.files = 'label_column = "second"' if form == "said.jsonl" else ""
    tiny.write()
    content: Any = {
        "names.csv": "id;label\n" + "".join(f"{k};{NAMES[i]}\n" for k, i in enumerate(ids)) + "\n",
        "pandas.csv": "0\n" + lines(ids),  # one line more than the matrix has rows, so the first is no label
        "said.jsonl": lines(json.dumps({"label": 0, "second": NAMES[i]}) for i in ids),
        "fractions.npy": np.array(ids, float),
        "names.json": [NAMES[i] for i in ids],
        "fractions.parquet": {"label": [float(i) for i in ids]},
        "lines.txt": MARK + lines(ids) + "\n",
    }[form]
    put(tiny.folder / form, content)
    manifest = tiny.folder / "tiny.toml"
    text = manifest.read_text().replace("labels.npy", form)
    manifest.write_text(MARK + text, encoding="utf-8")
    command = ["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]
    assert main(command) == 0
    counts = query_of(tmp_path / "c.sqlite")("SELECT n_examples FROM classes ORDER BY class_id")
    assert [n for (n,) in counts] == np.bincount(ids).tolist()


def test_a_table_without_a_header_is_refused_where_it_would_lose_a_label(
    tiny: Any, tmp_path: Path, capsys: Any
) -> None:
    ids = [0, *tiny.labels.tolist()[1:]]
    manifest = tiny.write()
    put(tiny.folder / "l.csv", lines(ids))
    manifest.write_text(manifest.read_text().replace("labels.npy", "l.csv"))
    for command in (
        ["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")],
        ["flag", str(tiny.folder / "probs.npy"), "--labels", str(tiny.folder / "l.csv")],
    ):
        assert main(command) == 1
        assert (
            "l.csv: line 1: expected the name of the column, found '0', which looks like a" in capsys.readouterr().err
        )


def test_the_command_takes_the_column_of_labels(tiny: Any, capsys: Any) -> None:
    tiny.write()
    put(tiny.folder / "l.jsonl", lines(json.dumps({"label": 0, "second": int(i)}) for i in tiny.labels))
    matrix, summaries = str(tiny.folder / "probs.npy"), []
    for options in (["labels.npy"], ["l.jsonl", "--label-column", "second"]):
        assert main(["flag", matrix, "--labels", str(tiny.folder / options[0]), *options[1:]]) == 0
        summaries.append(capsys.readouterr().out.partition("time")[0])
    assert summaries[0] == summaries[1] != ""


def test_a_manifest_says_what_classes_are(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.classes = ["1", "0", "2"]
    tiny.write()
    put(tiny.folder / "l.csv", "label\n" + lines(tiny.labels))
    for said, status in (("", 1), ('classes_are = "numbers"', 0)):
        tiny.files = said
        manifest = tiny.write()
        manifest.write_text(manifest.read_text().replace("labels.npy", "l.csv"))
        command = ["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]
        assert main(command) == status
    assert "l.csv: found classes that can be names or numbers" in capsys.readouterr().err
    tiny.files = 'classes_are = "both"'
    assert tiny.add(tmp_path / "c.sqlite") == 1
    assert "files.classes_are: expected 'names' or 'numbers', found 'both'" in capsys.readouterr().err


def test_sets_of_labels_in_a_table(tiny: Any, tmp_path: Path) -> None:
    sets = [[NAMES[i]] if k % 3 else [NAMES[i], NAMES[(i + 1) % 3]] for k, i in enumerate(tiny.labels.tolist())]
    tiny.top = 'labels = "multiple"'
    tiny.write()
    put(tiny.folder / "s.csv", joined("|", sets))
    manifest = tiny.folder / "tiny.toml"
    manifest.write_text(manifest.read_text().replace("labels.npy", "s.csv").replace('votes = "votes.json"\n', ""))
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]) == 0


@pytest.mark.parametrize("lines_", ['names = ["ant", "", "cat"]', 'names = ["ant", " ", "cat"]', 'file = "k.json"'])
def test_an_empty_class_name_is_refused_everywhere(tiny: Any, tmp_path: Path, lines_: str, capsys: Any) -> None:
    tiny.extra = {"k.json": ["ant", "", "cat"]}
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('file = "classes.json"', lines_))
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]) == 1
    assert "class 1: expected a class name, found" in capsys.readouterr().err


def test_marks_before_class_names_are_passed_over(tiny: Any) -> None:
    from ingest.labels.class_names import read_classes

    tiny.extra = {
        "k.csv": (MARK + "name;x\r\nant;1\r\n\r\nbee;2\r\ncat;3\r\n").encode(),
        "k.py": (MARK + "ALL_CLASSES = ['ant', 'bee', 'cat']\n").encode(),
        "k.txt": (MARK + "ant\nbee\ncat\n").encode(),
        "k.json": (MARK + json.dumps(NAMES)).encode(),
    }
    for file in ('"k.csv"\ncolumn = "name"', '"k.py"', '"k.txt"', '"k.json"'):
        path = tiny.write()
        path.write_text(MARK + path.read_text().replace('"classes.json"', file), encoding="utf-8")
        assert read_classes(read_manifest(path).classes, tiny.folder, path).names == tuple(NAMES)


def test_a_table_may_hold_both_labels_and_texts(tiny: Any, tmp_path: Path, query_of: Any) -> None:
    """One file for two things is one source; another file of its name, in the folder of media, is another."""
    rows = "".join(f"{NAMES[i]},text {k}\n" for k, i in enumerate(tiny.labels.tolist()))
    manifest = tiny.write()
    put(tiny.folder / "t.csv", "label,text\n" + rows)
    put(tmp_path / "t.csv", "text\n" + "".join(f"text {k}\n" for k in range(40)))
    text = manifest.read_text().replace("labels.npy", "t.csv").replace('modality = "image"', 'modality = "text"')
    manifest.write_text(
        text.replace('media = "none"', 'media = "host"') + '\n[media]\nlayout = "text-table"\npath = "t.csv"\n'
    )
    for media, paths in ((tiny.folder, ["t.csv"]), (tmp_path, [f"{tmp_path.name}/t.csv", "t.csv"])):
        command = ["add", str(manifest), str(tiny.folder), "--media", str(media)]
        assert main([*command, "--catalogue", str(tmp_path / "c.sqlite")]) == 0
        query = query_of(tmp_path / "c.sqlite")
        assert sorted(p for (p,) in query("SELECT path FROM sources WHERE path LIKE '%t.csv'")) == sorted(paths)
        assert query("SELECT count(*) FROM media") == [(20,)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('predicted = "labels.npy"', "files.predicted: expected another file than labels, found 'labels.npy' for both"),
        ('index = "a.json"', "files.pred_probs: expected each part once, found probs.npy, probs.npy"),
    ],
)
def test_one_file_named_twice_is_told_in_words(tiny: Any, tmp_path: Path, files: str, said: str, capsys: Any) -> None:
    tiny.files = files
    manifest = tiny.write()
    if "pred_probs" in said:
        text = manifest.read_text().replace('pred_probs = "probs.npy"', 'pred_probs = ["probs.npy", "probs.npy"]')
        manifest.write_text(text)
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(tmp_path / "c.sqlite")]) == 1
    assert said in capsys.readouterr().err
    matrix = str(tiny.folder / "probs.npy")
    assert main(["flag", matrix, matrix, "--labels", str(tiny.folder / "labels.npy")]) == 1
    assert "expected parts of one matrix, each once, found one of them twice" in capsys.readouterr().err
