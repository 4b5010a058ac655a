"""What happens to the file of a catalogue while it is served: replaced, copied over, cut off, touched, taken away.

Old answers go on where they can, else 503 says to ask again; never an answer of two files, never 500.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from app.catalogue import current as database
from app.catalogue.current import CurrentCatalogue
from app.catalogue.open_file import CatalogueReplacedError
from app.catalogue.shape_check import JSON_COLUMNS
from app.errors import NoCatalogue
from app.issues import queries
from app.main import create_app
from app.schema import change_log, tables, votes
from app.schema.packing import pack_labels, unpack_labels
from app.settings import Settings
from app.site.stability import results as stability_results

API = "/api/v1/datasets/sample-digits"
FILES = ("corrected.csv", "corrected.jsonl", "corrected.npy", "corrected.parquet", "corrected.json", "corrected.sha256")
PAGES = (
    "/",
    "/sample-digits",
    "/sample-digits/classes",
    "/sample-texts",
    "/about",
    "/api",
    f"{API}/issues",
    "/healthz",
)
SAFE = ("content-security-policy", "x-content-type-options", "referrer-policy")


def changed(source: Path, target: Path, *statements: str, version: str | None = "2" * 32) -> Path:
    """A copy of a catalogue, edited, under a version of its own."""
    shutil.copyfile(source, target)
    with closing(sqlite3.connect(target)) as connection:
        for statement in statements:
            connection.execute(statement)
        if version is not None:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (version,))
        connection.commit()
    return target


@pytest.fixture
def catalogue(sample_catalogue: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(sample_catalogue, tmp_path / "catalogue.sqlite"))


@pytest.fixture
def new(sample_catalogue: Path, tmp_path: Path) -> Path:
    return changed(sample_catalogue, tmp_path / "new.sqlite", "UPDATE datasets SET title = 'Another title'")


@pytest.fixture
def site(catalogue: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(catalogue=catalogue, public=False)), raise_server_exceptions=False) as client:
        yield client


def version(site: TestClient) -> str:
    return str(site.get("/healthz").json().get("catalogue"))


def require_refusal(site: TestClient, address: str) -> None:
    response = site.get(address)
    assert response.status_code == 503, (address, response.text[:300])
    assert int(response.headers["retry-after"]) > 0
    assert all(name in response.headers for name in SAFE)
    assert "replaced" in response.text


def require_all(site: TestClient, catalogue: str) -> None:
    for address in PAGES:
        response = site.get(address)
        assert response.status_code == 200, (address, response.text[:300])
    for name in FILES:
        response = site.get(f"{API}/{name}")
        assert response.status_code == 200, (name, response.text[:300])
    assert site.post(f"{API}/labels", json=[0, 1]).status_code == 200
    assert version(site) == catalogue


def test_one_that_is_copied_over_is_served_when_it_is_whole(site: TestClient, catalogue: Path, new: Path) -> None:
    first = version(site)
    kept = site.get("/sample-digits").text
    content = new.read_bytes()
    with catalogue.open("wb") as file:
        half = len(content) // 2
        for part in (b"", content[:50], content[50:half], content[half:]):
            file.write(part)
            file.flush()
            if file.tell() == len(content):
                break
            # What was made before is sent again; for the rest there is nothing to read.
            assert site.get("/sample-digits").text == kept
            for address in ("/sample-texts", f"{API}/issues", f"{API}/corrected.csv", "/media/sample-digits/1/1/image"):
                require_refusal(site, address)
            response = site.post(f"{API}/labels", json=[0])
            assert response.status_code == 503, response.text
    require_all(site, "2" * 32)
    assert version(site) != first
    assert "Another title" in site.get("/sample-digits").text


def test_pages_of_two_files_are_noticed_although_the_size_is_right(
    site: TestClient, catalogue: Path, new: Path
) -> None:
    require_all(site, version(site))
    content = new.read_bytes()
    page = int.from_bytes(content[16:18])
    half = len(content) // page // 2 * page
    # The first half is there, and of the second one what a file system shows that has not written it yet.
    with catalogue.open("r+b") as file:
        file.write(content[:half] + bytes(len(content) - half))
    require_refusal(site, "/sample-texts?given=1")
    require_refusal(site, f"{API}/corrected.csv")
    with catalogue.open("r+b") as file:
        file.write(content)
    require_all(site, "2" * 32)


def test_one_that_is_only_touched_goes_on(site: TestClient, catalogue: Path) -> None:
    first = version(site)
    for stamp in (1, 2_000_000_000):
        os.utime(catalogue, (stamp, stamp))
        require_all(site, first)
    catalogue.chmod(0o444)
    require_all(site, first)


def test_without_its_file_the_old_catalogue_goes_on(site: TestClient, catalogue: Path, new: Path) -> None:
    first = version(site)
    catalogue.unlink()
    require_all(site, first)
    catalogue.mkdir()
    require_all(site, first)
    catalogue.rmdir()
    os.mkfifo(catalogue)
    require_all(site, first)
    catalogue.unlink()
    link = catalogue.with_name("link")
    link.symlink_to(new)
    link.rename(catalogue)
    require_all(site, "2" * 32)
    old = changed(new, new.with_name("third.sqlite"), version="3" * 32)
    link.symlink_to(old)
    link.rename(catalogue)
    require_all(site, "3" * 32)


def one_count(**values: int) -> Callable[[bytes], bytes]:
    """Change the first of the packed counts of unreviewed issues."""

    def change(content: bytes) -> bytes:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            [name] = values
            dataset_id, packed = connection.execute(f"SELECT dataset_id, {name} FROM unreviewed").fetchone()
            column = unpack_labels(packed)
            column[0] = values[name]
            statement = f"UPDATE unreviewed SET {name} = ? WHERE dataset_id = ?"
            connection.execute(statement, [pack_labels(column), dataset_id])
            connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", ["2" * 32])
            connection.commit()
            return bytes(connection.serialize())

    return change


ODD: dict[str, str | Callable[[bytes], bytes]] = {
    "missing is no list": "UPDATE datasets SET missing = '3'",
    "agreements are words": """UPDATE datasets SET agreements = '["3"]'""",
    "no agreement": "UPDATE datasets SET agreements = '[]'",
    "about is a list": "UPDATE datasets SET about = '[]'",
    "licence is a word": """UPDATE datasets SET about = '{"licence": "MIT"}'""",
    "about is no JSON": "UPDATE datasets SET about = '{'",
    "options are an object": "UPDATE datasets SET vote_options = '{}'",
    "media report is a word": """UPDATE datasets SET media_report = '"none"'""",
    "members are words": """UPDATE label_sets SET members = '["a"]' WHERE label_id = 3""",
    "a class too few": "DELETE FROM classes WHERE class_id = 3",
    "a label set too few": "DELETE FROM label_sets WHERE label_id = 3",
    "a member that is no class": "UPDATE label_sets SET members = '[99]' WHERE label_id = 3",
    "votes are a list": "UPDATE issues SET votes = '[1]'",
    "classes of a vote are words": """UPDATE votes SET classes = '["cat"]'""",
    "several classes are a number": "UPDATE verdicts SET several = '3'",
    "no table of votes": "DROP TABLE votes",
    "media are numbers": """UPDATE issues SET media = '{"image": 3}'""",
    "probabilities are a text": "UPDATE issues SET top_probs = '[[1,0.5]]'",
    "probabilities are bytes of another kind": "UPDATE issues SET top_probs = x'137F'",
    "probabilities are cut short": "UPDATE issues SET top_probs = substr(top_probs, 1, length(top_probs) - 1)",
    "a probability above one": "UPDATE issues SET top_probs = x'120200FC'",
    "an index is a word": "UPDATE issues SET given = 'cat' WHERE id IN (SELECT min(id) FROM issues)",
    "issues too few": "DELETE FROM issues WHERE id IN (SELECT max(id) FROM issues)",
    "counts too many": "UPDATE facets SET n = n + 1",
    "no block of examples": "DELETE FROM examples",
    "a block too short": "UPDATE examples SET count = count - 1",
    "an empty block": "UPDATE examples SET labels = x''",
    "no table of media": "DROP TABLE media",
    "no table of searches": "DROP TABLE issue_search",
    "a column too few": "ALTER TABLE exemplars DROP COLUMN excerpt",
    "results are a list": "UPDATE stability SET results = '[]'",
    "results are no JSON": "UPDATE stability SET results = '{'",
    "the size is none": "UPDATE datasets SET size = NULL, labels_known = 'yes'",
    "the log is odd": "UPDATE versions SET class_names = '3'",
    "a correctable one without label": "UPDATE verdicts SET corrected = NULL WHERE category = 'correctable'",
    "one of them without label": """UPDATE verdicts SET corrected = NULL WHERE (issue_id, agreement) IN
        (SELECT issue_id, agreement FROM verdicts WHERE category = 'correctable' LIMIT 1)""",
    "a modality of no sense": "UPDATE datasets SET modality = 'smell'",
    "about says nothing": "UPDATE datasets SET about = '{}'",
    "labels that are none": "UPDATE issues SET given = 99999 WHERE rowid % 50 = 0",
    "a label below none": "UPDATE issues SET given = -1 WHERE id IN (SELECT max(id) FROM issues)",
    "guesses that are no labels": "UPDATE issues SET guessed = 99999 WHERE id IN (SELECT max(id) FROM issues)",
    "shown guesses that are no labels": "UPDATE issues SET shown = 99999 WHERE id IN (SELECT max(id) FROM issues)",
    "corrected labels that are none": "UPDATE verdicts SET corrected = 99999 WHERE corrected = 1",
    "counts of labels that are none": "UPDATE facets SET given = 99999",
    "counts of no labels": "UPDATE unreviewed SET given = x''",
    "counts that are a text": "UPDATE unreviewed SET n = '3'",
    "counts cut short": "UPDATE unreviewed SET n = substr(n, 1, length(n) - 3)",
    "counts of guesses that are none": one_count(guessed=99_999),
    "flags of no sense": one_count(flagged=2),
    "counts of other numbers": one_count(n=10_000),
    "more unreviewed ones than counted": "UPDATE unreviewed SET n_issues = n_issues + 1",
    "no table of unreviewed ones": "DROP TABLE unreviewed",
    "an example behind the end": "UPDATE issues SET idx = 99999999 WHERE id IN (SELECT max(id) FROM issues)",
    "built at no time": "UPDATE datasets SET built_at = 'yesterday'",
    "written at no time": "UPDATE meta SET value = 'never' WHERE key = 'written_at'",
    "written at a time nobody tells": "DELETE FROM meta WHERE key = 'written_at'",
    "a name that leads elsewhere": "UPDATE datasets SET name = '../x' WHERE name = 'sample-texts'",
    "a version that leads elsewhere": "UPDATE datasets SET version = '../x' WHERE name = 'sample-texts'",
    "votes for no options": "UPDATE datasets SET vote_options = '[]'",
    "agreement of more than there are": "UPDATE datasets SET agreements = '[9]'",
    "an agreement nobody counted": "UPDATE datasets SET agreements = '[2, 3, 4, 5]'",
    "categories nobody knows": "UPDATE facets SET category = 'odd'",
    "verdicts too few": "DELETE FROM verdicts WHERE agreement = 4",
    "cut off": lambda content: content[: len(content) // 2],
    "cut off in a page": lambda content: content[:-1],
    "empty": lambda _: b"",
    "a header alone": lambda content: content[:100],
    "text": lambda _: b"index,label\n0,3\n",
}


@pytest.fixture(scope="module")
def lasting(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Path]]:
    """A site whose catalogue is replaced again and again, by none that it takes. Answers are made each time."""
    catalogue = Path(shutil.copyfile(sample_catalogue, tmp_path_factory.mktemp("lasting") / "catalogue.sqlite"))
    settings = Settings(catalogue=catalogue, kept_answers=0, public=False)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        require_all(client, version(client))
        yield client, catalogue


@pytest.mark.parametrize("name", ODD)
def test_one_that_is_odd_takes_no_place_and_the_old_one_serves_all(
    lasting: tuple[TestClient, Path], sample_catalogue: Path, tmp_path: Path, name: str
) -> None:
    site, catalogue = lasting
    first = version(site)
    how = ODD[name]
    if isinstance(how, str):
        odd = changed(sample_catalogue, tmp_path / "odd.sqlite", "PRAGMA foreign_keys = OFF", how)
    else:
        odd = tmp_path / "odd.sqlite"
        odd.write_bytes(how(sample_catalogue.read_bytes()))
    odd.rename(catalogue)
    require_all(site, first)


def test_the_catalogue_is_open_before_the_first_visitor_asks(sample_catalogue: Path) -> None:
    app = create_app(Settings(catalogue=sample_catalogue, public=False))
    with pytest.raises(NoCatalogue):
        app.state.catalogue.opened()
    with TestClient(app):
        assert "sample-digits" in app.state.catalogue.opened().datasets


def test_where_an_odd_one_is_all_there_is_every_page_says_so(sample_catalogue: Path, tmp_path: Path) -> None:
    odd = changed(sample_catalogue, tmp_path / "odd.sqlite", "UPDATE datasets SET missing = '3'")
    with TestClient(create_app(Settings(catalogue=odd, public=False)), raise_server_exceptions=False) as site:
        for address in (*PAGES, f"{API}/corrected.csv"):
            response = site.get(address)
            assert response.status_code == 503, response.text
            assert all(name in response.headers for name in SAFE)
            assert "datasets.missing" in response.text


def test_every_json_column_of_the_schema_is_looked_at() -> None:
    """The columns whose comment says that they hold JSON."""
    apart = {"results", "before", "after"}
    for module in (tables, change_log, votes):
        source = Path(str(module.__file__)).read_text()
        said = re.findall(r'# JSON [^\n]*\n(?: *#[^\n]*\n)* *Column\("(\w+)"|Column\("(\w+)"[^\n]*# JSON ', source)
        columns = {one or other for one, other in said}
        assert columns
        assert columns - apart <= {name for _, name in JSON_COLUMNS}


def test_an_answer_read_while_the_file_changed_is_none(
    site: TestClient, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = version(site)
    read = queries.issue_page

    def reading(*arguments: object, **named: object) -> object:
        found = read(*arguments, **named)  # type: ignore[arg-type]
        os.utime(catalogue, (1, 1))
        return found

    monkeypatch.setattr(queries, "issue_page", reading)
    require_refusal(site, "/sample-texts?given=0")
    monkeypatch.undo()
    assert site.get("/sample-texts?given=0").status_code == 200
    assert version(site) == first


def test_a_mistake_made_because_the_file_changed_is_none_of_ours(
    site: TestClient, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> object:
        os.utime(catalogue, (1, 1))
        raise KeyError("a row of another file")

    monkeypatch.setattr(queries, "issue_page", failing)
    require_refusal(site, "/sample-texts?given=0")


@pytest.mark.parametrize("suffix", ["csv", "npy", "parquet"])
def test_no_file_is_written_of_two_catalogues(catalogue: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """What was read while the file changed is not sent, and not kept for the next who asks."""
    from app.corrected import formats
    from app.site.corrected import downloads

    app = create_app(Settings(catalogue=catalogue, public=False))
    with TestClient(app, raise_server_exceptions=False) as site:
        write, npy_pieces = downloads.write, formats.npy_pieces

        def touched(pieces: Iterator[bytes]) -> Iterator[bytes]:
            for piece in pieces:
                os.utime(catalogue, (1, 1))
                yield piece

        monkeypatch.setattr(downloads, "write", lambda *a: touched(write(*a)))
        monkeypatch.setattr(formats, "npy_pieces", lambda *a: touched(npy_pieces(*a)))
        if suffix == "npy":
            # It has begun, so it ends without an end.
            with pytest.raises(CatalogueReplacedError), TestClient(app) as strict:
                strict.get(f"{API}/corrected.{suffix}")
        else:
            require_refusal(site, f"{API}/corrected.{suffix}")
        monkeypatch.undo()
        assert site.get(f"{API}/corrected.{suffix}").status_code == 200


def test_a_mistake_of_ours_goes_out_with_all_that_keeps_visitors_safe(
    site: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> object:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(queries, "issue_page", failing)
    monkeypatch.setattr(stability_results, "why_not", failing)
    for address in ("/sample-texts?given=0", f"{API}/issues?limit=3"):
        for response in (site.get(address), site.head(address)):
            if response.status_code == 200:
                continue
            assert response.status_code == 500
            assert all(name in response.headers for name in SAFE)
    assert site.get("/sample-texts?given=0").status_code == 500


def test_no_file_is_mapped_into_memory(site: TestClient, catalogue: Path) -> None:
    """Whoever copies a shorter file over a mapped one ends the process that reads it."""
    require_all(site, version(site))
    assert str(catalogue) not in Path("/proc/self/maps").read_text()


def test_one_that_is_replaced_while_it_is_opened_gives_way_to_the_next(
    catalogue: Path, new: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    current = CurrentCatalogue(catalogue)
    first = current.get().version
    check, third = database.require_sound, changed(new, new.with_name("third.sqlite"), version="3" * 32)
    new.rename(catalogue)

    def replacing(connection: Connection) -> None:
        check(connection)
        if third.exists():
            third.rename(catalogue)

    monkeypatch.setattr(database, "require_sound", replacing)
    assert first != current.get().version == "3" * 32
    assert not caplog.records
