"""Bad input through the real command: a message naming file, record, expectation and finding, and nothing written."""

import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.commands.main import main


def _set(tiny: Any, name: str, place: Any, value: Any) -> None:
    getattr(tiny, name)[place] = value


def _votes(**counts: Any) -> Callable[[Any], None]:
    return lambda tiny: tiny.records[2]["mturk"].update(counts)


def _field(name: str, value: Any) -> Callable[[Any], None]:
    return lambda tiny: tiny.records[2].update({name: value})


class _Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


def _truncated(tiny: Any) -> None:
    tiny.write()
    tiny.extra["probs.npy"] = (tiny.folder / "probs.npy").read_bytes()[:-100]


def _nan(tiny: Any) -> None:
    tiny.probs[17, 1] = np.nan


def _logits(tiny: Any) -> None:
    tiny.probs = np.log(tiny.probs)


def _above_one(tiny: Any) -> None:
    tiny.probs[9] = [1.2, -0.1, -0.1]


def _halved(tiny: Any) -> None:
    tiny.probs[11] /= 2


def _another_guess(tiny: Any) -> None:
    tiny.top = '[votes]\nguesses = "must-match"'
    tiny.records[2].update(our_guessed_label=(int(tiny.probs[2].argmax()) + 1) % 3)


def _duplicate(tiny: Any) -> None:
    tiny.records[4]["id"] = 1


def _with(**values: Any) -> Callable[[Any], None]:
    return lambda tiny: [setattr(tiny, name, value) for name, value in values.items()]  # type: ignore[func-returns-value]


def _extra(name: str, content: Any) -> Callable[[Any], None]:
    return lambda tiny: tiny.extra.update({name: content})


