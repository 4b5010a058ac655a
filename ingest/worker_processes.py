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
    """So many processes, which run from now on. After an error, what waits for them is left undone."""

    def __init__(self, workers: int) -> None:
        # A forked process would take over locks in whatever state the parent's other threads hold them.
        super().__init__(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))
        # Each task starts one, as long as none has nothing to do.
        with deaf_children():
            for _ in range(workers):
                self.submit(int)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C, which reaches all of a terminal: only the first shall answer it.

    What is blocked here is blocked there too, before they can ignore anything. It is heard here afterwards.
    """
    # Python's own helper unblocks the signal when it starts, so it starts before.
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
