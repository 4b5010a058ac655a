"""An error answered by what stands before the routes: the same problem object (RFC 9457) that they answer with."""

from collections.abc import Iterable

import orjson
from starlette.types import Send

from app.errors import SiteError


async def send_problem(send: Send, error: SiteError, path: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer a request for ``path`` with an error, and with headers of its own."""
    body = orjson.dumps(error.problem(path))
    own = (
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    )
    await send({"type": "http.response.start", "status": error.status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body})
