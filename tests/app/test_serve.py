"""The one command that serves: what it makes of its options, and that a real one ends without leaving anything."""

import gc
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from app import serve
from app.web.server.http_protocol import SiteProtocol
from tests.conftest import ROOT
from tests.waiting import wait_until

PATIENCE = 60


@pytest.fixture(scope="module", autouse=True)
def thawed() -> Iterator[None]:
    """What the command excludes from collections is collected again afterwards, for the tests share this process."""
    yield
    gc.unfreeze()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, sample_catalogue: Path) -> Iterator[dict[str, object]]:
    """What uvicorn was started with, and the settings that the site then has."""
    found: dict[str, object] = {}
    # What the command writes into its environment goes again with the test.
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"LABELERRORS_CATALOGUE": str(sample_catalogue)})
    monkeypatch.setattr(uvicorn, "run", lambda site, **options: found.update(options, site=site))
    return found


def settings_of(started: dict[str, object]) -> serve.Settings:
    return serve.Settings.from_environment()


@pytest.mark.parametrize(
    ("arguments", "environment", "public"),
    [
        ([], {}, False),
        (["--host", "::1"], {}, False),
        (["--host", "localhost"], {}, False),
        (["--host", "0.0.0.0"], {}, True),
        (["--host", "::"], {}, True),
        (["--public"], {}, True),
        (["--host", "0.0.0.0", "--private"], {}, False),
        ([], {"LABELERRORS_PUBLIC": "1"}, True),
        (["--private"], {"LABELERRORS_PUBLIC": "1"}, False),
        (["--host", "0.0.0.0"], {"LABELERRORS_PUBLIC": "0"}, False),
        (["--host", "0.0.0.0"], {"LABELERRORS_PUBLIC": ""}, True),
    ],
)
def test_public_unless_bound_to_this_machine_alone_or_told_otherwise(started, arguments, environment, public):
    os.environ.update(environment)
    assert serve.main(["--port", free_port(), *arguments]) == 0
    assert started["site"].state.settings.is_public is public
    assert settings_of(started).is_public is public  # so it is for every worker


def test_full_collections_pass_over_the_site_but_not_over_its_catalogue(started):
    def collected(wanted: object) -> bool:
        return any(one is wanted for one in gc.get_objects())

    of_worker = serve.site_of_worker()
    assert serve.main(["--port", free_port()]) == 0
    alone = started["site"]
    assert [collected(site.state.catalogue) for site in (of_worker, alone)] == [False, False]
    assert collected(alone.state.catalogue.get())


def test_every_start_has_the_limits(started):
    for arguments in ([], ["--workers", "3"]):
        serve.main(["--port", free_port(), *arguments])
        assert started["http"] is SiteProtocol
        assert (started["ws"], started["proxy_headers"], started["lifespan"]) == ("none", False, "on")
        assert started["access_log"] is False
        assert started["timeout_graceful_shutdown"]
    assert (started["site"], started["factory"], started["workers"]) == ("app.serve:site_of_worker", True, 3)


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--port", "0"], {}, "'0' is no port; expected a number from 1 to 65535"),
        (["--workers", "many"], {}, "'many' is no number of processes"),
        (["--public", "--private"], {}, "not allowed with"),
        ([], {"LABELERRORS_CONNECTIONS": "7"}, "LABELERRORS_CONNECTIONS is '7'; expected a whole number from 8"),
        ([], {"LABELERRORS_HEADER_SECOND": "7"}, "LABELERRORS_HEADER_SECOND is no setting"),
        ([], {"LABELERRORS_TRUSTED_PROXIES": "x"}, "LABELERRORS_TRUSTED_PROXIES is 'x'"),
        ([], {"LABELERRORS_HOSTS": "a b"}, "LABELERRORS_HOSTS is 'a b'"),
        (["--port", "\u0668\u0660"], {}, "is no port"),
        (["--workers", "\u0662"], {}, "is no number of processes"),
        (["--workers", "9" * 5000], {}, "is no number of processes"),
        ([], {"LABELERRORS_PAGE_SIZE": "\u0662"}, "expected a whole number from 1 to 200"),
        (["--metrics", "foo"], {}, "error: --metrics is 'foo': expected 1, 0 or addresses"),
        ([], {"LABELERRORS_METRICS": "foo"}, "error: LABELERRORS_METRICS is 'foo': expected 1, 0 or addresses"),
        (["--metrics"], {"LABELERRORS_HOSTS": "a b"}, "error: LABELERRORS_HOSTS is 'a b'"),
        (["--access-log", "/no/such/folder/log"], {}, "error: --access-log is '/no/such/folder/log': expected json or"),
        ([], {"LABELERRORS_CONTACT": "caf\udce9"}, r"LABELERRORS_CONTACT is 'caf\udce9'; expected UTF-8"),
        (["--catalogue", "\udce9.sqlite"], {}, r"--catalogue is '\udce9.sqlite'; expected UTF-8"),
        (["--host", "no such host"], {}, "argument --host: 'no such host' is no address; expected one of this machine"),
        (["--host", "a" * 300], {}, f"argument --host: '{'a' * 60}...' is no address; expected one of this machine"),
        (["--host", "192.0.2.1"], {}, "argument --host: '192.0.2.1' is not an address of this machine"),
        (["--root-path", "labels"], {}, "'labels' is no path; expected one like /labels"),
        (["--root-path", "//elsewhere"], {}, "is no path"),
        (["--root-path", '/"><script>'], {}, "is no path"),
    ],
)
def test_what_cannot_be_served_is_said(started, capsys, arguments, environment, says):
    os.environ.update(environment)
    with pytest.raises(SystemExit) as ended:
        serve.main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert not started


