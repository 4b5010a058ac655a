"""The site's base URL as visitors see it, and the Cache-Control of permanent addresses."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request

from app.web.server.path_prefix import prefix_of

#: Key of a request's state that says that its answer contains absolute addresses of this site.
NAMES_SITE: Final = "names_site"
#: Cache-Control for addresses whose content never changes.
IMMUTABLE: Final = "public, max-age=31536000, immutable"
#: Cache-Control for all others: whoever has an answer asks whether it is still right.
ASK_AGAIN: Final = "public, no-cache"
#: The beginning of the addresses of versions, which never change.
_VERSIONS: Final = "/api/v1/versions/"


def lifetime(path: str) -> str:
    """The Cache-Control of what an address of the API or of a page answers, if that says none itself.

    >>> lifetime("/api/v1/versions/3f2a/datasets/imdb/croissant.json") == IMMUTABLE, lifetime("/imdb")
    (True, 'public, no-cache')
    """
    return IMMUTABLE if path.startswith(_VERSIONS) else ASK_AGAIN


def base_url(request: Request) -> str:
    """The base URL of this site as the visitor writes it: ``https://example.org/labels``."""
    scope = request.scope
    scope.setdefault("state", {})[NAMES_SITE] = True
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    server = scope.get("server")
    return _base_url(scope.get("scheme", "http"), host, server and tuple(server), prefix_of(scope))


def without_parameter(request: Request, name: str) -> str | None:
    """The address of the page that is asked for, without one of its parameters; None if it was not given."""
    given = request.query_params.multi_items()
    rest = [(key, value) for key, value in given if key != name]
    if len(rest) == len(given) or request.method not in ("GET", "HEAD"):
        return None
    return quote(request.url.path) + ("?" + urlencode(rest) if rest else "")


@lru_cache(maxsize=64)
def _base_url(scheme: str, host: bytes | None, server: tuple[str, int | None] | None, root: str) -> str:
    headers = [] if host is None else [(b"host", host)]
    scope = {"type": "http", "scheme": scheme, "headers": headers, "server": server, "root_path": root}
    return str(Request(scope).base_url).rstrip("/")
