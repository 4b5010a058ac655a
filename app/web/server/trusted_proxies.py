"""Read the client's address, the scheme and the host from the headers of trusted proxies.

Every proxy appends what it saw to a list, so lists are read from the right, one entry per proxy, for as long as the
next address is one of ``LABELERRORS_TRUSTED_PROXIES``. Entries that a visitor wrote are further to the left and are
never reached. Headers from any other address are ignored.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import BadRequest
from app.web.server.client_addresses import Network, address_of, within
from app.web.server.problem_response import send_problem
from app.web.server.request_record import VISITOR

_PAIR: Final = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^";,\s]*)\s*(;|,|$)""")
_SCHEMES: Final = ("http", "https")


class Hop(NamedTuple):
    """What one proxy says about the request it received. Empty if it says nothing."""

    client: str
    scheme: str = ""
    host: str = ""


class TrustedProxies:
    """Replace the proxy's address, scheme and host with the visitor's."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network]) -> None:
        self.app = app
        self.networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.networks and scope["type"] == "http":
            client = scope.get("client")
            if client is not None and within(address_of(client[0]), self.networks):
                try:
                    hops = told(scope["headers"])
                except ValueError as error:
                    await send_problem(send, BadRequest(str(error)), scope["path"])
                    return
                scope = self._seen(scope, hops)
        await self.app(scope, receive, send)

    def _seen(self, scope: Scope, hops: Sequence[Hop]) -> Scope:
        client, scheme, host = scope["client"], "", ""
        for hop in reversed(hops):
            if not within(address_of(client[0]), self.networks):
                break
            scheme, host = hop.scheme, hop.host
            if not hop.client:
                break
            client = (hop.client, 0)
        scope.setdefault("state", {})[VISITOR] = client, host.encode("latin-1")
        scope = {**scope, "client": client}
        if scheme in _SCHEMES:
            scope["scheme"] = scheme
        if host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]
        return scope


def told(headers: Sequence[tuple[bytes, bytes]]) -> list[Hop]:
    """What the headers say for each proxy, the one nearest the visitor first.

    A request with both kinds of headers is trusted only if they agree: a proxy sets one of them, and the other may be
    the visitor's own. Raises ValueError if they do not.
    """
    older, newer = _x_forwarded(headers), list(_forwarded(_values(headers, b"forwarded")))
    if older[-1].client and newer:
        if older[-1].client != newer[-1].client:
            raise ValueError("X-Forwarded-For and Forwarded name different clients; expected one of them, or the same.")
        return newer if len(newer) >= len(older) else older
    return newer or older


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return ",".join(value.decode("latin-1") for name, value in headers if name == wanted)


def _x_forwarded(headers: Sequence[tuple[bytes, bytes]]) -> list[Hop]:
    def listed(name: bytes) -> list[str]:
        return [part.strip() for part in _values(headers, name).split(",") if part.strip()]

    clients = listed(b"x-forwarded-for") or [""]
    schemes, hosts = listed(b"x-forwarded-proto"), listed(b"x-forwarded-host")

    def at(values: list[str], from_right: int) -> str:
        # Many proxies write one scheme and one host, overwriting what was there.
        return values[max(len(values) - from_right, 0)] if values else ""

    n = len(clients)
    return [
        Hop(_without_port(client), at(schemes, n - place).lower(), at(hosts, n - place))
        for place, client in enumerate(clients)
    ]


def _forwarded(text: str) -> Iterator[Hop]:
    """The elements of a Forwarded header (RFC 7239). Raises ValueError if it is invalid."""
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            raise ValueError("Forwarded is not a list of pairs like for=192.0.2.1;proto=https (RFC 7239).")
        name, value, end = pair.groups()
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found[name.lower()] = value
        place = pair.end()
        if end != ";":
            yield Hop(_without_port(found.get("for", "")), found.get("proto", "").lower(), found.get("host", ""))
            found = {}


def _without_port(text: str) -> str:
    """An address without its optional port, brackets and quotes.

    >>> [_without_port(text) for text in ("192.0.2.1:80", "[2001:db8::1]:443", "2001:db8::1", '"192.0.2.1"', "_a")]
    ['192.0.2.1', '2001:db8::1', '2001:db8::1', '192.0.2.1', '_a']
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
