"""docs/operating.md was tried: Debian's nginx with its file before the real server, and each command on the page."""

import configparser
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import yaml

from app import serve
from tests import documents
from tests.app.test_serve import free_port
from tests.conftest import ROOT, ingest
from tests.serving import serving
from tests.waiting import wait_until

FOLDER = ROOT / "docs/operating"
PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
HOST, WAIT = "labels.example", 60
#: Every address of 127.0.0.0/8 is this machine; this one is not the proxy's.
VISITOR = "127.0.0.9"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def block(beginning: str) -> str:
    """The block of the page that begins so."""
    (found,) = [one for one in re.findall(r"^```\w*\n(.+?)^```$", PAGE, re.M | re.S) if one.startswith(beginning)]
    return str(found)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    options = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *options, *files], check=True, capture_output=True
    )
    return folder


@contextmanager
def behind_nginx(
    folder: Path, certificate: Path, *sites: str
) -> Iterator[tuple[httpx.Client, Callable[[], ssl.SSLSocket]]]:
    """The file of the page in a real nginx, but for ports and paths; a visitor who finds it under its own name."""
    port, plain = free_port(), free_port()
    text = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    servers = "\n".join(f"server {urlsplit(site).netloc};" for site in sites)
    for documented, here in (
        ("server 127.0.0.1:8000;", servers),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("/etc/letsencrypt/live/labels.example", str(certificate)),
        ("/var/lib/nginx/label-errors", str(folder / "cache")),
    ):
        assert text.count(documented) >= 1
        text = text.replace(documented, here)
    for name in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
        (folder / name).mkdir()
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/errors;\nevents {{}}\nhttp {{\n"
        f"access_log off;\nclient_body_temp_path {folder}/body;\n{temporary}{text}\n}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "errors"])

    class Network(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions["sni_hostname"] = HOST
            request.url = request.url.copy_with(
                host="127.0.0.1", port=int(port if request.url.scheme == "https" else plain)
            )
            return super().handle_request(request)

        def connection(self) -> ssl.SSLSocket:
            return trusted.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), WAIT), server_hostname=HOST)

    trusted = ssl.create_default_context(cafile=str(certificate / "fullchain.pem"))
    try:
        wait_until(lambda: process.poll() is not None or listens(port), "nginx")
        network = Network(verify=trusted, local_address=VISITOR)
        with httpx.Client(transport=network, base_url=f"https://{HOST}", timeout=WAIT) as visitor:
            yield visitor, network.connection
    finally:
        process.terminate()
        process.wait(WAIT)


def listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


SETTINGS = {"root_path": "/labels", "public": True, "hosts": HOST, "trusted_proxies": "127.0.0.1", "metrics": "1"}


