"""Executors whose surroundings fail."""

from concurrent.futures import Future
from typing import Any

import distributed
import pytest

from ingest.flagging.executors import on_dask


def test_a_cluster_that_is_slow_to_close_costs_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Slow:
        def __init__(self, *_: object, **__: object) -> None: ...

        def wait_for_workers(self, n: int, timeout: float) -> None: ...

        def nthreads(self) -> dict[str, int]:
            return {"a worker": 1}

        def submit(self, function: Any, task: int, **_: object) -> "Future[int]":
            future: Future[int] = Future()
            future.set_result(function(task))
            return future

        def close(self) -> None:
            asked.append(type(self))
            raise TimeoutError  # without words, as Dask does

    class Cluster(Slow): ...

    monkeypatch.setattr(distributed, "Client", Slow)
    monkeypatch.setattr(distributed, "LocalCluster", Cluster)
    with on_dask("local", 1) as executor:
        found = list(executor.map(abs, [-1, 2, -3]))
    assert found == [1, 2, 3]
    assert asked == [Slow, Cluster]
