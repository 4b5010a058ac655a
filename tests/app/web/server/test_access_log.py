"""The access log: one line of JSON a request, whoever asked, whatever they sent, however many processes write it."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings, SettingsError
from app.web.server import access_log
from app.web.server.access_log import AccessLog, line
from app.web.server.request_record import RequestRecord
from tests.app.test_serve import free_port
from tests.conftest import ROOT
from tests.serving import serving
from tests.waiting import wait_until

VISITOR = "203.0.113.9"
WAIT = 60


def lines_of(file: Path) -> list[dict]:
    text = file.read_bytes().decode("utf-8")
    assert not text or text.endswith("\n")
    return [json.loads(one) for one in text.split("\n")[:-1]]


def record(**scope: object) -> RequestRecord:
    given = {"method": "GET", "raw_path": b"/", "query_string": b"", "headers": [], "client": None, "state": {}}
    return RequestRecord({**given, **scope}, 0.0)


def test_a_line_says_what_was_asked_and_answered(sample_catalogue: Path, tmp_path: Path):
    file = tmp_path / "access.log"
    began = datetime.now(UTC)
    with serving(sample_catalogue, access_log=str(file)) as site, httpx.Client(base_url=site, timeout=WAIT) as client:
        headers = {"User-Agent": "curious", "Referer": "https://elsewhere.example/", "Accept-Encoding": "gzip"}
        with client.stream("GET", "/sample-digits?category=correctable", headers=headers) as answer:
            sent = b"".join(answer.iter_raw())
        tag = answer.headers["etag"]
        client.get("/sample-digits?category=correctable", headers=headers)  # kept by now
        client.get("/sample-digits?category=correctable", headers={**headers, "If-None-Match": tag})
        client.head("/sample-digits", headers={"Host": "labels.example"})
        client.get("/nothing%0A%22here")
        client.get("/api/v1/datasets/sample-digits/corrected.csv", headers={"Range": "bytes=0-9"})
    first, again, unchanged, head, missing, part = lines_of(file)
    assert answer.headers["content-encoding"] == "gzip"
    assert {name: first[name] for name in first if name not in ("time", "ms")} == {
        "client": "127.0.0.1",
        "method": "GET",
        "host": site.removeprefix("http://"),
        "path": "/sample-digits",
        "query": "category=correctable",
        "status": 200,
        "bytes": len(sent),
        "complete": True,
        "referer": "https://elsewhere.example/",
        "agent": "curious",
    }
    assert first["time"].endswith("Z")
    at = datetime.fromisoformat(first["time"])
    assert began - timedelta(milliseconds=1) <= at <= datetime.now(UTC)
    assert 0 < first["ms"] < (datetime.now(UTC) - began).total_seconds() * 1000
    assert again["bytes"] == len(sent)
    assert (unchanged["status"], unchanged["bytes"]) == (304, 0)
    assert (head["method"], head["status"], head["bytes"], head["host"]) == ("HEAD", 200, 0, "labels.example")
    assert (missing["path"], missing["status"]) == ("/nothing%0A%22here", 404)
    assert (part["status"], part["bytes"]) == (206, 10)


def test_it_names_the_visitor_as_proxies_that_are_believed_do_and_the_address_that_was_asked(
    sample_catalogue: Path, tmp_path: Path
):
    file = tmp_path / "access.log"
    told = {"X-Forwarded-For": f"198.51.100.1, {VISITOR}", "X-Forwarded-Host": "labels.example"}
    settings = {"access_log": str(file), "root_path": "/labels"}
    with serving(sample_catalogue, trusted_proxies="127.0.0.1", **settings) as site:
        httpx.get(f"{site}/labels/sample-digits", headers=told, timeout=WAIT)
        httpx.get(f"{site}/sample-digits", headers={**told, "Forwarded": "for=192.0.2.1"}, timeout=WAIT)
    with serving(sample_catalogue, **settings) as site:
        httpx.get(f"{site}/sample-digits", headers=told, timeout=WAIT)
    believed, contradictory, unknown = lines_of(file)
    shown = ("client", "host", "path", "status")
    assert [believed[name] for name in shown] == [VISITOR, "labels.example", "/labels/sample-digits", 200]
    assert (contradictory["client"], contradictory["status"]) == ("127.0.0.1", 400)
    assert [unknown[name] for name in shown] == [
        "127.0.0.1",
        site.removeprefix("http://"),
        "/labels/sample-digits",
        200,
    ]


def test_what_a_connection_refuses_is_told_once(sample_catalogue: Path, tmp_path: Path):
    file = tmp_path / "access.log"

    def said(site: str, sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", int(site.rpartition(":")[2])), WAIT) as one:
            one.sendall(sent)
            return one.recv(1000)

    with serving(sample_catalogue, access_log=str(file), stall_seconds=1, header_seconds=1) as site:
        assert b" 431 " in said(site, b"GET /a?b HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000)
        assert b" 400 " in said(site, b"nonsense\r\n\r\n")
        # A body that never comes: the route waits for it, and the connection gives up.
        target = b"POST /api/v1/datasets/sample-digits/labels HTTP/1.1\r\nHost: a\r\n"
        assert b" 408 " in said(site, target + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n[")
        assert b" 408 " in said(site, b"GET /slow HTTP/1.1\r\n")
        # A good request is followed by nonsense, of which nothing of that request is told.
        good = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        assert b" 200 " in said(site, good + b"\x00\r\n\r\n")
    found = [(one["method"], one["path"], one["query"], one["status"]) for one in lines_of(file)]
    assert found == [
        ("", "/a", "b", 431),
        ("", "", "", 400),
        ("POST", "/api/v1/datasets/sample-digits/labels", "", 408),
        ("", "/slow", "", 408),
        ("GET", "/healthz", "", 200),
    ]


@pytest.mark.parametrize("size", [10, 300, 5_000])
@pytest.mark.parametrize("character", [b"a", b'"', b"\\", b"\t", b"\x01", b"\xe4"])
def test_whatever_is_sent_is_one_short_line(size, character):
    text = character * size
    names = (b"host", b"referer", b"user-agent")
    asked = record(
        raw_path=text, query_string=text, headers=[(name, text) for name in names], client=(text.decode("latin-1"), 1)
    )
    written = line(asked)
    assert len(written) <= 4096
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    assert b"\r" not in written
    found = json.loads(written)
    kept = size if size <= 60 else None
    for name in ("path", "query", "client", "host", "referer", "agent"):
        whole = text.decode("latin-1")
        assert found[name] == whole or (kept is None and found[name].endswith("…"))
        assert whole.startswith(found[name].removesuffix("…"))


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    log = AccessLog(str(file))
    now = [100.0]
    monkeypatch.setattr(access_log.time, "monotonic", lambda: now[0])
    log._looked = 100.0
    log(record(raw_path=b"/1"))
    file.rename(moved)
    log(record(raw_path=b"/2"))
    now[0] += 2
    log(record(raw_path=b"/3"))
    log.close()
    assert [one["path"] for one in lines_of(moved)] == ["/1", "/2"]
    assert [one["path"] for one in lines_of(file)] == ["/3"]
    assert file.stat().st_mode & 0o007 == 0, "addresses of visitors are not for everyone on this machine"


def test_a_log_that_cannot_be_written_costs_no_answer(
    sample_catalogue: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    full = tmp_path / "access.log"
    full.symlink_to("/dev/full")
    app = create_app(Settings(catalogue=sample_catalogue, access_log=str(full)))

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://labels.example") as client:
            return [(await client.get("/healthz")).status_code for _ in range(3)]

    assert asyncio.run(ask()) == [200, 200, 200]
    assert app.state.telemetry.access_log.lost == 3
    told = [one.getMessage() for one in caplog.records]
    assert told == ["The access log cannot be written (No space left on device); its lines are lost until it can be."]


@pytest.mark.parametrize("target", ["no-such-folder/access.log", "."])
def test_a_log_that_cannot_be_opened_is_said_before_anything_is_served(tmp_path, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=f"LABELERRORS_ACCESS_LOG is '{target}': expected json or a file"):
        create_app(Settings(access_log=target))


def test_a_pipe_that_nobody_reads_is_said(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="LABELERRORS_ACCESS_LOG"):
        create_app(Settings(access_log=str(tmp_path / "pipe")))


def test_nobody_keeps_account_unless_it_is_asked_for(sample_catalogue: Path):
    app = create_app(Settings(catalogue=sample_catalogue))
    assert app.state.telemetry.of_requests == ()
    assert type(app.build_middleware_stack()).__name__ == "Safety"


@pytest.mark.parametrize("to_file", [False, True], ids=["standard output", "a file"])
def test_the_lines_of_two_workers_do_not_mix(sample_catalogue: Path, tmp_path: Path, to_file: bool):
    file, printed = tmp_path / "access.log", tmp_path / "printed"
    port, n, at_a_time = free_port(), 200, 4
    options = ["--catalogue", str(sample_catalogue), "--port", port, "--workers", "2"]
    command = [sys.executable, "-m", "app", *options, "--access-log", *([str(file)] if to_file else [])]

    def ask(first: int) -> set[int]:
        found = set()
        for number in range(first, n, at_a_time):
            # Each over a connection of its own, so that now one worker answers and now the other.
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=WAIT)
            connection.request("GET", f"/healthz?{number}&{'x' * 900}", headers={"User-Agent": "y" * 300})
            found.add(connection.getresponse().status)
            connection.close()
        return found

    # A pipe as in a container or under systemd: what reads it is another process.
    with printed.open("wb") as out, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out) as reader:
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=reader.stdin, stderr=subprocess.PIPE)
        reader.stdin.close()
        try:
            wait_until(lambda: answers(port), "the server")
            with ThreadPoolExecutor(at_a_time) as pool:
                assert set().union(*pool.map(ask, range(at_a_time))) == {200}
        finally:
            process.terminate()
            _, said = process.communicate(timeout=WAIT)
    told = f"Serving {sample_catalogue} at http://127.0.0.1:{port} (private); stop with Ctrl-C\n"
    assert (printed.read_text() if to_file else said.decode()) == told
    asked = [one["query"].partition("&")[0] for one in lines_of(file if to_file else printed) if one["query"]]
    assert sorted(asked, key=int) == [str(number) for number in range(n)]


def answers(port: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=WAIT)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False
    finally:
        connection.close()
