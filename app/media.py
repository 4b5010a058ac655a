"""Pictures, snippets and texts of examples, at addresses that never change what they show."""

from fastapi import APIRouter, Request, Response

from app import queries
from app.audience import may_show, notice
from app.database import current
from app.errors import NotFound
from app.records import Dataset

router = APIRouter(include_in_schema=False)

KINDS = ("image", "thumbnail", "text", "audio", "waveform", "spectrogram")
IMMUTABLE = "public, max-age=31536000, immutable"


@router.get("/media/{name}/{version}/{idx}/{kind}")
async def medium(request: Request, name: str, version: str, idx: str, kind: str) -> Response:
    """A medium of an example. An address of another version is answered with the present one, to be asked for again."""
    catalogue = current(request)
    dataset = catalogue.datasets.get(name)
    if dataset is None or kind not in KINDS or not idx.isdecimal() or len(idx) > 12:
        raise NotFound(f"There is no medium at {request.url.path}.")
    found = queries.medium(catalogue, dataset, int(idx), kind)
    if found is None and not may_show(dataset, kind):
        raise NotFound(f"This site shows no {kind} of {dataset.title} to everyone. {notice(dataset)}", _source(dataset))
    if found is None:
        raise NotFound(f"Example {idx} of {dataset.title} has no {kind} in this catalogue.")
    fresh = version == dataset.version
    headers = {
        "Cache-Control": IMMUTABLE if fresh else "no-cache",
        # A text or picture from a dataset is shown as what it is, and never run as a page of this site.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }
    return partial(request, Response(found.data, media_type=found.type, headers=headers))


def _source(dataset: Dataset) -> list[tuple[str, str]]:
    homepage = dataset.about.get("homepage")
    return [(f"Source of {dataset.title}", str(homepage))] if homepage else []


def partial(request: Request, whole: Response) -> Response:
    """The part of a response that a Range header asks for (RFC 9110, section 14), the whole one without.

    One range of bytes is served; more than one, or another unit, is answered with the whole, as the standard allows.
    """
    whole.headers["Accept-Ranges"] = "bytes"
    wanted = request.headers.get("range", "").strip()
    if not wanted.startswith("bytes=") or "," in wanted:
        return whole
    size = len(whole.body)
    first, dash, last = wanted.removeprefix("bytes=").strip().partition("-")
    if not dash or not (first or last) or not all(part == "" or part.isdecimal() for part in (first, last)):
        return whole
    if len(first) > 18 or len(last) > 18:
        return whole
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if first and last and int(last) < start:
        return whole
    headers = {name: value for name, value in whole.headers.items() if name != "content-length"}
    if start >= size:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(bytes(whole.body[start : end + 1]), status_code=206, headers=headers)
