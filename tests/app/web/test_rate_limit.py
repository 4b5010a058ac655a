"""The limit on requests: by address, told in headers, with a clock of the test's own."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.errors import SiteError
from app.main import create_app
from app.settings import Settings, SettingsError
from app.web.rate_limit import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(app, address: str, path: str = "/api/v1/datasets", method: str = "GET") -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return await client.request(method, path)

    return asyncio.run(once())


@pytest.fixture
def limited():
    clock = Clock()
    return RateLimit(PlainTextResponse("yes"), a_minute=6, refuse=problem, clock=clock), clock


def problem(request: Request, error: SiteError) -> Response:
    return JSONResponse(error.problem(request.url.path), error.status, media_type="application/problem+json")


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


def test_addresses_of_ipv4_written_as_ipv6_are_not_one_network(limited):
    """A server that listens to IPv6 sees all visitors by IPv4 so; they share their first 64 bits."""
    app, _ = limited
    for _ in range(6):
        ask(app, "::ffff:203.0.113.9")
    assert ask(app, "203.0.113.9").status_code == 429
    assert ask(app, "::ffff:203.0.113.10").status_code == 200
    assert "ratelimit" not in ask(app, "::ffff:127.0.0.1").headers


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_never_limited(limited, address):
    app, _ = limited
    assert {ask(app, address).status_code for _ in range(20)} == {200}
    assert "ratelimit" not in ask(app, address).headers


@pytest.mark.parametrize(
    "path", ["/cifar10", "/cifar10/corrected", "/static/site.css?v=0", "/media/cifar10/1/1/image?v=0"]
)
def test_pages_that_cost_little_are_not_counted(limited, path):
    app, _ = limited
    assert {ask(app, "203.0.113.9", path).status_code for _ in range(20)} == {200}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cifar10/evaluate"),
        ("GET", "/imdb?q=terrible"),
        ("GET", "/imdb?%71=terrible"),
        ("GET", "/imdb?given=pos&%71=terrible"),
        ("GET", "/cifar10?category=correctable"),
        ("GET", "/mnist?given=3"),
        ("GET", "/imdb?given=pos&q=terrible"),
        ("GET", "/cifar10/corrected?agreement=4"),
        ("GET", "/cifar10/stability?agreement=4"),
        ("HEAD", "/imdb?q=terrible"),
    ],
)
def test_pages_that_do_the_work_of_the_api_are_counted_with_it(limited, method, path):
    app, _ = limited
    assert [ask(app, "203.0.113.9", path, method).status_code for _ in range(7)] == [200] * 6 + [429]
    assert ask(app, "203.0.113.9").status_code == 429


def test_a_page_is_refused_by_a_page(sample_catalogue):
    app = create_app(Settings(catalogue=sample_catalogue, requests_a_minute=1))
    path = "/sample-texts?q=the"
    assert ask(app, "203.0.113.9", path).status_code == 200
    refused = ask(app, "203.0.113.9", path)
    assert refused.status_code == 429
    seconds = int(refused.headers["retry-after"])
    assert 1 <= seconds <= 60  # of the minute, what has not passed between the two requests
    assert refused.headers["content-type"].startswith("text/html")
    assert f"try again in {seconds} second" in refused.text


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
