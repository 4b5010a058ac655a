"""Pictures and sounds in Parquet, as Hugging Face publishes data sets, in one file or in several."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from sounds import tone, wav

from ingest.media import MediaCountError, MediaError, MediaItem, MediaProblem, open_media
from ingest.media.items import MediaSource

FILES = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2), shade).save(file, "PNG")
    return file.getvalue()


def rows(shades: range, **more: Any) -> list[dict[str, Any]]:
    return [{"bytes": png(shade), "path": f"{shade}.png"} | more for shade in shades]


def write(path: Path, files: list[Any], kind: Any = FILES, **columns: list[Any]) -> None:
    table = pa.table({"label": [0] * len(files), **columns, "image": pa.array(files, kind)})
    parquet.write_table(table, path, row_group_size=2)


def opened(folder: Path, layout: str = "image-table", **told: object) -> MediaSource:
    source = open_media(layout, folder, told)
    assert source is not None
    return source


def shades(source: MediaSource, wanted: dict[int, str | None]) -> dict[int, int]:
    found = {}
    for one in source.items(wanted):
        assert isinstance(one, MediaItem), one
        if one.kind == "image":
            found[one.index] = int(np.asarray(Image.open(io.BytesIO(one.data)))[0, 0])
    return found


@pytest.mark.parametrize("plain", [False, True])
def test_pictures_are_found_by_row_and_by_key(tmp_path: Path, plain: bool) -> None:
    files: list[Any] = [row["bytes"] for row in rows(range(5))] if plain else rows(range(5))
    write(tmp_path / "t.parquet", files, pa.binary() if plain else FILES, id=[f"k{n}" for n in range(5)], n=[*range(5)])
    assert shades(opened(tmp_path, count=5), {3: None, 0: None}) == {3: 3, 0: 0}
    by_key = opened(tmp_path, key_column="id")
    assert shades(by_key, {0: "k4", 9: "k1"}) == {0: 4, 9: 1}
    assert shades(opened(tmp_path, key_column="n"), {0: "4"}) == {0: 4}
    (problem,) = by_key.items({5: "z"})
    assert "expected a row of key 'z', found none among 5" in str(problem)
    assert opened(tmp_path).names() == (None if plain else [f"{n}.png" for n in range(5)])
    with pytest.raises(MediaCountError, match="expected 6 rows, found 5"):
        list(opened(tmp_path, count=6).items({0: None}))


def test_paths_that_are_no_names_of_their_own_name_nothing(tmp_path: Path) -> None:
    for path in ("same.png", None):
        write(tmp_path / "t.parquet", rows(range(3), path=path))
        assert opened(tmp_path).names() is None


@pytest.mark.parametrize("path", [None, "data", "data/test-00001-of-00003.parquet"])
def test_a_table_in_several_files_is_read_as_one(tmp_path: Path, path: str | None) -> None:
    (tmp_path / "data").mkdir()
    for part in range(3):
        write(tmp_path / f"data/test-{part:05}-of-00003.parquet", rows(range(part * 4, part * 4 + 4)))
    told = {} if path is None else {"path": path}
    source = opened(tmp_path, count=12, **told)
    assert shades(source, dict.fromkeys(range(12))) == {n: n for n in range(12)}
    assert [file.name for file in source.sources] == [f"test-{part:05}-of-00003.parquet" for part in range(3)]
    (tmp_path / "data/test-00001-of-00003.parquet").unlink()
    with pytest.raises(MediaError, match=r"expected all 3 files of its table, found none called 'test-00001-of-00003"):
        opened(tmp_path, path="data")


def test_two_tables_in_a_folder_are_not_chosen_from(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("test-00000-of-00001", "train-00000-of-00001"):
        write(tmp_path / f"data/{name}.parquet", rows(range(2)))
    with pytest.raises(MediaError, match="expected the files of one table, found 'test-00000-of-00001"):
        opened(tmp_path, path="data")
    assert shades(opened(tmp_path, path="data/train-00000-of-00001.parquet"), {1: None}) == {1: 1}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["a.csv", "b.csv"], False),
        (["a.csv", "b.tsv"], False),
        (["a.csv", "a.csv.gz", "a.csv.bz2"], True),
        (["t-00000-of-00001.parquet"], True),
        (["t-00000-of-00001.parquet", "u-00000-of-00001.parquet"], False),
    ],
)
def test_of_several_tables_none_is_chosen(tmp_path: Path, names: list[str], chosen: bool) -> None:
    """The first one by its name might be that of the labels, or of other examples."""
    for name in names:
        if name.endswith(".parquet"):
            parquet.write_table(pa.table({"text": ["one"]}), tmp_path / name)
        else:
            (tmp_path / name).write_bytes(b"text\none\n")
    if chosen:
        (item,) = opened(tmp_path, "text-table").items({0: None})
        assert isinstance(item, MediaItem)
        assert item.text == "one"
        return
    with pytest.raises(MediaError, match=f"expected one table, found '{names[0]}' and '{names[1]}'; path in"):
        opened(tmp_path, "text-table")
    (item,) = opened(tmp_path, "text-table", path=names[0]).items({0: None})
    assert isinstance(item, MediaItem)


def test_texts_may_lie_in_several_files_too(tmp_path: Path) -> None:
    for part in range(2):
        table = pa.table({"text": [f"text {part * 2 + n}" for n in range(2)]})
        parquet.write_table(table, tmp_path / f"test-{part:05}-of-00002.parquet")
    found = [one.text for one in opened(tmp_path, "text-table", count=4).items({3: None, 0: None})
             if isinstance(one, MediaItem)]  # fmt: skip
    assert found == ["text 0", "text 3"]


def test_one_file_that_is_none_leaves_the_others(tmp_path: Path) -> None:
    files = [*rows(range(1)), {"bytes": None, "path": "there/1.png"}, None, {"bytes": POINTER, "path": "3.png"}]
    write(tmp_path / "t.parquet", [*files, {"bytes": b"", "path": None}])
    found = list(opened(tmp_path).items(dict.fromkeys(range(5))))
    assert {one.index for one in found if isinstance(one, MediaItem)} == {0}
    problems = {one.index: str(one) for one in found if isinstance(one, MediaProblem)}
    assert problems[1].endswith(
        "t.parquet: row 1: there/1.png: example 1: expected the bytes of a file, found only the path of one, which "
        "lies elsewhere"
    )
    assert problems[2].endswith("expected the bytes of a file, found none")
    assert "found a Git LFS pointer" in problems[3]
    assert "found an empty file" in problems[4]


def test_one_key_in_two_rows_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", rows(range(3)), id=["a", "b", "a"])
    assert shades(opened(tmp_path, key_column="id"), {0: "b"}) == {0: 1}
    with pytest.raises(MediaError, match="expected key 'a' once, found it in rows 0 and 2"):
        list(opened(tmp_path, key_column="id").items({0: "a"}))


def test_what_is_no_table_of_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", ["a.png"], pa.string())
    with pytest.raises(MediaError, match=r"as \{bytes, path\} or bytes, in column 'image', found string"):
        list(opened(tmp_path).items({0: None}))
    with pytest.raises(MediaError, match="expected a column 'img', found"):
        list(opened(tmp_path, column="img").items({0: None}))
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(MediaError, match=r"t\.parquet: expected a Parquet file"):
        list(opened(tmp_path).items({0: None}))


@pytest.mark.parametrize("path", ["a.wav", None])
def test_sounds_are_found_alike(tmp_path: Path, path: str | None) -> None:
    sound = {"bytes": wav(tone(440, 0.2, 8_000), 8_000), "path": path}
    table = pa.table({"audio": pa.array([sound, {"bytes": b"no sound", "path": path}], FILES)})
    parquet.write_table(table, tmp_path / "t.parquet")
    found = list(opened(tmp_path, "audio-table", seconds=5).items({0: None, 1: None}))
    assert next((one.kind, one.seconds) for one in found if isinstance(one, MediaItem)) == ("audio", 0.2)
    (problem,) = [one for one in found if isinstance(one, MediaProblem)]
    assert "expected a recording" in str(problem)
