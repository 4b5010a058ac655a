"""Long reads: nobody waits for another's, each has an end, and a client that hangs up ends its own."""

import asyncio
import inspect
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.testclient import TestClient

from app.catalogue import reader_threads
from app.catalogue.current import Catalogue
from app.catalogue.open_file import ON_LOOP
from app.issues import cells, queries
from app.main import create_app
from app.openapi import document
from app.settings import Settings
from app.site.corrected import request
from app.site.home import reproduction
from app.web.plain_route import PlainRoute
from tests.serving import serving

API = "/api/v1/datasets/sample-digits/issues"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
WAIT = 60


@pytest.fixture
def site(sample_catalogue: Path) -> Iterator[TestClient]:
    settings = Settings(catalogue=sample_catalogue, read_seconds=1, kept_answers=0, public=False)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def test_every_read_is_one_that_can_be_done_by_a_reader(site: TestClient) -> None:
    """Coroutines are left to what has to wait for a visitor's file, or reads nothing."""
    app: Any = site.app
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) > 40
    assert all(isinstance(route, PlainRoute) for route in routes)
    waiting = {route.path for route in routes if inspect.iscoroutinefunction(route.endpoint)}
    assert waiting <= {
        "/healthz",
        "/metrics",
        "/api/openapi.json",
        "/{name}/evaluate",
        "/api/v1/datasets/{name}/evaluate",
        "/api/v1/datasets/{name}/labels",
    }