@pytest.mark.slow
def test_the_site_behind_nginx(sample_catalogue: Path, tmp_path: Path, certificate: Path):
    log = tmp_path / "access.log"
    with (
        serving(sample_catalogue, access_log=str(log), **SETTINGS) as site,
        behind_nginx(tmp_path, certificate, site) as (visitor, connect),
    ):
        moved = visitor.get(f"http://{HOST}/labels/sample-digits?page=2")
        assert (moved.status_code, moved.headers["location"]) == (301, f"https://{HOST}/labels/sample-digits?page=2")
        assert visitor.get("/labels").headers["location"] == f"https://{HOST}/labels/"

        home = visitor.get("/labels/", headers={"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.8"})
        assert home.status_code == 200
        links = set(re.findall(r'(?:href|src)="([^"#]+)', home.text))
        inside = {urlsplit(urljoin(f"https://{HOST}/labels/", link)) for link in links}
        inside = {one.path for one in inside if one.netloc == HOST}
        assert len(inside) > 5
        assert all(path.startswith("/labels/") for path in inside)
        assert {visitor.get(path).status_code for path in sorted(inside)} == {200}

        issues = visitor.get("/labels/api/v1/datasets/sample-digits/issues").json()
        assert issues["next"].startswith(f"https://{HOST}/labels/api/v1/")
        assert visitor.get(issues["next"]).json()["items"][0] not in issues["items"]

        path = "/labels/sample-digits?category=correctable"
        page = visitor.get(path)
        unchanged = visitor.get(path, headers={"If-None-Match": page.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        head = visitor.head(path)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", page.headers["etag"])
        assert page.headers["content-encoding"] in ("gzip", "br", "zstd")

        corrected = "/labels/api/v1/datasets/sample-digits/corrected.csv"
        whole = visitor.get(corrected, headers={"Accept-Encoding": "identity"}).content
        part = visitor.get(corrected, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole[10:20])

        style = next(link for link in links if "site.css" in link)
        thumbnail = re.search(r'src="(/labels/media/[^"]+)', page.text)[1]
        for kept in (style, thumbnail):
            first, again = visitor.get(kept), visitor.get(kept)
            assert first.content == again.content
            assert "immutable" in again.headers["cache-control"]
        assert visitor.get("/labels/metrics").status_code == 404

        # nginx refuses what is far too large before any of it came.
        target = "/labels/api/v1/datasets/sample-digits/evaluate"
        with connect() as one:
            one.sendall(f"POST {target} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 220000000\r\n\r\n".encode())
            assert one.recv(1000).startswith(b"HTTP/1.1 413 ")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {line["client"] for line in lines} == {VISITOR}, "what the visitor says of others is not believed"
    assert {line["host"] for line in lines} == {HOST}
    asked = [line["path"] + (f"?{line['query']}" if line["query"] else "") for line in lines]
    assert asked.count(style) == 1, "nginx kept it, and let the visitor have it the second time"
    assert asked.count(path) == 3, "pages are asked for each time"


@pytest.mark.slow
def test_a_catalogue_is_published_on_two_machines_without_a_failed_request(
    sample_catalogue: Path, tmp_path: Path, certificate: Path
):
    machines = ["one.internal", "two.internal"]
    served = [tmp_path / name / "catalogue.sqlite" for name in machines]
    for file in served:
        file.parent.mkdir()
        shutil.copyfile(sample_catalogue, file)
    new = tmp_path / "new.sqlite"
    ingest("sample", "--catalogue", new)
    # The machines are folders: ssh takes the name of one, and what it runs finds that folder.
    script = block("for machine").replace("/var/lib/label-errors", "$ROOT/$machine")
    assert script.count("$ROOT/$machine") == 3
    (tmp_path / "bin").mkdir()
    ssh = tmp_path / "bin/ssh"
    ssh.write_text('#!/bin/sh\nshift\nexec "$@"\n', encoding="ascii")
    ssh.chmod(0o755)
    environment = {"PATH": f"{ssh.parent}:{os.environ['PATH']}", "ROOT": str(tmp_path), "RSYNC_RSH": str(ssh)}

    with (
        serving(served[0], **SETTINGS) as one,
        serving(served[1], **SETTINGS) as two,
        behind_nginx(tmp_path, certificate, one, two) as (visitor, _),
    ):
        paths = [
            "/labels/healthz",
            "/labels/sample-texts?given=0",
            "/labels/api/v1/datasets/sample-digits/corrected.csv",
        ]
        statuses, versions, done = [], [], threading.Event()

        def ask() -> None:
            while not done.is_set():
                for path in paths:
                    answer = visitor.get(path)
                    statuses.append(answer.status_code)
                    if path == paths[0]:
                        versions.append(answer.json()["catalogue"])

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            wait_until(lambda: len(versions) >= 3 or not asking.is_alive(), "requests before")
            before = set(versions)
            subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, env=environment, check=True, capture_output=True)
            so_far = len(versions) + 1
            wait_until(lambda: len(versions) >= so_far + 4 or not asking.is_alive(), "requests afterwards")
        finally:
            done.set()
            asking.join()
    # nginx' own limit of requests apart, which one quick visitor may meet.
    assert set(statuses) <= {200, 429}
    assert len(before) == 1
    assert set(versions[so_far:]).isdisjoint(before)
    assert len(set(versions[so_far:])) == 1


@pytest.mark.slow  # as the others that need what tests/nginx.sh installs
def test_the_other_commands_of_publishing_and_of_backups(sample_catalogue: Path, tmp_path: Path):
    (tmp_path / "served").mkdir()
    shutil.copyfile(sample_catalogue, tmp_path / "served/catalogue.sqlite")
    (tmp_path / "new.sqlite").write_bytes(b"new")
    for beginning in ("cp /var/lib", "rsync --times new"):
        script = block(beginning).replace("/var/lib/label-errors", str(tmp_path / "served"))
        subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, check=True)
    assert (tmp_path / "catalogue-backup.sqlite").read_bytes() == sample_catalogue.read_bytes()
    assert [file.read_bytes() for file in (tmp_path / "served").iterdir()] == [b"new"]


