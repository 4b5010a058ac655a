"""Decoding here and elsewhere: the same results in the same order, few at a time, and no worker's death hidden."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.media import MediaError, MediaItem, MediaProblem
from ingest.media.archives.stores import MemberError
from ingest.media.worker_pool import DecodeJob, decoded


def _item(job: DecodeJob, text: str) -> MediaItem:
    return MediaItem(job.index, "text", "text/plain", None, None, None, b"", text)


def odd_fail(job: DecodeJob) -> Iterator[MediaItem]:
    if job.index % 10 == 3:
        raise MemberError("expected an even number")
    yield _item(job, job.data.decode())
    yield _item(job, "once more")


def dies_elsewhere(job: DecodeJob) -> Iterator[MediaItem]:
    if os.getpid() != job.data:
        os._exit(9)
    yield _item(job, "here")


def slow_elsewhere(job: DecodeJob) -> Iterator[MediaItem]:
    if os.getpid() != job.data:
        time.sleep(0.02)
    yield _item(job, str(os.getpid()))


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same(workers: int) -> None:
    jobs = [DecodeJob(n, f"file {n}", f"{n}.txt", b"%d" % n * 5_000) for n in range(700)]
    jobs[50:50] = [MediaProblem(999, "archive", "expected a member, found none")]  # type: ignore[list-item]
    alone = list(decoded(jobs, odd_fail))
    failed = [item.index for item in alone if isinstance(item, MediaProblem)]
    assert failed == [3, 13, 23, 33, 43, 999, *range(53, 700, 10)]
    assert list(decoded(jobs, odd_fail, workers)) == alone


def test_a_worker_that_dies_is_told_of() -> None:
    jobs = (DecodeJob(n, "", "", os.getpid()) for n in range(1_000))
    with pytest.raises(MediaError, match="a worker died"):
        list(decoded(jobs, dies_elsewhere, 2))


def test_what_waits_for_a_slow_worker_is_bounded() -> None:
    taken = 0

    def jobs() -> Iterator[DecodeJob]:
        nonlocal taken
        for n in range(20_000):
            taken += 1
            yield DecodeJob(n, "", "", os.getpid())

    results = decoded(jobs(), slow_elsewhere, 2)
    first = next(results)
    assert isinstance(first, MediaItem)
    assert first.text != str(os.getpid())
    assert taken <= 40 * 64
    results.close()  # type: ignore[attr-defined]


def test_no_process_is_left_behind() -> None:
    def children() -> set[str]:
        return {line for file in Path("/proc/self/task").glob("*/children") for line in file.read_text().split()}

    before = children()
    results = decoded((DecodeJob(n, "", "", os.getpid()) for n in range(20_000)), slow_elsewhere, 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    left = children() - before
    assert all("resource_tracker" in Path(f"/proc/{pid}/cmdline").read_text() for pid in left)
