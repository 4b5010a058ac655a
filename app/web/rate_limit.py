"""Limit how many costly requests a minute one address may make, and say in headers when to try again.

Requests of the API, uploads, and pages with a query string (a filter, a search, a policy) are counted. Each address has
a token bucket that fills at a steady rate, so short bursts are allowed. Requests from this machine itself are not
counted. Behind a proxy, the visitor's address is what the proxy says if ``LABELERRORS_TRUSTED_PROXIES`` names it.
Nothing is stored beyond the bucket.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_network
from typing import Final

from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import SiteError, TooManyRequests
from app.web.server.client_addresses import address_of

_MINUTE: Final = 60.0
_MOST_ADDRESSES: Final = 100_000
_API: Final = "/api/v1/"
#: Addresses of files sent as they are, which are not counted even with a query string, and those of raters, who have a
#: limit for each link: a class of students comes from one address.
_FILES: Final = ("/static/", "/media/")
_RATERS: Final = "/review/"


class TokenBuckets:
    """Tokens of many keys, ``most`` for each, which come back at a steady rate within ``seconds``.

    >>> now = 0.0
    >>> buckets = TokenBuckets(2, 60, lambda: now)
    >>> [buckets.take("a") for _ in range(3)]
    [1.0, 0.0, -1.0]
    """

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic, keys: int = _MOST_ADDRESSES
    ) -> None:
        self.most = most
        self.seconds = seconds
        self.clock = clock
        #: Key -> tokens left, and the time of that number.
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(keys)

    def take(self, key: str) -> float:
        """The tokens left after one is taken; if below 0, there was none and none is taken."""
        now = self.clock()
        left, then = self._left.get(key, (float(self.most), now))
        left = min(left + (now - then) * self.most / self.seconds, float(self.most))
        taken = left - 1
        self._left[key] = (taken if taken >= 0 else left), now
        return taken

    def wait(self, left: float) -> int:
        """Seconds until there is a token again, after ``take`` said that there was none: at least 1."""
        return max(1, _up(-left * self.seconds / self.most))

    def clear(self) -> None:
        """Forget all keys."""
        self._left.clear()


class RateLimit:
    """Allow each address ``a_minute`` requests a minute, in bursts if it likes; 0 sets no limit."""

    def __init__(
        self,
        app: ASGIApp,
        a_minute: int,
        refuse: Callable[[Request, SiteError], Response],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.a_minute = a_minute
        self.refuse = refuse
        self._buckets = TokenBuckets(a_minute, _MINUTE, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = self.a_minute and scope["type"] == "http" and _costs(scope)
        address = _address(scope) if limited else None
        if address is None:
            await self.app(scope, receive, send)
            return
        left = self._buckets.take(address)
        headers = self._headers(left)
        if left < 0:
            await self._refused(Request(scope), left, headers)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def _headers(self, left: float) -> list[tuple[bytes, bytes]]:
        until_one = max(0.0, -left) * _MINUTE / self.a_minute
        return [
            (b"ratelimit-policy", b'"minute";q=%d;w=60' % self.a_minute),
            (b"ratelimit", b'"minute";r=%d;t=%d' % (max(0, int(left)), _up(until_one))),
        ]

    def _refused(self, request: Request, left: float, headers: list[tuple[bytes, bytes]]) -> Response:
        seconds = self._buckets.wait(left)
        error = TooManyRequests(
            f"The limit is {self.a_minute} requests a minute; try again in {seconds} second{'s'[: seconds > 1]}."
        )
        response = self.refuse(request, error)
        response.raw_headers += [*headers, (b"retry-after", b"%d" % seconds)]
        return response


def _costs(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith(_RATERS):
        return False
    if path.startswith(_API) or scope["method"] not in ("GET", "HEAD"):
        return True
    query: bytes = scope["query_string"]
    if not query:
        return False
    return not path.startswith(_FILES)


def _up(seconds: float) -> int:
    return int(-(-seconds // 1))


def _address(scope: Scope) -> str | None:
    """The visitor's network; None for this machine."""
    client = scope.get("client")
    if client is None:
        return None
    address = address_of(client[0])
    return None if address is not None and address.is_loopback else network_of(scope)


def network_of(scope: Scope) -> str:
    """The visitor's address, or its network if one visitor has many addresses (IPv6); "" where none is known."""
    client = scope.get("client")
    if client is None:
        return ""
    address = address_of(client[0])
    if address is None:
        return str(client[0])
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)
