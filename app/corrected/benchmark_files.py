"""Corrected benchmarks in their own form: a row for each question, with its options and the number of the right one.

Columns are index, key and the slice where there are some, question, choices and answer; then what second opinions hold,
where asked for. It is what harnesses read, such as lm-evaluation-harness. A removed question has no answer.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from app.corrected.blocks import Block, CorrectedTestSet
from app.corrected.byte_sink import ByteSink
from app.corrected.parquet_files import metadata
from app.schema.packing import NO_LABEL, unpack_labels
from app.schema.slice_tables import SLICES, example_slices
from app.schema.stored_questions import read_questions

#: Whose answer stands in a file.
Answers = Literal["corrected", "given"]
_AT_ONCE: Final = 2_000


def no_questions(corrected: CorrectedTestSet) -> str | None:
    """Why there is no benchmark to write, None where there is one."""
    if corrected.test_set.modality != "question":
        return f"Only questions with options have this form, and the examples of {corrected.test_set.title} are none."
    if not corrected.test_set.questions_known:
        return f"The questions of {corrected.test_set.title} are not in this catalogue, only their labels."
    if corrected.sets:
        return "A question has one answer in this form: expected multi_label=drop or given."
    return None


def jsonl_pieces(
    connection: Connection, corrected: CorrectedTestSet, answers: Answers = "corrected"
) -> Iterator[bytes]:
    """The questions as JSON Lines, in pieces."""
    for rows in _rows(connection, corrected, answers):
        yield b"".join(orjson.dumps(row) + b"\n" for row in rows)


def parquet_pieces(
    connection: Connection, corrected: CorrectedTestSet, answers: Answers = "corrected"
) -> Iterator[bytes]:
    """The questions as Parquet, in pieces; policy, version, sources and licence stand in its metadata."""
    sink, schema = ByteSink(), _schema(connection, corrected)
    # As in parquet_files: nothing that pads with what memory held, for a file's hash must not depend on that.
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"), schema, compression="zstd", store_schema=False, use_dictionary=False
    ) as writer:
        writer.add_key_value_metadata({**metadata(corrected), "answers": answers})
        for rows in _rows(connection, corrected, answers):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            yield from sink.taken()
    yield from sink.taken()


def _schema(connection: Connection, corrected: CorrectedTestSet) -> pa.Schema:
    slices = _Slices.read(connection, corrected)
    keyed = next((block.keys is not None for block in corrected.blocks(connection)), False)
    fields = [
        ("index", pa.int64()),
        *([("key", pa.string())] if keyed else []),
        *([(slices.column, pa.string())] if slices else []),
        ("question", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("answer", pa.int64()),
        *((name, pa.string()) for name in corrected.opinion_columns),
    ]
    return pa.schema(fields)


class _Slices:
    """The slice of each example, by name, in the column that the dataset calls so."""

    def __init__(self, column: str, names: Sequence[str], numbers: Sequence[int]) -> None:
        self.column = column
        self._names, self._numbers = names, numbers

    @classmethod
    def read(cls, connection: Connection, corrected: CorrectedTestSet) -> "_Slices | None":
        """None where the dataset has no slices."""
        told = corrected.test_set.about.get(SLICES)
        which = example_slices.c.dataset_id == corrected.test_set.id
        packed = connection.scalar(select(example_slices.c.numbers).where(which))
        if not told or packed is None:
            return None
        return cls(told["column"], told["names"], unpack_labels(packed).tolist())

    def of(self, index: int) -> dict[str, str]:
        return {self.column: self._names[self._numbers[index]]}


def _rows(connection: Connection, corrected: CorrectedTestSet, answers: Answers) -> Iterator[list[dict[str, Any]]]:
    slices = _Slices.read(connection, corrected)
    for block in corrected.blocks(connection):
        listed = block.listed(corrected.wanted.removed)
        for first in range(0, len(listed), _AT_ONCE):
            places = listed[first : first + _AT_ONCE].tolist()
            texts = read_questions(connection, corrected.test_set.id, [block.start + place for place in places])
            rows = []
            for place in places:
                index = block.start + place
                rows.append(
                    {
                        "index": index,
                        **({} if block.keys is None else {"key": block.keys[place]}),
                        **({} if slices is None else slices.of(index)),
                        "question": texts[index]["question"],
                        "choices": texts[index]["options"],
                        "answer": _answer(block, place, answers),
                        **_opinions(corrected, block, place),
                    }
                )
            yield rows


def _answer(block: Block, place: int, answers: Answers) -> int | None:
    label = int((block.corrected if answers == "corrected" else block.given)[place])
    return None if label == NO_LABEL else label


def _opinions(corrected: CorrectedTestSet, block: Block, place: int) -> dict[str, str | None]:
    columns = corrected.opinion_columns
    return dict(zip(columns, corrected.stances_of(int(block.said[place])), strict=True)) if columns else {}


def counts(connection: Connection, corrected: CorrectedTestSet) -> tuple[int, int]:
    """How many questions have a known answer, and how many of these another than the given one."""
    n = changed = 0
    for block in corrected.blocks(connection):
        kept = block.corrected != NO_LABEL
        n += int(np.count_nonzero(kept))
        changed += int(np.count_nonzero(kept & (block.corrected != block.given)))
    return n, changed
