"""What every answer has in common: validators, HEAD, ranges, compression, safety, and the exchange of a catalogue."""

import gzip
import shutil
import sqlite3
import threading
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from fastapi import Request
from starlette.testclient import TestClient

from app.main import create_app
from app.schema.engine import FileState
from app.settings import Settings
from app.web.server.path_prefix import without_prefix
from app.web.urls import base_url
from tests.conftest import ingest
from tests.ingest.conftest import Tiny
from tests.serving import serving
from tests.waiting import wait_until

PAGES = ["/", "/sample-digits", "/sample-digits?category=correctable", "/api/v1/datasets", "/api", "/method"]
FROG = "/api/v1/datasets/cifar10/issues/2405"


@pytest.mark.parametrize("address", PAGES)
def test_what_a_browser_still_has_is_not_sent_again(client, address):
    first = client.get(address)
    assert first.status_code == 200
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"
    again = client.get(address, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_validators_tell_addresses_apart(client):
    tags = [client.get(address).headers["etag"] for address in PAGES]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("address", [*PAGES, "/nothing", "/api/v1/datasets/sample-texts/corrected.csv", "/healthz"])
def test_head_is_get_without_a_body(client, address):
    got, headed = client.get(address), client.head(address)
    assert headed.status_code == got.status_code
    assert headed.content == b""
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert headed.headers.get("content-length") == got.headers.get("content-length")


@pytest.mark.parametrize("kind", ["medium", "file", "text", "static"])
def test_head_is_about_the_whole_whatever_part_is_asked_for(client, kind):
    """Range means something to GET alone (RFC 9110, section 14.2)."""
    media = client.get("/api/v1/datasets/sample-sounds/issues?limit=1").json()["items"][0]["links"]["media"]
    address = {
        "medium": media["audio"],
        "file": "/api/v1/datasets/sample-digits/corrected.parquet",
        "text": "/api/v1/datasets/sample-digits/corrected.csv",
        "static": "/static/site.css",
    }[kind]
    plain = {"Accept-Encoding": "identity"}
    whole = client.get(address, headers=plain)
    assert client.get(address, headers={**plain, "Range": "bytes=2-5"}).content == whole.content[2:6]
    for asked in ("bytes=2-5", "bytes=999999999-"):
        headed = client.head(address, headers={**plain, "Range": asked, "If-Range": whole.headers["etag"]})
        assert (headed.status_code, headed.content) == (200, b"")
        assert "content-range" not in headed.headers
        assert int(headed.headers["content-length"]) == len(whole.content)
        assert headed.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("root", ["", "/labels"])
@pytest.mark.parametrize("host", [None, b"labels.example", b"labels.example:8443", b"[::1]:80", b"a b", b"x:y", b""])
@pytest.mark.parametrize("server", [("127.0.0.1", 8000), ("::1", 443), ("/run/site", None), None])
def test_addresses_begin_as_the_visitor_spells_them(scheme, root, host, server):
    headers = [(b"accept", b"*/*")] + ([] if host is None else [(b"host", host)])
    scope = {"type": "http", "path": f"{root}/x", "query_string": b"y=1", "root_path": root, "headers": headers}
    scope |= {"scheme": scheme, "server": server}
    expected = str(Request(scope).base_url).rstrip("/")
    assert base_url(Request(without_prefix(scope) if root else scope)) == expected


def test_other_methods_are_refused_in_the_one_shape(client):
    response = client.post("/api/v1/datasets")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("address", [*PAGES, "/nothing", "/static/site.css", "/healthz"])
def test_nothing_foreign_is_run_or_framed(client, address):
    headers = client.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_scripts_of_other_sites_may_read_what_is_public_and_nothing_else(client, sample_catalogue):
    other = {"Origin": "https://example.org"}
    with serving(sample_catalogue, public=True) as address:
        headers = httpx.get(f"{address}/api/v1/datasets", headers=other, timeout=60).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "Link" in headers["access-control-expose-headers"]
    for asked in (other, {"Origin": "null"}):
        answer = client.get("/api/v1/datasets", headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control")]
    asking = {**other, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = client.options("/api/v1/datasets/sample-digits/labels", headers=asking)
    assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_pages_are_compressed_for_who_wants_it(client):
    plain = client.get("/sample-texts", headers={"Accept-Encoding": "identity"})
    with client.stream("GET", "/sample-texts", headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
        assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 3


@pytest.fixture(scope="module")
def sound(client) -> str:
    issue = client.get("/api/v1/datasets/sample-sounds/issues", params={"limit": 1}).json()["items"][0]
    address: str = issue["links"]["media"]["audio"]
    return address


def test_media_never_change_under_their_address(client, sound):
    response = client.get(sound)
    assert response.headers["content-type"] == "audio/mpeg"
    assert response.content[:4] == b"ID3\x04"
    assert "immutable" in response.headers["cache-control"]
    assert "sandbox" in response.headers["content-security-policy"]
    other_version = sound.replace(sound.split("/")[-3], "0")
    assert client.get(other_version).headers["cache-control"] == "no-cache"


RANGES = [
    ("bytes=0-3", 206, slice(0, 4)),
    ("bytes=4-", 206, slice(4, None)),
    ("bytes=-5", 206, slice(-5, None)),
    ("bytes=0-99999999", 206, slice(None)),
    ("bytes=99999999-", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=3-1", 200, slice(None)),
    ("bytes=0-1,4-5", 200, slice(None)),
    ("bytes=a-b", 200, slice(None)),
    ("bytes=-", 200, slice(None)),
    ("lines=0-3", 200, slice(None)),
    ("bytes=0-99999999999999999999999", 206, slice(None)),
]


@pytest.mark.parametrize(("wanted", "status", "part"), RANGES)
def test_ranges(client, sound, wanted, status, part):
    whole = client.get(sound).content
    response = client.get(sound, headers={"Range": wanted})
    assert response.status_code == status
    if part is not None:
        assert response.content == whole[part]
        assert int(response.headers["content-length"]) == len(whole[part])
    if status == 206:
        start = range(len(whole))[part].start
        assert response.headers["content-range"] == f"bytes {start}-{start + len(response.content) - 1}/{len(whole)}"
    if status == 416:
        assert response.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "address",
    [
        "/media/sample-digits/x/1/pickle",
        "/media/sample-digits/x/-1/image",
        "/media/sample-digits/x/%D9%A3/image",
        "/media/sample-digits/x/999999/image",
        "/media/nothing/x/1/image",
        "/media/sample-digits/x/1/..%2f..%2fetc%2fpasswd",
        "/static/..%2fpyproject.toml",
        "/static/../pyproject.toml",
        "/static/%2e%2e/app/main.py",
        "//etc/passwd",
    ],
)
def test_no_address_is_a_path(client, address):
    assert client.get(address).status_code == 404


def test_static_files_are_kept_for_ever_under_their_version(client):
    assert "immutable" in client.get("/static/site.css?v=1").headers["cache-control"]


def test_a_new_catalogue_is_served_without_a_failed_request(sample_catalogue: Path, tmp_path: Path):
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copy(sample_catalogue, catalogue)
    manifest = Tiny(tmp_path / "tiny").write()
    stop = threading.Event()
    seen: list[tuple[int, str]] = []

    def visit(address: str) -> None:
        with httpx.Client(base_url=address, timeout=60) as visitor:
            while not stop.is_set():
                for path in ("/sample-digits", "/api/v1/datasets", "/api/v1/datasets/sample-texts/corrected.csv"):
                    response = visitor.get(path)
                    seen.append((response.status_code, response.headers.get("etag", "")))

    with serving(catalogue) as address:
        visitors = [threading.Thread(target=visit, args=(address,)) for _ in range(2)]
        for visitor in visitors:
            visitor.start()
        before = httpx.get(f"{address}/healthz", timeout=60).json()["catalogue"]
        ingest("add", manifest, manifest.parent, "--catalogue", catalogue)
        after = httpx.get(f"{address}/healthz", timeout=60).json()["catalogue"]
        done = len(seen)
        wait_until(lambda: len(seen) >= done + 12, "answers from the new catalogue")
        stop.set()
        for visitor in visitors:
            visitor.join()
    assert before != after
    assert {status for status, _ in seen} == {200}
    for version in (before, after):
        assert any(version in tag for _, tag in seen)


def test_a_file_that_is_no_catalogue_does_not_take_the_old_ones_place(sample_catalogue: Path, tmp_path: Path):
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copy(sample_catalogue, catalogue)
    with serving(catalogue) as address:
        good = httpx.get(f"{address}/healthz", timeout=60).json()["catalogue"]
        for content in (b"", b"not a database at all", b"SQLite format 3\0" + b"\xff" * 5000):
            bad = tmp_path / "bad"
            bad.write_bytes(content)
            bad.rename(catalogue)
            assert httpx.get(f"{address}/healthz", timeout=60).json()["catalogue"] == good
            assert httpx.get(f"{address}/sample-digits", timeout=60).status_code == 200
        catalogue.unlink()
        assert httpx.get(f"{address}/sample-digits", timeout=60).status_code == 200


def test_another_schema_version_is_refused_by_name(sample_catalogue: Path, tmp_path: Path):
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copy(sample_catalogue, catalogue)
    connection = sqlite3.connect(catalogue)
    connection.execute("UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    connection.commit()
    connection.close()
    with serving(catalogue) as address:
        response = httpx.get(f"{address}/api/v1/datasets", timeout=60)
        assert response.status_code == 503
        assert "schema version 3; this server reads version" in response.json()["detail"]
        page = httpx.get(f"{address}/", timeout=60)
        assert page.status_code == 503
        assert "schema version 3; this server reads version" in page.text


def test_without_a_catalogue_the_site_says_how_to_make_one_and_serves_it_when_it_comes(
    sample_catalogue: Path, tmp_path: Path
):
    catalogue = tmp_path / "later.sqlite"
    with serving(catalogue) as address:
        for path in ("/", "/healthz", "/api/v1/datasets", "/sample-digits", "/api/v1/datasets/sample-digits/issues"):
            response = httpx.get(address + path, timeout=60)
            assert response.status_code == 503
            assert "label-errors sample" in response.text
        shutil.copy(sample_catalogue, tmp_path / "part")
        (tmp_path / "part").rename(catalogue)
        assert httpx.get(f"{address}/sample-digits", timeout=60).status_code == 200


def test_one_look_at_the_file_is_enough_for_a_request(sample_catalogue, monkeypatch):
    looks, look = [], FileState.at
    monkeypatch.setattr(FileState, "at", lambda path: looks.append(path) or look(path))
    with TestClient(
        create_app(Settings(catalogue=sample_catalogue, public=False)), base_url="http://localhost"
    ) as site:
        for address in ("/sample-digits", "/healthz"):
            site.get(address)
            looks.clear()
            assert site.get(address).status_code == 200
            assert looks == [sample_catalogue]


def test_nobody_else_is_told_what_visitors_ask_for(sample_catalogue, monkeypatch):
    """FastAPI would hand every request to whatever listens to OpenTelemetry in this process."""
    trace = pytest.importorskip("opentelemetry.trace", reason="the FastAPI that is here tells nobody anything")
    listening = Mock()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: listening)
    with TestClient(
        create_app(Settings(catalogue=sample_catalogue, public=False)), base_url="http://localhost"
    ) as site:
        assert site.get("/sample-digits?q=secret").status_code == 200
    assert not listening.mock_calls


def test_a_browser_is_told_of_a_too_long_address_with_a_page(sample_site: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    long = "/sample-digits?q=" + "a" * 9_000
    with httpx.Client(base_url=sample_site, timeout=30) as client:
        page = client.get(long, headers=browser)
        assert page.status_code == 414
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "An address may have 8,192 bytes" in page.text
        assert "aaaaaaaa" not in page.text
        sent = client.post(long, headers=browser, content=b"claim=given")
        assert (sent.status_code, sent.headers["content-type"]) == (414, page.headers["content-type"])
        # What was asked for before is no part of the next request, nor is the page kept for the shorter address.
        for path in ("/sample-digits?q=a", "/sample-digits"):
            assert client.get(path, headers=browser).status_code == 200
    for path, accept in ((long, "*/*"), (long, "application/json"), (f"/api/v1{long}", browser["Accept"])):
        told = httpx.get(f"{sample_site}{path}", headers={"Accept": accept})
        assert (told.status_code, told.json()["type"]) == (414, "/about/errors#address-too-long"), path
    told = httpx.get(f"{sample_site}/?q={'a' * 40_000}", headers=browser)
    assert (told.status_code, told.json()["type"]) == (414, "/about/errors#address-too-long")
