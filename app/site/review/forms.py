"""What a form of these pages sends, and whether it is a form of this site."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

from fastapi import Request
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from app.errors import Unreadable, UnsupportedMediaType

_MOST_FIELDS: Final = 200
_ENCODED: Final = "application/x-www-form-urlencoded"
_IN_PARTS: Final = "multipart/form-data"
_ILLEGIBLE: Final = "This form cannot be read."


async def sent_fields(headers: Headers, body: bytes, known: Sequence[str]) -> dict[str, str]:
    """The fields of a form in either of its encodings; ``known`` are those that it has.

    Raises UnsupportedMediaType for what says that it is no form, and Unreadable for one that cannot be read, that has
    another field, or one twice: to take the last of two claims would be to guess which one is meant.
    """
    found: dict[str, str] = {}
    for name, value in await _pairs(headers, body):
        if name not in known:
            raise Unreadable(f"{name[:40]!r} is no field of this form; expected {', '.join(known)}. Nothing was taken.")
        if name in found:
            raise Unreadable(f"The field {name!r} was sent twice; expected it once. Nothing was taken.")
        found[name] = value
    return found


async def _pairs(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    kind = headers.get("content-type", _ENCODED).partition(";")[0].strip().lower()
    if kind == _ENCODED:
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise Unreadable(_ILLEGIBLE) from error
    if kind != _IN_PARTS:
        raise UnsupportedMediaType(f"Expected a form ({_ENCODED} or {_IN_PARTS}), found {kind[:80]!r}.")
    try:
        form = await _parts(headers, body)
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise Unreadable(_ILLEGIBLE) from error
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


async def _parts(headers: Headers, body: bytes) -> FormData:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield body

    return await MultiPartParser(
        headers, pieces(), max_files=0, max_fields=_MOST_FIELDS, max_part_size=max(1, len(body))
    ).parse()


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form, the last value of each. Raises Unreadable."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(_ILLEGIBLE) from error
    return {name: values[-1] for name, values in fields.items()}


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that a page of another site sent this.

    Browsers say so in Sec-Fetch-Site, and older ones in Origin. A program that is no browser says neither: nobody made
    it send this.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower()
