"""What every answer has in common: HEAD, validators, caching, compression and the headers that keep visitors safe.

Plain ASGI, because these lines run for every request. Nothing here knows a page.
"""

import contextlib
import hashlib
import zlib
from pathlib import Path
from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import CurrentCatalogue
from app.errors import NoCatalogue

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), browsing-topics=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
#: Addresses whose answers have validators and lifetimes of their own, or none.
_APART: Final = ("/media/", "/static/", "/healthz")


class Head:
    """Answers HEAD as GET would be answered, without the body, and without making more of it than its beginning."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        ended = False

        async def headers_only(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                if message.get("more_body", False):
                    raise _HeadAnsweredError

        with contextlib.suppress(_HeadAnsweredError):
            await self.app({**scope, "method": "GET"}, receive, headers_only)


class _HeadAnsweredError(Exception):
    """Stops a stream whose body nobody asked for."""


class CatalogueResponses:
    """Gives a request the current catalogue, and its answer a validator that names catalogue, program and address.

    A page depends on nothing else, so a browser that still has it is told so before anything is read or rendered.
    """

    def __init__(self, app: ASGIApp, catalogue: CurrentCatalogue, program: str) -> None:
        self.app = app
        self.catalogue = catalogue
        self.program = program

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(_APART):
            await self.app(scope, receive, send)
            return
        try:
            catalogue = self.catalogue.get()
        except NoCatalogue:
            # The route that needs it says so, in the shape of its errors.
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["catalogue"] = catalogue
        headers = dict(scope["headers"])
        where = zlib.crc32(scope["raw_path"] + b"?" + scope["query_string"] + headers.get(b"host", b""))
        tag = f'W/"{catalogue.version}-{self.program}-{where:08x}"'.encode()
        validators = ((b"etag", tag), (b"cache-control", b"public, no-cache"))
        asked = headers.get(b"if-none-match", b"")
        if tag in [candidate.strip() for candidate in asked.split(b",")]:
            await send({"type": "http.response.start", "status": 304, "headers": [*validators, *_ALWAYS]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_validators(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message = {**message, "headers": [*message["headers"], *validators]}
            await send(message)

        await self.app(scope, receive, with_validators)


class Safety:
    """Adds the headers that keep a browser from running, framing or guessing anything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *_ALWAYS]
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", _POLICY.encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, with_headers)


class Compression:
    """Compresses pages and data, and leaves alone what is asked for in ranges."""

    def __init__(self, app: ASGIApp) -> None:
        self.plain = app
        self.compressing = GZipMiddleware(app, minimum_size=1_000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        by_range = scope["type"] == "http" and any(name == b"range" for name, _ in scope["headers"])
        await (self.plain if by_range else self.compressing)(scope, receive, send)


def program_version(*folders: Path) -> str:
    """Names the program that renders: a new template or script must not be answered with an old "not modified"."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(
            path for path in folder.rglob("*") if path.suffix in (".py", ".html", ".css", ".js", ".svg")
        ):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
