"""Choose the media type a client prefers, and parse the quality values of its headers (RFC 9110, section 12)."""

from collections.abc import Sequence


def best(accept: str, offered: Sequence[str]) -> str | None:
    """The media type of ``offered`` that an Accept header prefers, the earlier among equals; None if none is accepted.

    >>> best("text/csv;q=0.5, application/json", ["text/csv", "application/json"])
    'application/json'
    >>> best("text/*", ["application/json", "text/csv"]), best("", ["text/csv"]), best("image/png", ["text/csv"])
    ('text/csv', 'text/csv', None)
    """
    if not accept.strip():
        return offered[0] if offered else None
    ranges = quality_values(accept)
    liked = [(_liking(media_type, ranges), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, found = max(liked, default=(0.0, 0, ""))
    return found if quality > 0 else None


def _liking(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    # The most specific matching range decides.
    for candidate in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for media_range, quality in ranges:
            if media_range == candidate:
                return quality
    return 0.0


def quality_values(header: str) -> list[tuple[str, float]]:
    """The names in an Accept or Accept-Encoding header, in lower case, each with its weight from 0 to 1.

    An invalid weight counts as 0.

    >>> quality_values("text/CSV; header=present; q=0.5, */*")
    [('text/csv', 0.5), ('*/*', 1.0)]
    >>> quality_values("gzip;q=7, br;q=nan, , zstd;q=")
    [('gzip', 0.0), ('br', 0.0), ('zstd', 0.0)]
    """
    return [_weighed(part) for part in header.lower().split(",") if part.strip()]


def _weighed(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _weight(value)
    return name, 1.0


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
