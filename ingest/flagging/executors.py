"""Run tasks over blocks of a matrix: in this process, in threads or processes, or on Dask.

Every executor gives results in the order of the tasks and holds few at a time. Functions and tasks must be picklable
for all but the first two. Results cannot depend on the executor; interruption leaves no process behind.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Literal, Protocol, TypeVar

from ingest.errors import IngestError
from ingest.flagging.cores import available
from ingest.worker_processes import WorkerProcesses, deaf_children

T = TypeVar("T")
R = TypeVar("R")

PoolKind = Literal["threads", "processes"]

#: Tasks under way per worker: the current one and the next.
_AHEAD = 2

#: The default number of threads at most: more would wait for one another, because they share one interpreter.
_MOST_THREADS = 4

#: From this many bytes of a matrix, several threads are faster than none.
_LARGE = 50_000_000

#: Seconds to wait for a scheduler's answer.
_PATIENCE = 5

#: How often a task may be restarted when its workers die.
_RETRIES = 10


class Executor(Protocol):
    """The interface of everything that runs tasks."""

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """The results of ``function`` for all tasks, in their order."""


class SerialExecutor:
    """Runs one task after the other in this process."""

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        return map(function, tasks)


def _in_order(submit: Callable[[T], Any], tasks: Iterable[T], ahead: int) -> Iterator[Any]:
    """The results of all tasks in their order, with at most ``ahead`` of them under way at a time."""
    pending: deque[Any] = deque()  # futures of whatever executor ``submit`` uses
    try:
        for task in tasks:
            pending.append(submit(task))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


class PoolExecutor:
    """Runs tasks on a pool of threads or processes."""

    def __init__(self, pool: Pool, workers: int) -> None:
        self._pool = pool
        self._workers = workers

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        def submit(task: T) -> Future[R]:
            return self._pool.submit(function, task)

        try:
            yield from _in_order(submit, tasks, self._workers * _AHEAD)
        except BrokenProcessPool as error:
            raise IngestError(f"a worker process died (killed, or out of memory?): {error}") from error


class DaskExecutor:
    """Runs tasks on a Dask cluster. A task whose worker dies is restarted on another."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        from distributed import KilledWorker

        def submit(task: T) -> Any:
            return self._client.submit(function, task, pure=False, retries=_RETRIES)

        try:
            yield from _in_order(submit, tasks, max(1, sum(self._client.nthreads().values())) * _AHEAD)
        except KilledWorker as error:
            raise IngestError(f"Dask's workers died one after the other on one task: {error}") from error
        except (ModuleNotFoundError, AttributeError) as error:
            finding = f"Dask's workers lack what this process has: {error}; they need this project and the same files"
            raise IngestError(finding) from error


@contextmanager
def in_pool(workers: int, kind: PoolKind = "threads") -> Iterator[Executor]:
    """A pool of this many threads or processes; with a single worker everything runs in this process."""
    if workers <= 1:
        yield SerialExecutor()
        return
    pool: Pool = (
        ThreadPoolExecutor(workers, thread_name_prefix="rows") if kind == "threads" else WorkerProcesses(workers)
    )
    try:
        yield PoolExecutor(pool, workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def suited(n_bytes: int) -> AbstractContextManager[Executor]:
    """The executor for a matrix of this many bytes: a thread per core, up to four, or no threads for a small one."""
    cores = available()
    return in_pool(min(cores, _MOST_THREADS) if n_bytes >= _LARGE else 1)


@contextmanager
def on_dask(address: str, workers: int | None = None) -> Iterator[Executor]:
    """A Dask cluster: the one at ``address``, or with "local" a temporary one on this machine.

    "local:4" has four workers. Raises IngestError if Dask is not installed or nothing answers.
    """
    if address.startswith("local:"):
        address, workers = "local", _workers_of(address)
    try:
        import distributed
    except ImportError as error:
        raise IngestError("--dask needs the package distributed: pip install -e '.[dask]'") from error
    # Errors come back as exceptions; without this, lost workers would also be logged again and again.
    for name in ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    dask: Any = distributed  # its own annotations are incomplete
    cluster = None
    try:
        if address == "local":
            with deaf_children():
                cluster = dask.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL + 1,
                )
        client = dask.Client(address if cluster is None else cluster, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise IngestError(f"expected a Dask scheduler at {address}, found none: {error}") from error
    try:
        _require_workers(client, address)
        yield DaskExecutor(client)
    finally:
        for one in (client, cluster):
            # On a busy machine this takes longer than Dask waits; what the tasks returned is valid all the same.
            with suppress(OSError):
                if one is not None:
                    one.close()


def _workers_of(address: str) -> int:
    number = address.removeprefix("local:")
    if not (number.isascii() and number.isdecimal() and len(number) < 5 and int(number)):
        raise IngestError(f"--dask {address}: expected a number of workers after local:, found {number or 'none'}")
    return int(number)


def _require_workers(client: Any, address: str) -> None:
    """Without workers a task would wait forever."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise IngestError(f"expected workers at the Dask scheduler {address}, found none in {_PATIENCE} s") from error
