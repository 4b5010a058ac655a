"""Processes that work for another one: none outlives it, and none hears what is said to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ingest.worker_processes import WorkerProcesses
from tests.conftest import ROOT
from tests.waiting import wait_until

SCRIPT = """
import os, sys
from ingest.worker_processes import WorkerProcesses

if __name__ == "__main__":
    with WorkerProcesses(2) as pool:
        print(*pool._processes, flush=True)
        sys.stdin.read()
"""


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_they_leave_with_whoever_started_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(running, workers))
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(running, workers)), "the end of processes whose parent was killed")


def test_they_do_not_hear_interrupts() -> None:
    with WorkerProcesses(1) as pool:
        worker = pool.submit(os.getpid).result()
        os.kill(worker, signal.SIGINT)
        assert pool.submit(os.getpid).result() == worker
