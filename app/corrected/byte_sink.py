"""A write-only file object that passes its data on in pieces instead of keeping it."""

import io
from collections.abc import Iterator
from typing import Any


class ByteSink(io.RawIOBase):
    """Takes what writers of archives and tables write, in order, until it is ``taken``. It cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def taken(self) -> Iterator[bytes]:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        joined = b"".join(pieces)
        if joined:
            yield joined
