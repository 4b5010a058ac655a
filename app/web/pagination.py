"""Links to the next page of a list: ``next`` in the body, and the header Link (RFC 8288)."""

from collections.abc import Sequence

from fastapi import Request

from app.web.urls import base_url


def next_page(
    request: Request, path: str, query: str, limit: int, fields: Sequence[str] | None, after: str | None
) -> tuple[str | None, dict[str, str]]:
    """The address of the next page and the Link header with it; None and no header if ``after`` is None.

    ``path`` begins with a slash, ``query`` is the list's query string, and ``after`` the cursor of the last item here.
    """
    if after is None:
        return None, {}
    only = f"fields={','.join(fields)}" if fields else ""
    parts = "&".join(filter(None, (query, f"limit={limit}", only, f"after={after}")))
    address = f"{base_url(request)}{path}?{parts}"
    return address, {"Link": f'<{address}>; rel="next"'}
