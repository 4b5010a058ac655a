"""Connections to a catalogue file."""

import gc
import sqlite3
import warnings
from pathlib import Path

import pytest

from app.schema.engine import connect_to_read, pooled_engine


def test_connections_of_a_pool_that_nobody_holds_are_closed_without_a_warning(sample_catalogue: Path) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        engine = pooled_engine(lambda: connect_to_read(sample_catalogue), 2)
        connection = engine.connect()
        engine.dispose()
        del connection, engine
        gc.collect()
    assert [str(one.message) for one in warned] == []


def test_one_that_cannot_be_opened_leaves_nothing_to_close(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect_to_read(tmp_path / "none.sqlite")
    gc.collect()
