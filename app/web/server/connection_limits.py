"""Limits on connections: how many may be open, for how long, and which are closed when there are too many.

An idle connection costs the client nothing and the server a file descriptor. So all connections are checked once a
second and those that wait too long for their client are closed; when there is no room for a new connection, the ones
that have waited longest are closed. A connection whose request is being worked on is never closed for this.
"""

import asyncio
import contextlib
import weakref
from dataclasses import dataclass
from typing import Final, Protocol, Self

from uvicorn.server import ServerState

from app.settings import Settings

try:
    import resource
except ImportError:  # pragma: no cover - systems without limits on descriptors
    resource = None  # type: ignore[assignment]

#: Descriptors that a connection may need: its own, and those of the catalogue and the file its answer is read from.
_EACH: Final = 4
#: Descriptors for everything else: the listening socket, reader threads, evaluation processes.
_OTHERS: Final = 128
#: How many of the longest-waiting connections are closed at once, so that a crowd does not cost a search for each.
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process. Sizes are bytes, times are seconds.

    >>> Limits.of(Settings(header_seconds=5)).header_seconds
    5
    """

    connections: int = 1_000
    header_seconds: float = 10
    idle_seconds: float = 20
    stall_seconds: float = 60
    #: Time for the whole body of a request, for routes that set no time of their own.
    body_seconds: float = 310
    #: How much is still read of a request that was answered early, so that the answer arrives before the end.
    linger_seconds: float = 10
    linger_bytes: int = 128 << 20
    head_bytes: int = 32 << 10
    target_bytes: int = 8 << 10
    fields: int = 100
    #: Overhead that a body may have beyond once its own size: chunk sizes, extensions, trailers.
    framing_bytes: int = 64 << 10
    #: Requests of a connection that may wait while one of them is answered.
    waiting: int = 8
    #: A client that reads fewer bytes of its answer than this within ``stall_seconds`` counts as stalled.
    taken_bytes: int = 16 << 10

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits from the settings, as far as the system's own limits allow them."""
        return cls(
            connections=min(settings.connections, connections_possible()),
            header_seconds=settings.header_seconds,
            idle_seconds=settings.idle_seconds,
            stall_seconds=settings.stall_seconds,
            # The route that reads an upload should answer first, and say how much arrived.
            body_seconds=settings.upload_seconds + 10,
        )


def raise_descriptors(connections: int) -> None:
    """Ask the system for enough descriptors for so many connections; if it refuses, the present limit remains."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections * _EACH + _OTHERS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and wanted > soft:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_possible() -> int:
    """How many connections this process has descriptors for."""
    if resource is None:
        return 100_000
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 100_000 if soft == resource.RLIM_INFINITY else max(8, (soft - _OTHERS) // _EACH)


class Watched(Protocol):
    """What a connection must provide to be watched."""

    def look(self, now: float) -> None:
        """End whatever has lasted too long."""

    def waits(self) -> tuple[int, float] | None:
        """How readily this connection may be closed (lowest first), and since when; None during its request."""

    def drop(self) -> None:
        """Close the connection at once."""


class Watch:
    """Watches the connections of one server in one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: set[Watched] = set()
        self._looking = False
        # Half of the shortest limit, so that nothing exceeds its limit by much.
        shortest = min(limits.header_seconds, limits.idle_seconds, limits.stall_seconds)
        self._interval = min(1.0, shortest / 2)

    @property
    def n_connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def admit(self, connection: Watched, loop: asyncio.AbstractEventLoop) -> bool:
        """Accept a new connection, closing others if necessary; False if none can be closed."""
        room = len(self._connections) < self._limits.connections or self._make_room()
        self._connections.add(connection)
        if not self._looking:
            self._looking = True
            loop.call_later(self._interval, self._look, loop)
        return room

    def forget(self, connection: Watched) -> None:
        """Remove a connection that has ended."""
        self._connections.discard(connection)

    def _make_room(self) -> bool:
        waiting = [(waits, one) for one in self._connections if (waits := one.waits()) is not None]
        waiting.sort(key=lambda pair: pair[0])
        # At most an eighth, so that with a small limit one newcomer does not close everything.
        for _, one in waiting[: max(1, min(_AT_ONCE, self._limits.connections // 8))]:
            self._connections.discard(one)
            one.drop()
        return bool(waiting)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self._connections):
            connection.look(now)
        self._looking = bool(self._connections)
        if self._looking:
            loop.call_later(self._interval, self._look, loop)


def connections_open() -> int:
    """The number of connections of this process."""
    return sum(watch.n_connections for watch in _WATCHES.values())


_WATCHES: "weakref.WeakKeyDictionary[ServerState, Watch]" = weakref.WeakKeyDictionary()


def watch_of(server: ServerState, limits: Limits) -> Watch:
    """The watch of a server, created for its first connection."""
    watch = _WATCHES.get(server)
    if watch is None:
        watch = _WATCHES[server] = Watch(limits)
    return watch
