"""The position of an example within a longer recording, from its address or its key.

AudioSet's examples are ten seconds of a video; with the sound of the whole video one needs to know which ten.
"""

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from ingest.datasets.load import Inputs

Part = tuple[float, float]  # begin and end, in seconds

_KEY: Final = re.compile(r"[\w-]+_(\d{1,6}(?:\.\d+)?)_(\d{1,6}(?:\.\d+)?)")
_SECONDS: Final = re.compile(r"\d{1,6}(?:\.\d+)?")


def clips(inputs: Inputs) -> dict[str, Part]:
    """The part of each example that has a key, if its address or key states one."""
    if inputs.keys is None:
        return {}
    urls: dict[int, str] = dict(enumerate(inputs.urls or ()))
    urls |= {review.index: review.url for review in inputs.reviews if review.url is not None}
    found = {key: part_of(urls.get(index), key) for index, key in enumerate(inputs.keys)}
    return {key: part for key, part in found.items() if part is not None}


def part_of(url: str | None, key: str) -> Part | None:
    """Begin and end, in seconds, from an address or else from a key; None if neither states them.

    >>> part_of("http://youtu.be/lL5jq1TDiXQ?start=30&end=40", "lL5jq1TDiXQ"), part_of(None, "lL5jq1TDiXQ_1.5_11.5")
    ((30.0, 40.0), (1.5, 11.5))
    >>> part_of("http://youtu.be/lL5jq1TDiXQ", "lL5jq1TDiXQ") is None
    True
    """
    return _of_address(url) or _of_key(key)


def _of_address(url: str | None) -> Part | None:
    try:
        told = parse_qs(urlsplit(url or "").query)
    except ValueError:
        return None
    return _part(told.get("start", ["0"])[0], told.get("end", [""])[0])


def _of_key(key: str) -> Part | None:
    match = _KEY.fullmatch(key)
    return None if match is None else _part(match[1], match[2])


def _part(begin: str, end: str) -> Part | None:
    if not (_SECONDS.fullmatch(begin) and _SECONDS.fullmatch(end)) or float(begin) >= float(end):
        return None
    return float(begin), float(end)