def test_nobody_waits_for_what_another_searches(sample_catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, answered = threading.Event(), threading.Event()
    search = cells.cells_of_issues

    def slowly(*arguments: Any) -> Any:
        begun.set()
        assert answered.wait(WAIT)
        return search(*arguments)

    monkeypatch.setattr(cells, "cells_of_issues", slowly)
    found: list[int] = []
    with serving(sample_catalogue, kept_answers=0) as address:

        def visit() -> None:
            found.append(httpx.get(f"{address}/sample-texts?q=the", timeout=WAIT).status_code)

        visitor = threading.Thread(target=visit)
        visitor.start()
        assert begun.wait(WAIT)
        for path in ("/healthz", "/sample-digits", API, "/static/site.css", "/sample-texts?given=0"):
            assert httpx.get(address + path, timeout=WAIT).status_code == 200
        assert not found
        answered.set()
        visitor.join(WAIT)
    assert found == [200]


@pytest.mark.parametrize("path", ["sample-digits/corrected.csv?neither=given", "sample-digits/corrected.parquet"])
def test_a_long_read_goes_on_while_the_loop_reads_for_others(
    sample_catalogue: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    begun, looking, done = threading.Event(), threading.Event(), threading.Event()
    make, look = request.corrected_set, queries.issue_page

    def made(*arguments: Any, **named: Any) -> Any:
        begun.set()
        assert looking.wait(WAIT)
        try:
            return make(*arguments, **named)
        finally:
            done.set()

    def looked(*arguments: Any, **named: Any) -> Any:
        looking.set()
        assert done.wait(WAIT)
        return look(*arguments, **named)

    monkeypatch.setattr(request, "corrected_set", made)
    monkeypatch.setattr(queries, "issue_page", looked)
    found: list[int] = []
    with serving(sample_catalogue, kept_answers=0) as address:

        def take() -> None:
            found.append(httpx.get(f"{address}/api/v1/datasets/{path}", timeout=WAIT).status_code)

        taker = threading.Thread(target=take)
        taker.start()
        assert begun.wait(WAIT)
        found.append(httpx.get(f"{address}/sample-digits?given=1", timeout=WAIT).status_code)
        taker.join(WAIT)
    assert found == [200, 200]


def test_what_a_long_read_reads_stays_off_the_connection_of_the_loop(
    site: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []
    make = request.corrected_set

    def made(catalogue: Catalogue, dataset: Any, pairs: Any, connection: Any, **named: Any) -> Any:
        read.append(catalogue.connection is connection)
        return make(catalogue, dataset, pairs, connection, **named)

    monkeypatch.setattr(request, "corrected_set", made)
    assert site.get("/api/v1/datasets/sample-digits/corrected.jsonl").status_code == 200
    assert read == [True]


def test_a_read_without_end_is_ended_in_words(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduction, "compare", lambda connection: connection.scalar(text(ENDLESS)))
    page = site.get("/reproduction")
    assert page.status_code == 503
    assert "takes longer than the 1 second that one request may read" in page.text
    monkeypatch.setattr(cells, "cells_of_issues", lambda *_: text(ENDLESS))
    response = site.get(API, params={"q": "four"})
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"].endswith("#took-too-long")
    # Nothing of it is left: the same connections read on, and nothing was remembered.
    monkeypatch.undo()
    assert site.get("/reproduction").status_code == 200
    assert site.get(API, params={"q": "four"}).status_code == 200
    assert site.get(API).status_code == 200


def test_what_is_not_read_in_a_moment_is_read_elsewhere(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody knew that it would take long."""
    tried: list[bool] = []
    read = queries.issue_rows

    def longer(catalogue: Catalogue, *arguments: Any, **named: Any) -> Any:
        tried.append(ON_LOOP.get())
        if tried[-1]:
            catalogue.connection.scalar(text(ENDLESS))
        return read(catalogue, *arguments, **named)

    monkeypatch.setattr(queries, "issue_rows", longer)
    assert site.get(API).status_code == 200
    assert tried == [True, False]


def test_a_client_that_hangs_up_ends_its_read(sample_catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(connection: Any) -> Any:
        begun.set()
        try:
            return connection.scalar(text(ENDLESS))
        finally:
            ended.set()

    monkeypatch.setattr(reproduction, "compare", endless)
    with serving(sample_catalogue, read_seconds=3600) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as visitor:
            visitor.sendall(b"GET /reproduction HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert begun.wait(WAIT)
            assert not ended.is_set()
        assert ended.wait(WAIT)
        assert httpx.get(f"{address}/healthz", timeout=WAIT).status_code == 200


def test_when_too_many_wait_the_next_one_is_told_so(site: TestClient) -> None:
    app: Any = site.app
    app.state.readers.waiting = reader_threads.MOST_WAITING
    response = site.get(API, params={"q": "four"})
    assert response.status_code == 503
    assert response.json()["type"].endswith("#busy")
    assert int(response.headers["retry-after"]) > 0
    assert site.get(API).status_code == 200


@pytest.mark.parametrize(
    "q",
    [
        "a",
        "a*",
        "the",
        "t a o i s",
        " ".join("abcdefghijklmnopqrstuvwxyz"),
        "NEAR(a b, 1000)",
        "e e e e e e e e e",
        '"',
    ],
)
def test_searches_made_to_be_slow_are_answered(real_catalogue: Path, q: str) -> None:
    with TestClient(create_app(Settings(catalogue=real_catalogue, kept_answers=0, public=False))) as site:
        for name in ("imdb", "20news"):
            response = site.get(f"/api/v1/datasets/{name}/issues", params={"q": q})
            assert response.status_code == 200
            assert site.get(f"/{name}", params={"q": q}).status_code == 200


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico", "/method", "/about/errors", "/media-coverage", "/api"])
def test_pages_that_read_little_are_answered_too(site: TestClient, path: str) -> None:
    assert site.get(path, follow_redirects=False).status_code in (200, 307)


@pytest.mark.parametrize("address", ["/api", "/api/openapi.json"])
def test_the_first_description_of_the_api_is_not_made_where_everybody_waits(
    sample_catalogue: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    describe, on_loop = document.get_openapi, []

    def describing(**what: Any) -> dict[str, Any]:
        on_loop.append(asyncio._get_running_loop() is not None)
        return describe(**what)

    monkeypatch.setattr(document, "get_openapi", describing)
    with TestClient(create_app(Settings(catalogue=sample_catalogue))) as site:
        assert site.get(address).status_code == 200
    assert on_loop == [False]
