"""Decode media files in this process and in worker processes.

The reader of an archive reads it in one pass and hands on jobs; only a bounded number of them is under way at a time,
so memory does not grow with the archive. Results come in the order of the jobs. Nothing is read or stored here.

This process is one of the workers: it decodes what the others have no time for, also while they are still starting, so
no core is left for a process that only hands on jobs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from ingest.media.archives.stores import MemberError
from ingest.media.items import MediaError, MediaItem, MediaProblem
from ingest.worker_processes import WorkerProcesses

#: Bytes per batch: enough to be worth sending, few enough that no worker finishes long after the others.
_JOBS_AT_A_TIME: Final = 64
_BYTES_AT_A_TIME: Final = 1 << 20

#: Batches per process: the current one and the next.
_AHEAD: Final = 2

#: The maximum number of batches held to keep the order.
_HELD: Final = 32


@dataclass(frozen=True, slots=True)
class DecodeJob:
    """One example as read: ``data`` is the decoder's input, the bytes of a file or an array of pixels."""

    index: int
    where: str
    name: str  # the file name, for its ending
    data: Any
    part: Sequence[float] | None = None  # begin and end in a whole recording, in seconds


Decoder = Callable[[DecodeJob], Iterator[MediaItem]]
Result = MediaItem | MediaProblem
Batch = list[Result] | Future[list[Result]]


def decoded(jobs: Iterable[DecodeJob | MediaProblem], decode: Decoder, workers: int = 1) -> Iterator[Result]:
    """The items of each job, or the problem (a MemberError) of its decoder; problems among the jobs are passed through.

    Workers beyond the first are separate processes, for which ``decode`` must be importable by name.

    Raises MediaError if a worker dies, and whatever ``jobs`` raises.
    """
    if workers <= 1:
        for job in jobs:
            yield from _results(decode, [job])
        return
    try:
        with WorkerProcesses(workers - 1) as pool:
            yield from _in_order(_batches(jobs), decode, pool, workers - 1)
    except BrokenProcessPool as error:
        raise MediaError(
            "decoding", "a worker died, as of too little memory or a decoder's own fault; expected it to live"
        ) from error


def _in_order(
    batches: Iterable[Sequence[DecodeJob | MediaProblem]], decode: Decoder, pool: Executor, others: int
) -> Iterator[Result]:
    """The results of batches, which are sent to other processes or, while these are busy, decoded here."""
    held: deque[Batch] = deque()
    for batch in batches:
        if sum(isinstance(one, Future) and not one.done() for one in held) < _AHEAD * others:
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
    return batch.result() if isinstance(batch, Future) else batch
