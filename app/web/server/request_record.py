"""Record each request once it is answered, for the access log and the metrics.

This middleware is outermost, so errors, refusals and cached answers are recorded as well. It is left out when there is
neither a log nor metrics, and then costs nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Key in a request's state for client and host as told by trusted proxies.
VISITOR: Final = "visitor"
#: Key that says that the connection has answered a request itself, and has recorded it.
REFUSED: Final = "refused"


@dataclass(slots=True)
class RequestRecord:
    """A request and its outcome."""

    scope: Scope
    #: Arrival in seconds since 1970, and the duration until the whole answer was handed over.
    came_at: float
    seconds: float = 0.0
    #: None if the visitor disconnected before there was any.
    status: int | None = None
    #: Bytes of the body as sent, that is, after compression.
    n_bytes: int = 0
    #: Whether the answer was completed.
    complete: bool = False

    @property
    def client(self) -> str:
        """The visitor's address; the proxy's if it is not trusted or does not tell."""
        visitor = self.scope["state"].get(VISITOR)
        client = visitor[0] if visitor else self.scope.get("client")
        return str(client[0]) if client else ""

    @property
    def host(self) -> bytes:
        """The requested host, as the client wrote it."""
        visitor = self.scope["state"].get(VISITOR)
        return (visitor[1] if visitor else b"") or self.header(b"host")

    def header(self, wanted: bytes) -> bytes:
        """The first header with a name, given in lower case; empty without one."""
        return next((value for name, value in self.scope["headers"] if name == wanted), b"")


Account = Callable[[RequestRecord], None]


class Recorder:
    """Record each request when it has been answered, or when the client has disconnected."""

    def __init__(self, app: ASGIApp, tell: Account) -> None:
        self.app = app
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        record = RequestRecord(scope, time.time())
        begun = time.perf_counter()

        async def counting(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                record.status = message["status"]
            elif message["type"] == "http.response.body":
                record.n_bytes += len(message.get("body", b""))
                record.complete = not message.get("more_body", False)

        try:
            await self.app(scope, receive, counting)
        finally:
            if REFUSED not in state:
                record.seconds = time.perf_counter() - begun
                self.tell(record)