def test_a_server_of_nothing_says_so(started, capsys, tmp_path):
    for name, content, said in (("gone.sqlite", None, "There is no catalogue at"), ("table.csv", "a,b\n", "table.csv")):
        if content is not None:
            (tmp_path / name).write_text(content)
        assert serve.main(["--port", free_port(), "--catalogue", str(tmp_path / name)]) == 0
        told = capsys.readouterr().err
        assert said in told
        assert "Pages answer 503 until there is one." in told
        assert started  # a catalogue may come while it is served


def test_a_port_in_use_is_said(started, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        serve.main(["--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "choose another one with --port" in capsys.readouterr().err


def test_help_tells_a_stranger_how(capsys):
    with pytest.raises(SystemExit) as ended:
        serve.main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "python -m app --host 0.0.0.0" in told
    for name in re.findall(r"LABELERRORS_(\w+)", told):
        assert name.lower() in serve.Settings.model_fields


def test_make_and_docker_and_the_readme_start_it():
    assert "$(BIN)/label-errors serve " in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert 'CMD ["label-errors", "serve"' in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "label-errors serve" in (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("Makefile", "Dockerfile", "README.md"):
        assert "app.main:create_app" not in (ROOT / name).read_text(encoding="utf-8"), f"{name} goes past the limits"


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@contextmanager
def running(catalogue: Path, folder: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command as a user starts it, once it answers: its address and process."""
    port = free_port()
    command = [sys.executable, "-m", "app", "--catalogue", str(catalogue), "--port", port, *arguments]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert f"http://127.0.0.1:{port} (private)" in process.stdout.readline()
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).raise_for_status()
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("label-errors-files-*"))


def test_a_server_that_is_ended_leaves_no_files_and_one_that_is_killed_leaves_them_to_the_next(
    sample_catalogue: Path, tmp_path: Path
) -> None:
    part = {"Range": "bytes=0-9"}
    path = "/api/v1/datasets/sample-digits/corrected.parquet"
    with running(sample_catalogue, tmp_path) as (address, process):
        assert httpx.get(address + path, headers=part, timeout=PATIENCE).status_code == 206
        assert len(kept(tmp_path)) == 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    left = kept(tmp_path)
    assert len(left) == 1
    with running(sample_catalogue, tmp_path, "--workers", "2") as (address, process):
        for _ in range(20):
            assert httpx.get(address + path, headers=part, timeout=PATIENCE).status_code == 206
        there = kept(tmp_path)
        assert there
        assert left[0] not in there
        refused = httpx.get(address, headers={"Host": "evil.example"}, timeout=PATIENCE)
        assert refused.status_code == 421
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), PATIENCE) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000)
            assert one.recv(100).startswith(b"HTTP/1.1 431 ")
        process.terminate()
        process.wait(PATIENCE)
    assert kept(tmp_path) == []
    assert tempfile.gettempdir() != str(tmp_path)


def test_workers_end_when_their_parent_is_killed(sample_catalogue: Path, tmp_path: Path) -> None:
    part = {"Range": "bytes=0-9"}
    path = "/api/v1/datasets/sample-digits/corrected.parquet"
    with running(sample_catalogue, tmp_path, "--workers", "2") as (address, process):
        assert httpx.get(address + path, headers=part, timeout=PATIENCE).status_code == 206
        assert kept(tmp_path)
        port = int(address.rpartition(":")[2])
        process.kill()
        process.wait(PATIENCE)
        wait_until(lambda: not listened_to(port), "the workers to let go of the port")
        wait_until(lambda: not kept(tmp_path), "the workers to remove their files")


def listened_to(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionError:
        return False
    return True
