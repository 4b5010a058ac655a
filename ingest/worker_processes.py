"""Worker processes that ignore Ctrl-C and end with this process, however it ends."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker


class WorkerProcesses(ProcessPoolExecutor):
    """A pool of worker processes. After an error, tasks that have not started are dropped."""

    def __init__(self, workers: int) -> None:
        # A forked process would inherit locks held by the parent's other threads.
        super().__init__(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
        # Each task starts a process unless one is idle.
        with deaf_children():
            for _ in range(workers):
                self.submit(int)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Start processes within this block that ignore Ctrl-C, so that only the parent reacts to it.

    A terminal sends the signal to all of its processes. It is blocked here, and so in the children until they can
    ignore it. This process receives it afterwards.
    """
    # Python's resource tracker unblocks the signal when it starts, so start it first.
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
