"""Corrected test sets as Parquet: the columns of the CSV with real types, and where they come from in the metadata.

Labels are integers; where they are sets, lists of them. Rows that are removed have null for their corrected label.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.corrected.blocks import ACTIONS, CATEGORIES, NO_LABEL, Block, Corrected
from app.corrected.sink import Sink

_ROW_GROUP: Final = 1 << 18


def parquet_pieces(connection: Connection, corrected: Corrected) -> Iterator[bytes]:
    """The Parquet file of a corrected test set, in pieces; a group of rows is a few blocks."""
    columns = _Columns(corrected)
    sink = Sink()
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), columns.schema, compression="zstd") as writer:
        first = True
        for block in corrected.blocks(connection):
            waiting.append(columns.batch(block))
            # The first group is one block, so that something is on its way at once.
            if first or sum(batch.num_rows for batch in waiting) >= _ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting), row_group_size=_ROW_GROUP)
                waiting, first = [], False
                yield from sink.taken()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting), row_group_size=_ROW_GROUP)
    yield from sink.taken()


def metadata(corrected: Corrected) -> dict[str, str]:
    """What stands in the file beside its rows: dataset, version, policy, sources with their SHA-256, licence."""
    test_set = corrected.test_set
    return {
        "dataset": test_set.name,
        "title": test_set.title,
        "version": test_set.version,
        "policy": orjson.dumps(corrected.wanted.words()).decode(),
        "raters": str(test_set.raters),
        "sources": orjson.dumps([dict(source) for source in test_set.sources]).decode(),
        "licence": test_set.licence,
    }


class _Columns:
    """The columns of a test set, and all the values that labels, actions and categories can give them."""

    def __init__(self, corrected: Corrected) -> None:
        self._removed = corrected.wanted.removed
        self._actions = pa.array([action.value for action in ACTIONS])
        self._categories = pa.array([category.value for category in CATEGORIES])
        self._given = _label_columns(corrected, corrected.test_set.multi_label)
        self._now = _label_columns(corrected, corrected.sets)
        fields = [
            ("index", pa.int64()),
            ("key", pa.string()),
            *((name, column.type) for name, column in zip(("given", "given_name"), self._given, strict=True)),
            *((name, column.type) for name, column in zip(("corrected", "corrected_name"), self._now, strict=True)),
            ("action", pa.string()),
            ("category", pa.string()),
        ]
        self.schema = pa.schema(fields, metadata=metadata(corrected))

    def batch(self, block: Block) -> pa.RecordBatch:
        """The listed rows of a block."""
        places = block.listed(self._removed)
        keys = pa.nulls(len(places), pa.string())
        if block.keys is not None:
            keys = pa.array(block.keys, pa.string()).take(pa.array(places))
        given, now = _codes(block.given[places]), _codes(block.corrected[places])
        arrays = [
            pa.array(block.start + places),
            keys,
            *(column.take(given) for column in self._given),
            *(column.take(now) for column in self._now),
            self._actions.take(pa.array(block.action[places])),
            self._categories.take(pa.array(block.category[places])),
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _codes(labels: NDArray[np.int64]) -> pa.Array:
    return pa.array(labels, mask=labels == NO_LABEL)


def _label_columns(corrected: Corrected, as_sets: bool) -> tuple[pa.Array, pa.Array]:
    """Label id -> its number and name, or its numbers and names."""
    names = corrected.test_set.class_names
    if as_sets:
        numbers = pa.array([list(classes) for classes in corrected.members], pa.list_(pa.int32()))
        words = pa.array([[names[c] for c in classes] for classes in corrected.members], pa.list_(pa.string()))
        return numbers, words
    # A set that only corrected labels have is nobody's given label.
    firsts = [classes[0] if len(classes) == 1 else None for classes in corrected.members]
    return pa.array(firsts, pa.int32()), pa.array([None if c is None else names[c] for c in firsts], pa.string())
