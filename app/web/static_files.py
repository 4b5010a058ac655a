"""Serve the site's own style sheets, scripts and pictures."""

from pathlib import Path

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web.partial_content import full_or_partial
from app.web.urls import IMMUTABLE
from app.web.validators import if_none_match, matches_etag


class HashedStaticFiles(StaticFiles):
    """Static files whose addresses contain a hash of their content, so they can be cached for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file or "not modified", with the same headers for both. Raises HTTPException."""
        response = await super().get_response(path, scope)
        response.headers["Vary"] = "Accept-Encoding"
        if b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = IMMUTABLE
        request = Request(scope)
        if not isinstance(response, FileResponse) or "range" not in request.headers:
            return response
        # Starlette parses ranges differently: it refuses those that should be ignored.
        data = await run_in_threadpool(Path(response.path).read_bytes)
        kept = ("ETag", "Last-Modified", "Accept-Ranges", "Cache-Control", "Vary")
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        return full_or_partial(request, data, response.media_type or "application/octet-stream", headers)

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Whether the client has the file already, by the shared reader of If-None-Match."""
        if "if-none-match" in request_headers:
            return matches_etag(if_none_match(request_headers), [response_headers["etag"]])
        return super().is_not_modified(response_headers, request_headers)
