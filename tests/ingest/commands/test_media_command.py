"""``python -m ingest media``: what a catalogue lacks, fetched from a server and stored as if it had been ingested."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from nasty import Nasty, nasty
from PIL import Image

from ingest.commands.main import main
from tests.ingest.conftest import Query, Tiny
from tests.serving import serving

QueryOf = Callable[[Path], Query]


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 10, 10)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def server() -> Iterator[Nasty]:
    with nasty(picture()) as server:
        yield server


def with_addresses(tiny: Tiny, server: Nasty, *names: str, terms: str = "local", modality: str = "image") -> Path:
    """A manifest whose six reviewed examples have addresses; its other two issues have none."""
    for record, name in zip(tiny.records, names, strict=True):
        record["url"] = f"{server.address}/{name}/{record['id']}.jpg"
    tiny.examples = 'urls = "records"'
    manifest = tiny.write()
    text = manifest.read_text().replace('media = "none"', f'media = "{terms}"')
    manifest.write_text(text.replace('modality = "image"', f'modality = "{modality}"'))
    return manifest


def ingested(tiny: Tiny, manifest: Path, catalogue: Path) -> None:
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0


def fetch(catalogue: Path, *options: str, source: str = "published") -> int:
    polite = ["--rate", "100", "--allow-host", "127.0.0.1"]
    return main(["media", "tiny", "--from", source, "--catalogue", str(catalogue), *polite, *options])


GOOD = ("good",) * 6


def test_what_is_missing_is_fetched_stored_and_reported(
    tiny: Tiny, server: Nasty, old: Path, query_of: QueryOf, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested(tiny, with_addresses(tiny, server, "good", "missing", "liar", "moved", "inside", "good"), old)
    before = query_of(old)
    (version,) = before("SELECT version FROM datasets WHERE name = 'tiny'")
    capsys.readouterr()
    assert fetch(old) == 1, "not every issue has its medium"
    out = capsys.readouterr().out
    after = query_of(old)
    of_tiny = "dataset_id = (SELECT id FROM datasets WHERE name = 'tiny')"
    shown = dict(after(f"SELECT idx, media FROM issues WHERE {of_tiny} AND media NOT NULL"))
    assert set(shown) == {0, 3, 5}
    assert json.loads(shown[0]) == {"image": [300, 200], "thumbnail": [300, 200]}
    stored = after(f"SELECT idx, kind, type FROM media WHERE {of_tiny} ORDER BY idx, kind")
    assert [(idx, kind) for idx, kind, _ in stored] == [(i, k) for i in (0, 3, 5) for k in ("image", "thumbnail")]
    assert "issues without a medium, 3 stored (0 fetched before)" in out
    assert f"example 1 at {server.address}/missing/1.jpg: expected a file, found 404 Not Found" in out
    assert f"example 2 at {server.address}/liar/2.jpg: expected an image" in out
    assert f"example 4 at {server.address}/inside/4.jpg: refused localhost: it leads to the private address" in out
    assert after("SELECT version FROM datasets WHERE name = 'tiny'") != [version], "media have addresses for ever"
    (report,) = after("SELECT media_report FROM datasets WHERE name = 'tiny'")[0]
    assert json.loads(report)["issues"] == 3
    assert json.loads(report)["fetched_from"] == ["127.0.0.1"]
    with serving(old) as site:
        lacking = httpx.get(f"{site}/tiny/issues/1", timeout=60).text
        assert "The picture was not fetched from the web." in lacking
        assert "issues are not here: not fetched from the web." in httpx.get(f"{site}/tiny", timeout=60).text
    (missing,) = after("SELECT missing FROM datasets WHERE name = 'tiny'")[0]
    assert any("Some media could not be fetched" in sentence for sentence in json.loads(missing))
    assert after("SELECT * FROM datasets WHERE name = 'before'") == before(
        "SELECT * FROM datasets WHERE name = 'before'"
    )


def test_again_only_what_failed_is_asked_for(tiny: Tiny, server: Nasty, old: Path) -> None:
    manifest = with_addresses(tiny, server, "good", "missing", "liar", "good", "good", "good")
    ingested(tiny, manifest, old)
    fetch(old)
    asked = dict(server.asked)
    fetch(old)
    again = {path: n - asked.get(path, 0) for path, n in server.asked.items() if n != asked.get(path, 0)}
    assert {path.split("/")[1] for path in again} == {"missing", "liar"}, "a damaged file is asked for again"
    ingested(tiny, manifest, old)
    asked = dict(server.asked)
    fetch(old)
    assert server.asked["/good/0.jpg"] == asked["/good/0.jpg"], "the cache outlives an ingest that began anew"


def test_addresses_may_come_from_a_file(
    tiny: Tiny, server: Nasty, old: Path, query_of: QueryOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested(tiny, with_addresses(tiny, server, *("missing",) * 6), old)
    addresses = tmp_path / "addresses.txt"
    addresses.write_text(f"# mine\n0 {server.address}/good/a.png\n\n3\t{server.address}/good/b.png\n999 http://x/\n")
    assert fetch(old, source=str(addresses)) == 0, "all that was asked for is there"
    assert query_of(old)("SELECT DISTINCT idx FROM media ORDER BY idx") == [(0,), (3,)]
    out = capsys.readouterr().out
    assert "2 stored (0 fetched before), 0 failed" in out
    assert "issues without a medium have no address in the file" in out
    assert "1 address in it is of an example that is no issue or has its medium" in out
    assert "names no address" not in out


@pytest.mark.parametrize("line", ["x http://example.org/", "5", "-1 http://example.org/", "1"])
def test_a_file_that_is_no_list_of_addresses_is_refused(
    tiny: Tiny, server: Nasty, old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    ingested(tiny, with_addresses(tiny, server, *GOOD), old)
    content = old.read_bytes()
    addresses = tmp_path / "addresses.txt"
    addresses.write_text(f"0 http://example.org/\n{line}\n")
    assert fetch(old, source=str(addresses)) == 1
    assert f"{addresses}: line 2: expected an index and an address" in capsys.readouterr().err
    assert fetch(old, source=str(tmp_path / "none.txt")) == 1
    assert 'none.txt: expected a file of addresses, or the word "published"' in capsys.readouterr().err
    assert old.read_bytes() == content


def test_media_that_may_not_be_kept_are_not_fetched(
    tiny: Tiny, server: Nasty, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested(tiny, with_addresses(tiny, server, *GOOD, terms="none"), old)
    assert fetch(old) == 1
    assert "tiny: its media may not be kept: CC0" in capsys.readouterr().err
    assert not server.asked


def test_a_dataset_or_catalogue_that_is_not_there_is_said_so(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(old) == 1
    assert "expected a dataset named tiny, found before" in capsys.readouterr().err
    assert fetch(tmp_path / "none.sqlite") == 1
    assert "expected a catalogue, found none" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


def test_texts_can_be_searched_for_once_they_are_fetched(tiny: Tiny, old: Path, query_of: QueryOf) -> None:
    with nasty("Caf\xe9 and<br />croissants".encode("latin-1")) as server:
        ingested(tiny, with_addresses(tiny, server, *("octets",) * 6, modality="text"), old)
        fetch(old)
    query = query_of(old)
    assert query("SELECT count(*) FROM issue_search WHERE issue_search MATCH 'cafe'") == [(6,)]
    assert query("SELECT DISTINCT excerpt FROM issues WHERE excerpt NOT NULL") == [("Café and croissants",)]
    assert query("SELECT DISTINCT encoding FROM media") == [("gzip",)]


def test_the_address_of_a_player_is_no_file(
    tiny: Tiny, server: Nasty, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = with_addresses(tiny, server, *GOOD)
    for record in tiny.records:
        record["url"] = "http://youtu.be/lL5jq1TDiXQ?start=30&end=40"
    (tiny.folder / "votes.json").write_text(json.dumps(tiny.records))
    ingested(tiny, manifest, old)
    assert fetch(old) == 1
    assert "6 x expected a file, found the address of a page that plays it" in capsys.readouterr().out
