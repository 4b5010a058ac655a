"""Files of examples -> what is shown of them, decoded here or in several processes.

Whoever reads an archive does so in one pass and hands on jobs; only a bounded number of them is ever under way, so
memory does not grow with the archive. Results come in the order of the jobs. Nothing is read or stored here.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from typing import Any, Final

from ingest.media.archives import MemberError
from ingest.media.items import MediaError, MediaItem, MediaProblem

#: What goes to a worker at once: enough to be worth the way, little enough to be held several times.
_JOBS_AT_A_TIME: Final = 64
_BYTES_AT_A_TIME: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One example as read: ``data`` is what its decoder takes, the bytes of a file or an array of pixels."""

    index: int
    where: str
    name: str  # of the file, for its ending
    data: Any
    part: Sequence[float] | None = None  # where in a whole recording it begins and ends, in seconds


Decoder = Callable[[Job], Iterator[MediaItem]]
Result = MediaItem | MediaProblem


def decoded(jobs: Iterable[Job | MediaProblem], decode: Decoder, workers: int = 1) -> Iterator[Result]:
    """The items of each job, or the problem that its decoder met (a MemberError); problems among the jobs pass through.

    With more than one worker, ``decode`` runs in other processes, so it must be importable by name.

    Raises MediaError when a worker dies, and whatever ``jobs`` raises.
    """
    if workers <= 1:
        for job in jobs:
            yield from _results(decode, [job])
        return
    with _Pool(workers) as pool:
        waiting: deque[Future[list[Result]]] = deque()
        for batch in _batches(jobs):
            waiting.append(pool.submit(_results, decode, batch))
            if len(waiting) > 2 * workers:
                yield from _finished(waiting.popleft())
        while waiting:
            yield from _finished(waiting.popleft())


def _results(decode: Decoder, batch: Sequence[Job | MediaProblem]) -> list[Result]:
    return list(chain.from_iterable(_of_job(decode, job) for job in batch))


def _of_job(decode: Decoder, job: Job | MediaProblem) -> list[Result]:
    if isinstance(job, MediaProblem):
        return [job]
    try:
        return list(decode(job))
    except MemberError as error:
        return [MediaProblem(job.index, job.where, str(error))]


def _batches(jobs: Iterable[Job | MediaProblem]) -> Iterator[list[Job | MediaProblem]]:
    batch: list[Job | MediaProblem] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.data) if isinstance(job, Job) and isinstance(job.data, bytes) else 4096
        if len(batch) >= _JOBS_AT_A_TIME or size >= _BYTES_AT_A_TIME:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _finished(future: "Future[list[Result]]") -> list[Result]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise MediaError(
            "decoding", "a worker died, as of too little memory or a decoder's own fault; expected it to live"
        ) from error


class _Pool(ProcessPoolExecutor):
    """Processes that leave with their parent, however it ends, and leave interrupts to it."""

    def __init__(self, workers: int) -> None:
        # A forked process would take over locks in whatever state the parent's other threads hold them.
        super().__init__(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
