"""Files that are sent in pieces while they are read, and what is closed when their sending ends, however it ends."""

from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

from sqlalchemy import Connection
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.catalogue.current import Catalogue
from app.catalogue.open_file import CatalogueReplacedError, budget_of


class Closable(Protocol):
    """What a file is read from: a connection, another file."""

    def close(self) -> None: ...


def close(opened: Iterable[Closable]) -> None:
    """Close all of them."""
    for one in opened:
        one.close()


class FileStream(StreamingResponse):
    """Pieces read in another thread. However it ends, even before its start, everything opened for it is closed."""

    def __init__(
        self, pieces: Iterator[bytes], opened: list[Closable], status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(pieces, status, headers, media_type)
        self._pieces = pieces
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self._pieces, Generator):
                self._pieces.close()
            close(self._opened)


def steady(catalogue: Catalogue, connection: Connection, seconds: float, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file, each with ``seconds`` to be read in.

    Raises CatalogueReplacedError for a piece read while the catalogue was written to. By then an answer may have
    begun, and it then breaks off.
    """
    budget = budget_of(connection)
    try:
        budget.last(seconds)
        for piece in pieces:
            if not catalogue.file.intact():
                raise CatalogueReplacedError
            yield piece
            budget.last(seconds)
        if not catalogue.file.intact():
            raise CatalogueReplacedError
    finally:
        if isinstance(pieces, Generator):
            pieces.close()
