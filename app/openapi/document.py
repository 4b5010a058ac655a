"""The OpenAPI document: FastAPI's, with a common error schema and with examples that are real answers.

The examples are requested from the running site, so they are always current.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute
from starlette.types import Message

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.openapi import reference
from app.web.server.path_prefix import here, prefix_of

_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_GONE: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/GoneProblem"}}}
_JSON: Final = "application/json"
_LONGEST_EXAMPLE: Final = 20_000


def description(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes without examples, made once per process."""
    if app.openapi_schema is None:
        require_reader()
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=routes, tags=app.openapi_tags
        )
        for _, _, operation in operations(found):
            for status, response in operation["responses"].items():
                if status == "410":
                    response["content"] = _GONE
                elif status.startswith("4"):
                    response["content"] = _PROBLEM
            operation["responses"].setdefault("422", {"description": "The content of the request cannot be used."})
            operation["responses"]["422"] |= {"content": _PROBLEM}
            operation["responses"]["429"] = {"description": "Too many requests; see Retry-After.", "content": _PROBLEM}
        for unused in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(unused, None)
        app.openapi_schema = found
    return app.openapi_schema


async def document(request: Request) -> Response:
    """The OpenAPI document with an example for every operation that the served catalogue can answer."""
    return Response(await _with_examples(request.app, current(request), request), media_type=_JSON)


async def _with_examples(app: FastAPI, catalogue: Catalogue, request: Request) -> bytes:
    # The first time takes up to a second, and no other request should wait for it.
    document = await run_in_threadpool(_copy, app)
    if prefix := prefix_of(request.scope):
        document["servers"] = [{"url": prefix}]
    examples = {(o.path, o.method.lower()): o.examples for o in reference.operations(document, catalogue)}
    for path, method, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {}).get(_JSON)
        address = next(iter(examples.get((path, method), ())), None)
        if method != "get" or content is None or address is None:
            continue
        answer = await _ask(app, request, address)
        if answer is not None:
            content["examples"] = {"real": {"summary": f"GET {here(address)}", "value": answer}}
    return json.dumps(document, ensure_ascii=False).encode()


def _copy(app: FastAPI) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return copied


async def _ask(app: FastAPI, request: Request, address: str) -> Any:
    """The site's answer as a value; None if it is not short JSON."""
    path, _, query = address.partition("?")
    body, status = bytearray(), 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    scope = {
        key: request.scope[key] for key in ("type", "asgi", "http_version", "scheme", "server") if key in request.scope
    }
    headers = [(b"host", request.headers.get("host", "localhost").encode())]
    prefix = prefix_of(request.scope)
    whole = prefix + path
    scope |= {"method": "GET", "path": whole, "raw_path": whole.encode(), "query_string": query.encode()}
    scope |= {"headers": headers, "client": None, "root_path": prefix}
    await app({**scope, "state": {}}, receive, send)
    return json.loads(body) if status == 200 and len(body) <= _LONGEST_EXAMPLE else None


def operations(document: dict[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            yield path, method, operation
