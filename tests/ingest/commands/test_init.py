"""The command ``init``: where it writes, what it never writes over, and what it says next."""

import shlex
from pathlib import Path

import pytest

from ingest.commands.main import main
from ingest.manifest.parse import read_manifest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six texts in two classes, in a folder of a name that no address could have."""
    place = tmp_path / "My Texts (old)"
    for name in ("a", "b"):
        (place / name).mkdir(parents=True)
        for number in range(3):
            (place / name / f"{number}.txt").write_text(f"{name} {number}")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return place


def test_it_writes_beside_and_says_what_is_next(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(folder)]) == 0
    out = Path("My Texts (old)-label-errors")
    assert sorted(path.name for path in out.iterdir()) == ["classes.json", "dataset.toml", "index.json", "labels.npy"]
    manifest = read_manifest(out / "dataset.toml")
    assert (manifest.name, manifest.title, manifest.licence.media) == ("my-texts-old", "My Texts (old)", "local")
    following = capsys.readouterr().out.splitlines()[-1].removeprefix("next: label-errors ")
    assert main(shlex.split(following)) == 0
    assert "my-texts-old: example 0: a; a/0.txt; 'a 0'" in capsys.readouterr().out


def test_what_nobody_changed_is_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A class more, and an index that is no longer needed: nothing of before is left."""
    assert main(["init", str(folder), "--out", "out"]) == 0
    Path("out/train_labels.npy").write_bytes(b"of before")
    (folder / "c").mkdir()
    (folder / "c/0.txt").write_text("c 0")
    assert main(["init", str(folder), "--out", "out"]) == 0
    assert Path("out/classes.json").read_text().split() == ["[", '"a",', '"b",', '"c"', "]"]
    assert not Path("out/train_labels.npy").exists()


@pytest.mark.parametrize("whose", ["changed", "others"])
def test_files_of_others_are_kept_unless_forced(folder: Path, capsys: pytest.CaptureFixture[str], whose: str) -> None:
    if whose == "changed":
        assert main(["init", str(folder), "--out", "out"]) == 0
        kept = Path("out/dataset.toml")
        kept.write_text(kept.read_text().replace("Not stated", "CC0"))
    else:
        kept = Path("out/labels.npy")
        kept.parent.mkdir()
        kept.write_bytes(b"mine")
    before = kept.read_bytes()
    assert main(["init", str(folder), "--out", "out"]) == 1
    said = {"changed": "was changed since it was written", "others": "this command did not write"}[whose]
    error = capsys.readouterr().err
    assert f"{kept}: " in error
    assert said in error
    assert kept.read_bytes() == before
    assert main(["init", str(folder), "--out", "out", "--force"]) == 0
    assert kept.read_bytes() != before


def test_nothing_is_written_into_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    for arguments in (["init", "."], ["init", ".", "--out", "a/new"], ["init", str(folder), "--out", "out"]):
        assert main(arguments) == 1
        assert "expected a folder outside of" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nothing", "nothing: expected a folder or a table, found nothing"),
        ("a.png", "a.png: expected a table that ends in .csv, .tsv, .jsonl, .ndjson, .parquet, or a folder"),
    ],
)
def test_a_place_without_a_dataset_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], place: str, said: str
) -> None:
    Path("a.png").write_bytes(b"png")
    assert main(["init", place]) == 1
    assert said in capsys.readouterr().err
