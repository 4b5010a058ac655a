"""Check a request's head for anything that a proxy in front of this server could read differently (RFC 9112).

httptools itself refuses nearly everything ambiguous: line ends, folded headers, two lengths. It leaves three checks to
its user: which host is requested, what a target in absolute form means, and which transfer codings are supported.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import BadRequest, SiteError, UnknownTransferCoding

_VERSIONS: Final = ("1.0", "1.1")
#: Scheme, authority, and the rest of the target.
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_SHOWN: Final = 80
#: The key of a request's state under which the server says why it is to be refused.
REFUSAL: Final = "refusal"


class RefusedHeads:
    """Answer requests whose head the server refuses with a page, where a browser asks."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, SiteError], Response]) -> None:
        self.app = app
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = scope.get("state", {}).get(REFUSAL) if scope["type"] == "http" else None
        answer = self.app if refusal is None else self.refuse(Request(scope), refusal)
        await answer(scope, receive, send)


def asks_for_page(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a request says that it takes a page, as browsers do; header names are in lower case.

    >>> asks_for_page([(b"accept", b"text/html,*/*;q=0.8")]), asks_for_page([(b"accept", b"*/*")])
    (True, False)
    """
    return any(b"text/html" in value.lower() for value in _values(headers, b"accept"))


def origin_form(method: str, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The target without scheme and host, as nearly all clients send it; header names are in lower case.

    Raises BadRequest, or UnknownTransferCoding for a body with an unsupported coding.

    >>> origin_form("GET", b"http://labels.example?page=2", "1.1", [(b"host", b"labels.example")])
    b'/?page=2'
    """
    if version not in _VERSIONS:
        raise BadRequest(f"The request uses HTTP/{version}; this server supports HTTP/1.1.")
    _check_coding(version, _values(headers, b"transfer-encoding"))
    hosts = _values(headers, b"host")
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        raise BadRequest(f"The request has {len(hosts) or 'no'} Host headers; expected one (RFC 9112, section 3.2).")
    if target.startswith(b"/") or (target == b"*" and method == "OPTIONS"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise BadRequest(f"The request is for {_shown(target)}; expected an address like /method.")
    authority, rest = absolute.groups()
    # A client has to send the same host in both places. Otherwise this server would use one of the two, and a proxy
    # between perhaps the other.
    if not authority or [host.lower() for host in hosts] != [authority.lower()]:
        said = _shown(hosts[0]) if hosts else "none"
        raise BadRequest(f"The request is for host {_shown(authority)}, and its Host header says {said}.")
    return rest if rest.startswith(b"/") else b"/" + rest


def _check_coding(version: str, codings: Sequence[bytes]) -> None:
    if not codings:
        return
    if version == "1.0":
        raise BadRequest("Transfer-Encoding came with HTTP/1.1; a request of HTTP/1.0 cannot have it.")
    if [coding.lower() for coding in codings] != [b"chunked"]:
        said = _shown(b", ".join(codings))
        raise UnknownTransferCoding(f"Transfer-Encoding is {said}; this server supports only chunked.")


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value.strip() for name, value in headers if name == wanted]


def _shown(value: bytes) -> str:
    return repr(value[:_SHOWN].decode("latin-1"))
