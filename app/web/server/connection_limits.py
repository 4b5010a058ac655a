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

#: Descriptors that a connection may need: its own, and the catalogue and the file that its answer is read from.
_EACH: Final = 4
#: Descriptors for everything else: the listening socket, the threads that read, the processes that evaluate.
_OTHERS: Final = 128
#: So many of the longest waiting are closed at once, so that a crowd does not cost a search a head.
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
    #: All of a request's body, for routes that set no time of their own.
    body_seconds: float = 310
    #: What is still read of a request that was answered already, so that the answer arrives before the end.
    linger_seconds: float = 10
    linger_bytes: int = 128 << 20
    head_bytes: int = 32 << 10
    target_bytes: int = 8 << 10
    fields: int = 100
    #: What a body may have around its bytes beyond as many as it has: chunk sizes, extensions, trailers.
    framing_bytes: int = 64 << 10
    #: Requests of a connection that wait while one of them is answered.
    waiting: int = 8
    #: A client that takes less than so many bytes of its answer in ``stall_seconds`` does not take it.
    taken_bytes: int = 16 << 10

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings ask for, as far as the system's allow them."""
        return cls(
            connections=min(settings.connections, connections_possible()),
            header_seconds=settings.header_seconds,
            idle_seconds=settings.idle_seconds,
            stall_seconds=settings.stall_seconds,
            # Whoever reads uploads answers first, and says how much had come.
            body_seconds=settings.upload_seconds + 10,
        )


def raise_descriptors(connections: int) -> None:
    """Ask the system for as many descriptors as so many connections may need; what it refuses is gone without."""
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
    """How many connections the descriptors of this process are enough for."""
    if resource is None:
        return 100_000
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 100_000 if soft == resource.RLIM_INFINITY else max(8, (soft - _OTHERS) // _EACH)


class Watched(Protocol):
    """What the watch asks of a connection."""

    def look(self, now: float) -> None:
        """End what has lasted too long."""

    def waits(self) -> tuple[int, float] | None:
        """How readily this connection may go, the lower the sooner, and since when; None while it is worked for."""

    def drop(self) -> None:
        """Go at once."""


class Watch:
    """Looks after the connections of one server in one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: set[Watched] = set()
        self._looking = False
        # Half of the shortest time, so that nothing lasts much longer than it may.
        shortest = min(limits.header_seconds, limits.idle_seconds, limits.stall_seconds)
        self._interval = min(1.0, shortest / 2)

    @property
    def n_connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def admit(self, connection: Watched, loop: asyncio.AbstractEventLoop) -> bool:
        """Take a new connection under watch, if need be in the place of others; False if nobody can make room."""
        room = len(self._connections) < self._limits.connections or self._make_room()
        self._connections.add(connection)
        if not self._looking:
            self._looking = True
            loop.call_later(self._interval, self._look, loop)
        return room

    def forget(self, connection: Watched) -> None:
        """A connection that is gone."""
        self._connections.discard(connection)

    def _make_room(self) -> bool:
        waiting = [(waits, one) for one in self._connections if (waits := one.waits()) is not None]
        waiting.sort(key=lambda pair: pair[0])
        # At most an eighth, so that a small limit does not close everything for one newcomer.
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
    """How many connections this process has."""
    return sum(watch.n_connections for watch in _WATCHES.values())


_WATCHES: "weakref.WeakKeyDictionary[ServerState, Watch]" = weakref.WeakKeyDictionary()


def watch_of(server: ServerState, limits: Limits) -> Watch:
    """The watch of a server, made for its first connection."""
    watch = _WATCHES.get(server)
    if watch is None:
        watch = _WATCHES[server] = Watch(limits)
    return watch
