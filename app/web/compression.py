"""Compress answers with zstd, Brotli or gzip, as the client prefers (RFC 9110, section 12.5.3).

Arrow, which also writes Parquet here, provides zstd and Brotli. Answers that can be requested in ranges are sent
uncompressed, because ranges count the file's own bytes; so are answers that are compressed already. Downloads are
compressed in the thread that writes them.
"""

import zlib
from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.corrected.byte_sink import ByteSink
from app.web.content_negotiation import quality_values

_CODECS: Final = {"zstd": "zstd", "br": "brotli"}
#: Order of preference if the client likes several equally. For pages, br is smallest in the time that gzip takes; a
#: stream must not wait for its compressor, and zstd is by far the fastest.
FOR_WHOLES: Final = tuple(
    name for name in ("br", "zstd", "gzip") if name == "gzip" or pa.Codec.is_available(_CODECS[name])
)
FOR_STREAMS: Final = tuple(name for name in ("zstd", "gzip", "br") if name in FOR_WHOLES)
_LEVELS: Final = {"zstd": 3, "br": 4, "gzip": 5}
_GZIP: Final = 16 + zlib.MAX_WBITS
#: Smaller answers fit into one packet anyway.
_LEAST: Final = 1_000
#: Larger answers are compressed in another thread, so that other requests do not wait.
_SMALL: Final = 128 * 1024
#: Longest Accept-Encoding header, in characters, whose result is cached.
_ORDINARY: Final = 100
_TEXTS: Final = (
    "application/json",
    "application/x-ndjson",
    "application/javascript",
    "application/xml",
    "image/svg+xml",
)


def best_encoding(accept: str, offered: Sequence[str]) -> str | None:
    """The encoding of ``offered`` that an Accept-Encoding header prefers, the earlier among equals; None for none.

    >>> best_encoding("gzip, deflate, br, zstd", ("zstd", "br")), best_encoding("gzip;q=0, br;q=0.5", ("gzip", "br"))
    ('zstd', 'br')
    >>> best_encoding("*", ("br",)), best_encoding("identity, br;q=0.5", ("br",)), best_encoding("", ("br",))
    ('br', None, None)
    """
    # Only headers as short as browsers send them are cached, so that made-up ones do not fill the cache.
    return (_best_encoding if len(accept) <= _ORDINARY else _best_encoding.__wrapped__)(accept, tuple(offered))


@lru_cache(maxsize=256)
def _best_encoding(accept: str, offered: Sequence[str]) -> str | None:
    liked: dict[str, float] = {}
    for name, quality in quality_values(accept):
        # If a name occurs twice, the first occurrence counts.
        liked.setdefault("gzip" if name == "x-gzip" else name, quality)
    others = liked.get("*", 0.0)
    quality, _, found = max((liked.get(name, others), -place, name) for place, name in enumerate(offered))
    return found if quality > 0 and quality >= liked.get("identity", 0.0) else None


def whole(body: bytes, encoding: str) -> bytes:
    """Compress a whole answer."""
    if encoding == "gzip":
        return zlib.compress(body, _LEVELS[encoding], _GZIP)
    compressed: bytes = pa.Codec(_CODECS[encoding], compression_level=_LEVELS[encoding]).compress(body, asbytes=True)
    return compressed


class Encoder:
    """Compress an answer piece by piece into one stream of the encoding."""

    def __init__(self, encoding: str) -> None:
        self._gzip = zlib.compressobj(_LEVELS["gzip"], zlib.DEFLATED, _GZIP) if encoding == "gzip" else None
        self._sink = ByteSink()
        self._arrow: Any = None
        if self._gzip is None:
            self._arrow = pa.CompressedOutputStream(pa.PythonFile(self._sink, mode="w"), _CODECS[encoding])

    def piece(self, data: bytes, *, flush: bool) -> bytes:
        """The compressed bytes ready to send; with ``flush`` everything received so far."""
        if self._gzip is not None:
            compressed = self._gzip.compress(data)
            return compressed + self._gzip.flush(zlib.Z_SYNC_FLUSH) if flush else compressed
        self._arrow.write(data)
        if flush:
            self._arrow.flush()
        return b"".join(self._sink.taken())

    def end(self) -> bytes:
        """The remaining bytes and the end of the stream."""
        if self._gzip is not None:
            return self._gzip.flush()
        self._arrow.close()
        return b"".join(self._sink.taken())


