"""Media found by their place: an example less or more, or in another order, is never shown beside a wrong label."""

import io
import sqlite3
import struct
import tarfile
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from ingest.commands.main import main
from ingest.datasets.load import load
from ingest.datasets.media_alignment import require_same_examples
from ingest.manifest.parse import read_manifest
from ingest.media import LabelMismatchError, open_media
from ingest.progress import progress_for_terminal
from tests.ingest.conftest import Tiny
from tests.serving import serving

N = 40


def added(tiny: Tiny, media: str, catalogue: Path) -> int:
    """Ingest the made-up dataset with what lies in the folder "media" beside it; the exit status."""
    tiny.top = f"flag = 8\n[media]\n{media}"
    manifest = tiny.write()
    text = manifest.read_text().replace('media = "none"', 'media = "host"')
    manifest.write_text(text.replace('"image"', '"text"') if "text-table" in media else text)
    folder = tiny.folder.parent / "media"
    return main(["add", str(manifest), str(tiny.folder), "--media", str(folder), "--catalogue", str(catalogue)])


def refusal(tiny: Tiny, media: str, old: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The error for such media, which must leave the old catalogue as it was."""
    before = old.read_bytes()
    capsys.readouterr()
    assert added(tiny, media, old) == 1
    assert old.read_bytes() == before
    return capsys.readouterr().err


def shown_without(tiny: Tiny, media: str, old: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said where media are not as many as the labels: the dataset is loaded, by its labels alone."""
    capsys.readouterr()
    assert added(tiny, media, old) == 1
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(*) FROM media").fetchone() == (0,)
        named = connection.execute("SELECT name, missing FROM datasets ORDER BY name").fetchall()
    assert [name for name, _ in named] == ["before", "tiny"]
    assert "The media found were not as many as the labels" in named[1][1]
    out = capsys.readouterr().out
    assert "wrong: the media of tiny are not as many as the labels; all else was loaded" in out
    return out


def written(tiny: Tiny, name: str, data: bytes) -> Path:
    path = tiny.folder.parent / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def idx(n: int) -> bytes:
    return struct.pack(">IIII", 0x0803, n, 2, 2) + bytes(range(4)) * n


def cifar(labels: Any) -> bytes:
    return b"".join(bytes([label]) + bytes(3_072) for label in np.asarray(labels).tolist())


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    return file.getvalue()


def folders_of_pictures(tiny: Tiny) -> list[Path]:
    """A folder a class, examples in the order of their paths."""
    order = np.argsort(tiny.labels, kind="stable")
    tiny.labels, tiny.probs = tiny.labels[order], tiny.probs[order]
    tiny.records = [tiny.record(index, 2, 2, 1, 0) for index in range(6)]
    names = [f"pictures/{tiny.classes[label]}/{index:02}.png" for index, label in enumerate(tiny.labels)]
    return [written(tiny, name, picture()) for name in names]


FOLDERS = 'layout = "image-folder"\npath = "pictures"\norder = "sorted"'


@pytest.mark.parametrize("count", [N - 1, N + 1])
def test_an_idx_file_must_hold_as_many_images_as_there_are_labels(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    """Without media so far, the dataset is loaded by its labels; one that has some keeps them."""
    layout = 'layout = "mnist-idx"'
    written(tiny, "t10k-images-idx3-ubyte", idx(count))
    told = f"t10k-images-idx3-ubyte: expected 40 examples, as many as there are labels of tiny, found {count}: "
    assert told in shown_without(tiny, layout, old, capsys)
    with serving(old) as address:
        coverage = httpx.get(f"{address}/media-coverage", timeout=60).text
        assert "could not be used" in coverage
        assert told in coverage
    written(tiny, "t10k-images-idx3-ubyte", idx(N))
    assert added(tiny, layout, old) == 0
    written(tiny, "t10k-images-idx3-ubyte", idx(count))
    assert told in refusal(tiny, layout, old, capsys)


def test_records_must_carry_the_labels_of_the_dataset(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tiny, "test_batch.bin", cifar(tiny.labels))
    assert added(tiny, 'layout = "cifar10"', old) == 0
    rotated = np.roll(tiny.labels, 1)
    first = int(np.flatnonzero(rotated != tiny.labels)[0])
    written(tiny, "test_batch.bin", cifar(rotated))
    said = refusal(tiny, 'layout = "cifar10"', old, capsys)
    expected, found = tiny.classes[tiny.labels[first]], tiny.classes[rotated[first]]
    assert f"example {first}: expected the label '{expected}', as in labels.npy, found '{found}'" in said


def test_a_record_of_no_class_is_told_by_its_number(tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tiny, "test_batch.bin", cifar([*tiny.labels[:-1], 9]))
    assert "example 39: " in (said := refusal(tiny, 'layout = "cifar10"', old, capsys))
    assert "found class 9" in said


def test_a_sorted_folder_must_hold_every_example(tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = folders_of_pictures(tiny)
    assert added(tiny, FOLDERS, old) == 0
    paths[5].unlink()
    assert "found 39" in refusal(tiny, FOLDERS, old, capsys)
    written(tiny, f"pictures/{tiny.classes[2]}/99.png", picture())
    said = refusal(tiny, FOLDERS, old, capsys)
    assert "expected the label 'ant', as in labels.npy, found 'bee'" in said


def test_files_of_a_kind_that_is_not_read_are_named(tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A photograph of a telephone among the others would else be missing without a word."""
    paths = folders_of_pictures(tiny)
    paths[5].rename(paths[5].with_suffix(".heic"))
    written(tiny, "pictures/.DS_Store", b"of the system")
    named = paths[5].with_suffix(".heic").relative_to(tiny.folder.parent / "media" / "pictures")
    told = f"found 39 beside another file, whose kind is not read, such as '{named}': "
    assert told in shown_without(tiny, FOLDERS, old, capsys)
    for path in paths[:5] + paths[6:]:
        path.rename(path.with_suffix(".heic"))
    assert added(tiny, FOLDERS, old) == 1
    assert "found none beside 40 other files, whose kind is not read, such as 'ant/00.heic'" in capsys.readouterr().out


def test_an_archive_beside_is_what_a_path_names(tiny: Tiny, old: Path) -> None:
    paths = folders_of_pictures(tiny)
    folder = tiny.folder.parent / "media"
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.relative_to(folder))
            path.unlink()
    for path in {path.parent for path in paths}:
        path.rmdir()
    (folder / "pictures").rmdir()
    assert added(tiny, FOLDERS, old) == 0
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(DISTINCT idx) FROM media").fetchone()[0] >= 8


def test_folders_that_are_not_named_as_classes_are_only_counted(tiny: Tiny, old: Path) -> None:
    for index in range(N):
        written(tiny, f"pictures/{'abcd'[index // 10]}/{index:02}.png", picture())
    assert added(tiny, FOLDERS, old) == 0


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_without_keys_must_have_a_row_for_each_label(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str], packed: bool
) -> None:
    def table(n: int) -> None:
        text = ("text\n" + "row\n" * n).encode()
        if not packed:
            written(tiny, "texts.csv", text)
            return
        with zipfile.ZipFile(written(tiny, "texts.zip", b""), "w") as archive:
            archive.writestr("texts.csv", text)

    manifest = f'layout = "text-table"\npath = "texts.{"zip" if packed else "csv"}"'
    table(N + 1)
    assert "expected 40 rows, found 41" in shown_without(tiny, manifest, old, capsys)
    table(N)
    assert added(tiny, manifest, old) == 0


def test_rows_found_by_key_may_be_more_or_less(tiny: Tiny, old: Path) -> None:
    tiny.files, tiny.examples = 'index = "index.json"', 'key = "entry"'
    tiny.extra["index.json"] = [f"k{index}" for index in range(N)]
    rows = "".join(f"k{index},text {index}\n" for index in range(3, 60))
    written(tiny, "texts.csv", f"id,text\n{rows}".encode())
    assert added(tiny, 'layout = "text-table"\nkey_column = "id"', old) == 0


def test_a_column_of_keys_is_no_use_without_keys_of_the_examples(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tiny, "texts.csv", b"id,text\nk1,text 1\n")
    error = refusal(tiny, 'layout = "text-table"\nkey_column = "id"', old, capsys)
    assert "media.key_column: expected keys of the examples (a file of them, see [examples]), found none" in error


def test_a_post_that_is_missing_shifts_no_other(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real posts without one in the middle; then with one of another group in its place."""
    catalogue, media = tmp_path / "catalogue.sqlite", tmp_path / "media"
    media.mkdir()

    def without(gone: str, instead: str | None) -> str:
        packed = shared / "media" / "20news-bydate-test.tar.gz"
        with tarfile.open(packed) as real, tarfile.open(media / "20news-bydate-test.tar", "w") as copy:
            for member in real:
                if f"/{member.name}".endswith(gone):
                    if instead is None:
                        continue
                    member.name = member.name.replace(gone, instead)
                copy.addfile(member, real.extractfile(member))
        release = ["release", str(shared / "label-errors"), "--media", str(media), "--dataset", "20news"]
        assert main([*release, "--catalogue", str(catalogue)]) == 1
        # Too few are left out with what is said of them; labels of others stop everything.
        assert catalogue.exists() == (instead is None)
        catalogue.unlink(missing_ok=True)
        said = capsys.readouterr()
        return said.out + said.err

    with tarfile.open(shared / "media" / "20news-bydate-test.tar.gz") as posts:
        post = sorted(name for name in posts.getnames() if "/sci.med/" in name)[100].partition("/sci.med/")[2]
    assert "20news-bydate-test.tar: expected 7,532 examples" in without(f"/sci.med/{post}", None)
    assert "expected the label" in without(f"/sci.med/{post}", "/rec.autos/999999")


def test_drawings_must_lie_in_the_files_of_their_classes(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that were renamed sort in another order, and every number then means another drawing."""
    order = np.argsort(tiny.labels, kind="stable")
    tiny.labels, tiny.probs = tiny.labels[order], tiny.probs[order]
    tiny.records = [tiny.record(index, 1, 1, 3, 0) for index in (0, 20, 39)]
    tiny.classes = ["The cat", "alarm clock", "bee"]
    counts = np.bincount(tiny.labels).tolist()
    manifest = f'layout = "quickdraw-bitmaps"\ncount = {N}'
    folder = tiny.folder.parent / "media" / "numpy_bitmap"
    folder.mkdir(parents=True)

    def files(*names: str) -> None:
        for path in folder.iterdir():
            path.unlink()
        for name, n in zip(names, counts, strict=True):
            np.save(folder / f"{name}.npy", np.zeros((n, 784), np.uint8))

    files("the_cat", "alarm_clock", "bee")
    said = refusal(tiny, manifest, old, capsys)
    assert "example 0: expected the label 'The cat', as in labels.npy, found 'alarm_clock'" in said
    path = tiny.folder / "tiny.toml"
    # Where the labels are not at hand, what was reviewed is.
    inputs = load(read_manifest(path), tiny.folder, progress_for_terminal())
    source = open_media("quickdraw-bitmaps", tiny.folder.parent / "media", {"count": N})
    assert source is not None
    with pytest.raises(
        LabelMismatchError, match=r"example 0: expected the label 'The cat', as in votes\.json, found 'al"
    ):
        require_same_examples(source, replace(inputs, labels=None))
    for good in (("The cat", "alarm clock", "bee"), ("The_cat", "full_numpy_bitmap_alarm clock", "full_of_bees")):
        files(*good)
        assert added(tiny, manifest, old) == 0
