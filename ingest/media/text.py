"""Decode texts to store whole, and choose an informative excerpt of each.

Texts stay plain text: markup in them is not interpreted, and pages that show them escape it.
"""

import re
from collections.abc import Iterator
from typing import Final

from ingest.media.encodings import decoded_text
from ingest.media.items import MediaItem

#: Longer than any post or review; a whole novel has about 1 MB.
MAX_TEXT_BYTES: Final = 8 << 20

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_HEADER_LINE = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(?:[ \t]+(.*))?")
_TELLING_HEADERS: Final = frozenset({"subject", "from", "newsgroups", "message-id"})
_QUOTE = re.compile(r"\s*(?:[>|}]|:[ >]|[A-Za-z]{1,4}>)")
_INTRODUCES = re.compile(r"\s*In (?:article|message|a (?:previous )?article)\b.*", re.IGNORECASE)
_SAYS = re.compile(r"\b(?:wrote|writes|said|says)\Z", re.IGNORECASE)
#: The text before a ">", back to the previous one or to a space.
_BRACKETED = re.compile(r"(?<![^>\s])([^>\s]++)>")

#: How far an excerpt looks into a text, and the longest line that can be an attribution.
_LOOKED_AT: Final = 20_000
_ATTRIBUTION_LENGTH: Final = 200


def text_items(index: int, data: bytes, encoding: str = "utf-8", *, breaks: bool = False) -> Iterator[MediaItem]:
    """The one item of a text: decoded, with "\\n" between lines, stored as UTF-8.

    ``breaks`` turns each ``<br />`` into a line break. Control characters other than tab and line break mean nothing to
    a reader and cause trouble in storage and display: each becomes U+FFFD, which shows that something was there.

    Raises MemberError if the bytes are not text of that encoding, as far as can be detected.

    >>> next(text_items(7, b"caf\\xe9<br />au lait", "latin-1", breaks=True)).text
    'café\\nau lait'
    """
    text = decoded_text(data, encoding)
    text = re.sub(r"\r\n?|\f", "\n", text)
    if breaks:
        text = _BREAK.sub("\n", text)
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    stored = text.encode("utf-8")
    yield MediaItem(index, "text", "text/plain; charset=utf-8", None, None, None, stored, text)


def excerpt(text: str, limit: int = 320) -> str:
    """An informative excerpt in one line of at most ``limit`` characters, cut at a word with an ellipsis.

    A post (a text that begins with header lines) gives its subject and its writer's words: without the other headers,
    quoted lines, the lines that introduce them, and the signature; a post that only quotes gives the quotes. Any other
    text gives its beginning.

    >>> excerpt("From: a@b\\nSubject: Re: Cars\\n\\nIn article <1@x> b@c writes:\\n> Which?\\nThe red one.\\n-- \\nA.")
    'Re: Cars — The red one.'
    >>> excerpt("A film to forget, quickly.", limit=16)
    'A film to…'
    """
    headers, body = _split(text[:_LOOKED_AT])
    if headers is None:
        return _cut(" ".join(body.split()), limit)
    own = " ".join(" ".join(_own_lines(body)).split()) or " ".join(body.split())
    parts = [" ".join(headers.get("subject", "").split()), own]
    return _cut(" — ".join(part for part in parts if part), limit)


def _split(text: str) -> tuple[dict[str, str] | None, str]:
    """Headers of a post by lower-case name, and its body; None and the text for other texts."""
    headers: dict[str, str] = {}
    lines = text.splitlines()
    name = ""
    for number, line in enumerate(lines):
        if not line.strip():
            return _post(headers, lines[number + 1 :], text)
        if line[0] in " \t" and name:
            headers[name] += " " + line.strip()
        elif match := _HEADER_LINE.fullmatch(line):
            name = match[1].lower()
            headers.setdefault(name, match[2] or "")
        else:
            return None, text
    return _post(headers, [], text)


def _post(headers: dict[str, str], body: list[str], text: str) -> tuple[dict[str, str] | None, str]:
    if len(headers) < 2 or not _TELLING_HEADERS & headers.keys():
        return None, text
    return headers, "\n".join(body)


def _own_lines(body: str) -> Iterator[str]:
    for line in body.splitlines():
        if line.rstrip() == "--":
            return
        attribution = len(line) <= _ATTRIBUTION_LENGTH and is_attribution(line)
        if not attribution and not _QUOTE.match(line):
            yield line


def is_attribution(line: str) -> bool:
    """Whether a line of a post introduces a quotation, in time linear in its length.

    >>> is_attribution("In article <1@x> b@c writes:"), is_attribution("Joe Doe <joe@x> on cars:")
    (True, True)
    >>> is_attribution("She said so: to me"), is_attribution("Ask <joe@x> about it")
    (False, False)
    """
    if _INTRODUCES.fullmatch(line) or _SAYS.search(line.rstrip().removesuffix(":").rstrip()):
        return True
    return line.endswith(":") and any(_holds_address(match[1]) for match in _BRACKETED.finditer(line))


def _holds_address(text: str) -> bool:
    """Whether ``<``, something, ``@`` and something occur in this order in the text before a ``>``."""
    opened = text.find("<")
    return opened >= 0 and text.rfind("@", opened + 2, len(text) - 1) >= 0


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    space = text.rfind(" ", 0, limit)
    end = space if space > 0 else limit - 1
    return text[:end].rstrip(" ,;:—-") + "…"
