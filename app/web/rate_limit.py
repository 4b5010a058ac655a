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
        self.clock = clock
        #: Address -> requests left, and the time of that number.
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_MOST_ADDRESSES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = self.a_minute and scope["type"] == "http" and _costs(scope)
        address = _address(scope) if limited else None
        if address is None:
            await self.app(scope, receive, send)
            return
        left = self._take(address)
        headers = self._headers(left)
        if left < 0:
            await self._refused(Request(scope), left, headers)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def _take(self, address: str) -> float:
        """The requests left after this one; if below 0, this one was not allowed and is not counted."""
        now = self.clock()
        left, then = self._buckets.get(address, (float(self.a_minute), now))
        left = min(left + (now - then) * self.a_minute / _MINUTE, float(self.a_minute))
        taken = left - 1
        self._buckets[address] = (taken if taken >= 0 else left), now
        return taken

    def _headers(self, left: float) -> list[tuple[bytes, bytes]]:
        until_one = max(0.0, -left) * _MINUTE / self.a_minute
        return [
            (b"ratelimit-policy", b'"minute";q=%d;w=60' % self.a_minute),
            (b"ratelimit", b'"minute";r=%d;t=%d' % (max(0, int(left)), _up(until_one))),
        ]

    def _refused(self, request: Request, left: float, headers: list[tuple[bytes, bytes]]) -> Response:
        seconds = max(1, _up(-left * _MINUTE / self.a_minute))
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
    """The visitor's address, or its network if one visitor has many addresses (IPv6); None for this machine."""
    client = scope.get("client")
    if client is None:
        return None
    address = address_of(client[0])
    if address is None:
        return str(client[0])
    if address.is_loopback:
        return None
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)
