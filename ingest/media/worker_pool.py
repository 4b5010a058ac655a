"""Files of examples -> what is shown of them, decoded here and in other processes.

Whoever reads an archive does so in one pass and hands on jobs; only a bounded number of them is ever under way, so
memory does not grow with the archive. Results come in the order of the jobs. Nothing is read or stored here.

This process is one of the workers: it decodes what the others have no time for, at once and not only when they have
started, and no core waits for one that merely hands on.
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

from ingest.media.archives.stores import MemberError
from ingest.media.items import MediaError, MediaItem, MediaProblem

#: What goes to a worker at once: enough to be worth the way, little enough that none is at work long after the others.
_JOBS_AT_A_TIME: Final = 64
_BYTES_AT_A_TIME: Final = 1 << 20

#: Batches that another process has: one it works on, and the next.
_AHEAD: Final = 2

#: Batches that are held at most for the sake of order.
_HELD: Final = 32


@dataclass(frozen=True, slots=True)
class DecodeJob:
    """One example as read: ``data`` is what its decoder takes, the bytes of a file or an array of pixels."""

    index: int
    where: str
    name: str  # of the file, for its ending
    data: Any
    part: Sequence[float] | None = None  # where in a whole recording it begins and ends, in seconds


Decoder = Callable[[DecodeJob], Iterator[MediaItem]]
Result = MediaItem | MediaProblem
Batch = list[Result] | Future[list[Result]]


def decoded(jobs: Iterable[DecodeJob | MediaProblem], decode: Decoder, workers: int = 1) -> Iterator[Result]:
    """The items of each job, or the problem that its decoder met (a MemberError); problems among the jobs pass through.

    Workers other than the first are processes of their own, for which ``decode`` must be importable by name.

    Raises MediaError when a worker dies, and whatever ``jobs`` raises.
    """
    if workers <= 1:
        for job in jobs:
            yield from _results(decode, [job])
        return
    with _Pool(workers - 1) as pool:
        held: deque[Batch] = deque()
        for batch in _batches(jobs):
            if sum(isinstance(one, Future) and not one.done() for one in held) < _AHEAD * (workers - 1):
                held.append(pool.submit(_results, decode, batch))
            else:
                held.append(_results(decode, batch))
            while held and (len(held) > _HELD or not isinstance(held[0], Future) or held[0].done()):
                yield from _finished(held.popleft())
        for one in held:
            yield from _finished(one)


def _results(decode: Decoder, batch: Sequence[DecodeJob | MediaProblem]) -> list[Result]:
    return list(chain.from_iterable(_of_job(decode, job) for job in batch))


def _of_job(decode: Decoder, job: DecodeJob | MediaProblem) -> list[Result]:
    if isinstance(job, MediaProblem):
        return [job]
    try:
        return list(decode(job))
    except MemberError as error:
        return [MediaProblem(job.index, job.where, str(error))]


def _batches(jobs: Iterable[DecodeJob | MediaProblem]) -> Iterator[list[DecodeJob | MediaProblem]]:
    batch: list[DecodeJob | MediaProblem] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.data) if isinstance(job, DecodeJob) and isinstance(job.data, bytes) else 4096
        if len(batch) >= _JOBS_AT_A_TIME or size >= _BYTES_AT_A_TIME:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _finished(batch: Batch) -> list[Result]:
    if not isinstance(batch, Future):
        return batch
    try:
        return batch.result()
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
