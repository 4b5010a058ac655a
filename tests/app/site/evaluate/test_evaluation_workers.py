"""The processes that evaluate files: kept, replaced when they are gone, ended when they take too long."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from app.schema import tables
from app.schema.engine import reading_engine
from app.site.evaluate.worker_pool import WorkerDiedError, Workers, WorkerTimeoutError


@pytest.fixture
def order(sample_catalogue: Path, tmp_path: Path) -> dict[str, object]:
    with reading_engine(sample_catalogue).connect() as connection:
        version = connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "version"))
    file = tmp_path / "upload"
    np.save(tmp_path / "mine.npy", np.full(1_797, 3))
    (tmp_path / "mine.npy").rename(file)
    return {
        "catalogue": str(sample_catalogue),
        "version": version,
        "dataset": "sample-digits",
        "file": str(file),
        "name": "mine.npy",
        "agreement": 3,
    }


def pids(workers: Workers) -> list[int]:
    return [worker._process.pid for worker in workers._idle]


def test_one_process_answers_one_order_after_another(order):
    workers = Workers(seconds=3600, most=2)
    workers.prepare()
    (pid,) = pids(workers)
    workers.prepare()
    answers = [workers.work(order) for _ in range(3)]
    assert pids(workers) == [pid]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["found"]["sizes"]["D"] == 1_797
    assert "expected 245 rows" in workers.work(order | {"dataset": "sample-texts"})["refusal"]
    assert "no dataset" in workers.work(order | {"dataset": "nothing"})["refusal"]
    assert workers.work(order | {"version": "another"}) == {"replaced": True}
    assert workers.work(order | {"file": "/nowhere/at/all"}) == {"mistake": True}
    assert workers.work(order) == answers[0]
    assert pids(workers) == [pid]


def test_one_that_is_gone_is_replaced(order):
    workers = Workers(seconds=3600, most=2)
    workers.work(order)
    (pid,) = pids(workers)
    os.kill(pid, signal.SIGKILL)
    while workers._idle[0].alive:
        time.sleep(0.01)
    assert "found" in workers.work(order)
    assert pids(workers) != [pid]


@pytest.mark.parametrize(
    ("does", "seconds", "raised"), [("time.sleep(3600)", 1, WorkerTimeoutError), ("os._exit(3)", 3600, WorkerDiedError)]
)
def test_one_that_does_not_answer_is_ended(order, monkeypatch, tmp_path, does, seconds, raised):
    """A library that hangs, or ends the process, as soon as a table is read, in place of the real one."""
    (tmp_path / "csv.py").write_text(f"import os, time\nfrom _csv import *\ndef reader(*_, **__):\n    {does}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = Workers(seconds=seconds, most=2)
    workers.prepare()
    (pid,) = pids(workers)
    table = Path(order["file"])
    array = table.read_bytes()
    table.write_bytes(b"prediction\n1\n")
    with pytest.raises(raised):
        workers.work(order | {"name": "mine.csv"})
    assert pids(workers) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    # The next file gets a process of its own, and whatever needs no table of text is read.
    table.write_bytes(array)
    workers._seconds = 3600
    assert "found" in workers.work(order)


def test_it_ends_when_nobody_is_there_to_ask(order):
    process = subprocess.Popen([sys.executable, "-m", "app.evaluation.worker"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait() == 0


def test_memory_beyond_its_bound_is_refused(order, tmp_path):
    """More than a worker may have, in a file of few bytes: a table of half a terabyte."""
    words = pa.DictionaryArray.from_arrays(np.zeros(1_797, np.int32), pa.array(["x" * 3_000_000]))
    pq.write_table(pa.table({"prediction": words}), tmp_path / "upload", compression="zstd")
    workers = Workers(seconds=3600, most=2)
    assert "needs more memory" in workers.work(order | {"name": "words.parquet"})["refusal"]
    assert (tmp_path / "upload").stat().st_size < 100_000
