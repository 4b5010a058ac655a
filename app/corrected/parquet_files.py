"""Corrected test sets as Parquet: the columns of the CSV with real types, and the origin as metadata.

Labels are integers, or lists of integers where an example has a set of labels. Removed rows have a null corrected
label.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.corrected.blocks import ACTIONS, CATEGORIES, Block, CorrectedTestSet
from app.corrected.byte_sink import ByteSink
from app.schema.packing import NO_LABEL

_ROW_GROUP: Final = 1 << 18
_WORD: Final = pa.dictionary(pa.int32(), pa.string())


def parquet_pieces(connection: Connection, corrected: CorrectedTestSet) -> Iterator[bytes]:
    """The Parquet file of a corrected test set, in pieces; a group of rows is a few blocks."""
    columns = _Columns(corrected)
    sink = ByteSink()
    waiting: list[pa.RecordBatch] = []
    # Repeated words are handed over as codes and read back as the plain strings that the file holds: without Arrow's
    # own copy of the schema no reader takes them for categories. What stood in that copy is written beside the rows.
    # No delta encoding: it pads its last block with what memory held, and a file's hash must not depend on that.
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"),
        columns.schema,
        compression="zstd",
        store_schema=False,
        use_dictionary=[name for name in columns.schema.names if name not in ("index", "key")],
    ) as writer:
        writer.add_key_value_metadata(metadata(corrected))
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


def metadata(corrected: CorrectedTestSet) -> dict[str, str]:
    """What stands in the file beside its rows: dataset, version, policy, sources with their SHA-256, licence."""
    test_set = corrected.test_set
    held = test_set.held_back
    return {
        "dataset": test_set.name,
        "title": test_set.title,
        "version": test_set.version,
        "policy": orjson.dumps(corrected.wanted.words()).decode(),
        "raters": str(test_set.raters),
        "sources": orjson.dumps([dict(source) for source in test_set.sources]).decode(),
        "licence": test_set.licence,
        **({} if held is None else {"held_back": held.why}),
    }


class _Columns:
    """The columns of a test set, and all the values that labels, actions and categories can give them."""

    def __init__(self, corrected: CorrectedTestSet) -> None:
        self._removed = corrected.wanted.removed
        self._given = _label_columns(corrected, corrected.test_set.multi_label)
        self._now = _label_columns(corrected, corrected.sets)
        fields = [
            ("index", pa.int64()),
            ("key", pa.string()),
            *zip(("given", "given_name"), _types(self._given), strict=True),
            *zip(("corrected", "corrected_name"), _types(self._now), strict=True),
            ("action", _WORD),
            ("category", _WORD),
            *((name, _WORD) for name in corrected.opinion_columns),
            *((name, pa.float64()) for name in corrected.confidence_columns),
        ]
        places = range(len(corrected.known))
        said = [pa.array(column, pa.string()) for column in zip(*map(corrected.stances_of, places), strict=True)]
        sure = [pa.array(column, pa.float64()) for column in zip(*map(corrected.confidences_of, places), strict=True)]
        self._said = [*said, *sure]
        # Not made as the module is loaded: pyarrow asks pandas about every list, and loads it for that.
        self._actions = pa.array([action.value for action in ACTIONS])
        self._categories = pa.array([category.value for category in CATEGORIES])
        self.schema = pa.schema(fields)

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
            *(_taken(column, given) for column in self._given),
            *(_taken(column, now) for column in self._now),
            _taken(self._actions, pa.array(block.action[places], pa.int32())),
            _taken(self._categories, pa.array(block.category[places], pa.int32())),
            *(_taken(column, pa.array(block.said[places], pa.int32())) for column in self._said),
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _codes(labels: NDArray[np.int64]) -> pa.Array:
    return pa.array(labels, pa.int32(), mask=labels == NO_LABEL)


def _types(columns: tuple[pa.Array, pa.Array]) -> list[pa.DataType]:
    return [_WORD if column.type == pa.string() else column.type for column in columns]


def _taken(values: pa.Array, codes: pa.Array) -> pa.Array:
    return _words(values, codes) if values.type == pa.string() else values.take(codes)


def _label_columns(corrected: CorrectedTestSet, as_sets: bool) -> tuple[pa.Array, pa.Array]:
    """Label id -> its number and name, or its numbers and names."""
    names = corrected.test_set.class_names
    if as_sets:
        numbers = pa.array([list(classes) for classes in corrected.members], pa.list_(pa.int32()))
        words = pa.array([[names[c] for c in classes] for classes in corrected.members], pa.list_(pa.string()))
        return numbers, words
    # A set that only corrected labels have is nobody's given label, so nothing refers to what stands in its place.
    firsts = [classes[0] if len(classes) == 1 else 0 for classes in corrected.members]
    return pa.array(firsts, pa.int32()), pa.array([names[c] for c in firsts], pa.string())


def _words(values: pa.Array, codes: pa.Array) -> pa.Array:
    """Words as codes with their meaning beside them, every word once: two labels may have one name.

    Arrow writes a dictionary in which a word stands twice as plain words, and pads those with what memory held.
    """
    each = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(each.indices.take(codes), each.dictionary)
