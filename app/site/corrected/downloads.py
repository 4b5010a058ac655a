"""Downloads of corrected test sets: streams, ranges and ETags.

``app.corrected`` writes their content.

A file whose length is known, or quick to compute, is sent with its length and can be requested in ranges. A large file
of unknown length is streamed at once without a length, unless the client asks for its length or for a part of it. When
the client disconnects, the work ends.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from app.corrected.formats import FORMATS, Format, Parts, write
from app.openapi import parameters
from app.site.components.file_stream import Closable, FileStream, close
from app.site.components.in_review import held_back_header
from app.site.corrected.request import CorrectedRequest, offered_here, open_request
from app.web import byte_ranges, file_cache
from app.web.compression import encode_stream
from app.web.partial_content import range_not_satisfiable
from app.web.plain_route import PlainRoute
from app.web.urls import IMMUTABLE
from app.web.validators import if_none_match, if_range_holds, matches_etag

router = APIRouter(
    prefix="/api/v1", tags=["corrected test sets"], responses=parameters.PROBLEMS, route_class=PlainRoute
)

#: Files of up to so many examples are written before they are sent; larger ones only if a part is requested.
WRITTEN_FIRST: Final = 1_000_000
#: How many times longer than a read counting the bytes of a file may take, which happens once per catalogue.
_TIMES_AS_LONG: Final = 20
#: Up to this size, pages show the hashes of a test set's files; for larger ones they have their own address.
HASHED_AT_ONCE: Final = 200_000


def answer(request: Request, name: str, form: Format, version: str | None = None) -> Response:
    """A corrected test set in one format, whole or in part, or "not modified"."""
    taken = open_request(request, name, request.query_params.multi_items(), form=form, version=version)
    headers = _headers(request, taken, form, version)
    if matches_etag(if_none_match(request.headers), [headers["ETag"]]):
        taken.connection.close()
        kept = {key: headers[key] for key in ("ETag", "Cache-Control", "Content-Location", "Vary")}
        return Response(status_code=304, headers=kept)
    try:
        return _sent(request, taken, form, headers)
    except BaseException:
        taken.connection.close()
        raise


def _sent(request: Request, taken: CorrectedRequest, form: Format, headers: dict[str, str]) -> Response:
    parts, in_part = form.parts, "range" in request.headers or request.scope.get("head", False)
    if parts is not None and not parts.counted:
        return _without_the_rest(request, taken, form, parts, headers)
    files: file_cache.FileCache = request.app.state.spool
    key = headers["ETag"]
    if (parts is None and in_part) or taken.corrected.test_set.size <= WRITTEN_FIRST or files.has(key):
        headers["Accept-Ranges"] = "bytes"
        file, kept = files.open(key, lambda: _written(taken, form))
        return _part(request, taken, form, headers, kept.size, lambda first, n: file_cache.read(file, first, n), file)
    if parts is not None and in_part:
        return _without_the_rest(request, taken, form, parts, headers)
    pieces = _written(taken, form)
    return FileStream(_encoded(request, form, pieces, headers), [taken.connection], 200, headers, form.media_type)


def _written(taken: CorrectedRequest, form: Format) -> Iterator[bytes]:
    return taken.steady(write(form, taken.connection, taken.corrected))


def _without_the_rest(
    request: Request, taken: CorrectedRequest, form: Format, parts: Parts, headers: dict[str, str]
) -> Response:
    """A part, or the length, of a file that is not written first; the length is counted once per catalogue."""
    headers["Accept-Ranges"] = "bytes"
    connection, corrected = taken.connection, taken.corrected
    if parts.counted:
        taken.go_on(_TIMES_AS_LONG)
    ends = taken.catalogue.checksums.get(("ends", headers["ETag"]), lambda: parts.ends(connection, corrected))

    def from_byte(first: int, n_bytes: int) -> Iterator[bytes]:
        return _first_bytes(taken.steady(parts.pieces(connection, corrected, ends, first)), n_bytes)

    return _part(request, taken, form, headers, int(ends[-1]), from_byte)


def _part(
    request: Request,
    taken: CorrectedRequest,
    form: Format,
    headers: dict[str, str],
    size: int,
    read: Callable[[int, int], Iterator[bytes]],
    file: BinaryIO | None = None,
) -> Response:
    wanted = request.headers.get("range", "")
    if not if_range_holds(request.headers, headers["ETag"]):
        wanted = ""
    opened: list[Closable] = [taken.connection] if file is None else [taken.connection, file]
    try:
        part = byte_ranges.parse_range(wanted, size)
    except byte_ranges.UnsatisfiableError as error:
        close(opened)
        return range_not_satisfiable(request, size, str(error))
    first, n_bytes = (0, size) if part is None else (part.first, part.n_bytes)
    headers["Content-Length"] = str(n_bytes)
    if part is not None:
        headers["Content-Range"] = part.header
    status = 200 if part is None else 206
    pieces = iter(()) if request.scope.get("head", False) else read(first, n_bytes)
    return FileStream(_encoded(request, form, pieces, headers), opened, status, headers, form.media_type)


def _encoded(request: Request, form: Format, pieces: Iterator[bytes], headers: dict[str, str]) -> Iterator[bytes]:
    """The pieces as sent: text is compressed if the client accepts it, unless ranges of the file are requested."""
    if form.binary or "range" in request.headers:
        return pieces
    return encode_stream(pieces, headers, request.headers.get("accept-encoding", ""))


def _first_bytes(pieces: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:n_bytes]
        n_bytes -= len(piece)
        if n_bytes <= 0:
            return


def _headers(request: Request, taken: CorrectedRequest, form: Format, version: str | None) -> dict[str, str]:
    return {
        "ETag": taken.tag(request.app.state.program, form),
        "Cache-Control": "public, no-cache" if version is None else IMMUTABLE,
        "Content-Location": taken.path(form),
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{taken.file_name(form)}"',
        **held_back_header(taken.dataset),
    }


def checksum(request: Request, taken: CorrectedRequest, form: Format) -> str:
    """The SHA-256 of a file, computed once."""

    def make() -> str:
        digest = hashlib.sha256()
        for piece in _written(taken, form):
            digest.update(piece)
        return digest.hexdigest()

    return taken.catalogue.checksums.get((taken.tag(request.app.state.program, form)), make)


def checksums(request: Request, name: str, version: str | None = None) -> Response:
    """The SHA-256 of the file in every format, as input for ``sha256sum --check``."""
    taken = open_request(request, name, request.query_params.multi_items(), version=version)
    with taken.connection:
        lines = [f"{checksum(request, taken, form)}  {taken.file_name(form)}\n" for form in offered_here(taken)]
    cache = "public, no-cache" if version is None else IMMUTABLE
    return Response("".join(lines), media_type="text/plain; charset=utf-8", headers={"Cache-Control": cache})


def _route(form: Format) -> Callable[..., Response]:
    def current(request: Request, name: str) -> Response:
        return answer(request, name, form)

    current.__name__ = f"corrected_{form.suffix.replace('.', '_')}"
    return current


def _versioned_route(form: Format) -> Callable[..., Response]:
    def of_version(request: Request, version: str, name: str) -> Response:
        return answer(request, name, form, version)

    of_version.__name__ = f"corrected_{form.suffix.replace('.', '_')}_of_version"
    return of_version


def _add(path: str, endpoint: Callable[..., Any], form: Format, says: str, **more: Any) -> None:
    router.add_api_route(
        path,
        endpoint,
        summary=f"Corrected test set as {form.title}{says}",
        description=f"{form.says[0].upper()}{form.says[1:]}. {form.about}",
        response_class=StreamingResponse,
        openapi_extra=parameters.corrected_form(form),
        **more,
    )


for _form in FORMATS.values():
    _add(f"/datasets/{{name}}/corrected.{_form.suffix}", _route(_form), _form, "")
    _add(
        f"/versions/{{version}}/datasets/{{name}}/corrected.{_form.suffix}",
        _versioned_route(_form),
        _form,
        ", of one version",
        responses=parameters.GONE,
    )
router.add_api_route(
    "/datasets/{name}/corrected.sha256",
    checksums,
    summary="SHA-256 of a corrected test set in every form",
    response_class=Response,
    openapi_extra=parameters.CHECKSUMS,
)
