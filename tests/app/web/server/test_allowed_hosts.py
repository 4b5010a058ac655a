"""For which hosts the site answers: those that are set, and where it is private, this machine's own."""

import asyncio

import httpx
import pytest

from app.main import create_app
from app.settings import Settings


def asked(settings: Settings, host: str | None, *, server: str = "127.0.0.1", path: str = "/about/errors") -> int:
    """The status of an answer to a request that names a host, of a server that was reached at an address."""
    app, answers = create_app(settings), []
    headers = [] if host is None else [(b"host", one.encode("latin-1")) for one in host.split("\n")]

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "server": (server, 8000), "client": ("127.0.0.1", 1)}
    asyncio.run(app(scope, receive, send))
    return answers[0]["status"]


@pytest.fixture
def private(sample_catalogue) -> Settings:
    return Settings(catalogue=sample_catalogue, public=False)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000", "127.0.0.2", "a.localhost"]
)
def test_a_private_server_answers_as_this_machine(private, host):
    assert asked(private, host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.5:8000",
        "0.0.0.0:8000",
        "",
        "user@localhost",
        "localhost:8000:80",
        "localhost\nevil.example",
        "evil.example\nlocalhost",
        None,
    ],
)
def test_and_as_nobody_else(private, host):
    """A page of another name can make a browser on this machine ask us under that name (DNS rebinding)."""
    assert asked(private, host) == 421
    assert asked(private, host, path="/api/v1/datasets") == 421


def test_a_private_server_that_others_reach_has_names_that_nobody_told_it(private):
    assert asked(private, "nas.local:8000", server="192.168.1.5") == 200


@pytest.mark.parametrize("public", [True, False])
def test_names_that_are_set_are_the_names(sample_catalogue, public):
    settings = Settings(catalogue=sample_catalogue, public=public, hosts="Labels.example, *.labels.example, [::1]")
    allowed = ("labels.example", "LABELS.example:443", "labels.example.", "www.labels.example", "[::1]:80")
    assert {asked(settings, host, server="192.168.1.5") for host in allowed} == {200}
    refused = ("evil.example", "evillabels.example", "labels.example.evil", "localhost", None, "labels.example\nx")
    assert {asked(settings, host, server="192.168.1.5") for host in refused} == {421}
    assert asked(settings, "10.1.2.3", path="/healthz") == 200


def test_a_public_site_without_names_answers_to_any(sample_catalogue):
    settings = Settings(catalogue=sample_catalogue)
    assert {asked(settings, host) for host in ("labels.example", "203.0.113.9:8000", None)} == {200}
    assert asked(settings, "a\nb") == 421


def test_the_refusal_says_what_to_do(private):
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(private))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.get("/", headers={"Host": "evil.example"})

    answer = asyncio.run(once())
    assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
    assert answer.json()["type"] == "/about/errors#wrong-host"
    assert "LABELERRORS_HOSTS" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
