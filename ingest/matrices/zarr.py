"""Zarr arrays (versions 2 and 3) on disk as parts of a matrix, read a row of chunks at a time.

A zarr folder may name codecs that unpickle their input; folders that name any but the plain ones are refused before the
library opens them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray

from ingest.errors import DataError, MissingFileError, shown

_CODECS: Final = frozenset(
    {
        "bytes",
        "endian",
        "transpose",
        "sharding_indexed",
        "crc32c",
        "blosc",
        "gzip",
        "zlib",
        "zstd",
        "lz4",
        "bz2",
        "lzma",
    }
)


@dataclass(frozen=True)
class ZarrPart:
    """(n, m) numbers in a zarr array. ``cuts`` are the first rows of its chunks, and n."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunk: int

    @property
    def cuts(self) -> tuple[int, ...]:
        return (*range(0, self.shape[0], self.chunk), self.shape[0])

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """The rows from ``start`` to ``stop``, at most ``height`` at a time, each row of chunks unpacked once."""
        array = _opened(self.path)
        first = start
        while first < stop:
            last = min(stop, (first // self.chunk + 1) * self.chunk)
            rows = _rows(self.path, array, first, last)
            for row in range(0, last - first, height):
                yield first + row, np.ascontiguousarray(rows[row : row + height])
            first = last


def open_zarr(path: Path) -> ZarrPart:
    """The zarr array in a folder. Raises MissingFileError or DataError for any other folder."""
    _require_plain_codecs(path)
    array = _opened(path)
    if not isinstance(array, zarr.Array) or array.dtype.kind == "O":
        raise DataError(path, f"expected an array of numbers, found {shown(array)}")
    return ZarrPart(path, array.shape, np.dtype(array.dtype), max(1, array.chunks[0] if array.chunks else 1))


def _opened(path: Path) -> Any:
    try:
        return zarr.open_array(store=str(path), mode="r")
    except Exception as error:  # the library raises many kinds of errors for a damaged folder
        raise DataError(path, f"expected a zarr array, found another folder or a damaged one: {error}") from error


def _rows(path: Path, array: Any, first: int, last: int) -> NDArray[Any]:
    try:
        return np.asarray(array[first:last])
    except Exception as error:  # as above
        raise DataError(path, f"expected sound chunks: {error}", record=f"rows {first} to {last - 1}") from error


def _require_plain_codecs(path: Path) -> None:
    for name in ("zarr.json", ".zarray"):
        if (path / name).is_file():
            try:
                described = json.loads((path / name).read_text(encoding="utf-8"))
            except (ValueError, RecursionError) as error:
                raise DataError(path / name, f"expected JSON: {error}") from error
            for codec in _codecs(described):
                if codec not in _CODECS:
                    raise DataError(path / name, f"expected a plain codec, found {shown(codec)}, which is not run")
            return
    raise MissingFileError(path, "expected a zarr array (zarr.json or .zarray), found none")


def _codecs(described: object) -> Iterator[object]:
    """The names of all codecs in a description, at any depth."""
    if not isinstance(described, dict):
        yield described
        return
    for key in ("codecs", "index_codecs", "filters"):
        for codec in described.get(key) or ():
            yield from _codec(codec)
    if described.get("compressor") is not None:
        yield from _codec(described["compressor"])


def _codec(codec: object) -> Iterator[object]:
    if not isinstance(codec, dict):
        yield codec
        return
    yield codec.get("name", codec.get("id"))
    configuration = codec.get("configuration")
    if isinstance(configuration, dict):
        yield from _codecs(configuration)
