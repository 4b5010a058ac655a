"""What a form of these pages sends, and whether it is a form of this site."""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from app.errors import Unreadable


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form, the last value of each. Raises Unreadable."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError as error:
        raise Unreadable("This form cannot be read.") from error
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
