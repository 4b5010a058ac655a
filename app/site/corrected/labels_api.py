"""The API of corrected labels for training scripts: of some examples, or of all examples in pages."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from app.catalogue import reader_threads
from app.catalogue.current import current
from app.catalogue.open_file import require_reader
from app.corrected.formats import by_media_type
from app.errors import FilterError, NotAcceptable, TooLarge, Unreadable
from app.issues.cursors import cursor, place_of
from app.issues.queries import dataset_named
from app.openapi import parameters, response_models
from app.site.components.in_review import held_back_json
from app.site.corrected import label_rows
from app.site.corrected.downloads import answer
from app.site.corrected.request import CorrectedRequest, corrected_set, open_request
from app.web.content_negotiation import best
from app.web.json_response import json_response
from app.web.pagination import next_page
from app.web.plain_route import PlainRoute

router = APIRouter(
    prefix="/api/v1", tags=["corrected test sets"], responses=parameters.PROBLEMS, route_class=PlainRoute
)

MOST_ROWS: Final = 10_000
DEFAULT_ROWS: Final = 1_000
MOST_LABELS: Final = 10_000
_MOST_BYTES: Final = 4_000_000
_LONGEST_INDEX: Final = 12
_JSON: Final = "application/json"


@router.get(
    "/datasets/{name}/corrected.json",
    response_model=response_models.RowList,
    summary="Corrected test set a page at a time",
    openapi_extra=parameters.ROWS,
)
def corrected_json(request: Request, name: str) -> Response:
    """The rows of the corrected test set as objects, with the policy and the sizes of its sets."""
    own, rest = parameters.split(request.query_params.multi_items(), ("limit", "after", "fields"))
    limit = parameters.whole_number("limit", own.get("limit"), DEFAULT_ROWS, MOST_ROWS)
    fields = parameters.fields(own.get("fields"), response_models.RowOut)
    first = place_of(own["after"]) + 1 if own.get("after") else 0
    taken = open_request(request, name, rest, also=("limit", "after", "fields"))
    with taken.connection:
        items, following = label_rows.page(taken.catalogue, taken.connection, taken.corrected, first, limit)
        return _page(request, taken, parameters.chosen(items, fields), following, limit, fields)


def _page(
    request: Request,
    taken: CorrectedRequest,
    items: list[Any],
    following: int | None,
    limit: int,
    fields: tuple[str, ...] | None,
) -> Response:
    sizes = label_rows.sizes_of(taken.catalogue, taken.dataset, taken.corrected)
    path = f"/api/v1/datasets/{taken.dataset.name}/corrected.json"
    after = None if following is None else cursor(following - 1)
    address, headers = next_page(request, path, taken.query, limit, fields, after)
    body = {
        "items": items,
        "next": address,
        "total": sizes.all if taken.corrected.wanted.removed else sizes.pruned,
        "limit": limit,
        "most": MOST_ROWS,
        "policy": taken.corrected.wanted.words(),
        "sizes": {
            "all": sizes.all,
            "benign": sizes.benign,
            "correctable": sizes.correctable,
            "unknown": sizes.unknown,
            "pruned": sizes.pruned,
        },
        "version": taken.dataset.content_version,
        **held_back_json(taken.dataset),
    }
    return json_response(body, headers)


@router.get(
    "/datasets/{name}/corrected",
    summary="Corrected test set in the form that Accept asks for",
    response_class=Response,
    openapi_extra=parameters.NEGOTIATED,
)
def corrected(request: Request, name: str) -> Response:
    """CSV, JSON Lines, Parquet, a NumPy array or JSON pages: whichever the client prefers, JSON by default.

    An address with a file ending always has that format.
    """
    offered = {_JSON: None} | by_media_type()
    found = best(request.headers.get("accept", ""), list(offered))
    if found is None:
        raise NotAcceptable(f"Available formats are {', '.join(offered)}; Accept names none of them.")
    form = offered[found]
    response = corrected_json(request, name) if form is None else answer(request, name, form)
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response


@router.get(
    "/datasets/{name}/labels/{index_or_key:path}",
    response_model=response_models.RowOut,
    summary="Labels of one example",
    openapi_extra=parameters.LABEL,
)
def label(request: Request, name: str, index_or_key: str) -> Response:
    """Given and corrected label of an example, by its index or by the dataset's own key."""
    catalogue = current(request)
    dataset = dataset_named(catalogue, name)
    own, rest = parameters.split(request.query_params.multi_items(), ("fields",))
    fields = parameters.fields(own.get("fields"), response_models.RowOut)
    connection = catalogue.connection
    found = corrected_set(catalogue, dataset, rest, connection, also=("fields",), removed=False)
    wanted = _index(index_or_key)
    if wanted is None:
        require_reader()
    row = label_rows.labels(catalogue, connection, found, [index_or_key if wanted is None else wanted])
    return json_response(parameters.chosen(row, fields)[0])


def _index(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_INDEX else None


@router.post(
    "/datasets/{name}/labels",
    response_model=response_models.LabelList,
    summary="Labels of many examples",
    openapi_extra=parameters.LABELS,
)
async def labels(request: Request, name: str) -> Response:
    """Given and corrected labels of up to 10,000 examples, in the given order.

    A number is an index, a string is one of the dataset's own keys.
    """
    wanted = _names(await _body(request))

    def read() -> bytes:
        own, rest = parameters.split(request.query_params.multi_items(), ("fields",))
        fields = parameters.fields(own.get("fields"), response_models.RowOut)
        taken = open_request(request, name, rest, also=("fields",), removed=False)
        with taken.connection:
            found = label_rows.labels(taken.catalogue, taken.connection, taken.corrected, wanted)
        items = parameters.chosen(found, fields)
        policy = taken.corrected.wanted.words()
        version = taken.dataset.content_version
        return orjson.dumps({"items": items, "next": None, "total": len(items), "policy": policy, "version": version})

    return Response(await reader_threads.run(request, read), media_type=_JSON)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise TooLarge(
                f"The request has more than {_MOST_BYTES:,} bytes; ask for {MOST_LABELS:,} examples at most."
            )
    return bytes(body)


def _names(body: bytes) -> list[int | str]:
    expected = f"expected a JSON list of at most {MOST_LABELS:,} indices and keys"
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"The request is no JSON ({error}); {expected}.") from error
    if not isinstance(found, list):
        raise Unreadable(f"The request is a JSON {type(found).__name__}; {expected}.")
    if len(found) > MOST_LABELS:
        raise TooLarge(f"The list has {len(found):,} entries; {expected}.")
    for place, one in enumerate(found):
        if isinstance(one, bool) or not isinstance(one, int | str):
            raise FilterError(f"[{place}]", str(one), [], f"Entry {place} is {str(one)[:40]!r}; {expected}.")
    return found
