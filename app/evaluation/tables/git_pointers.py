"""Recognise the pointer files that Git LFS and git-annex leave in place of large files.

They are short texts, so readers would otherwise call them damaged or read them as data.
"""

import re
from typing import Final

#: Bytes: no pointer is as long.
MOST: Final = 1024

_LFS: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v\d+\r?\n(?:ext-[^\n]+\n)*oid \w+:\w+\r?\nsize (\d{1,19})\b"
)
_ANNEX: Final = re.compile(rb"(?:[^\s]*/)?\.?git/annex/objects/\S+\s*|/annex/objects/\S+\s*")


def pointer(data: bytes) -> str | None:
    """What a file is, in words that follow "found", if its bytes are such a note; None for any other.

    >>> pointer(b"version https://git-lfs.github.com/spec/v1\\noid sha256:4d7a\\nsize 12345\\n")
    "a Git LFS pointer: the file itself, of 12,345 bytes, was not fetched ('git lfs pull' does)"
    >>> pointer(b"cat") is None
    True
    """
    if match := _LFS.match(data):
        return f"a Git LFS pointer: the file itself, of {int(match[1]):,} bytes, was not fetched ('git lfs pull' does)"
    if _ANNEX.fullmatch(data):
        return "a git-annex pointer: the file itself was not fetched ('git annex get' does)"
    return None
