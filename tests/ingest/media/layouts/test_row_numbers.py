"""Tables whose rows number themselves in another order than they lie in: refused, since labels go by place."""

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
from ingest.media import MediaError, MediaItem, open_media
from ingest.media.layouts.row_numbers import RowNumbers
from tests.ingest.conftest import Query, Tiny

SHUFFLED = [3, 0, 2, 1]
TEXTS = [f"text of {number}" for number in SHUFFLED]
FRAME = pd.DataFrame({"text": TEXTS})


def opened(folder: Path, layout: str = "text-table", **told: object) -> list[Any]:
    source = open_media(layout, folder, told)
    assert source is not None
    return list(source.items({2: None} if "key_column" not in told else {2: "2"}))


def csv(head: str, numbers: list[Any]) -> bytes:
    return "\n".join([head, *(f"{number},text of {number}" for number in numbers)]).encode()


def write_parquet(path: Path, table: pd.DataFrame | pa.Table) -> bytes:
    if isinstance(table, pd.DataFrame):
        table.to_parquet(path)
    else:
        parquet.write_table(table, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["index", "Index", "idx", "id", "row", "", "Unnamed: 0"])
def test_texts_in_another_order_are_refused_by_the_name_of_the_column(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_bytes(csv(f"{name},text", SHUFFLED))
    with pytest.raises(MediaError, match=r"numbers them in another: row 0 is 3; sort the table") as refused:
        opened(tmp_path)
    assert f"column {name!r}" in str(refused.value)
    if name:
        (found,) = opened(tmp_path, key_column=name)
        assert found.text == "text of 2"


def test_texts_as_json_lines_are_refused_alike(tmp_path: Path) -> None:
    rows = [{"index": number, "text": f"text of {number}"} for number in SHUFFLED]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(MediaError, match="column 'index' numbers them in another"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "table",
    [
        FRAME.set_axis(SHUFFLED),
        FRAME.set_axis(pd.Index(SHUFFLED, name="document")),
        FRAME.set_axis(pd.Index([f"{number}" for number in SHUFFLED], name="document")),
        FRAME.iloc[::-1],
        FRAME.assign(id=SHUFFLED),
        pa.table({"__index_level_0__": SHUFFLED, "text": TEXTS}),
    ],
    ids=["index", "named", "texts", "reversed", "column", "without pandas"],
)
def test_the_index_of_pandas_is_not_passed_over(tmp_path: Path, table: pd.DataFrame | pa.Table) -> None:
    data = write_parquet(tmp_path / "t.parquet", table)
    with pytest.raises(MediaError, match="expected rows in the order of the labels"):
        opened(tmp_path)
    assert data == (tmp_path / "t.parquet").read_bytes()


@pytest.mark.parametrize("layout", ["image-table", "audio-table"])
def test_pictures_and_sounds_are_refused_alike(tmp_path: Path, layout: str) -> None:
    column = layout.partition("-")[0]
    pd.DataFrame({column: [b"x"] * 4}, index=SHUFFLED).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(MediaError, match="expected rows in the order of the labels"):
        opened(tmp_path, layout)


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 1, 2, 3],
        [1, 2, 3, 4],
        [17, 3, 99, 4],
        [0, 2, 1, 1],
        [3, 0, 2, "x"],
        [0, 0, 3, 3],
        ["1.5", 2, 0, 3],
    ],
)
def test_numbers_that_are_no_other_order_are_passed_over(tmp_path: Path, numbers: list[Any]) -> None:
    """As those of a part that was drawn from a larger table: its rows are where they are."""
    (tmp_path / "t.csv").write_bytes(csv("index,text", numbers))
    (found,) = opened(tmp_path)
    assert isinstance(found, MediaItem)
    assert found.text == f"text of {numbers[2]}"


def test_a_table_in_order_has_an_index_of_pandas_too(tmp_path: Path) -> None:
    for table in (FRAME, FRAME.set_axis(range(10, 14)), FRAME.set_axis([4, 5, 6, 7])):
        write_parquet(tmp_path / "t.parquet", table)
        assert [item.text for item in opened(tmp_path)] == ["text of 2"]


def test_metadata_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    for said in (b"{", b"[]", b'{"index_columns": 5}', b'{"index_columns": [{"step": -1, "start": "x"}, 7, null]}'):
        table = pa.table({"text": TEXTS}).replace_schema_metadata({b"pandas": said})
        parquet.write_table(table, tmp_path / "t.parquet")
        assert [item.text for item in opened(tmp_path)] == ["text of 2"]


def test_any_permutation_is_told_from_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 100):
        order = rng.permutation(n)
        order[[0, 1]] = sorted(order[[0, 1]])[::-1]  # never the order itself
        column = RowNumbers("index")
        column.add(order.tolist())
        with pytest.raises(MediaError):
            column.require_order(tmp_path)


def test_nothing_of_such_a_table_stands_beside_labels(
    tiny: Tiny, old: Path, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.top = 'flag = 8\n[media]\nlayout = "text-table"\npath = "t.csv"'
    manifest = tiny.write()
    said = manifest.read_text().replace('media = "none"', 'media = "host"').replace('"image"', '"text"')
    manifest.write_text(said)
    numbers = np.random.default_rng(0).permutation(40).tolist()
    (tiny.folder / "t.csv").write_bytes(csv("index,text", numbers))
    places = [str(manifest), str(tiny.folder), "--media", str(tiny.folder)]
    assert main(["check", *places]) == 1
    assert "t.csv: expected rows in the order of the labels" in capsys.readouterr().out
    assert main(["add", *places, "--catalogue", str(old)]) == 1
    assert "t.csv: expected rows in the order of the labels" in "".join(capsys.readouterr())
    assert query_of(old)("SELECT count(*) FROM media") == [(0,)]
