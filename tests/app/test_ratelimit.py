"""The limit on requests: by address, told in headers, with a clock of the test's own."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from app.main import create_app
from app.ratelimit import RateLimit
from app.settings import Settings, SettingsError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(app, address: str, path: str = "/api/v1/datasets") -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return await client.get(path)

    return asyncio.run(once())


@pytest.fixture
def limited():
    clock = Clock()
    return RateLimit(PlainTextResponse("yes"), a_minute=6, clock=clock), clock


def test_an_address_is_told_what_is_left_and_when_to_come_again(limited):
    app, clock = limited
    left = [ask(app, "203.0.113.9") for _ in range(6)]
    assert [r.headers["ratelimit"] for r in left] == [f'"minute";r={n};t=0' for n in (5, 4, 3, 2, 1, 0)]
    assert {r.headers["ratelimit-policy"] for r in left} == {'"minute";q=6;w=60'}
    refused = ask(app, "203.0.113.9")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "10"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/about/errors#too-many-requests"
    clock.now = 9.5
    assert ask(app, "203.0.113.9").headers["retry-after"] == "1"
    clock.now = 10
    assert ask(app, "203.0.113.9").status_code == 200
    clock.now = 10_000
    assert ask(app, "203.0.113.9").headers["ratelimit"] == '"minute";r=5;t=0'


def test_addresses_are_counted_apart_and_networks_together(limited):
    app, _ = limited
    for _ in range(6):
        ask(app, "2001:db8::1")
    assert ask(app, "2001:db8::2").status_code == 429
    assert ask(app, "2001:db8:0:1::1").status_code == 200
    assert ask(app, "203.0.113.10").status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_never_limited(limited, address):
    app, _ = limited
    assert {ask(app, address).status_code for _ in range(20)} == {200}
    assert "ratelimit" not in ask(app, address).headers


def test_pages_are_not_counted(limited):
    app, _ = limited
    assert {ask(app, "203.0.113.9", "/cifar10").status_code for _ in range(20)} == {200}


def test_the_site_has_no_limit_unless_it_is_set(sample_catalogue):
    free = create_app(Settings(catalogue=sample_catalogue))
    assert "ratelimit" not in ask(free, "203.0.113.9").headers
    app = create_app(Settings(catalogue=sample_catalogue, requests_a_minute=2))
    assert [ask(app, "203.0.113.9").status_code for _ in range(3)] == [200, 200, 429]
    refused = ask(app, "203.0.113.9")
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_the_setting_is_a_number():
    assert Settings.from_environment({"LABELERRORS_REQUESTS_A_MINUTE": "90"}).requests_a_minute == 90
    with pytest.raises(SettingsError, match="REQUESTS_A_MINUTE"):
        Settings.from_environment({"LABELERRORS_REQUESTS_A_MINUTE": "many"})
