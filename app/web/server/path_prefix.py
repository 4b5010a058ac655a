"""Serve the site below a path prefix of a proxy, such as https://example.org/labels.

The server is given the prefix with ``--root-path /labels`` and passes it to each request as ``root_path``. The prefix
is removed from the request first, so routes and middleware never see it, and it is added to every address of this
site in the answer: in pages, headers and problem objects. The site behaves the same whether or not the proxy removes
the prefix itself. Without a prefix none of this happens.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.types import Message, Scope, Send

#: The prefix of the request being answered, for code that is not given the request.
_HERE: Final[ContextVar[str]] = ContextVar("prefix", default="")

#: Attributes whose value is an address. Text never matches, because quotation marks are escaped there.
_ADDRESS: Final = re.compile(r"""(\s(?:href|src|action|formaction|poster)=")(?=/(?!/))""")
_ADDRESSES: Final = re.compile(r"""(\ssrcset=")([^"]*)""")
_CANDIDATE: Final = re.compile(r"(^|,)(\s*)(?=/(?!/))")
#: Members of a problem object that are addresses.
_OF_PROBLEMS: Final = ("type", "instance", "current", "changes")
_LINK: Final = re.compile(rb"<(?=/(?!/))")


def prefix_of(scope: Scope) -> str:
    """The prefix before the site's own addresses: "/labels", or ""."""
    found: str = scope.get("prefix", "")
    return found


def here(path: str) -> str:
    """A path of this site as the visitor of the current request has to write it."""
    return _HERE.get() + path if path.startswith("/") and not path.startswith("//") else path


def without_prefix(scope: Scope, names: Callable[[], Collection[str]] = tuple) -> Scope:
    """The scope of a request as if there were no root path; the root path is then in ``prefix``.

    A server puts its root path before whatever the proxy sends. A proxy that does not remove it sends it a second time.
    If the site itself has paths that begin with that name, one of ``names``, it is taken for such a path.

    >>> kept = {"root_path": "/labels", "path": "/labels/labels/mnist", "raw_path": b"/labels/labels/mnist"}
    >>> [without_prefix(kept)[key] for key in ("root_path", "prefix", "path", "raw_path")]
    ['', '/labels', '/mnist', b'/labels/mnist']
    >>> without_prefix(kept, lambda: {"labels"})["path"]
    '/labels/mnist'
    """
    root = "/" + scope["root_path"].strip("/")
    prefix = quote(root)
    path, raw = _without(scope["path"], root), _without((scope.get("raw_path") or b"").decode("latin-1"), prefix)
    if _begins(path, root) and root.split("/")[1] not in names():
        path, raw = _without(path, root), _without(raw, prefix)
    # Cached answers are keyed by the raw path: they differ by prefix.
    return {**scope, "root_path": "", "prefix": prefix, "path": path, "raw_path": (prefix + raw).encode("latin-1")}


def _begins(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _without(path: str, root: str) -> str:
    return (path[len(root) :] or "/") if _begins(path, root) else path


@contextlib.contextmanager
def under(prefix: str) -> Iterator[None]:
    """Make ``here`` use the prefix while a request is answered."""
    token = _HERE.set(prefix)
    try:
        yield
    finally:
        _HERE.reset(token)


def in_page(html: str, prefix: str) -> str:
    """A page with the prefix added to the site's own addresses.

    >>> in_page('<a href="/a"><img srcset="/b 1w, /c 2w" alt="/d"></a><a href="//x/y">', "/labels")
    '<a href="/labels/a"><img srcset="/labels/b 1w, /labels/c 2w" alt="/d"></a><a href="//x/y">'
    """
    html = _ADDRESS.sub(lambda found: found[1] + prefix, html)
    return _ADDRESSES.sub(lambda found: found[1] + _in_candidates(found[2], prefix), html)


def _in_candidates(value: str, prefix: str) -> str:
    return _CANDIDATE.sub(lambda found: f"{found[1]}{found[2]}{prefix}", value)


def in_problem(problem: dict[str, Any]) -> dict[str, Any]:
    """A problem object (RFC 9457) with the prefix of the current request added to the site's own addresses."""
    if not _HERE.get():
        return problem
    found: dict[str, Any] = {
        key: here(value) if key in _OF_PROBLEMS and value else value for key, value in problem.items()
    }
    if "near" in found:
        found["near"] = [{**one, "href": here(one["href"])} for one in found["near"]]
    return found


def in_headers(send: Send, prefix: str) -> Send:
    """``send``, with the prefix added in headers that hold the site's own addresses."""
    before = prefix.encode()

    def changed(name: bytes, value: bytes) -> bytes:
        if name == b"link":
            return _LINK.sub(b"<" + before, value)
        if name == b"content-location" and value.startswith(b"/"):
            return before + value
        return _location(value.decode("latin-1"), prefix).encode("latin-1") if name == b"location" else value

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, changed(name.lower(), value)) for name, value in message.get("headers", ())]
            message = {**message, "headers": headers}
        await send(message)

    return sending


def _location(address: str, prefix: str) -> str:
    """The target of a redirect; none leaves the site. From /mnist/ to /mnist the router writes out the host.

    >>> _location("/static/favicon.svg?v=1", "/labels"), _location("https://example.org/mnist", "/labels")
    ('/labels/static/favicon.svg?v=1', 'https://example.org/labels/mnist')
    """
    parts = urlsplit(address)
    return parts._replace(path=prefix + parts.path).geturl()
