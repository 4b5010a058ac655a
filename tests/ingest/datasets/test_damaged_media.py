"""An archive that cannot be read costs its dataset the media and nothing else, and no medium that was there before."""

import gzip
import io
import json
import lzma
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from ingest.commands.main import main
from tests.app.reading import read
from tests.ingest.conftest import Query, Tiny
from tests.ingest.media.packing import tar_bytes, zip_bytes
from tests.serving import serving

QueryOf = Callable[[Path], Query]

MEDIA = '[media]\nlayout = "image-folder"\norder = "sorted"\npath = "{}"'
SENTENCE = "The media could not be read when this was built, so issues are shown by their labels (pictures"


def pictures() -> dict[str, bytes]:
    found = {}
    for index in range(40):
        file = io.BytesIO()
        Image.effect_noise((40, 30), index).save(file, "PNG")
        found[f"pictures/{index:02}.png"] = file.getvalue()
    return found


PACKED: dict[str, bytes] = {
    "pictures.tar": tar_bytes(pictures()),
    "pictures.tar.gz": gzip.compress(tar_bytes(pictures())),
    "pictures.tar.xz": lzma.compress(tar_bytes(pictures())),
    "pictures.zip": zip_bytes(pictures()),
}


def add(tiny: Tiny, catalogue: Path, name: str, data: bytes) -> int:
    tiny.top = f"flag = 8\n{MEDIA.format(name)}"
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('media = "none"', 'media = "host"'))
    folder = tiny.folder.parent / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / name).write_bytes(data)
    return main(["add", str(manifest), str(tiny.folder), "--media", str(folder), "--catalogue", str(catalogue)])


def everything(catalogue: Path, name: str) -> dict[str, list[Any]]:
    """All rows of a dataset, whatever the table, in order; the words of the search included."""
    with closing(sqlite3.connect(catalogue)) as connection:
        (number,) = connection.execute("SELECT id FROM datasets WHERE name = ?", (name,)).fetchone()
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found: dict[str, list[Any]] = {}
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            if table == "datasets":
                rows = connection.execute("SELECT * FROM datasets WHERE id = ?", (number,))
            elif "dataset_id" in columns:
                rows = connection.execute(f"SELECT * FROM {table} WHERE dataset_id = ?", (number,))
            elif table in ("issue_search", "class_search"):
                between = (number << 32, (number + 1) << 32)
                rows = connection.execute(f"SELECT rowid, * FROM {table} WHERE rowid >= ? AND rowid < ?", between)
            else:
                continue
            found[table] = sorted(rows.fetchall(), key=repr)
        return found


@pytest.mark.parametrize("name", PACKED)
def test_the_archives_of_these_tests_are_good_when_whole(tiny: Tiny, old: Path, query_of: QueryOf, name: str) -> None:
    assert add(tiny, old, name, PACKED[name]) == 0
    assert query_of(old)("SELECT count(*) FROM media WHERE kind = 'image'")[0][0] >= 8


