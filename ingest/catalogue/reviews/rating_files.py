"""Write votes and ratings to files; a file is replaced whole or not at all."""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app.reviews.ratings import RATING_COLUMNS
from ingest.errors import DataError, writing

#: A cell of free text that begins so would be a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def write_votes(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write a votes file: a JSON list, a record a line."""
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    write_whole(path, f"[{lines}]\n".encode())


def write_ratings(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write the raw table as .csv or .parquet; returns the number of rows. Raises DataError for another ending."""
    found = list(rows)
    if path.suffix == ".csv":
        write_whole(path, _csv(found))
    elif path.suffix == ".parquet":
        write_whole(path, _parquet(found))
    else:
        raise DataError(path, "expected a name that ends in .csv or .parquet")
    return len(found)


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(RATING_COLUMNS)
    writer.writerows([_cell(row[name]) for name in RATING_COLUMNS] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"example": pa.int64(), "seconds": pa.float64()} | dict.fromkeys(("gold", "repeat", "excluded"), pa.bool_())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in RATING_COLUMNS])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), sink)
    return sink.getvalue()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name first, and rename it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with writing(path):
            part.write_bytes(data)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
