"""Refuse requests for host names that this site does not answer for.

Another site can make its visitors' browsers send requests to a server on their own machine (DNS rebinding); the
browser then sends that site's name as the host. So a private server that is reached on this machine answers only to
this machine's names, and any server only to ``LABELERRORS_HOSTS`` where that is set.
"""

import re
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import WrongHost
from app.web.server.client_addresses import address_of, loopback
from app.web.server.problem_response import send_problem

#: The health check, which monitoring may request under any name; it reveals nothing of what is served.
_ANY_NAME: Final = "/healthz"
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]*)(:[0-9]{1,5})?")
_NAME: Final = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]|\*")


def hosts_of(text: str) -> tuple[str, ...]:
    """The host names in a comma-separated list. Raises ValueError for an invalid name.

    >>> hosts_of("Labels.example, *.labels.example, [::1]")
    ('labels.example', '*.labels.example', '[::1]')
    """
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no host name; expected one without scheme and port, like labels.example")
    return names


class AllowedHosts:
    """Refuse requests for other hosts than this site's."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], *, public: bool) -> None:
        self.app = app
        self.hosts = hosts
        self.public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == _ANY_NAME:
            await self.app(scope, receive, send)
            return
        named = [value for name, value in scope["headers"] if name == b"host"]
        address, port = scope.get("server") or ("", None)
        asked_at = "" if self.public or port is None else address
        if _ours(tuple(named), self.hosts, asked_at):
            await self.app(scope, receive, send)
            return
        found = " and ".join(repr(value.decode("latin-1")[:80]) for value in named[:2]) or "none"
        await send_problem(send, WrongHost(f"The request is for host {found}. {_expected(self.hosts)}"), scope["path"])


#: The same few hosts are requested again and again, and headers are limited in length.
@lru_cache(maxsize=32)
def _ours(named: tuple[bytes, ...], hosts: tuple[str, ...], asked_at: str) -> bool:
    """Whether a request that names these hosts is for this site.

    ``asked_at`` is the server's address in the connection if the server is private, else "".
    """
    address = address_of(asked_at)
    guarded = address is not None and address.is_loopback
    if not named:
        return not hosts and not guarded  # HTTP/1.0 requests name no host
    match = _HOST.fullmatch(named[0].decode("latin-1"))
    if len(named) > 1 or match is None:
        return False
    host = match[1].lower().rstrip(".")
    if hosts:
        return any(_fits(host, name) for name in hosts)
    return not guarded or host.endswith(".localhost") or loopback(host.strip("[]"))


def _fits(host: str, name: str) -> bool:
    if name.startswith("*."):
        return host.endswith(name[1:])
    return name in ("*", host)


def _expected(hosts: tuple[str, ...]) -> str:
    if hosts:
        return "Expected one of the host names in LABELERRORS_HOSTS."
    return (
        "This private server only answers to localhost and 127.0.0.1; to reach it by another name, "
        "start it with LABELERRORS_HOSTS set to that name."
    )
