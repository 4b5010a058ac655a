"""The access log: one line of JSON per request, to standard output or to a file that several processes share.

Each line is one write, short enough that the system never splits it: files are opened for appending, and a pipe takes
a write up to a certain size whole or not at all. Text sent by a visitor is written as JSON strings, so it cannot end a
line. When the log cannot be written, lines are lost, but requests are still answered.
"""

import logging
import os
import select
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from app.settings import STANDARD_OUTPUT
from app.web.server.request_record import RequestRecord

log = logging.getLogger(__name__)

#: Bytes that a pipe takes in one piece, including the line's end.
_MOST: Final = min(4096, getattr(select, "PIPE_BUF", 512))
#: Characters kept of each text from a visitor, and what is kept of them in a line that would be too long, because
#: nearly every character has to be written as six.
_LENGTHS: Final = {"path": 1000, "query": 1000, "referer": 500, "agent": 300, "host": 255, "client": 64}
_SHARES: Final = (1, 8, 64)
#: Addresses of raters, which hold the token of a link; those of their API do not.
_RATERS: Final = b"/review/"
_WITHOUT_TOKEN: Final = b"api/"
#: Seconds after which a file moved away, as by logrotate, is noticed.
_LOOKED_AT: Final = 1.0


class AccessLog:
    """Write one line per request. ``target`` is "json" for standard output, else the name of a file.

    Raises OSError if the file cannot be opened.
    """

    def __init__(self, target: str) -> None:
        self._path = None if target == STANDARD_OUTPUT else Path(target).absolute()
        self._file = 1 if self._path is None else _opened(self._path)
        self._looked = time.monotonic()
        self._begun = True  # whether the last write ended its line
        #: Lines that could not be written since the process started.
        self.lost = 0
        self._losing = False

    def __call__(self, record: RequestRecord) -> None:
        """Write the line of a request."""
        written = line(record)
        try:
            self._write(written)
        except OSError as error:
            self.lost += 1
            if not self._losing:
                log.error("The access log cannot be written (%s); its lines are lost until it can be.", error.strerror)
            self._losing = True

    def close(self) -> None:
        """Close the file."""
        if self._path is not None:
            os.close(self._file)
            self._path, self._file = None, 1

    def _write(self, written: bytes) -> None:
        self._follow()
        n_bytes = os.write(self._file, written if self._begun else b"\n" + written)
        self._begun = n_bytes >= len(written)
        if not self._begun:
            raise OSError(None, "only a part of a line could be written")
        if self._losing:
            self._losing = False
            log.error("The access log can be written again; %d lines have been lost so far.", self.lost)

    def _follow(self) -> None:
        """Reopen the file if it was moved away or replaced."""
        now = time.monotonic()
        if self._path is None or now - self._looked < _LOOKED_AT:
            return
        self._looked = now
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        mine = os.fstat(self._file)
        if found is None or (found.st_dev, found.st_ino) != (mine.st_dev, mine.st_ino):
            fresh = _opened(self._path)
            os.close(self._file)
            self._file = fresh


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o640)


def line(record: RequestRecord) -> bytes:
    """The line of a request, with its line end.

    >>> scope = {"method": "GET", "raw_path": b"/mnist", "query_string": b"", "client": ("192.0.2.1", 1),
    ...          "headers": [(b"host", b"labels.example"), (b"user-agent", b'a "b"')], "state": {}}
    >>> print(line(RequestRecord(scope, 1e9, 0.0012, 200, 5, True)).decode(), end="")
    {"time":"2001-09-09T01:46:40.000Z","client":"192.0.2.1","method":"GET","host":"labels.example","path":"/mnist",\
"query":"","status":200,"bytes":5,"ms":1.2,"complete":true,"referer":"","agent":"a \\"b\\""}
    """
    for share in _SHARES:
        written = _line(record, share)
        if len(written) <= _MOST:
            break
    return written


def without_token(address: bytes) -> bytes:
    """An address without what a rater's link holds, however it is spelled.

    >>> [without_token(one) for one in (b"/labels/review/WyJy.x", b"/%72eview/WyJy?start=1", b"/review/api/task")]
    [b'/labels/review/-', b'/review/-', b'/review/api/task']
    """
    spelled = unquote_to_bytes(address)
    before, found, after = spelled.partition(_RATERS)
    return address if not found or after.startswith(_WITHOUT_TOKEN) else before + found + b"-"


def _line(record: RequestRecord, share: int) -> bytes:
    scope = record.scope

    def text(name: str, value: bytes | str) -> str:
        most = _LENGTHS[name] // share
        cut = value[: most + 1]
        shown = cut.decode("latin-1") if isinstance(cut, bytes) else cut
        return shown if len(shown) <= most else shown[: max(most - 1, 0)] + "…"

    path = without_token(scope["raw_path"])
    # Who reviews is nobody's business: of raters neither address nor browser is written.
    by_rater = _RATERS in unquote_to_bytes(scope["raw_path"])
    at = datetime.fromtimestamp(record.came_at, UTC).isoformat(timespec="milliseconds")
    return orjson.dumps(
        {
            "time": at.removesuffix("+00:00") + "Z",
            "client": "" if by_rater else text("client", record.client),
            "method": scope["method"],
            "host": text("host", record.host),
            "path": text("path", path),
            "query": text("query", scope["query_string"]),
            "status": record.status,
            "bytes": record.n_bytes,
            "ms": round(record.seconds * 1000, 3),
            "complete": record.complete,
            "referer": text("referer", without_token(record.header(b"referer"))),
            "agent": "" if by_rater else text("agent", record.header(b"user-agent")),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
