"""Pointers of Git LFS where files should be: called by their name wherever a file is read."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.tables.git_pointers import pointer
from ingest.commands.main import main
from ingest.media import MediaError, MediaProblem, open_media
from tests.ingest.conftest import Tiny

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
FOUND = "found a Git LFS pointer: the file itself, of 12,345 bytes, was not fetched ('git lfs pull' does)"


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (POINTER, True),
        (POINTER.replace(b"\n", b"\r\n"), True),
        (POINTER.replace(b"oid", b"ext-0-foo sha256:ab\noid"), True),
        (b"/annex/objects/SHA256E-s31390--f50d7ac4.nii.gz\n", True),
        (b"../../.git/annex/objects/zx/8q/SHA256E-s1--f50d.png", True),
        (b"version 1 of a text about https://git-lfs.github.com/spec/v1", False),
        (b"", False),
        (b"\x93NUMPY", False),
    ],
)
def test_pointers_are_told_from_other_files(data: bytes, known: bool) -> None:
    assert (pointer(data) is not None) == known


@pytest.mark.parametrize("name", ["labels.npy", "probs.npy", "votes.json", "classes.json", "names.json", "tiny.toml"])
def test_every_file_of_a_dataset_may_be_one(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    tiny.files, tiny.extra["names.json"] = 'index = "names.json"', [str(index) for index in range(40)]
    manifest, before = tiny.write(), old.read_bytes()
    (tiny.folder / name).write_bytes(POINTER)
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(old)]) == 1
    assert capsys.readouterr().err == f"error: {tiny.folder / name}: expected a file, {FOUND}\n"
    assert old.read_bytes() == before


@pytest.mark.parametrize("name", ["p.npy", "p.parquet", "l.txt", "l.npy", "l.json", "names.txt"])
def test_flag_names_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A list of names alone would be read as three classes."""
    np.save(tmp_path / "p.npy", np.full((3, 3), 1 / 3))
    np.save(tmp_path / "l.npy", np.arange(3))
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    (tmp_path / name).write_bytes(POINTER)
    matrix = name if name.startswith("p.") else "p.npy"
    labels = name if name.startswith("l.") else "l.npy"
    arguments = [str(tmp_path / matrix), "--labels", str(tmp_path / labels), "--classes", str(tmp_path / "names.txt")]
    assert main(["flag", *arguments]) == 1
    assert f"{tmp_path / name}: expected a file, {FOUND}" in capsys.readouterr().err


def test_predictions_may_be_one(sample_catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("p.csv", "p.npy"):
        (tmp_path / name).write_bytes(POINTER)
        assert main(["evaluate", "sample-digits", str(tmp_path / name), "--catalogue", str(sample_catalogue)]) == 1
        assert f"expected predictions, {FOUND}" in capsys.readouterr().err


@pytest.mark.parametrize("layout", ["image-folder", "text-folder", "audio-folder"])
@pytest.mark.parametrize("way", ["folder", "zip", "tar"])
def test_media_that_are_one_are_no_texts(tmp_path: Path, layout: str, way: str) -> None:
    """As a text it would be shown; what a site offers as "Download ZIP" holds pointers too."""
    name = {"image-folder": "a.png", "text-folder": "a.txt", "audio-folder": "a.wav"}[layout]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / name).write_bytes(POINTER)
    if way == "zip":
        with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
            archive.write(tmp_path / "m" / name, name)
    if way == "tar":
        with tarfile.open(tmp_path / "m.tar", "w") as tar:
            tar.add(tmp_path / "m" / name, name)
    source = open_media(layout, tmp_path, {"path": "m" if way == "folder" else f"m.{way}"})
    assert source is not None
    (problem,) = source.items({0: "a"})
    assert isinstance(problem, MediaProblem)
    assert problem.message == f"expected a file, {FOUND}"


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("mnist-idx", "t10k-images-idx3-ubyte.gz"),
        ("cifar10", "cifar-10-binary.tar.gz"),
        ("caltech256", "256_ObjectCategories.tar"),
        ("image-table", "t.parquet"),
        ("text-table", "t.parquet"),
        ("text-table", "t.csv"),
        ("amazon-lines", "amazon5core.txt"),
        ("image-folder", "m.zip"),
        ("quickdraw-bitmaps", "numpy_bitmap/cat.npy"),
    ],
)
def test_archives_and_tables_may_be_one(tmp_path: Path, layout: str, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(MediaError, match="found a Git LFS pointer"):
        read(layout, tmp_path, name)


def read(layout: str, folder: Path, name: str) -> None:
    source = open_media(layout, folder, {"path": name} if layout == "image-folder" else {})
    assert source is not None
    list(source.items({0: None}))
