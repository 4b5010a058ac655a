"""The issues of a filter as files: the columns they have, and each format that writes them.

Text is spelled as in the files of corrected test sets: UTF-8, CRLF, a set of labels joined by "|", keys and names
unchanged, because one with a prefix that protects spreadsheets from formulas would join with nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from app.catalogue.records import Dataset, IssueRow
from app.corrected.byte_sink import ByteSink
from app.corrected.text_files import cell
from app.domain.opinions.stances import stances_of

#: Rows that a file has at most. More of them are read a page at a time, by ``next``.
MOST_ROWS: Final = 1_000_000
#: Rows in a group of a Parquet file.
_ROW_GROUP: Final = 1 << 16
Rows = Iterable[Sequence[IssueRow]]


class Columns:
    """The columns that issues of a dataset have, and the values of each issue in them."""

    def __init__(self, dataset: Dataset) -> None:
        self._sources = tuple(dataset.opinions.places)
        sets = dataset.multi_label
        number, name = (pa.list_(pa.int32()), pa.list_(pa.string())) if sets else (pa.int32(), pa.string())
        roles = ("given", "guessed", "corrected")
        labels = [pair for role in roles for pair in ((role, number), (f"{role}_name", name))]
        self.types: Mapping[str, pa.DataType] = dict(
            [
                ("index", pa.int64()),
                ("key", pa.string()),
                *labels,
                ("category", pa.string()),
                ("consensus", pa.string()),
                ("votes", pa.string()),
                ("self_confidence", pa.float64()),
                ("normalized_margin", pa.float64()),
                ("rank", pa.int64()),
                ("flagged", pa.bool_()),
                ("source", pa.string()),
                ("confidence", pa.float64()),
                ("probability_right", pa.float64()),
                *((f"opinion_{source}", pa.string()) for source in self._sources),
            ]
        )
        self._labels: dict[int | None, tuple[Any, Any]] = {None: (None, None)}
        for label in dataset.labels.values():
            ids, names = [c.id for c in label.classes], [c.name for c in label.classes]
            self._labels[label.id] = (ids, names) if sets else (ids[0], names[0])

    def values(self, row: IssueRow) -> tuple[Any, ...]:
        """The values of an issue, in the order of the columns; votes as the text of a JSON object."""
        labels, said = self._labels, stances_of(row.opinions)
        return (
            row.idx,
            row.key,
            *labels[row.given],
            *labels[row.guessed],
            *labels[row.corrected],
            row.category or "unreviewed",
            row.consensus,
            row.votes,
            row.self_confidence,
            row.normalized_margin,
            row.rank,
            row.flagged == 1,
            row.url,
            row.confidence,
            row.probability_right,
            *(said or (None,) * len(self._sources)),
        )


def csv_pieces(_: Mapping[str, str], columns: Columns, rows: Rows) -> Iterator[bytes]:
    """CSV (RFC 4180) with a header."""
    yield (",".join(columns.types) + "\r\n").encode()
    for some in rows:
        yield "".join([",".join(map(_csv, columns.values(row))) + "\r\n" for row in some]).encode()


def _csv(value: Any) -> str:
    """A value as a CSV cell.

    >>> _csv(None), _csv(True), _csv([3, 5]), _csv(["a|b", "c,d"]), _csv(0.25), _csv("=1")
    ('', 'true', '3|5', '"a|b|c,d"', '0.25', '=1')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell("|".join(map(str, value)) if isinstance(value, list) else str(value))


def jsonl_pieces(_: Mapping[str, str], columns: Columns, rows: Rows) -> Iterator[bytes]:
    """A JSON object a line, with votes as an object."""
    names = tuple(columns.types)
    for some in rows:
        yield b"".join([_line(names, columns.values(row)) for row in some])


def _line(names: Sequence[str], values: Sequence[Any]) -> bytes:
    found = dict(zip(names, values, strict=True))
    if found["votes"] is not None:
        found["votes"] = orjson.Fragment(found["votes"])
    return orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)


def parquet_pieces(about: Mapping[str, str], columns: Columns, rows: Rows) -> Iterator[bytes]:
    """Parquet with ``about`` as its metadata; the rows of a group are in memory together."""
    schema = pa.schema(list(columns.types.items()))
    sink, waiting = ByteSink(), list[tuple[Any, ...]]()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd", store_schema=False) as writer:
        writer.add_key_value_metadata(dict(about))
        for some in rows:
            waiting += map(columns.values, some)
            if len(waiting) >= _ROW_GROUP:
                writer.write_table(_table(waiting, schema))
                waiting.clear()
                yield from sink.taken()
        writer.write_table(_table(waiting, schema))
    yield from sink.taken()


def _table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class IssueFormat:
    """A format of such files: how they end, what they are, and what writes them."""

    suffix: str
    media_type: str
    title: str
    says: str
    sets: str  # what a set of labels is in it
    binary: bool
    pieces: Callable[[Mapping[str, str], Columns, Rows], Iterator[bytes]]


#: The formats, in the order to show.
ISSUE_FORMATS: Final = (
    IssueFormat(
        "csv",
        "text/csv; charset=utf-8; header=present",
        "CSV",
        "one row an issue",
        "joined by a vertical bar, votes are a JSON object",
        False,
        csv_pieces,
    ),
    IssueFormat(
        "parquet",
        "application/vnd.apache.parquet",
        "Parquet",
        "the same rows as columns, with the filter in words in its metadata",
        "a list",
        True,
        parquet_pieces,
    ),
    IssueFormat(
        "jsonl",
        "application/x-ndjson",
        "JSON Lines",
        "the same rows with real types",
        "a list",
        False,
        jsonl_pieces,
    ),
)
