"""Answer with an error as a problem object (RFC 9457), from routes and from middleware."""

from collections.abc import Iterable, Mapping

import orjson
from starlette.responses import Response
from starlette.types import Send

from app.errors import SiteError
from app.web.server.path_prefix import in_problem


def problem_body(error: SiteError, path: str) -> bytes:
    """An error as a problem object, whose addresses have the prefix of the current request."""
    return orjson.dumps(in_problem(error.problem(path)))


def problem_response(error: SiteError, path: str, headers: Mapping[str, str]) -> Response:
    """The response to a request for ``path`` that failed with an error."""
    return Response(problem_body(error, path), error.status, headers, media_type="application/problem+json")


async def send_problem(send: Send, error: SiteError, path: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer a request for ``path`` with an error and additional headers."""
    body = problem_body(error, path)
    own = (
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    )
    await send({"type": "http.response.start", "status": error.status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body})
