"""Answer with data held in memory, in whole or the part that a Range header requests.

Used for media and for the site's own static files.
"""

from fastapi import Request, Response

from app.errors import RangeNotSatisfiable
from app.web.byte_ranges import UnsatisfiableError, parse_range
from app.web.server.problem_response import problem_response
from app.web.validators import if_range_holds


def full_or_partial(request: Request, data: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The requested range; the whole if none is requested, or if If-Range names an earlier version."""
    wanted = request.headers.get("range")
    fits = if_range_holds(request.headers, headers["ETag"])
    try:
        some = parse_range(wanted, len(data)) if wanted is not None and fits else None
    except UnsatisfiableError as error:
        return range_not_satisfiable(request, len(data), str(error))
    if some is None:
        return Response(data, media_type=media_type, headers=headers)
    headers = {**headers, "Content-Range": some.header}
    return Response(data[some.first : some.last + 1], status_code=206, media_type=media_type, headers=headers)


def range_not_satisfiable(request: Request, size: int, content_range: str) -> Response:
    """The refusal of a range beyond the end; never cached, because the address is that of the file."""
    problem = RangeNotSatisfiable(f"Range is {request.headers['range'][:80]!r}; the file has {size} bytes.")
    headers = {"Content-Range": content_range, "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    return problem_response(problem, request.url.path, headers)
