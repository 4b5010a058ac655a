"""Parquet tables in one file or in several numbered ones, such as ``test-00000-of-00002.parquet``.

Rows are read in batches, so memory does not grow with the table. All files of a table must be present: if one is
missing, every following row would be assigned to another example.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ingest.errors import shown
from ingest.git_pointers import refuse_pointers
from ingest.media.items import MediaError
from ingest.media.layouts.row_numbers import RowNumbers, numbers_rows, require_order

_PART: Final = re.compile(
    r"(?P<name>.*)-(?P<number>\d+)-of-(?P<count>\d+)(?P<hash>-[0-9a-f]{8,64})?(?P<end>\.(?i:parquet))", re.DOTALL
)

#: The largest number of rows that a file may declare.
_MOST_OF_A_RANGE: Final = 1 << 22


def parquet_parts(path: Path) -> list[Path]:
    """The files of a table, in row order; ``path`` is one of them, or their folder.

    Raises MediaError if one is missing, or if a folder contains several tables.
    """
    if not path.is_dir():
        return _all_of(path)
    found = sorted(file for file in path.iterdir() if file.suffix.lower() == ".parquet" and file.name[0] != ".")
    if not found:
        raise MediaError(path, "expected .parquet files in it, found none")
    parts = _all_of(found[0])
    others = [file.name for file in found if file not in parts]
    if others:
        both = f"{shown(parts[0].name)} and {shown(others[0])}"
        raise MediaError(path, f"expected the files of one table, found {both}; path in [media] says which one")
    return parts


def batches(parts: Sequence[Path], columns: Sequence[str], height: int) -> Iterator[Any]:
    """The rows of some columns as record batches of pyarrow, at most ``height`` at a time.

    Raises MediaError for anything that is not a Parquet file, and for a missing column.
    """
    # Slow to import, and only needed here.
    import pyarrow.parquet as parquet

    refuse_pointers(parts, MediaError)
    for path in parts:
        try:
            with parquet.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as file:
                for name in columns:
                    if name not in file.schema_arrow.names:
                        raise MediaError(path, f"expected a column {shown(name)}, found {file.schema_arrow.names}")
                yield from file.iter_batches(batch_size=height, columns=list(columns), use_threads=False)
        except (OSError, ValueError) as error:
            raise MediaError(path, f"expected a Parquet file ({error})") from error


def require_row_order(parts: Sequence[Path], but: str) -> None:
    """Raises MediaError if a column, other than ``but``, or the pandas index numbers rows in another order."""
    import pyarrow.parquet as parquet

    refuse_pointers(parts, MediaError)
    columns = dict[str, RowNumbers]()
    try:
        for path in parts:
            with parquet.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as file:
                ranges, names = _index_of(file.schema_arrow)
                names = [
                    name for name in file.schema_arrow.names if name != but and (name in names or numbers_rows(name))
                ]
                for one in ranges:
                    rows = min(file.metadata.num_rows, _MOST_OF_A_RANGE)
                    columns.setdefault("", RowNumbers("the index of pandas")).add(range(one, one - rows, -1))
                for batch in file.iter_batches(columns=names, use_threads=False) if names else ():
                    for name in names:
                        columns.setdefault(name, RowNumbers(name)).add(batch.column(name).to_pylist())
    except (OSError, ValueError) as error:
        raise MediaError(path, f"expected a Parquet file ({error})") from error
    require_order(columns.values(), parts[0])


def _index_of(schema: Any) -> tuple[list[int], list[str]]:
    """The beginnings of pandas ranges that count down, and the columns of its index, from the table's metadata."""
    try:
        told = list((schema.pandas_metadata or {}).get("index_columns", []))
    except (ValueError, AttributeError, TypeError):
        return [], []
    ranges = [one.get("start") for one in told if isinstance(one, dict) and one.get("step") == -1]
    return [start for start in ranges if isinstance(start, int)], [one for one in told if isinstance(one, str)]


def _all_of(path: Path) -> list[Path]:
    match = _PART.fullmatch(path.name)
    if match is None:
        return [path]
    count, digits = int(match["count"]), len(match["number"])
    stems = [f"{match['name']}-{number:0{digits}}-of-{match['count']}" for number in range(count)]
    if match["hash"] is None:
        parts = [path.with_name(f"{stem}{match['end']}") for stem in stems]
    else:
        parts = _hashed(path, stems)
    absent = next((part for part in parts if not part.is_file()), None)
    if absent is not None or path not in parts:
        raise MediaError(
            path, f"expected all {count} files of its table, found none called {shown((absent or path).name)}"
        )
    return parts


def _hashed(path: Path, stems: Sequence[str]) -> list[Path]:
    """The files of these names, each followed by a hash of its own, as older exports of Hugging Face have it.

    Raises MediaError if two have the same number: they are of two tables.
    """
    found: dict[str, Path] = {}
    for file in sorted(path.parent.iterdir()):
        match = _PART.fullmatch(file.name)
        if match is None or match["hash"] is None:
            continue
        stem = file.name.removesuffix(match["hash"] + match["end"])
        if stem in found:
            both = f"{shown(found[stem].name)} and {shown(file.name)}"
            raise MediaError(path, f"expected one file of each number of its table, found {both}")
        found[stem] = file
    return [found.get(stem, path.with_name(f"{stem}-....parquet")) for stem in stems]
