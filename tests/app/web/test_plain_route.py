"""Routes that FastAPI documents and otherwise stays out of."""

import asyncio
import threading

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from app.catalogue.open_file import ON_LOOP, LongReadError
from app.catalogue.reader_threads import ReaderThreads
from app.web.plain_route import PlainRoute

router = APIRouter(route_class=PlainRoute)


@router.get("/things/{name}/{rest:path}")
async def thing(request: Request, name: str, rest: str) -> Response:
    """A thing."""
    return Response(f"{name}|{rest}|{request.url.query}")


@router.get("/short/{name}")
def short(request: Request, name: str) -> Response:
    """A thing that is read in no time."""
    return Response(f"{name}|{threading.current_thread() is threading.main_thread()}")


@router.get("/slow/{name}")
def slow(request: Request, name: str) -> Response:
    """A thing that takes long."""
    if ON_LOOP.get():
        raise LongReadError
    return Response(f"{name}|{threading.current_thread() is threading.main_thread()}")


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(routes=router.routes)
    app.state.readers = ReaderThreads(seconds=60)
    return app


def ask(app: FastAPI, method: str, address: str) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as client:
            return await client.request(method, address)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("/things/a/b/c?x=1", "a|b/c|x=1"),
        ("/things/007/", "007||"),
        ("/things/a%20%3Cb%3E/%C3%A9", "a <b>|é|"),
        ("/short/a", "a|True"),
        ("/slow/a", "a|False"),
    ],
)
def test_functions_get_the_parts_of_the_path_as_text(app, address, answer):
    response = ask(app, "GET", address)
    assert (response.status_code, response.text) == (200, answer)


def test_the_documentation_knows_them(app):
    paths = ask(app, "GET", "/openapi.json").json()["paths"]
    assert set(paths) == {"/things/{name}/{rest}", "/short/{name}", "/slow/{name}"}
    assert [p["name"] for p in paths["/things/{name}/{rest}"]["get"]["parameters"]] == ["name", "rest"]
    assert paths["/slow/{name}"]["get"]["description"] == "A thing that takes long."


def test_other_methods_are_refused(app):
    assert ask(app, "POST", "/slow/a").status_code == 405