@pytest.mark.parametrize("name", PACKED)
def test_a_damaged_archive_costs_a_dataset_its_media_alone(
    tiny: Tiny, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert add(tiny, old, name, PACKED[name][: len(PACKED[name]) // 2]) == 1
    out = capsys.readouterr().out
    assert f"tiny: {SENTENCE}{name.removeprefix('pictures')}: expected a whole " in out
    assert "wrong: the media of tiny could not be read; all else was loaded" in out
    assert f"wrote {old}" in out
    query = query_of(old)
    assert query("SELECT name FROM datasets ORDER BY name") == [("before",), ("tiny",)]
    assert query("SELECT count(*) FROM media") == [(0,)]
    assert query("SELECT count(*) FROM verdicts v JOIN datasets d ON d.id = v.dataset_id WHERE name = 'tiny'") == [
        (18,)
    ]
    ((told, missing, n_issues),) = query("SELECT media_report, missing, n_issues FROM datasets WHERE name = 'tiny'")
    assert json.loads(told)["n_problems"] == n_issues
    (sentence,) = [sentence for sentence in json.loads(missing) if sentence.startswith(SENTENCE)]
    assert json.loads(told)["unread"] == sentence
    assert str(tiny.folder.parent) not in sentence, "a page tells nobody where files lie on a machine"
    assert "media" not in {role for (role,) in query("SELECT role FROM sources")}


def test_the_page_of_coverage_says_that_none_could_be_read_and_why(tiny: Tiny, old: Path) -> None:
    add(tiny, old, "pictures.zip", PACKED["pictures.zip"][:500])
    with serving(old) as address, httpx.Client(base_url=address, timeout=60) as client:
        page = read(client, "/media-coverage")
    assert f"{SENTENCE}.zip: expected a whole" in page.words


def test_media_that_are_there_are_not_lost_to_a_damaged_archive(
    tiny: Tiny, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone in a run, the dataset is refused and the file not even touched."""
    assert add(tiny, old, "pictures.zip", PACKED["pictures.zip"]) == 0
    before = old.read_bytes()
    assert add(tiny, old, "pictures.zip", PACKED["pictures.zip"][:500]) == 1
    assert "pictures.zip: expected a whole" in capsys.readouterr().err
    assert old.read_bytes() == before


@pytest.mark.parametrize("folder", ["empty", None])
def test_media_that_are_there_are_not_lost_to_a_slip(
    tiny: Tiny, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str], folder: str | None
) -> None:
    """A mistyped folder and a forgotten option are no wish to be rid of them; that is said by an option of its own."""
    assert add(tiny, old, "pictures.zip", PACKED["pictures.zip"]) == 0
    before = old.read_bytes()
    command = ["add", str(tiny.folder.parent / "tiny.toml"), str(tiny.folder), "--catalogue", str(old)]
    command[1] = str(tiny.write())
    manifest = Path(command[1])
    manifest.write_text(manifest.read_text().replace('media = "none"', 'media = "host"'))
    if folder is not None:
        (tiny.folder.parent / folder).mkdir()
        command += ["--media", str(tiny.folder.parent / folder)]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "expected the media that the catalogue has of tiny, found none" in error
    assert "--drop-media" in error
    assert old.read_bytes() == before
    assert main([*command, "--drop-media"]) == 0
    assert query_of(old)("SELECT count(*) FROM media") == [(0,)]
    assert main(command) == 0


def test_exemplars_are_told_of_apart_from_issues(
    tiny: Tiny, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """One damaged picture of each kind: an exemplar is no issue, whatever is wrong with it."""
    assert add(tiny, old, "pictures.zip", PACKED["pictures.zip"]) == 0
    query = query_of(old)
    tiny_id = "(SELECT id FROM datasets WHERE name = 'tiny')"
    issues = {idx for (idx,) in query(f"SELECT idx FROM issues WHERE dataset_id = {tiny_id}")}
    beside = {idx for (idx,) in query(f"SELECT idx FROM exemplars WHERE dataset_id = {tiny_id}")}
    assert not issues & beside
    issue, exemplar = min(issues), min(beside)
    damaged = {name: b"GIF" if int(name[-6:-4]) in (issue, exemplar) else data for name, data in pictures().items()}
    capsys.readouterr()
    assert add(tiny, old, "pictures.zip", zip_bytes(damaged)) == 0
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("tiny ")]
    assert row[-4:] == [str(len(issues) - 1), "of", str(len(issues)), str(len(beside) - 1)]
    ((told,),) = query("SELECT media_report FROM datasets WHERE name = 'tiny'")
    found = json.loads(told)
    assert (found["issues"], found["n_problems"], found["absent"]) == (len(issues) - 1, 1, 0)
    assert (found["exemplars"], found["exemplars_wanted"]) == (len(beside) - 1, len(beside))
    assert [index for index, _ in found["problems"]] == [issue]
    assert [index for index, _ in found["exemplar_problems"]] == [exemplar]
    assert main(["list", "--catalogue", str(old)]) == 0
    listed = capsys.readouterr().out
    assert f"media: {len(issues) - 1} of {len(issues)} issues with a medium, " in listed
    assert f" {len(beside) - 1} of {len(beside)} exemplars, " in listed
    with serving(old) as address, httpx.Client(base_url=address, timeout=60) as client:
        words = read(client, "/media-coverage").words
        assert f"The picture of 1 of {len(issues)} issues is not here: unreadable" in read(client, "/tiny").words
    assert f"Example {issue}: expected" in words
    assert f"Example {exemplar}, an exemplar: expected" in words


@pytest.fixture
def two(shared: Path, tmp_path: Path) -> Callable[[], int]:
    """The release of MNIST and 20news into one catalogue, with the media in the folder ``downloads``."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for path in (shared / "media").iterdir():
        if path.name.startswith(("t10k", "20news")):
            shutil.copy(path, folder)
    command = ["release", str(shared / "label-errors"), "--media", str(folder), "--dataset", "mnist"]
    return lambda: main([*command, "--dataset", "20news", "--catalogue", str(tmp_path / "two.sqlite")])


def test_the_others_of_a_release_are_loaded_where_one_lost_its_media(
    two: Callable[[], int], tmp_path: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert two() == 0
    query = query_of(tmp_path / "two.sqlite")
    counts = query("SELECT dataset_id, count(*) FROM media GROUP BY 1")
    for path in (tmp_path / "downloads").glob("t10k*"):
        path.unlink()
    capsys.readouterr()
    assert two() == 1
    out = capsys.readouterr().out
    assert "mnist: not loaded, so that it keeps the media it has in the catalogue: " in out
    assert "wrong: the media of mnist were not found; all else was loaded" in out
    assert query("SELECT dataset_id, count(*) FROM media GROUP BY 1") == counts


def test_images_of_mnist_beside_other_labels_are_refused(
    two: Callable[[], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = b"\0\0\x08\x01" + (10_000).to_bytes(4, "big") + bytes(10_000)
    (tmp_path / "downloads/t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    assert two() == 1
    error = capsys.readouterr().err
    assert "t10k-images-idx3-ubyte.gz: example 0: expected the label '7', as in " in error
    assert "found '0': pictures, sounds or texts would stand beside labels that are not theirs" in error


def break_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def test_the_other_datasets_of_a_release_are_loaded(
    two: Callable[[], int], tmp_path: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str]
) -> None:
    break_off(tmp_path / "downloads/t10k-images-idx3-ubyte.gz")
    assert two() == 1
    assert "wrong: the media of mnist could not be read" in capsys.readouterr().out
    found = query_of(tmp_path / "two.sqlite")(
        "SELECT name, n_issues, n_errors,"
        " (SELECT count(*) FROM media m WHERE m.dataset_id = d.id AND kind IN ('image', 'text'))"
        " FROM datasets d ORDER BY name"
    )
    assert [row[:3] for row in found] == [("20news", 93, 82), ("mnist", 100, 15)]
    assert found[0][3] >= 93
    assert found[1][3] == 0


def test_a_dataset_with_media_stays_as_it_was_beside_others_that_are_new(
    two: Callable[[], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue, archive = tmp_path / "two.sqlite", tmp_path / "downloads/t10k-images-idx3-ubyte.gz"
    whole = archive.read_bytes()
    assert two() == 0
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute("UPDATE datasets SET built_at = ?", ("2020-01-01T00:00:00Z",))
    mnist, posts = everything(catalogue, "mnist"), everything(catalogue, "20news")
    assert len(mnist["issue_search"]) == 0
    assert len(mnist["media"]) >= 200
    break_off(archive)
    assert two() == 1
    said = capsys.readouterr().out
    assert "mnist: not loaded, so that it keeps the media it has in the catalogue" in said
    assert everything(catalogue, "mnist") == mnist
    assert everything(catalogue, "20news")["media"] == posts["media"]
    assert everything(catalogue, "20news")["datasets"] != posts["datasets"], "built anew, at a later time"
    archive.write_bytes(whole)
    assert two() == 0
    assert everything(catalogue, "mnist")["issues"] == mnist["issues"]


def test_too_few_media_cost_their_dataset_alone(
    two: Callable[[], int], tmp_path: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "downloads/t10k-images-idx3-ubyte.gz"
    content = gzip.decompress(archive.read_bytes())
    archive.write_bytes(gzip.compress(content[:4] + (9_999).to_bytes(4) + content[8 : 16 + 9_999 * 784], 1))
    assert two() == 1
    said = capsys.readouterr().out
    assert (
        "t10k-images-idx3-ubyte.gz: expected 10,000 examples, as many as there are labels of mnist, found 9,999" in said
    )
    assert "wrong: the media of mnist are not as many as the labels; all else was loaded" in said
    statement = "SELECT count(*) FROM media WHERE dataset_id = (SELECT id FROM datasets WHERE name = ?)"
    query = query_of(tmp_path / "two.sqlite")
    assert query(statement, "mnist") == [(0,)]
    assert query(statement, "20news")[0][0] >= 93


@pytest.mark.parametrize("broken", [False, True])
def test_check_reads_archives_to_their_end(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: bool
) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    shutil.copy(shared / "media/20news-bydate-test.tar.gz", folder)
    if broken:
        break_off(folder / "20news-bydate-test.tar.gz")
    command = ["check", str(shared / "label-errors"), "--dataset", "20news", "--dataset", "mnist"]
    assert main([*command, "--media", str(folder)]) == int(broken)
    said = capsys.readouterr().out
    assert "mnist: missing: The media were not found" in said
    if broken:
        assert "20news: wrong: " in said
        assert "20news-bydate-test.tar.gz: expected a whole" in said
    else:
        assert "20news: good: " in said
        assert ", media\n" in said
