"""Tables that name their rows are read in the order they tell, or refused: never quietly as they stand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ingest.commands.main import main
from ingest.errors import DataError
from ingest.labels.flag_input import read_class_names, read_given_labels
from ingest.labels.label_sets import read_label_sets
from ingest.matrices.matrix import open_matrix

NAMES = ["ant", "bee", "cat"]
IDS = [0, 2, 1, 1, 0, 2, 2]
N = len(IDS)
ORDER = [4, 0, 6, 2, 5, 1, 3]
SETS = [(i,) for i in IDS]


def table(head: str, order: Any = ORDER, start: int = 0, values: Any = IDS) -> str:
    return head + "\n" + "".join(f"{i + start},{values[i]}\n" for i in order)


def frame(column: str = "label", values: Any = IDS) -> pd.DataFrame:
    return pd.DataFrame({column: values})


def put(path: Path, content: Any) -> Path:
    if isinstance(content, str):
        path.write_text(content)
    else:
        content.to_parquet(path)
    return path


OBEYED: dict[str, Any] = {
    "index.csv": table("index,label"),
    "Index.csv": table(" INDEX , Label "),
    "pandas.csv": table(",label"),
    "r.csv": table('"label"', start=1),
    "only.csv": table("index,kind"),
    "index and row names.csv": ",index,label\n" + "".join(f"{k},{i},{IDS[i]}\n" for k, i in enumerate(ORDER)),
    "index.parquet": frame().reset_index().iloc[ORDER].reset_index(drop=True),
    "fractions.parquet": frame().reset_index().astype({"index": float}).iloc[ORDER].reset_index(drop=True),
    "pandas.parquet": frame().iloc[ORDER],
    "reversed.parquet": frame().iloc[::-1],  # a range, which stands in no column
    "named.parquet": frame().rename_axis("example").iloc[ORDER],
    "Label.parquet": frame(" Label ").iloc[ORDER],
}


@pytest.mark.parametrize("name", OBEYED)
def test_labels_go_by_the_names_of_rows(tmp_path: Path, name: str) -> None:
    assert read_given_labels(put(tmp_path / name, OBEYED[name]), 3, NAMES).tolist() == IDS


REFUSED: dict[str, tuple[Any, str]] = {
    "from one.csv": (table("index,label", start=1), "a column index .* from 0 to 6.*found '5', '1', '7'.*from 1"),
    "twice.csv": (table("index,label", [0, 0, *range(2, N)]), "a column index .*found '0', '0', '2'"),
    "subset.csv": (table(",label", start=10), "row names .*found '14', '10', '16'.*take them out"),
    "words.csv": (table("index,label").replace("\n4,", "\nfour,"), "a column index .*found 'four'"),
    "subset.parquet": (pd.DataFrame({"label": [9] * 5 + IDS}).iloc[5:], "row names .*found 5, 6, 7.*reset_index"),
    "words.parquet": (frame().set_index(pd.Index(list("abcdefg"))), "row names .*found 'a', 'b', 'c'"),
    "named.parquet": (frame().set_index(pd.Index(list("abcdefg"), name="file")), "a column file .*found 'a', 'b'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_names_of_rows_that_tell_no_order_are_refused(tmp_path: Path, name: str) -> None:
    content, said = REFUSED[name]
    with pytest.raises(DataError, match=said):
        read_given_labels(put(tmp_path / name, content), 3, NAMES)


def test_what_is_wrong_is_told_where_it_stands_in_the_file(tmp_path: Path) -> None:
    wrong = [*IDS[:-1], 9]
    for name, content, place in (
        ("l.csv", table("index,label", values=wrong), "line 4"),
        ("l.parquet", frame(values=wrong).iloc[ORDER], "row 2"),
    ):
        with pytest.raises(DataError, match=rf"example 6 \({place}.* found 9"):
            read_given_labels(put(tmp_path / name, content), 3, NAMES)


def test_sets_and_class_names_go_by_the_names_of_rows(tmp_path: Path) -> None:
    ones = pd.DataFrame({name: [int(i == c) for i in IDS] for c, name in enumerate(NAMES)})
    for name, content in (
        ("s.csv", table("index,labels")),
        ("ones.csv", ones.iloc[ORDER].to_csv()),
        ("s.parquet", frame("labels", [[i] for i in IDS]).iloc[ORDER]),
        ("ones.parquet", ones.iloc[::-1]),
        ("index.parquet", ones.reset_index().iloc[ORDER].reset_index(drop=True)),
    ):
        assert read_label_sets(put(tmp_path / name, content), 3, NAMES) == SETS, name
    assert read_class_names(put(tmp_path / "n.csv", "index,name\n2,cat\n0,ant\n1,bee\n")) == NAMES


def test_a_matrix_must_stand_in_the_order_that_it_tells(tmp_path: Path) -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(3), N)
    right = pd.DataFrame(probs, columns=NAMES)

    def opened(*frames: pd.DataFrame) -> Any:
        paths = [put(tmp_path / f"p{k}.parquet", part) for k, part in enumerate(frames)]
        return open_matrix(paths, sum(map(len, frames)), 3, names=NAMES).rows(np.arange(N))

    for frames in (
        [right],
        [right.reset_index()],
        [right.reset_index().astype({"index": float})],
        [right.set_index(right.index + 1)],
        [right[:4], right[4:]],
        [right[:4], right[4:].reset_index(drop=True)],
        [right.reset_index()[:4], right.reset_index()[4:]],
    ):
        assert np.array_equal(opened(*frames), probs)
    for wrong, said in (
        (right.iloc[ORDER], r"row 0: .*found 4 in the index of pandas: pd.read_parquet\('p0.parquet'\).sort_index"),
        (right.iloc[::-1], r"found 6 in the index of pandas.*sort_index"),
        (
            right.reset_index().iloc[ORDER].reset_index(drop=True),
            r"found 4 in the column index.*sort_values\('index",
        ),
        (right.set_index(pd.Index(list("abcdefg"))), r"found 'a' in the index of pandas.*reset_index\(drop=True\)"),
        (right.set_index(right.index + 3), r"found 3 in the index of pandas.*reset_index\(drop=True\)"),
    ):
        with pytest.raises(DataError, match=said):
            opened(wrong)


def test_the_command_flag_reads_labels_in_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probs = np.eye(3)[IDS] * 0.7 + 0.1
    np.save(tmp_path / "p.npy", probs)
    for name in ("index.csv", "reversed.parquet"):
        labels = put(tmp_path / name, OBEYED[name])
        assert main(["flag", str(tmp_path / "p.npy"), "--labels", str(labels)]) == 0
        assert "flagged by calibrated: 0 " in capsys.readouterr().out, name
