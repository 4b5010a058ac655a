"""Published opinions are fetched where their terms allow it: whole, the published file, or not at all."""

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.package_files import DATA
from ingest.errors import IngestError
from ingest.fetch import published_opinion
from ingest.fetch.downloader import FetchPolicy
from ingest.fetch.published_opinion import fetch_opinion, file_name, may_fetch
from ingest.manifest.opinion import OpinionManifest
from ingest.manifest.parse import shipped_opinions
from tests.commands import run

FILE = b"[[1], [2, 3], []]\n" * 50


@dataclass
class Server:
    """Answers every request with ``body``, and remembers what was asked."""

    body: bytes
    address: str = ""
    declared: int | None = None  # the length that it tells, if not the true one
    status: int = 200
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving_file(body: bytes) -> Iterator[Server]:
    server = Server(body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            self.send_response(server.status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            length = len(server.body) if server.declared is None else server.declared
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}/files/opinion.json"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_file(FILE) as found:
        yield found


class Quiet:
    """Says nothing of what is done."""

    @contextmanager
    def task(self, what: str, total: int | None, unit: str) -> Iterator[object]:
        yield lambda _: None

    def say(self, line: str) -> None:
        pass


def opinion(**changes: object) -> OpinionManifest:
    (real,) = (one for one in shipped_opinions() if one.name == "real")
    same = {"sha256": hashlib.sha256(FILE).hexdigest(), "url": "https://files.invalid/data/opinion.json"}
    return real.model_copy(update=same | changes)


def fetched(folder: Path, server: Server, **changes: object) -> tuple[Path, bool]:
    return fetch_opinion(opinion(**changes), folder, Quiet(), server.address)  # type: ignore[arg-type]


def test_the_published_file_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    path, was_there = fetched(tmp_path, server)
    assert (path, was_there) == (tmp_path / "opinion.json", False)
    assert path.read_bytes() == FILE
    assert [one.name for one in tmp_path.iterdir()] == ["opinion.json"]
    # Once more: nobody is asked.
    assert fetched(tmp_path, server) == (path, True)
    assert server.asked == ["/files/opinion.json"]


def test_its_permissions_are_those_of_any_file(server: Server, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    path, _ = fetched(tmp_path, server)
    assert path.stat().st_mode == plain.stat().st_mode


def test_another_file_than_the_published_one_is_refused(server: Server, tmp_path: Path) -> None:
    server.body = FILE[:-1] + b"x"
    found = hashlib.sha256(server.body).hexdigest()
    expected = f"expected ReaL with SHA-256 {hashlib.sha256(FILE).hexdigest()}, found {found}, from {server.address}"
    with pytest.raises(IngestError, match=re.escape(expected)):
        fetched(tmp_path, server)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_never_written_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "opinion.json").write_text("mine")
    with pytest.raises(IngestError, match="it is not touched; name another folder with --to"):
        fetched(tmp_path, server)
    assert (tmp_path / "opinion.json").read_text() == "mine"
    assert server.asked == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"declared": len(FILE) + 7}, "broke off"),
        ({"declared": 10**12}, "expected at most 1,000 bytes, found 1,000,000,000,000"),
        ({"body": FILE * 2}, "expected at most 1,000 bytes, found 1,800"),
        ({"status": 404}, "expected a file, found 404 Not Found"),
    ],
)
def test_what_does_not_come_whole_is_not_there(
    server: Server, tmp_path: Path, changes: dict[str, object], finding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = FetchPolicy(connections=1, attempts=1, backoff=0.01, most_bytes=1_000)
    monkeypatch.setattr(published_opinion, "_POLICY", quick)
    for name, value in changes.items():
        setattr(server, name, value)
    with pytest.raises(IngestError, match=re.escape(finding)):
        fetched(tmp_path, server)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = FetchPolicy(connections=1, attempts=1, silence=0.2, whole=0.3, total=0.5)
    monkeypatch.setattr(published_opinion, "_POLICY", impatient)
    held = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.wait()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            silent = Server(FILE, f"http://127.0.0.1:{http.server_port}/opinion.json")
            with pytest.raises(IngestError, match=r"127\.0\.0\.1"):
                fetched(tmp_path, silent)
        finally:
            held.set()
            http.shutdown()
            thread.join()
    assert list(tmp_path.iterdir()) == []


def test_a_private_address_is_fetched_only_where_the_user_names_it(server: Server, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"refused 127\.0\.0\.1: it leads to the private address"):
        fetch_opinion(opinion(url=server.address), tmp_path, Quiet())  # type: ignore[arg-type]
    assert server.asked == []


@pytest.mark.parametrize("changes", [{"redistributable": False}, {"sha256": None}, {"url": None}])
def test_what_terms_forbid_or_nobody_can_check_is_not_fetched(
    server: Server, tmp_path: Path, changes: dict[str, object]
) -> None:
    assert not may_fetch(opinion(**changes))
    with pytest.raises(IngestError, match="do not let it be fetched"):
        fetched(tmp_path, server, **changes)
    assert server.asked == []


@pytest.mark.parametrize("url", ["https://files.invalid/..", "https://files.invalid/", "https://files.invalid/a/.."])
def test_an_address_names_no_folder(url: str) -> None:
    assert file_name(opinion(url=url)) == "real"


def test_a_folder_that_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="expected a folder to put ReaL in"):
        fetched(tmp_path / "none", server)


def test_the_command_fetches_what_may_be_passed_on(shared: Path, tmp_path: Path) -> None:
    """ReaL itself, from a server that stands in for the published address."""
    file = (shared / "opinions/imagenet/real.json").read_bytes()
    with serving_file(file) as server:
        asked = ["opinions", "imagenet", "--from", "published", "--to", tmp_path, "--address", server.address]
        first, second = run(*asked), run(*asked)
    assert first.returncode == 0, first.stderr
    assert "ReaL: Lucas Beyer" in first.stdout
    assert "licence: Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0)" in first.stdout
    assert f"{tmp_path / 'real.json'} fetched, and is the published file by its SHA-256" in first.stdout
    assert f"then: label-errors opinions imagenet --source real {tmp_path / 'real.json'}" in first.stdout
    assert (tmp_path / "real.json").read_bytes() == file
    assert second.returncode == 0
    assert "is there already" in second.stdout


def test_the_command_says_where_the_others_are(tmp_path: Path) -> None:
    done = run("opinions", "cifar10", "--from", "published", "--to", tmp_path)
    assert done.returncode == 0
    address = "https://github.com/jcpeterson/cifar-10h/raw/master/data/cifar10h-counts.npy"
    assert f"not fetched: its terms do not let anyone pass it on. It is at {address}" in done.stdout
    assert "licence: CC BY-NC-SA 4.0" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert run("opinions", "cifar10", "--from", "published", "--address", "http://127.0.0.1:9/").returncode == 1
    assert run("opinions", "mnist", "--from", "published").returncode == 1
    assert run("opinions", "imagenet", "--to", tmp_path).returncode == 1


def test_only_what_the_shipped_manifests_allow() -> None:
    assert {one.name: may_fetch(one) for one in shipped_opinions()} == {"cifar10h": False, "real": True}
    assert len(list((DATA / "opinions").iterdir())) == 2
    assert os.sep not in file_name(opinion())
