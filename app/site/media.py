"""Serve pictures, sound snippets and texts of examples at permanent addresses."""

import re
from functools import lru_cache
from typing import Final

from fastapi import APIRouter, Request, Response

from app.catalogue.access import may_show, notice
from app.catalogue.credit import credit_of
from app.catalogue.current import Catalogue, current
from app.catalogue.records import Dataset
from app.errors import NotFound
from app.issues import queries
from app.issues.queries import Medium
from app.issues.reviewed.issue_at import require_shown
from app.web.partial_content import full_or_partial
from app.web.server.path_prefix import here
from app.web.urls import IMMUTABLE
from app.web.validators import if_none_match, matches_etag

router = APIRouter(include_in_schema=False)

KINDS: Final = frozenset({"image", "thumbnail", "text", "audio", "waveform", "spectrogram", "row", "question"})
#: For media that not everyone may see, shared caches must not keep a copy.
_OWN: Final = IMMUTABLE.replace("public", "private")
#: A text or picture from a dataset is only displayed, and never run as a page of this site.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
#: Addresses that can be written in a header.
_ADDRESS: Final = re.compile(r"https?://[!-;=?-~]+")


async def medium(request: Request) -> Response:
    """A medium of an example. An address of another version gets the present one, with orders to revalidate it."""
    name, version, idx, kind = (request.path_params[key] for key in ("name", "version", "idx", "kind"))
    catalogue = current(request)
    dataset = catalogue.datasets.get(name)
    if dataset is None or kind not in KINDS or not (idx.isascii() and idx.isdecimal()) or len(idx) > 12:
        raise NotFound(f"There is no picture, text, sound, row or question at {here(request.url.path)}.")
    tag = f'"{dataset.version}.{int(idx)}.{kind}"'
    headers = {
        "Cache-Control": _cached(dataset) if version == dataset.version else "no-cache",
        "Content-Security-Policy": _POLICY,
        "Accept-Ranges": "bytes",
        "ETag": tag,
    }
    if licence := _licence(dataset):
        headers["Link"] = licence
    found = _found(catalogue, dataset, int(idx), kind)
    if found.type.startswith(("text/", "image/svg")):
        headers["Vary"] = "Accept-Encoding"  # these are compressed if the client accepts it
    if matches_etag(if_none_match(request.headers), [tag]):
        return Response(status_code=304, headers=headers)
    return full_or_partial(request, found.data, found.type, headers)


# A plain Starlette route: a page requests dozens of media, and none needs FastAPI's parsing of arguments.
router.add_route("/media/{name}/{version}/{idx}/{kind}", medium, methods=["GET"], include_in_schema=False)


def _cached(dataset: Dataset) -> str:
    return IMMUTABLE if dataset.media_terms == "host" else _OWN


def _found(catalogue: Catalogue, dataset: Dataset, idx: int, kind: str) -> Medium:
    found = queries.medium(catalogue, dataset, idx, kind)
    if found is not None:
        return found
    require_shown(catalogue, dataset, [idx])
    if not may_show(dataset, kind):
        terms = credit_of(dataset).licence
        raise NotFound(f"The {kind} is not public. {notice(dataset)} Terms: {terms}.", _source(dataset))
    raise NotFound(f"Example {idx} of {dataset.title} has no {kind} in this catalogue.")


def _source(dataset: Dataset) -> list[tuple[str, str]]:
    homepage = dataset.about.get("homepage")
    return [(f"Source of {dataset.title}", str(homepage))] if homepage else []


@lru_cache(maxsize=256)
def _licence(dataset: Dataset) -> str | None:
    """The licence of a dataset's media as a header; None without an address that can be written in one."""
    url = credit_of(dataset).licence_url or ""
    return f'<{url}>; rel="license"' if _ADDRESS.fullmatch(url) else None
