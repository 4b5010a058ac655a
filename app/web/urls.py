"""The site's base URL as visitors see it, and the Cache-Control of permanent addresses."""

from functools import lru_cache
from typing import Final

from starlette.requests import Request

from app.path_prefix import prefix_of

#: Where a request notes that its answer holds addresses of this site in full.
NAMES_SITE: Final = "names_site"
#: Cache-Control of what its address names for good.
IMMUTABLE: Final = "public, max-age=31536000, immutable"


def base_url(request: Request) -> str:
    """What the addresses of this site begin with, as the visitor spells it: ``https://example.org/labels``."""
    scope = request.scope
    scope.setdefault("state", {})[NAMES_SITE] = True
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    server = scope.get("server")
    return _base_url(scope.get("scheme", "http"), host, server and tuple(server), prefix_of(scope))


@lru_cache(maxsize=64)
def _base_url(scheme: str, host: bytes | None, server: tuple[str, int | None] | None, root: str) -> str:
    headers = [] if host is None else [(b"host", host)]
    scope = {"type": "http", "scheme": scheme, "headers": headers, "server": server, "root_path": root}
    return str(Request(scope).base_url).rstrip("/")
