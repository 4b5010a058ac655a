"""Which form of an answer a client likes best, by its Accept header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence


def best(accept: str, offered: Sequence[str]) -> str | None:
    """The media type of ``offered`` that an Accept header likes best, the earlier among equals; None for none of them.

    >>> best("text/csv;q=0.5, application/json", ["text/csv", "application/json"])
    'application/json'
    >>> best("text/*", ["application/json", "text/csv"]), best("", ["text/csv"]), best("image/png", ["text/csv"])
    ('text/csv', 'text/csv', None)
    """
    if not accept.strip():
        return offered[0] if offered else None
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    liked = [(_liking(media_type, ranges), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, found = max(liked, default=(0.0, 0, ""))
    return found if quality > 0 else None


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return media_range, quality if quality == quality else 0.0


def _liking(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    # The most specific range that fits decides.
    for candidate in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == candidate:
                return quality
    return 0.0
