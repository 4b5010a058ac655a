"""A pool of processes that evaluate visitors' files, each ended when it exceeds its time limit.

A few idle processes are kept for the next file. Their answers are only parsed as JSON, and trusted no further.
"""

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from app.evaluation.blas_threads import bound

_PROGRAM: Final = Path(__file__).resolve().parents[3]


class WorkerTimeoutError(Exception):
    """The work exceeded its time limit and was stopped."""


class WorkerDiedError(Exception):
    """The process ended during its work, for example because the system had no memory left."""


class Workers:
    """At most ``most`` idle processes; the calling thread waits for the work. Safe to use from several threads."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._idle: list[_Worker] = []
        self._changing = threading.Lock()
        weakref.finalize(self, _end_all, self._idle)

    def prepare(self) -> None:
        """Start a process if none is idle, while a file is still being uploaded."""
        with self._changing:
            if not self._idle:
                self._idle.append(_Worker())

    def work(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``app.evaluation.worker`` to an order. Raises WorkerTimeoutError or WorkerDiedError."""
        with self._changing:
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.alive:
            # It ended while idle, which is no reason to refuse a file.
            worker.end()
            worker = None
        worker = worker or _Worker()
        try:
            answer = worker.ask(order, self._seconds)
        except BaseException:
            worker.end()
            raise
        with self._changing:
            keep = len(self._idle) < self._most
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.end()
        return answer


class _Worker:
    def __init__(self) -> None:
        paths = [str(_PROGRAM), *filter(None, [os.environ.get("PYTHONPATH")])]
        # The server uses the other processors, and spinning threads would only wait for each other.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        bound(environment)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.evaluation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            answer = self._exchange(orjson.dumps(order) + b"\n")
        finally:
            timer.cancel()
        if late.is_set():
            raise WorkerTimeoutError
        if not answer.endswith(b"\n"):
            raise WorkerDiedError
        found: dict[str, Any] = orjson.loads(answer)
        return found

    def _exchange(self, line: bytes) -> bytes:
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            raise WorkerDiedError
        try:
            into.write(line)
            into.flush()
        except BrokenPipeError:
            return b""
        return out.readline()

    def end(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.wait()


def _end_all(idle: list[_Worker]) -> None:
    for worker in idle:
        worker.end()
