"""The addresses of the issues of a filter as files: all pages of the gallery, in its order, in one stream."""

import zlib
from collections.abc import Callable, Iterator
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from app.catalogue.access import is_public
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.errors import TooLarge
from app.issues import counts, queries
from app.issues.filter import IssueFilter
from app.openapi import parameters
from app.site.components.file_stream import FileStream, steady
from app.site.components.in_review import held_back_header
from app.site.corrected.request import opened
from app.site.gallery.issue_files import ISSUE_FORMATS, MOST_ROWS, Columns, IssueFormat
from app.web.compression import encode_stream
from app.web.plain_route import PlainRoute
from app.web.validators import if_none_match, matches_etag

router = APIRouter(prefix="/api/v1", tags=["label errors"], responses=parameters.PROBLEMS, route_class=PlainRoute)

_ROWS_AT_A_TIME: Final = 2_000
_DESCRIPTION: Final = (
    "All pages of the list of issues in one file, with its filters and in its order: {says}. Columns: index, key, "
    "given, given_name, guessed, guessed_name, corrected, corrected_name, category, consensus, votes, self_confidence, "
    "normalized_margin, rank, flagged, source (its address on another site), confidence, probability_right, and "
    "opinion_SOURCE for each second opinion. A set of labels is {sets}. Keys and names stand as they are, so one may "
    "begin with ``=``, ``+``, ``-`` or ``@``: into a spreadsheet, import them as text. At most 1,000,000 issues."
)


def answer(request: Request, name: str, form: IssueFormat) -> Response:
    """The issues of the filter in the query string, or "not modified"."""
    catalogue, connection = opened(request, public=is_public(request.scope))
    try:
        dataset = queries.dataset_named(catalogue, name)
        f = IssueFilter.parse(dataset, request.query_params.multi_items(), others=())
        headers = _headers(catalogue, dataset, f, form, request.app.state.program)
        if matches_etag(if_none_match(request.headers), [headers["ETag"]]):
            connection.close()
            kept = {key: headers[key] for key in ("ETag", "Cache-Control", "Vary")}
            return Response(status_code=304, headers=kept)
        n = counts.total(catalogue, dataset, f)
        if n > MOST_ROWS:
            raise TooLarge(_too_many(n))
        _, rows = queries.all_rows(catalogue, dataset, f, _ROWS_AT_A_TIME)
        about = _about(dataset, f, n)
        pieces: Iterator[bytes] = iter(())
        if not request.scope.get("head", False):
            seconds = request.app.state.settings.read_seconds
            pieces = steady(catalogue, connection, seconds, form.pieces(about, Columns(dataset), rows))
        if not form.binary:
            pieces = encode_stream(pieces, headers, request.headers.get("accept-encoding", ""))
        return FileStream(pieces, [connection], 200, headers, form.media_type)
    except BaseException:
        connection.close()
        raise


def _too_many(n: int) -> str:
    return (
        f"This filter selects {n:,} issues, and a file holds at most {MOST_ROWS:,}. Narrow it by class, category or "
        "margin, or read the list a page at a time."
    )


def _headers(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, form: IssueFormat, program: str) -> dict[str, str]:
    number = zlib.crc32(f"{dataset.name} {form.suffix} {f.api_query(dataset)}".encode())
    tag = f'"{catalogue.version}-{program}-{number:08x}"'
    return {
        "ETag": tag if form.binary else f"W/{tag}",
        "Cache-Control": "public, no-cache",
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{file_name(dataset, f, form)}"',
        **held_back_header(dataset),
    }


def file_name(dataset: Dataset, f: IssueFilter, form: IssueFormat) -> str:
    """A file name with the categories, which are words of ours; what else was chosen may be any text."""
    words = "-".join(["issues", *(word.replace("_", "-") for word in f.category)])
    return f"{dataset.name}-{words}.{form.suffix}"


def _about(dataset: Dataset, f: IssueFilter, n: int) -> dict[str, str]:
    return {
        "dataset": dataset.name,
        "title": dataset.title,
        "version": dataset.version,
        "filter": f.sentence(dataset, n),
        "query": f.api_query(dataset),
        **({} if dataset.held_back is None else {"held_back": dataset.held_back.why}),
    }


def _route(form: IssueFormat) -> Callable[..., Response]:
    def issues(request: Request, name: str) -> Response:
        return answer(request, name, form)

    issues.__name__ = f"issues_{form.suffix}"
    return issues


for _form in ISSUE_FORMATS:
    router.add_api_route(
        f"/datasets/{{name}}/issues.{_form.suffix}",
        _route(_form),
        summary=f"Issues of a dataset as {_form.title}",
        description=_DESCRIPTION.format(says=_form.says, sets=_form.sets),
        response_class=StreamingResponse,
        openapi_extra=parameters.issue_file(_form.media_type.partition(";")[0], binary=_form.binary),
    )