def options_of(words: list[str], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> serve.Settings:
    """What the server makes of the words behind ``label-errors serve``; refuses what it would refuse."""
    import argparse

    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    options = parser.parse_args(words)
    monkeypatch.setattr(os, "environ", dict(environment))
    os.environ.update(serve._environment(options))
    return serve.Settings.from_environment()


def test_the_command_behind_a_proxy_is_one(monkeypatch):
    words = block("LABELERRORS_HOSTS=").split()
    environment = dict(word.split("=") for word in words if word.startswith("LABELERRORS_"))
    command = words[len(environment) :]
    assert command[:2] == ["label-errors", "serve"]
    settings = options_of(command[2:], monkeypatch, environment)
    assert (settings.hosts, settings.trusted_proxies, settings.public) == (HOST, "127.0.0.1", True)


def test_the_unit_of_systemd_is_one(tmp_path: Path, monkeypatch):
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    text = (FOLDER / "label-errors.service").read_text(encoding="utf-8")
    unit.read_string(text)
    program, command, *words = unit["Service"]["ExecStart"].split()
    assert command == "serve"
    assert f"python3 -m venv {Path(program).parent.parent}\n" in PAGE
    environment = dict(re.findall(r"^Environment=(\w+)=(.+)$", text, re.M))
    settings = options_of(words, monkeypatch, {k: v for k, v in environment.items() if k.startswith("LABELERRORS_")})
    assert settings.access_log == "json"
    assert environment["TMPDIR"] == f"/var/cache/{unit['Service']['CacheDirectory']}"
    assert str(settings.catalogue) in block("python3 -m venv")
    if verify := shutil.which("systemd-analyze"):
        file = tmp_path / "label-errors.service"
        file.write_text(text.replace(program, sys.executable), encoding="utf-8")
        done = subprocess.run([verify, "verify", file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_file_goes_with_the_dockerfile(monkeypatch):
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (site,) = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"].values()
    assert f"--tag {site['image']} " in (ROOT / "Makefile").read_text(encoding="utf-8")
    started = json.loads(re.findall(r"^CMD (\[.+\])$", dockerfile, re.M)[-1])
    assert site["command"][: len(started)] == started
    settings = options_of(site["command"][2:], monkeypatch, site["environment"])
    assert settings.access_log == "json"
    assert settings.public
    workers = int(site["command"][site["command"].index("--workers") + 1])
    (gigabytes,) = re.findall(r"^/tmp:size=(\d+)g,", site["tmpfs"][0])
    assert workers * settings.kept_files * 1_000_000 < int(gigabytes) << 29, "uploads need the other half"
    ((_, volume, mode),) = [one.split(":") for one in site["volumes"]]
    assert f"VOLUME {volume}\n" in dockerfile
    assert f"LABELERRORS_CATALOGUE={volume}/catalogue.sqlite" in dockerfile
    assert mode == "ro"
    assert site["ports"][0].split(":")[-1] == re.search(r"^EXPOSE (\d+)$", dockerfile, re.M)[1]


def test_the_line_of_the_log_has_the_fields_that_lines_have():
    from app.web.server.access_log import line
    from app.web.server.request_record import RequestRecord

    scope = {"method": "GET", "raw_path": b"/", "query_string": b"", "headers": [], "client": None, "state": {}}
    assert list(json.loads(block('{"time"'))) == list(json.loads(line(RequestRecord(scope, 0.0))))


def test_what_prometheus_is_told_to_ask_is_where_the_server_is():
    (job,) = yaml.safe_load(block("scrape_configs:"))["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
    assert "labelerrors_catalogue_refused" in (ROOT / "app/site/monitoring.py").read_text(encoding="utf-8")


def test_several_machines_stand_in_the_place_of_one():
    ours = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    one = re.search(r"upstream label_errors \{.+?\n\}", ours, re.S)[0]
    several = re.sub(r"^    #.+\n", "", one, flags=re.M).replace(
        "server 127.0.0.1:8000;", "server 10.0.0.11:8000;\n    server 10.0.0.12:8000;"
    )
    assert block("upstream").rstrip() == several


def test_no_block_of_the_page_is_untried():
    tried = {
        "LABELERRORS_HOSTS=": "test_the_command_behind_a_proxy_is_one",
        "python3 -m venv": "test_the_unit_of_systemd_is_one",
        "upstream": "test_several_machines_stand_in_the_place_of_one",
        "rsync": "test_the_other_commands_of_publishing_and_of_backups",
        "for machine": "test_a_catalogue_is_published_on_two_machines_without_a_failed_request",
        "cp ": "test_the_other_commands_of_publishing_and_of_backups",
        '{"time"': "test_the_line_of_the_log_has_the_fields_that_lines_have",
        "scrape_configs:": "test_what_prometheus_is_told_to_ask_is_where_the_server_is",
    }
    assert set(tried.values()) <= set(globals())
    found = [one.text for one in documents.blocks(ROOT / "docs/operating.md")]
    assert [next(beginning for beginning in tried if one.startswith(beginning)) for one in found] == list(tried)
