"""Write tables of examples as Parquet, CSV or JSON, chosen by the ending of the file name.

A file is written under a temporary name and then renamed, so it is complete or absent.
"""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.errors import DataError, writing

ENDINGS: Final = (".parquet", ".csv", ".json")

#: How many rows are written at a time.
_ROWS: Final = 1 << 16

#: The columns of some rows: arrays of numbers, lists of texts, or Lists.
Columns = dict[str, Any]


class Lists(list[list[Any]]):
    """A column of lists of whole numbers, or of texts if its name ends in "names". In CSV they are joined by ;."""


def require_place(path: Path, inputs: Sequence[Path | None]) -> None:
    """Check, before any long work, that a file can be written there and does not replace an input file.

    Raises DataError.
    """
    if path.is_dir():
        raise DataError(path, "expected a file to write, found a folder")
    for read in inputs:
        if read is not None and _same(path, read):
            raise DataError(path, "expected another file to write than those that are read or written already")
    try:
        tempfile.TemporaryFile(dir=path.resolve().parent).close()
    except OSError as error:
        raise DataError(path, f"expected a folder that can be written to: {error.strerror}") from error


def _same(one: Path, other: Path) -> bool:
    """Whether two paths refer to the same file, existing or not."""
    return one.samefile(other) if one.exists() and other.exists() else one.resolve() == other.resolve()


def write_table(path: Path, n: int, columns: Callable[[slice], Columns], advance: Callable[[int], None]) -> None:
    """Write n rows. ``columns`` returns the columns of a slice, always with the same names; ``advance`` gets numbers of
    rows.

    Raises DataError if the file cannot be written.
    """

    def tables() -> Iterator[Columns]:
        for start in range(0, n, _ROWS):
            stop = min(n, start + _ROWS)
            yield columns(slice(start, stop))
            advance(stop - start)

    write = {".parquet": _write_parquet, ".csv": _write_csv, ".json": _write_json}[path.suffix.lower()]
    with writing(path), _replaced(path.resolve()) as part:
        write(part, columns(slice(0, 0)), tables())


def _write_parquet(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _type(name, values)) for name, values in empty.items()])
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(pa.table(table, schema))


def _type(name: str, values: Any) -> Any:
    """The type of a column, which must be known before its first row is written."""
    import pyarrow as pa

    if isinstance(values, np.ndarray):
        return pa.array(values).type
    one = pa.string() if name.endswith(("name", "names")) else pa.int64()
    return pa.list_(one) if isinstance(values, Lists) else one


def _write_csv(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(empty)
        for table in tables:
            writer.writerows(zip(*map(_cells, table.values()), strict=True))


def _cells(values: Any) -> list[Any]:
    if isinstance(values, np.ndarray):
        return values.astype(np.int64).tolist() if values.dtype == np.bool_ else values.tolist()  # type: ignore[no-any-return]
    return [";".join(map(str, value)) for value in values] if isinstance(values, Lists) else list(values)


def _write_json(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        before = "["
        for table in tables:
            columns = [values if isinstance(values, list) else values.tolist() for values in table.values()]
            for row in zip(*columns, strict=True):
                stream.write(f"{before}\n{json.dumps(dict(zip(empty, row, strict=True)), ensure_ascii=False)}")
                before = ","
        stream.write("[]\n" if before == "[" else "\n]\n")


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