BAD: dict[str, tuple[Callable[[Any], None], tuple[str, ...]]] = {
    "truncated matrix": (_truncated, ("probs.npy", "expected 1088 bytes", "found 988", "cut short")),
    "no .npy at all": (_extra("labels.npy", b"id,label\n"), ("labels.npy", "expected a .npy file")),
    "wrong number of rows": (
        lambda t: setattr(t, "probs", t.probs[:-1]),
        ("probs.npy", "expected 40 rows", "found 39"),
    ),
    "wrong number of columns": (
        lambda t: setattr(t, "probs", np.hstack([t.probs, t.probs * 0])),
        ("probs.npy", "expected shape (n, 3)", "found (40, 6)"),
    ),
    "integer matrix": (
        lambda t: setattr(t, "probs", np.eye(3, dtype=int)[t.labels]),
        ("probs.npy", "expected floating-point numbers", "found int64"),
    ),
    "NaN": (_nan, ("probs.npy", "row 17", "expected finite numbers", "found nan")),
    "above 1": (
        _above_one,
        ("probs.npy", "row 9", "expected probabilities from 0 to 1, found -0.1 for class", "logits = true"),
    ),
    "logits": (_logits, ("probs.npy", "row 0", "expected probabilities", "logits = true")),
    "sums to a half": (_halved, ("probs.npy", "row 11", "sum to 1 within 0.0001", "found a sum of 0.5")),
    "label out of range": (
        lambda t: _set(t, "labels", 33, 3),
        ("labels.npy", "example 33", "expected a class from 0 to 2", "found 3"),
    ),
    "float labels": (_with(labels=np.full(40, 0.5)), ("labels.npy", "expected the number of a class", "found 0.5")),
    "labels in a table": (
        _with(labels=np.zeros((40, 2), int)),
        ("labels.npy", "expected one label an example", "found shape (40, 2)"),
    ),
    "broken JSON": (_extra("votes.json", b'[{"id": 1,'), ("votes.json", "line 1, column 11", "expected JSON")),
    "JSON nested too deeply": (_extra("votes.json", b"[" * 200_000), ("votes.json", "expected plain JSON", "too deep")),
    "a number without end": (_extra("votes.json", b"9" * 10_000), ("votes.json", "expected plain JSON", "too long")),
    "not UTF-8": (_extra("votes.json", b'["\xff"]'), ("votes.json", "expected UTF-8")),
    "half a character": (_extra("classes.json", b'["ant", "\\ud83d", "cat"]'), ("classes.json", "half a character")),
    "one key twice": (_extra("votes.json", b'[{"id": 1, "id": 2}]'), ("votes.json", "each key once", "'id' twice")),
    "not a list": (_with(records={"id": 0}), ("votes.json", "expected a list of records", "found {'id': 0}")),
    "not a record": (lambda t: _set(t, "records", 2, 7), ("votes.json", "record 3", "expected an object", "found 7")),
    "field absent": (
        lambda t: t.records[2].pop("mturk"),
        ("votes.json", "record 3 (id 2)", "expected a field 'mturk'", "'our_guessed_label'"),
    ),
    "unknown id": (_field("id", 40), ("votes.json", "record 3 (id 40)", "0 to 39", "found 40")),
    "negative id": (_field("id", -1), ("votes.json", "record 3 (id -1)", "0 to 39", "found -1")),
    "id is a text": (_field("id", "two"), ("votes.json", "record 3", "expected the index", "found 'two'")),
    "duplicate id": (_duplicate, ("votes.json", "record 5 (id 1)", "each example once", "record 2 (id 1)")),
    "negative votes": (_votes(guessed=-1), ("votes.json", "record 3 (id 2)", "0 or more", "found -1")),
    "fractional votes": (_votes(guessed=1.5), ("votes.json", "record 3 (id 2)", "a whole one", "found 1.5")),
    "boolean votes": (_votes(guessed=True), ("votes.json", "record 3 (id 2)", "a whole one", "found True")),
    "more votes than raters": (_votes(guessed=4), ("votes.json", "record 3 (id 2)", "1 to 5 raters", "found 8 votes")),
    "unknown option": (_votes(maybe=1), ("votes.json", "record 3 (id 2)", "given, guessed, both, neither", "'maybe'")),
    "unknown class name": (
        _field("given_original_label", "dog"),
        ("votes.json", "record 3 (id 2)", "expected the name of a class", "found 'dog'"),
    ),
    "unknown class": (
        _field("our_guessed_label", 3),
        ("votes.json", "record 3 (id 2)", "expected a class from 0 to 2", "found 3"),
    ),
    "name and class differ": (
        lambda t: t.records[2].update(our_guessed_label_name=t.classes[(t.records[2]["our_guessed_label"] + 1) % 3]),
        ("votes.json", "record 3 (id 2)", "our_guessed_label_name"),
    ),
    "given label differs": (
        lambda t: t.records[2].update(given_original_label=(int(t.labels[2]) + 1) % 3),
        ("votes.json", "record 3 (id 2)", "expected given label", "as in labels.npy"),
    ),
    "guessed label differs": (
        _another_guess,
        ("votes.json", "record 3 (id 2)", "expected guessed label", "as in probs.npy"),
    ),
    "a class twice": (_with(classes=["ant", "bee", "ant"]), ("classes.json", "class 2", "'ant' twice")),
    "a class without a name": (_with(classes=["ant", "", "cat"]), ("classes.json", "class 1", "found ''")),
    "a size that is not": (_with(top="size = 41"), ("labels.npy", "labels of 41 examples", "found 40")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained_and_changes_nothing(
    name: str, tiny: Any, old: Path, leftovers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old.read_bytes()
    spoil, said = BAD[name]
    spoil(tiny)
    assert tiny.add(old) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("error: ")
    for part in said:
        assert part in message
    assert old.read_bytes() == before
    assert leftovers() == []


@pytest.mark.parametrize("name", ["labels.npy", "probs.npy", "votes.json", "classes.json", "tiny.toml"])
def test_a_missing_file_is_named(name: str, tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = old.read_bytes()
    manifest = tiny.write()
    (tiny.folder / name).unlink()
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(old)]) == 1
    assert re.search(f"error: .*{re.escape(name)}: expected .*, found none", capsys.readouterr().err)
    assert old.read_bytes() == before


@pytest.mark.parametrize("name", ["labels.npy", "probs.npy"])
def test_a_pickle_that_runs_code_is_refused_by_name(
    name: str, tiny: Any, old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.folder.parent)
    hostile = np.empty(40, dtype=object)
    hostile[:] = [_Hostile()] * 40
    before = old.read_bytes()
    if name == "labels.npy":
        tiny.top = 'labels = "multiple"'
    tiny.extra[name] = hostile
    assert tiny.add(old) == 1
    message = capsys.readouterr().err
    assert name in message
    if name == "labels.npy":
        assert f"{os.system.__module__}.system" in message
    assert not Path("ran").exists()
    assert old.read_bytes() == before


def test_a_bare_pickle_is_no_array(tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.extra["labels.npy"] = pickle.dumps(_Hostile())
    assert tiny.add(old) == 1
    assert "labels.npy: expected a .npy file" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["../labels.npy", "/etc/passwd", "a/../../b.npy", "a\\\\b.npy"])
def test_a_manifest_cannot_leave_its_folder(
    path: str, tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.files = f'index = "{path}"'
    assert tiny.add(old) == 1
    assert "tiny.toml: files.index: expected a path inside the folder" in capsys.readouterr().err


def test_a_key_that_names_two_examples_cannot_be_voted_on(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.files, tiny.examples = 'index = "index.json"', 'records = "key"\nkey = "path"'
    tiny.extra["index.json"] = [f"{index}.png" for index in range(39)] + ["2.png"]
    for record in tiny.records:
        record["id"] = str(record["id"])
    assert tiny.add(old) == 1
    assert "record 3 (id '2'): expected an example of the index file, found '2', which names 2 examples" in (
        capsys.readouterr().err
    )


def test_a_folder_that_is_not_the_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", str(tmp_path), "--catalogue", str(tmp_path / "new.sqlite")]) == 1
    message = capsys.readouterr().err
    assert str(tmp_path) in message
    assert "mturk/" in message
    assert main(["check", str(tmp_path / "nowhere")]) == 1
    assert "expected a folder, found nothing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_one_bad_dataset_keeps_the_others_of_the_run_out(
    shared: Path, tmp_path: Path, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = tmp_path / "release"
    (release / "mturk").mkdir(parents=True)
    (release / "class_names.json").symlink_to(shared / "label-errors" / "class_names.json")
    for name in ("quickdraw", "amazon"):
        (release / "mturk" / f"{name}_mturk.json").symlink_to(shared / "label-errors" / "mturk" / f"{name}_mturk.json")
    (release / "mturk" / "mnist_mturk.json").write_text("[]")
    before = old.read_bytes()
    assert main(["release", str(release), "--catalogue", str(old)]) == 1
    assert "mnist_mturk.json: expected a list of records" in capsys.readouterr().err
    assert old.read_bytes() == before
    assert main(["check", str(release)]) == 1
    report = capsys.readouterr().out
    assert "quickdraw: good" in report
    assert "mnist: wrong" in report
    assert old.read_bytes() == before


def test_a_file_that_may_not_be_read_is_said(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in the place of a file stands for every refusal of the operating system; root may read all else."""
    manifest = tiny.write()
    (tiny.folder / "votes.json").unlink()
    (tiny.folder / "votes.json").symlink_to(tiny.folder / "votes.json")
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(old)]) == 1
    assert "votes.json" in capsys.readouterr().err


MEDIA = '[media]\nlayout = "image-folder"\norder = "sorted"'
PACKED_MEDIA = f'{MEDIA}\npath = "media.zip"'


def _with_media(tiny: Any) -> Path:
    """The forty pictures of the made-up dataset, under terms that let them be shown."""
    folder: Path = tiny.folder.parent / "photos"
    (folder / "media").mkdir(parents=True)
    for index in range(40):
        Image.new("RGB", (8, 6), (index, 0, 0)).save(folder / "media" / f"{index:02}.png")
    manifest: Path = tiny.write()
    manifest.write_text(manifest.read_text().replace('media = "none"', 'media = "host"'))
    return folder


def _add_with_media(tiny: Any, folder: Path, catalogue: Path) -> int:
    manifest = tiny.folder / "tiny.toml"
    return main(["add", str(manifest), str(tiny.folder), "--media", str(folder), "--catalogue", str(catalogue)])


def test_a_corrupt_image_is_reported_and_stops_nothing(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str], query_of: Any
) -> None:
    tiny.top = f"flag = 8\n{MEDIA}"
    folder = _with_media(tiny)
    (folder / "media" / "03.png").write_bytes((folder / "media" / "03.png").read_bytes()[:40])
    assert _add_with_media(tiny, folder, old) == 0
    assert re.search(r"tiny: .*03\.png: example 3: expected ", capsys.readouterr().out)
    query = query_of(old)
    shown = dict(query("SELECT idx, media FROM issues i JOIN datasets d ON d.id = dataset_id WHERE name = 'tiny'"))
    assert shown.pop(3) is None
    assert shown
    assert all(media is not None for media in shown.values())


@pytest.mark.parametrize("member", ["../../escaped.png", "/escaped.png"])
def test_an_archive_that_reaches_out_of_itself_writes_nothing(
    member: str, tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.top = f"flag = 8\n{PACKED_MEDIA}"
    folder = _with_media(tiny)
    with zipfile.ZipFile(folder / "media.zip", "w") as archive:
        for picture in sorted((folder / "media").iterdir()):
            archive.write(picture, f"media/{picture.name}")
            picture.unlink()
        archive.writestr(member, b"x")
    (folder / "media").rmdir()
    _add_with_media(tiny, folder, old)
    output = capsys.readouterr()
    assert "media.zip" in output.out + output.err
    assert "escaped" in output.out + output.err
    assert not list(tiny.folder.parent.rglob("escaped.png"))
    assert not Path("/escaped.png").exists()


def test_a_zip_bomb_is_refused(tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.top = f"flag = 8\n{PACKED_MEDIA}"
    folder = _with_media(tiny)
    with zipfile.ZipFile(folder / "media.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for picture in sorted((folder / "media").iterdir()):
            archive.writestr(f"media/{picture.name}", b"\0" * 80_000_000 if picture.name == "03.png" else b"")
            picture.unlink()
    (folder / "media").rmdir()
    _add_with_media(tiny, folder, old)
    output = capsys.readouterr()
    assert re.search(r"03\.png.*expected", output.out + output.err)
