"""Tables in Parquet that lie in one file or, as large ones are published, in several: ``test-00000-of-00002.parquet``.

Rows are read in batches, so memory does not grow with the table. All files of a table must be there: with one too few
every row behind it would be another example's.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ingest.errors import shown
from ingest.git_pointers import refuse_pointers
from ingest.media.items import MediaError

_PART: Final = re.compile(r"(?P<name>.*)-(?P<number>\d+)-of-(?P<count>\d+)(?P<end>\.(?i:parquet))", re.DOTALL)


def parquet_parts(path: Path) -> list[Path]:
    """The files of a table, in the order of its rows; ``path`` is one of them, or the folder they lie in.

    Raises MediaError where one is missing, or where a folder holds several tables.
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

    Raises MediaError for what is no Parquet file, and for a column that is not there.
    """
    # Slow to import, and needed for this alone.
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


def _all_of(path: Path) -> list[Path]:
    match = _PART.fullmatch(path.name)
    if match is None:
        return [path]
    count, digits = int(match["count"]), len(match["number"])
    names = [f"{match['name']}-{number:0{digits}}-of-{match['count']}{match['end']}" for number in range(count)]
    parts = [path.with_name(name) for name in names]
    absent = next((part for part in parts if not part.is_file()), None)
    if absent is not None or path not in parts:
        raise MediaError(
            path, f"expected all {count} files of its table, found none called {shown((absent or path).name)}"
        )
    return parts
