"""End a worker when its parent process has ended.

A parent that is killed cannot stop its workers, which would then keep the port in use.
"""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess


def end_with_parent() -> None:
    """End this process by SIGTERM when its parent process ends; does nothing without a parent in multiprocessing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), name="end-with-parent", daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    # This waits for a pipe that the system closes with the parent: it costs nothing and works wherever processes do.
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
