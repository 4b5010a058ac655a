"""Behind proxies: whom they name is believed if they are known, read from the right, and nobody else is."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.main import create_app
from app.settings import Settings, SettingsError
from app.web.server.client_addresses import networks_of
from app.web.server.trusted_proxies import TrustedProxies

NGINX, INNER, VISITOR, OTHER = "10.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.7"


async def mirror(scope, receive, send) -> None:
    request = Request(scope)
    found = {"client": scope["client"][0], "scheme": scope["scheme"], "host": request.headers.get("host")}
    await JSONResponse(found)(scope, receive, send)


def seen(peer: str, *headers: tuple[str, str], trusted: str = "10.0.0.0/8, ::1") -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(TrustedProxies(mirror, networks_of(trusted)), client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            return await client.get("/", headers=list(headers))

    return asyncio.run(once())


def xff(value: str) -> tuple[str, str]:
    return "X-Forwarded-For", value


def forwarded(value: str) -> tuple[str, str]:
    return "Forwarded", value


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        (NGINX, [xff(VISITOR)], VISITOR),
        ("::ffff:10.0.0.1", [xff(VISITOR)], VISITOR),
        ("::1", [xff(f"[2001:db8::1]:443, {NGINX}")], "2001:db8::1"),
        (NGINX, [xff(f"{VISITOR}:5000")], VISITOR),
        # What the visitor wrote stands to the left of what the proxy saw.
        (NGINX, [xff(f"{OTHER}, {VISITOR}")], VISITOR),
        (NGINX, [xff(f"127.0.0.1, {VISITOR}")], VISITOR),
        (NGINX, [xff(f"{NGINX}, {VISITOR}, {INNER}")], VISITOR),
        (NGINX, [xff(OTHER), xff(VISITOR)], VISITOR),
        (NGINX, [xff(f"{VISITOR}, {INNER}")], VISITOR),
        (NGINX, [xff("unknown")], "unknown"),
        (NGINX, [xff(f"{INNER}, {INNER}")], INNER),
        (NGINX, [], NGINX),
        (NGINX, [xff(" , ")], NGINX),
        (NGINX, [forwarded(f"for={VISITOR}")], VISITOR),
        (NGINX, [forwarded(f'for={OTHER}, For="[2001:db8::1]:443";proto=https, for={INNER}')], "2001:db8::1"),
        (NGINX, [forwarded(f"for={VISITOR}"), xff(VISITOR)], VISITOR),
        # Nobody else is believed.
        (VISITOR, [xff(OTHER)], VISITOR),
        (VISITOR, [forwarded(f"for={OTHER}")], VISITOR),
        ("127.0.0.1", [xff(OTHER)], "127.0.0.1"),
    ],
)
def test_the_visitor_is_the_nearest_who_is_no_known_proxy(peer, headers, client):
    assert seen(peer, *headers).json()["client"] == client


def test_scheme_and_host_come_with_the_address():
    told = [xff(VISITOR), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "labels.example")]
    assert seen(NGINX, *told).json() == {"client": VISITOR, "scheme": "https", "host": "labels.example"}
    assert seen(VISITOR, *told).json() == {"client": VISITOR, "scheme": "http", "host": "inside"}
    assert seen(NGINX, *told, trusted="").json() == {"client": NGINX, "scheme": "http", "host": "inside"}
    spelled = forwarded(f'for={OTHER};proto=http;host=evil.example, for={VISITOR};proto=https;host="labels.example"')
    assert seen(NGINX, spelled).json() == {"client": VISITOR, "scheme": "https", "host": "labels.example"}
    lists = [xff(f"{OTHER}, {VISITOR}"), ("X-Forwarded-Proto", "http, https"), ("X-Forwarded-Host", "evil, good")]
    assert seen(NGINX, *lists).json() == {"client": VISITOR, "scheme": "https", "host": "good"}
    assert seen(NGINX, ("X-Forwarded-Proto", "https")).json()["scheme"] == "https"
    assert seen(NGINX, xff(VISITOR), ("X-Forwarded-Proto", "javascript")).json()["scheme"] == "http"


@pytest.mark.parametrize(
    "headers",
    [
        # The proxy writes one of them, and lets the visitor's own pass in the other.
        [xff(VISITOR), forwarded(f"for={OTHER}")],
        [forwarded("for="), forwarded(f"for={OTHER} by=x")],
        [forwarded('for="unfinished')],
    ],
)
def test_what_contradicts_itself_is_refused(headers):
    answer = seen(NGINX, *headers)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/about/errors#bad-request"


def test_the_limit_on_requests_counts_visitors_and_not_their_proxy(sample_catalogue):
    app = create_app(Settings(catalogue=sample_catalogue, requests_a_minute=1, trusted_proxies="127.0.0.1"))

    def ask(visitor: str, peer: str = "127.0.0.1") -> int:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
                return await client.get("/api/v1/datasets", headers={"X-Forwarded-For": visitor})

        return asyncio.run(once()).status_code

    assert [ask(VISITOR), ask(VISITOR), ask(OTHER)] == [200, 429, 200]
    assert ask(f"{OTHER}, {VISITOR}") == 429
    assert [ask("2001:db8::1"), ask("2001:db8::2")] == [200, 429]
    assert [ask(f"192.0.2.{n}", "192.0.2.200") for n in range(2)] == [200, 429]


def test_the_settings_are_addresses(sample_catalogue):
    with pytest.raises(SettingsError, match="LABELERRORS_TRUSTED_PROXIES is 'nginx'"):
        create_app(Settings(catalogue=sample_catalogue, trusted_proxies="nginx"))
    with pytest.raises(SettingsError, match="LABELERRORS_HOSTS is 'https:"):
        create_app(Settings(catalogue=sample_catalogue, hosts="https://labels.example"))