def compressed(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Compress a stream of large pieces; the first one is sent at once."""
    encoder, first = Encoder(encoding), True
    try:
        for piece in pieces:
            ready = encoder.piece(piece, flush=first)
            first = False
            if ready:
                yield ready
        yield encoder.end()
    finally:
        if isinstance(pieces, Generator):
            pieces.close()


class Compression:
    """Middleware that compresses pages and data, but not answers that can be requested in ranges."""

    def __init__(self, app: ASGIApp, as_they_are: tuple[str, ...]) -> None:
        """``as_they_are``: address endings of answers that are compressed already or are read in ranges of bytes."""
        self.app = app
        self._as_they_are = as_they_are

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {b"range": b""}
        if b"range" in headers or scope["path"].endswith(self._as_they_are):
            await self.app(scope, receive, send)
            return
        accept = headers.get(b"accept-encoding", b"").decode("latin-1")
        await self.app(scope, receive, _Answer(send, accept).sending)


class _Answer:
    """One answer being sent. Its start waits for the first piece of the body, which tells whether more follow."""

    def __init__(self, send: Send, accept: str) -> None:
        self._send = send
        self._accept = accept
        self._start: Message | None = None
        self._encoder: Encoder | None = None

    async def sending(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _compressible(message):
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            await self._first(self._start, message)
        elif self._encoder is not None and message["type"] == "http.response.body":
            await self._next(self._encoder, message)
        else:
            await self._send(message)

    async def _first(self, start: Message, message: Message) -> None:
        self._start = None
        body, more = message.get("body", b""), message.get("more_body", False)
        headers = MutableHeaders(raw=start["headers"])
        if more or len(body) >= _LEAST:
            if "accept-encoding" not in headers.get("vary", "").lower():
                headers.add_vary_header("Accept-Encoding")
            encoding = best_encoding(self._accept, FOR_STREAMS if more else FOR_WHOLES)
            if encoding is not None:
                _encoded(headers, encoding)
                if more:
                    del headers["Content-Length"]
                    self._encoder = Encoder(encoding)
                else:
                    small = len(body) < _SMALL
                    body = whole(body, encoding) if small else await run_in_threadpool(whole, body, encoding)
                    headers["Content-Length"] = str(len(body))
                    message = {**message, "body": body}
        await self._send(start)
        if self._encoder is not None:
            await self._next(self._encoder, message)
        else:
            await self._send(message)

    async def _next(self, encoder: Encoder, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)

        def work() -> bytes:
            ready = encoder.piece(body, flush=more)
            return ready if more else ready + encoder.end()

        ready = work() if len(body) < _SMALL else await run_in_threadpool(work)
        await self._send({**message, "body": ready})


def _compressible(start: Message) -> bool:
    headers = dict(start["headers"])
    media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    text = media_type.startswith("text/") or media_type in _TEXTS or media_type.endswith(("+json", "+xml"))
    return text and b"content-encoding" not in headers and start["status"] not in (204, 206, 304)


def _encoded(headers: MutableHeaders, encoding: str) -> None:
    headers["Content-Encoding"] = encoding
    # Ranges would count different bytes, and the ETag of the uncompressed file must not be used for these.
    del headers["Accept-Ranges"]
    tag = headers.get("ETag", "")
    if tag.startswith('"'):
        headers["ETag"] = f"W/{tag}"


def encode_stream(pieces: Iterator[bytes], headers: dict[str, str], accept: str) -> Iterator[bytes]:
    """The pieces in the encoding that the client prefers, with the matching headers added to ``headers``."""
    encoding = best_encoding(accept, FOR_STREAMS)
    if encoding is None:
        return pieces
    for name in ("Content-Length", "Accept-Ranges"):
        headers.pop(name, None)
    headers["Content-Encoding"] = encoding
    return compressed(pieces, encoding)
