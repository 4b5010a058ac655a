"""A polite limit on requests to the API: so many a minute from one address, told in headers, and when to come again.

A bucket of requests that fills at a steady rate, so a script may be quick for a moment and steady for ever. Requests
from this machine itself are not counted. Behind a proxy, the server must be told the visitor's address by it
(``uvicorn --proxy-headers``). Nothing is stored beyond the bucket.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooManyRequests

_MINUTE: Final = 60.0
_MOST_ADDRESSES: Final = 100_000
_LIMITED: Final = "/api/v1/"


class RateLimit:
    """Lets each address make ``a_minute`` requests a minute, all at once if it likes; 0 sets no limit."""

    def __init__(self, app: ASGIApp, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.a_minute = a_minute
        self.clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (requests left, when)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = self.a_minute and scope["type"] == "http" and scope["path"].startswith(_LIMITED)
        address = _address(scope) if limited else None
        if address is None:
            await self.app(scope, receive, send)
            return
        left = self._take(address)
        headers = self._headers(left)
        if left < 0:
            await self._refuse(scope["path"], left, headers, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def _take(self, address: str) -> float:
        """Requests left after this one; below 0 there was none for it, and none is taken."""
        now = self.clock()
        left, then = self._buckets.pop(address, (float(self.a_minute), now))
        left = min(left + (now - then) * self.a_minute / _MINUTE, float(self.a_minute))
        taken = left - 1
        self._buckets[address] = (taken if taken >= 0 else left), now
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return taken

    def _headers(self, left: float) -> list[tuple[bytes, bytes]]:
        until_one = max(0.0, -left) * _MINUTE / self.a_minute
        return [
            (b"ratelimit-policy", b'"minute";q=%d;w=60' % self.a_minute),
            (b"ratelimit", b'"minute";r=%d;t=%d' % (max(0, int(left)), _up(until_one))),
        ]

    async def _refuse(self, path: str, left: float, headers: list[tuple[bytes, bytes]], send: Send) -> None:
        seconds = max(1, _up(-left * _MINUTE / self.a_minute))
        error = TooManyRequests(
            f"This address may ask {self.a_minute} times a minute; ask again in {seconds} second{'s'[: seconds > 1]}."
        )
        body = orjson.dumps(error.problem(path))
        headers = [
            *headers,
            (b"retry-after", b"%d" % seconds),
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": error.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _up(seconds: float) -> int:
    return int(-(-seconds // 1))


def _address(scope: Scope) -> str | None:
    """The visitor's address, the network of it where one visitor has many (IPv6); None for this machine."""
    client = scope.get("client")
    if client is None:
        return None
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])
    if address.is_loopback:
        return None
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
