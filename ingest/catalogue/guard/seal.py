"""A seal: the checksum of a catalogue, by which the next ingest sees in a moment that its bytes are those written.

SQLite's own check of all pages takes some seconds a gigabyte and looks at their structure alone; a checksum takes a
tenth of a second and covers every byte. It is a row of the table ``meta``, and covers all but itself. Beside it stands
how often SQLite had written to the file (the change counter of the file's header, https://sqlite.org/fileformat2.html):
whoever writes to a catalogue with SQLite breaks the seal, and its pages are checked by SQLite then. Whatever else
changes a byte is damage.
"""

import os
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import xxhash

#: The key of the row.
KEY: Final = "seal"

_SEAL: Final = re.compile("[0-9a-f]{32} [0-9]{10}")
_COUNTER: Final = slice(24, 28)
#: The one kind of journal with which SQLite does not count each change.
_UNCOUNTED: Final = "wal"
_PIECE: Final = 1 << 20


def unsealed() -> str:
    """What stands in the row until the file is whole: as long as a seal, and found in no other place."""
    return f"{uuid.uuid4().hex} {0:010d}"


@contextmanager
def sealing(catalogue: Path) -> Iterator[Callable[[], None]]:
    """Measure a catalogue in a thread; the function it gives waits for that, and writes the seal into the file.

    Nobody writes to the file meanwhile, and all but the seal, whose row is there, has been written. Raises OSError and
    sqlite3.Error.
    """
    _, place = _found(catalogue)
    if place is None:
        raise ValueError(f"{catalogue} has no room for a seal")
    with ThreadPoolExecutor(1, thread_name_prefix="seal") as pool:
        measured = pool.submit(_measured, catalogue, place)

        def write() -> None:
            with catalogue.open("r+b") as file:
                file.seek(place.start)
                file.write(measured.result().encode())

        yield write


def is_as_sealed(catalogue: Path) -> bool | None:
    """Whether the bytes of a catalogue are those that were sealed.

    None if that cannot be said: it was never sealed, or SQLite has written to it since. Raises OSError and
    sqlite3.Error.
    """
    seal, place = _found(catalogue)
    if place is None or not _SEAL.fullmatch(seal):
        return None
    measured = _measured(catalogue, place)
    return measured == seal if measured.split()[1] == seal.split()[1] else None


def _found(catalogue: Path) -> tuple[str, range | None]:
    """The seal, and where in the file it stands; None for a place if there is none, or more than one could be it."""
    with closing(sqlite3.connect(f"{catalogue.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
            [(root,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'")
            [(size,)] = connection.execute("PRAGMA page_size")
            [(journal,)] = connection.execute("PRAGMA journal_mode")
        except UnicodeDecodeError as error:  # SQLite's message quotes what is damaged
            raise sqlite3.DatabaseError("its schema is no text") from error
    if row is None or journal == _UNCOUNTED:
        return "", None
    with catalogue.open("rb") as file:
        file.seek((root - 1) * size)
        page = file.read(size)
    cell = f"{KEY}{row[0]}".encode()  # as SQLite lays values of a row side by side
    if page.count(cell) != 1:
        return "", None
    start = (root - 1) * size + page.index(cell) + len(KEY)
    return str(row[0]), range(start, start + len(row[0]))


def _measured(catalogue: Path, place: range) -> str:
    """The seal that a file should have whose seal lies at a place."""
    with catalogue.open("rb") as file:
        checksum = _checksum(file.fileno(), place)
        header = os.pread(file.fileno(), _COUNTER.stop, 0)
    return f"{checksum} {int.from_bytes(header[_COUNTER]):010d}"


def _checksum(handle: int, without: range) -> str:
    """The checksum of a file without some of its bytes.

    It is read, not mapped: where a file that is mapped grows shorter, the process is killed.
    """
    digest, done = xxhash.xxh3_128(), 0
    while piece := memoryview(os.pread(handle, _PIECE, done)):
        first, after = (min(max(at - done, 0), len(piece)) for at in (without.start, without.stop))
        digest.update(piece[:first])
        digest.update(piece[after:])
        done += len(piece)
    return digest.hexdigest()
