"""The protocol of one client connection: uvicorn's with httptools, with limits added.

uvicorn with httptools accepts a request head of any length over any time, queues any number of pipelined requests, and
waits for ever for a client that does not read its answer. Here each of these has a limit (``connection_limits``). What
exceeds it is refused with an error in the usual form, and the connection is closed.
"""

import asyncio
import time
from typing import Any, Final

import httptools
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from app.errors import AddressTooLong, BadRequest, Busy, HeadersTooLarge, RequestTimeout, SiteError
from app.web.server.connection_limits import Limits, Watch, watch_of
from app.web.server.problem_response import problem_body
from app.web.server.request_head import REFUSAL, asks_for_page, origin_form
from app.web.server.request_record import REFUSED, Account, RequestRecord

#: How readily connections are closed when others need the room.
_SAYS_NOTHING, _SENDS_HEAD, _SENDS_BODY, _TAKES_NOTHING, _JUST_CAME = range(5)
#: Seconds within which a client normally begins to send its request, or to read its answer.
_SOON: Final = 1.0
_PATIENCE: Final = 5.0
#: Characters of an address that an error repeats.
_SHOWN: Final = 120


class SiteProtocol(HttpToolsProtocol):
    """The protocol used by ``app.serve``. Its limits are the application's ``state.limits``, if it has any."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        state = _state_of(config.loaded_app)
        self._limits: Limits = getattr(state, "limits", None) or Limits()
        self._tell: Account | None = state.telemetry.tell if hasattr(state, "telemetry") else None
        self._watch: Watch = watch_of(server_state, self._limits)
        # A request is read to the end of its headers, then to the end of its body.
        self._in_head = True
        self._head_bytes = self._n_fields = self._field_bytes = 0
        self._framing = 0
        self._heard = self._begun = self._answered = self.loop.time()
        # Bytes that the client has not read yet, and since when.
        self._unsent, self._unsent_since = 0, 0.0
        self._refusal: SiteError | None = None
        self._too_long: AddressTooLong | None = None  # told when the headers have said whether a browser asks
        # Since when input is no longer parsed, and how many bytes of it have arrived.
        self._deaf_since: float | None = None
        self._n_ignored = 0

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._watch.admit(self, self.loop):
            self._refuse(Busy("All connections of this site are in use; try again in a minute."))

    def resume_writing(self) -> None:
        self._unsent = 0  # nearly all was read, and what is written next is counted anew
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._deaf_since is not None:
            self._n_ignored += len(data)
            if self._n_ignored > self._limits.linger_bytes:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        try:
            self._read(data)
        except httptools.HttpParserUpgrade:
            # The request is answered as if it had not asked for an upgrade; what follows it may not be HTTP.
            self.cycle.keep_alive = False
            self._ignore_the_rest()
        except httptools.HttpParserError as error:
            self._refuse(self._refusal or BadRequest(f"The request is not valid HTTP/1.1: {error}."))

    def _read(self, data: bytes) -> None:
        """Pass bytes to the parser; of a head at most as many as one may have."""
        most = self._limits.head_bytes
        while data:
            if not self._in_head:
                self._framing += len(data)
                self.parser.feed_data(data)
                if self._framing > self._limits.framing_bytes:
                    raise self._stop(BadRequest("The chunked encoding of the body is larger than the body itself."))
                if not self._in_head and self._n_ignored > self._limits.framing_bytes:
                    self._hang_up()
                return
            if self._head_bytes == 0:
                self._begun = self._heard
            room = most - self._head_bytes
            piece, data = (data, b"") if len(data) <= room else (data[:room], data[room:])
            self._head_bytes += len(piece)
            self.parser.feed_data(piece)
            if self._in_head and self._head_bytes >= most:
                raise self._stop(self._too_long or self._too_large())

    def _stop(self, refusal: SiteError) -> httptools.HttpParserError:
        """The exception that stops the parser, for a reason that the client is told."""
        self._refusal = refusal
        return httptools.HttpParserError(refusal.detail)

    def _too_large(self) -> HeadersTooLarge:
        limits = self._limits
        return HeadersTooLarge(
            f"At most {limits.fields} headers and {limits.head_bytes:,} bytes with the address fit; this has more."
        )

    # Called by the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # A head may begin in the middle of one read, so its number of bytes before this is unknown.
        self._head_bytes = max(self._head_bytes, 1)
        self._n_fields = self._field_bytes = self._framing = 0
        self._too_long = None

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.target_bytes:
            self._too_long = AddressTooLong(
                f"An address may have {self._limits.target_bytes:,} bytes; this one has more."
            )

    def on_header(self, name: bytes, value: bytes) -> None:
        self._n_fields += 1
        self._field_bytes += len(name) + len(value) + 4
        if self._n_fields > self._limits.fields or self._field_bytes > self._limits.head_bytes:
            raise self._stop(self._too_large())
        if self._in_head:  # trailers after a body come too late to be headers of a request being answered
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= self._limits.waiting:
            raise self._stop(Busy("Too many requests were sent on one connection without waiting for answers."))
        method, version = self.parser.get_method().decode("ascii"), self.parser.get_http_version()
        try:
            self.url = origin_form(method, self.url, version, self.headers)
        except SiteError as error:
            raise self._stop(error) from error
        if self._too_long and not asks_for_page(self.headers):
            raise self._stop(self._too_long)
        self._in_head = False
        self._begun = self._heard
        if self._too_long:
            self.url = self.url.partition(b"?")[0][:_SHOWN]
        super().on_headers_complete()
        if self._too_long:
            self.scope["state"][REFUSAL] = self._too_long

    def on_body(self, body: bytes) -> None:
        self._framing -= 2 * len(body)
        super().on_body(body)
        if self.cycle.response_complete:
            self._n_ignored += len(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = self._n_ignored = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._answered = self.loop.time()
        if self.pipeline:
            # Enough requests are waiting: reading pauses until one is answered.
            self.flow.pause_reading()

    # Refusals

    def _refuse(self, error: SiteError) -> None:
        """Answer with an error, unless earlier requests are still to be answered, and close the connection."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._in_head or self.pipeline:
                # Earlier requests are answered first, and then the connection ends.
                cycle.keep_alive = False
                self._ignore_the_rest()
                return
            # Its own request is incomplete, so the application is told that the client has disconnected.
            cycle.disconnected = True
            cycle.message_event.set()
            self.cycle = None  # type: ignore[assignment]
            if cycle.response_started:
                self.transport.abort()
                return
            cycle.scope["state"][REFUSED] = True
        self._tell_of(error)
        path = getattr(self, "url", b"").partition(b"?")[0][:_SHOWN].decode("latin-1")
        self.transport.write(_answer(error, path, self.server_state.default_headers))
        self._hang_up()

    def _tell_of(self, error: SiteError) -> None:
        """Record a request that only this connection has seen, as far as it was read."""
        if self._tell is None:
            return
        path, _, query = getattr(self, "url", b"").partition(b"?")
        seconds = self.loop.time() - self._begun
        scope: Scope = {
            "method": (self.scope or {}).get("method", ""),
            "raw_path": path,
            "query_string": query,
            "client": self.client,
            "headers": self.headers or (),
            "state": {},
        }
        self._tell(RequestRecord(scope, time.time() - seconds, seconds, error.status, complete=True))

    def _ignore_the_rest(self) -> None:
        self._deaf_since = self.loop.time()
        self._n_ignored = 0

    def _hang_up(self) -> None:
        """Announce the end and keep reading for a while: closing at once could lose the answer."""
        self._ignore_the_rest()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    # Called by the watch

    def look(self, now: float) -> None:
        """End whatever has lasted too long."""
        limits = self._limits
        if self._answer_is_not_taken(now):
            self.transport.abort()
        elif self.cycle is not None and not self.cycle.response_complete:
            if self._awaits_body() and (
                now - max(self._heard, self._begun) > limits.stall_seconds or now - self._begun > limits.body_seconds
            ):
                self._refuse(RequestTimeout("The rest of the request did not arrive in time."))
        elif self._deaf_since is not None:
            if now - max(self._deaf_since, self._answered) > limits.linger_seconds:
                self.transport.abort()
        elif not self._in_head:
            # Already answered; the rest of the request is not waited for any longer than this.
            if now - self._answered > limits.linger_seconds:
                self._hang_up()
        elif self._head_bytes and now - max(self._begun, self._answered) > limits.header_seconds:
            self._refuse(
                RequestTimeout(f"The headers of a request must arrive within {limits.header_seconds:g} seconds.")
            )
        elif now - max(self._heard, self._answered) > (limits.idle_seconds if self.cycle else limits.header_seconds):
            self.transport.close()

    def _awaits_body(self) -> bool:
        return not (self._in_head or self.pipeline or self.flow.read_paused or self._deaf_since is not None)

    def _answer_is_not_taken(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent > self._unsent or self._unsent - unsent >= self._limits.taken_bytes:
            # Nothing is left, or more was written because there was room for it, or enough was read.
            self._unsent, self._unsent_since = unsent, now
            return False
        return now - self._unsent_since > self._limits.stall_seconds

    def waits(self) -> tuple[int, float] | None:
        """How readily this connection may be closed (lowest first), and since when; None during its request."""
        now = self.loop.time()
        if self._unsent and now - self._unsent_since > _PATIENCE:
            return _TAKES_NOTHING, self._unsent_since
        since = max(self._begun, self._answered)
        if self.cycle is not None and not self.cycle.response_complete:
            if not self._awaits_body():
                return None
            rank = _SENDS_BODY
        else:
            rank = _SENDS_HEAD if self._head_bytes and self._deaf_since is None else _SAYS_NOTHING
        return (rank if now - since > _SOON else _JUST_CAME), since

    def drop(self) -> None:
        """Close the connection at once."""
        self.transport.abort()


def _state_of(app: Any) -> Any:
    """The ``state`` of the site inside its middleware; None for another application."""
    while app is not None:
        state = getattr(app, "state", None)
        if isinstance(getattr(state, "limits", None), Limits):
            return state
        app = getattr(app, "app", None)
    return None


def _answer(error: SiteError, path: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    body = problem_body(error, path)
    lines = [STATUS_LINE[error.status]]
    own = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    if error.status == 503:
        own.append((b"retry-after", b"60"))
    lines += [b"%b: %b\r\n" % header for header in (*headers, *own)]
    return b"".join((*lines, b"\r\n", body))
