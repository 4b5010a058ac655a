"""Run long reads in threads with their own connections and a time limit.

Short reads run on the event loop, one after another. Code that may read for long calls ``Catalogue.require_reader``; a
read that exceeds a short time on the loop is also stopped and started again here. One visitor's slow request therefore
does not hold up the others. A client that disconnects ends its reads.
"""

import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import CatalogueReplacedError, driver_of
from app.errors import Busy, TookTooLong
from app.schema.engine import ReadingConnection

T = TypeVar("T")

#: Reads at a time: more would only wait for each other.
AT_A_TIME = 4
#: Requests that wait for their turn, beyond which the next one is told to come again.
MOST_WAITING = 64


class ReadTask:
    """The reads of one request, over however many connections. Safe to stop from another thread."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._connections: list[tuple[Connection, ReadingConnection]] = []
        self._changing = threading.Lock()
        self._stopped = False

    def attach(self, connection: Connection) -> None:
        """Let a connection's reads be among those that have an end."""
        with self._changing:
            driver = driver_of(connection)
            self._connections.append((connection, driver))
            if self._stopped:
                driver.budget.end()
            else:
                driver.budget.last(self.seconds)

    def detach(self) -> None:
        """No connection is to be stopped any more: others may use it by now."""
        with self._changing:
            self._connections.clear()

    def over(self) -> bool:
        """Whether the time of some connection has run out."""
        with self._changing:
            return any(driver.budget.over() for driver in self._open())

    def _open(self) -> list[ReadingConnection]:
        # One that was given back is another request's by now.
        return [driver for connection, driver in self._connections if not connection.closed]

    def stop(self) -> None:
        """End what is being read, and whatever would be read after it."""
        with self._changing:
            self._stopped = True
            for driver in self._open():
                driver.budget.end()
                # A full-text search looks at no budget while it gathers what begins with a letter.
                driver.interrupt()


class ReaderThreads:
    """At most ``AT_A_TIME`` threads that read."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.waiting = 0
        self._turns = anyio.Semaphore(AT_A_TIME)
        self._threads = anyio.CapacityLimiter(AT_A_TIME)

    async def run(self, request: Request, read: Callable[[], T]) -> T:
        """What ``read`` returns, called in another thread, where the request's catalogue has a connection of its own.

        Raises TookTooLong for a read that is not done in time, and Busy when too many wait already.
        """
        if self.waiting >= MOST_WAITING:
            raise Busy("Too many long requests are running; try again in a few seconds.")
        self.waiting += 1
        try:
            with anyio.move_on_after(self.seconds) as waited:
                await self._turns.acquire()
        finally:
            self.waiting -= 1
        if waited.cancelled_caught:
            raise Busy("Too many long requests are running; try again in a few seconds.")
        try:
            return await self._run(request, read)
        finally:
            self._turns.release()

    async def _run(self, request: Request, read: Callable[[], T]) -> T:
        reader = ReadTask(self.seconds)
        found: list[T] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                found.append(_read(request, reader, read))
            except BaseException as error:
                failed.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, request, reader)
            await run_sync(work, limiter=self._threads)
            tasks.cancel_scope.cancel()
        if not failed:
            return found[0]
        if interrupted(failed[0]):
            words = f"{self.seconds:g} second{'s'[: self.seconds != 1]}"
            raise TookTooLong(
                f"This takes longer than the {words} that one request may read. Search for longer or fewer words, or "
                "choose a class first."
            ) from failed[0]
        raise failed[0]


def _read(request: Request, reader: ReadTask, read: Callable[[], T]) -> T:
    catalogue: Catalogue | None = getattr(request.state, "catalogue", None)
    request.state.reader = reader
    try:
        if catalogue is None:
            return read()
        try:
            connection = catalogue.open()
        except CatalogueReplacedError as error:
            raise Busy("The data of this site are being replaced; try again in a few seconds.") from error
        with connection:
            reader.attach(connection)
            request.state.catalogue = catalogue.over(connection)
            return read()
    finally:
        reader.detach()
        if catalogue is not None:
            request.state.catalogue = catalogue


async def _watch(request: Request, reader: ReadTask) -> None:
    """Stop a reader whose time is over, or whose client has hung up."""
    step = min(reader.seconds / 4, 1.0)
    while not reader.over():
        began = anyio.current_time()
        with anyio.move_on_after(step):
            # What is left of its body comes first, in at most one message more than there is.
            for _ in range(2):
                if (await request.receive())["type"] == "http.disconnect":
                    reader.stop()
                    return
        # Whoever asks from within has a body without end.
        await anyio.sleep_until(began + step)
    reader.stop()


async def run(request: Request, read: Callable[[], T]) -> T:
    """What ``read`` returns, called as ``ReaderThreads.run`` calls it."""
    current(request)
    readers: ReaderThreads = request.app.state.readers
    return await readers.run(request, read)


def interrupted(error: BaseException) -> bool:
    """Whether an error says that SQLite gave a read up."""
    found = error.orig if isinstance(error, OperationalError) else error
    return isinstance(found, sqlite3.OperationalError) and found.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
