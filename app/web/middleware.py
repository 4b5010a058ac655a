"""Middleware for every answer: HEAD requests, the security headers, and those that let other sites read answers.

It is plain ASGI, because it runs for every request, and it knows nothing of any page.
"""

import contextlib
import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(framed_by: Sequence[str] = (), sends_to: Sequence[str] = (), pictures: Sequence[str] = ()) -> str:
    """What a page may load: this site and nothing else.

    ``framed_by`` are the sites that may show it in a frame, ``sends_to`` those that its forms may send to, and
    ``pictures`` what pictures it may show besides this site's.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            " ".join(("img-src 'self' data:", *pictures)),
            "media-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            " ".join(("form-action 'self'", *sends_to)),
            "base-uri 'none'",
            " ".join(("frame-ancestors", *(framed_by or ("'none'",)))),
        )
    )


POLICY: Final = policy()
#: What an answer says itself is not said again: of two policies, browsers take the last.
_UNLESS_SAID: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), browsing-topics=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", POLICY.encode()),
)
#: Response headers that scripts of other sites may read.
_EXPOSED: Final = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "ETag",
    "Held-Back",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
)


#: Request headers ignored for HEAD: ranges are for GET alone (RFC 9110, section 14.2).
_FOR_PARTS: Final = (b"range", b"if-range")


class Head:
    """Answer HEAD as a GET of the whole would be, without the body, and producing no more of it than necessary."""

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
            headers = [(name, value) for name, value in scope["headers"] if name not in _FOR_PARTS]
            await self.app({**scope, "method": "GET", "head": True, "headers": headers}, receive, headers_only)


#: Endings of the files that answers are made of.
_SERVED_FROM: Final = (".py", ".html", ".css", ".js", ".svg", ".png", ".md", ".ipynb", ".conf", ".service", ".yaml")


class _HeadAnsweredError(Exception):
    """Stops a stream whose body was not requested."""


class Safety:
    """Add security headers: nothing may be run, framed or guessed by the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                said = {name for name, _ in own}
                # A copy, because cached answers are sent again.
                message = {**message, "headers": [*own, *(one for one in _UNLESS_SAID if one[0] not in said)]}
            await send(message)

        await self.app(scope, receive, with_headers)


class CrossOrigin(CORSMiddleware):
    """Let scripts of other sites read all answers but those at addresses that are ``closed`` to them."""

    def __init__(self, app: ASGIApp, closed: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Content-Type", "If-None-Match", "If-Range", "Range"],
            expose_headers=_EXPOSED,
        )
        self.closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self.closed:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def program_version(*folders: Path) -> str:
    """Identify the rendering program: after a change of template or script, "not modified" would be wrong."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.suffix in _SERVED_FROM):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
