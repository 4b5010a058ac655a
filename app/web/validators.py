"""Evaluate the headers If-None-Match and If-Range (RFC 9110, sections 8.8.3 and 13.1).

A header that does not follow the standard is ignored, and the whole answer is sent.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers

#: An ETag in quotes, weak or strong; the pattern can match in one way only.
_TAG: Final = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|\Z)')
#: Matches any answer.
ANY: Final = "*"


def tags_of(header: str) -> list[str] | None:
    """The tags in a list, without ``W/`` for weak comparison. None if it is not a valid list.

    >>> tags_of('W/"a", "b,c" ,, ""'), tags_of("a"), tags_of('"a" "b"')
    (['"a"', '"b,c"', '""'], None, None)
    """
    found, place = [], 0
    while place < len(header):
        match = _TAG.match(header, place)
        if match is None:
            return None
        if match[2] is not None:
            found.append(f'"{match[2]}"')
        place = match.end()
    return found


def if_none_match(headers: Headers) -> str:
    """The value of If-None-Match, joined if it has several lines; "" without one."""
    return ", ".join(headers.getlist("if-none-match")).strip()


def matches_etag(asked: str, tags: Iterable[str]) -> bool:
    """Whether the If-None-Match value ``asked`` contains one of ``tags``. Weak and strong tags are alike here.

    >>> matches_etag('"x", W/"a"', ['"a"']), matches_etag("*", ['"a"']), matches_etag("a", ['"a"'])
    (True, True, False)
    """
    if asked == ANY:
        return True
    known = tags_of(asked) or ()
    return any(tag.removeprefix("W/") in known for tag in tags)


def if_range_holds(headers: Headers, tag: str) -> bool:
    """Whether a range can be sent: If-Range is absent, or names the present version by a strong tag.

    >>> [if_range_holds(Headers({"if-range": said}), '"a"') for said in ('"a"', 'W/"a"', '"b"', "Tue, 01 Jan 2030")]
    [True, False, False, False]
    """
    proof = headers.get("if-range")
    return proof is None or (proof.strip() == tag and not tag.startswith("W/"))
