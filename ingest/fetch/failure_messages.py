"""Turn httpx errors into messages for the user."""

import math
import os
import ssl
from typing import Final

import httpx

_LONGEST: Final = 200
#: Exception -> what happened; its own message may follow in brackets.
_HAPPENED: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpx.ConnectError, "expected a connection, found none"),
    (httpx.ProxyError, "expected a connection, found none"),
    (httpx.ReadError, "expected an answer, found that the connection broke off"),
    (httpx.WriteError, "expected an answer, found that the connection broke off"),
    (httpx.CloseError, "expected an answer, found that the connection broke off"),
    (httpx.DecodingError, "expected a file, found an answer that cannot be unpacked"),
    (httpx.TransportError, "expected an answer, found one that breaks the rules of HTTP"),
)


def why_none(error: httpx.TransportError | httpx.DecodingError, patience: float) -> str:
    """The message for a request without a complete answer. ``patience`` is the timeout in seconds.

    >>> why_none(httpx.ReadTimeout(""), 20.0)
    'expected an answer, found none within 20 s'
    >>> why_none(httpx.RemoteProtocolError("Server disconnected without sending a response."), 20.0)
    'expected an answer, found that the server hung up without one'
    >>> why_none(httpx.ReadError(""), 20.0)
    'expected an answer, found that the connection broke off'
    """
    if isinstance(error, httpx.ConnectTimeout):
        return f"expected a connection, found none within {spoken(patience)}"
    if isinstance(error, httpx.TimeoutException):
        return f"expected an answer, found none within {spoken(patience)}"
    said = str(error).strip().rstrip(".")
    if isinstance(error, httpx.RemoteProtocolError):
        if "without sending a response" in said:
            return "expected an answer, found that the server hung up without one"
        if "complete message body" in said:
            return f"expected a whole file, found that it broke off{_bracketed(said.partition('(')[2].rstrip(')'))}"
    happened = next(words for kind, words in _HAPPENED if isinstance(error, kind))
    return f"{happened}{_bracketed(_cause(error) or said)}"


def _cause(error: BaseException) -> str:
    """The operating system's message, which lies below the libraries' exceptions; empty without one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate does not hold: {seen.verify_message}"
        if isinstance(seen, OSError) and seen.errno is not None and seen.errno > 0:
            # asyncio puts the address in the place of the system's message.
            return seen.strerror or "" if isinstance(seen, ssl.SSLError) else os.strerror(seen.errno)
        seen = seen.__cause__ or seen.__context__
    return ""


def _bracketed(said: str) -> str:
    return f" ({said[:_LONGEST]})" if said else ""


def spoken(seconds: float) -> str:
    """A duration as people say it, rounded up.

    >>> [spoken(n) for n in (0.4, 45, 600, 86_400, 1_000_000, 1e11)]
    ['0.4 s', '45 s', '10 min', '24 h', '12 days', 'more than a year']
    """
    if seconds < 10:
        return f"{seconds:.2g} s"
    for most, unit, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < most:
            return f"{math.ceil(seconds / unit)} {name}"
    return f"{math.ceil(seconds / 86_400)} days" if seconds < 366 * 86_400 else "more than a year"
