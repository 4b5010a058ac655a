"""``/metrics``: the numbers are those of what was asked, over all workers, and for nobody but whom they are for."""

import asyncio
import http.client
import os
import shutil
import signal
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings, SettingsError
from tests.app.test_serve import running
from tests.serving import serving
from tests.waiting import wait_until

WAIT = 60
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """What Prometheus' own reader finds."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def one(found: Samples, name: str, **labels: str) -> float:
    return found.get((f"labelerrors_{name}", frozenset(labels.items())), 0)


def asked(settings: Settings, client: str, **headers: str) -> httpx.Response:
    app = create_app(settings)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://labels.example") as site:
            return await site.get(
                "/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()}
            )

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("metrics", "client", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 404),
        ("0", "127.0.0.1", {}, 404),
        ("1", "127.0.0.1", {}, 200),
        ("1", "::1", {}, 200),
        ("1", "10.0.0.7", {}, 404),
        ("10.0.0.0/8", "10.0.0.7", {}, 200),
        ("10.0.0.0/8", "127.0.0.1", {}, 404),
        ("0.0.0.0/0, ::/0", "203.0.113.9", {}, 200),
        # Behind a proxy on this machine that is not known, or that says nothing of the visitor, all seem to be here.
        ("1", "127.0.0.1", {"X_Forwarded_For": "203.0.113.9"}, 404),
        ("1", "127.0.0.1", {"X_Forwarded_Proto": "https"}, 404),
        ("1", "127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("1", "127.0.0.1", {"Via": "1.1 proxy"}, 404),
    ],
)
@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_they_are_for_whom_the_setting_names(sample_catalogue: Path, metrics, client, headers, status, trusted):
    settings = Settings(catalogue=sample_catalogue, metrics=metrics, trusted_proxies=trusted)
    answer = asked(settings, client, **headers)
    assert answer.status_code == status
    nothing = asked(Settings(catalogue=sample_catalogue), client).text
    assert (answer.text == nothing) is (status == 404), "who may not read them does not learn that they are there"


@pytest.mark.parametrize("metrics", ["1", ""])
def test_scripts_of_other_sites_cannot_read_them(sample_catalogue: Path, metrics: str):
    """A page that the operator visits could otherwise, from a browser on a machine that may read them."""
    with TestClient(create_app(Settings(catalogue=sample_catalogue, metrics=metrics, public=True))) as site:
        elsewhere = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
        assert site.get("/api/v1/datasets", headers=elsewhere).headers["access-control-allow-origin"] == "*"
        for answer in (site.get("/metrics", headers=elsewhere), site.options("/metrics", headers=elsewhere)):
            assert not any(name.startswith("access-control") for name in answer.headers)


def test_what_is_no_address_is_said():
    with pytest.raises(SettingsError, match="LABELERRORS_METRICS is 'yes': expected 1, 0 or addresses"):
        create_app(Settings(metrics="yes"))


def test_the_numbers_are_those_of_what_was_asked(sample_catalogue: Path, tmp_path: Path):
    file = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, file)
    with serving(file, metrics="1") as site, httpx.Client(base_url=site, timeout=WAIT) as client:
        before = samples(client.get("/metrics").text)
        n_bytes = 0
        for path in ("/sample-digits", "/sample-digits", "/nothing", "/sample-digits/issues/0"):
            with client.stream("GET", path) as answer:
                n_bytes += sum(map(len, answer.iter_raw()))
        client.get("/api/v1/datasets")
        client.head("/api/v1/datasets/sample-digits/corrected.npy")
        client.get("/api/v1/datasets/sample-digits/corrected.csv")
        answer = client.get("/metrics")
        found = samples(answer.text)
        version = client.get("/healthz").json()["catalogue"]

        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        statuses = [one(found, "requests_total", group="page", status=status) for status in ("2xx", "4xx", "5xx")]
        assert sum(statuses) == 4
        assert statuses[1] >= 1
        assert one(found, "response_bytes_total", group="page") == n_bytes
        assert one(found, "request_seconds_count", group="page") == 4
        assert one(found, "request_seconds_bucket", group="page", le="+Inf") == 4
        assert one(found, "request_seconds_sum", group="page") > 0
        assert one(found, "requests_total", group="api", status="2xx") == 1
        assert one(found, "requests_total", group="download", status="2xx") == 2
        assert one(found, "requests_total", group="operation", status="2xx") == 1
        assert one(before, "kept_answers_hits_total") == 0
        assert one(found, "kept_answers_hits_total") == 1
        assert one(found, "kept_answers_bytes") > 0
        assert one(found, "connections_open") >= 1
        assert one(found, "evaluations_running") == 0
        assert one(found, "workers") == 1
        assert ("labelerrors_catalogue_info", frozenset({("version", version)})) in found
        assert one(found, "catalogue_refused") == 0
        (rss,) = [value for (name, _), value in found.items() if name == "process_resident_memory_bytes"]
        assert rss > 10_000_000

        broken = tmp_path / "broken"
        broken.write_bytes(b"this is no catalogue")
        broken.rename(file)
        found = samples(client.get("/metrics").text)
        assert one(found, "catalogue_refused") == 1
        assert ("labelerrors_catalogue_info", frozenset({("version", version)})) in found


def test_two_workers_tell_the_same_and_lose_nothing_when_one_dies(sample_catalogue: Path, tmp_path: Path):
    with running(sample_catalogue, tmp_path, "--workers", "2", "--metrics") as (address, process):
        port = int(address.rpartition(":")[2])

        def get(path: str) -> str:
            # Each over a connection of its own, so that now one worker answers and now the other.
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
            try:
                connection.request("GET", path)
                return connection.getresponse().read().decode()
            finally:
                connection.close()

        def numbers() -> Samples:
            try:
                return samples(get("/metrics"))
            except (ConnectionError, http.client.HTTPException):  # it was the one that dies
                return {}

        def pids(found: Samples) -> set[str]:
            return {dict(labels)["pid"] for name, labels in found if name == "process_resident_memory_bytes"}

        wait_until(lambda: one(numbers(), "workers") == 2 and "0" not in pids(numbers()), "both workers")
        for _ in range(50):
            get("/sample-texts")
        for _ in range(20):
            found = numbers()
            assert one(found, "requests_total", group="page", status="2xx") == 50
            assert one(found, "request_seconds_count", group="page") == 50
        killed = pids(found).pop()
        os.kill(int(killed), signal.SIGKILL)
        wait_until(lambda: one(numbers(), "workers") == 2 and killed not in pids(numbers()), "another worker")
        assert one(numbers(), "requests_total", group="page", status="2xx") == 50
        process.terminate()
        process.wait(WAIT)
    assert list(tmp_path.glob("label-errors-*")) == []
