"""A real reverse proxy on a free port of this machine that shows a site at a path."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from tests.serving import running

_OF_A_HOP = (b"connection", b"keep-alive", b"transfer-encoding")


class _Proxy:
    def __init__(self, site: str, path: str, *, keeps: bool) -> None:
        self.site, self.path, self.keeps = site, path.encode(), keeps
        self.client = httpx.AsyncClient(timeout=30)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.client.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        raw = scope["raw_path"]
        if raw != self.path and not raw.startswith(self.path + b"/"):
            # What lies beside the path is another site.
            await send({"type": "http.response.start", "status": 410, "headers": []})
            await send({"type": "http.response.body", "body": b"another site"})
            return
        asked = raw if self.keeps else raw.removeprefix(self.path) or b"/"
        body = b""
        while (message := await receive()).get("more_body", False):
            body += message["body"]
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        url = httpx.URL(self.site).copy_with(raw_path=asked + query)
        headers = [(name, value) for name, value in scope["headers"] if name not in _OF_A_HOP]
        request = httpx.Request(scope["method"], url, headers=headers, content=body + message.get("body", b""))
        answer = await self.client.send(request, stream=True)
        kept = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _OF_A_HOP]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await answer.aclose()
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def proxying(site: str, path: str, *, keeps: bool) -> Iterator[str]:
    """Show ``site`` at a path, which the proxy ``keeps`` or takes off; yields the address at which it is shown."""
    app = _Proxy(site, path, keeps=keeps)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none", lifespan="on")
    with running(config) as address:
        yield address + path
