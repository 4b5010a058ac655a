"""``.npy`` and ``.npz`` files as parts of a matrix, read in blocks of rows with plain reads.

Memory maps are not used for matrices: if a file is truncated while mapped, the process is killed, while a plain read
raises an error that names the file. No file is ever unpickled here.
"""

import math
import os
import shutil
import struct
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.archive_errors import PACKED_DAMAGE
from ingest.errors import DataError, MissingFileError

#: Bytes read at a time of a column-major matrix, in which a few rows would mean many short reads.
_COLUMNS_BYTES: Final = 8_000_000

#: Bytes before the name in a member's own header in a zip file.
_LOCAL_HEADER: Final = 30

#: Names of the matrix in a .npz file of several arrays; the last is numpy's name for the first array.
_NAMES: Final = ("pred_probs", "probabilities", "probs", "arr_0")


@dataclass(frozen=True)
class Header:
    """Shape, order, type and data offset in the header of a .npy file."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    start: int


@dataclass(frozen=True)
class NpyPart:
    """(n, m) numbers in a file, from an offset on. ``path`` is its name in errors, ``file`` the file to open."""

    path: Path
    file: Path
    header: Header
    #: Keeps an unpacked file alive as long as this object; absent in copies for other processes.
    keeper: object = field(default=None, repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.header.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.header.dtype

    @property
    def cuts(self) -> tuple[int, ...]:
        """Rows at which reading should begin: none, because any row is as good."""
        return ()

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"keeper": None}

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """The rows from ``start`` to ``stop``, at most ``height`` at a time, by rows; each valid until the next is
        requested.

        Raises DataError if the file ends too soon.
        """
        with self.file.open("rb", buffering=0) as stream:
            read = self._by_columns if self.header.fortran else self._by_rows
            yield from read(stream.fileno(), start, stop, height)

    def _by_rows(self, file: int, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        m = self.shape[1]
        buffer = np.empty((min(height, stop - start), m), self.dtype)
        for first in range(start, stop, height):
            block = buffer[: min(height, stop - first)]
            self._fill(file, block, first * m)
            yield first, block

    def _by_columns(self, file: int, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        n, m = self.shape
        taller = max(height, _COLUMNS_BYTES // max(1, m * self.dtype.itemsize))
        for first in range(start, stop, taller):
            columns = np.empty((m, min(taller, stop - first)), self.dtype)
            for column in range(m):
                self._fill(file, columns[column], column * n + first)
            for row in range(0, columns.shape[1], height):
                yield first + row, np.ascontiguousarray(columns[:, row : row + height].T)

    def _fill(self, file: int, target: NDArray[Any], number: int) -> None:
        """Fill ``target`` with numbers from the file, beginning with ``number``."""
        view = memoryview(target.reshape(-1).view(np.uint8).data)
        at = self.header.start + number * self.dtype.itemsize
        while len(view):
            found = os.preadv(file, [view], at)
            if found == 0:
                finding = f"expected {len(view)} more bytes at {at}, found the end: it became shorter while it was read"
                raise DataError(self.path, finding)
            view, at = view[found:], at + found


class _TemporaryFolder:
    """A temporary folder that exists as long as this object, or the process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="label-errors-npz-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


def open_npy(path: Path) -> NpyPart:
    """The array in a .npy file, of any shape, with its header read and its size checked.

    Raises MissingFileError, or DataError if the file is not a .npy file, is truncated, or holds Python objects.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a .npy file, found none")
    with path.open("rb") as stream:
        header = read_header(path, stream)
    _require_numbers(path, header, path.stat().st_size)
    return NpyPart(path, path, header)


def open_array(path: Path) -> NDArray[Any]:
    """The plain array in a .npy file, memory-mapped, read-only. For arrays small enough to be read at once.

    Raises as ``open_npy`` does.
    """
    header = open_npy(path).header
    if math.prod(header.shape) == 0:
        return np.zeros(header.shape, header.dtype)
    order = "F" if header.fortran else "C"
    return np.memmap(path, dtype=header.dtype, mode="r", offset=header.start, shape=header.shape, order=order)  # type: ignore[call-overload,no-any-return]


def open_npz(path: Path) -> NpyPart:
    """The matrix in a .npz file: its only array of two dimensions, or the one called "pred_probs" or similar.

    Stored arrays are read in place. Compressed ones are first unpacked to a temporary file, which is deleted with the
    last reference to the result. Raises DataError for any other file.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a .npz file, found none")
    try:
        with zipfile.ZipFile(path) as archive:
            info, header = _matrix_member(path, archive)
            if info.compress_type == zipfile.ZIP_STORED:
                _require_numbers(path, header, info.file_size)
                return NpyPart(path, path, replace(header, start=_data_start(path, info) + header.start))
            return _unpacked(path, archive, info, header)
    except (*PACKED_DAMAGE, OSError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(path, f"expected a .npz file, found another or a damaged one: {error}") from error


def _matrix_member(path: Path, archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, Header]:
    found = {}
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            with archive.open(info) as stream:
                header = read_header(path, stream)
            if len(header.shape) == 2:
                found[info.filename.removesuffix(".npy")] = (info, header)
    names = [name for name in _NAMES if name in found] if len(found) > 1 else list(found)
    if not names:
        held = ", ".join(sorted(found)) or "none"
        raise DataError(path, f"expected one array of two dimensions, or one called {_NAMES[0]}, found {held}")
    return found[names[0]]


def _data_start(path: Path, info: zipfile.ZipInfo) -> int:
    """The offset of a stored member's bytes: after its own header, whose lengths may differ from the directory's."""
    with path.open("rb") as stream:
        stream.seek(info.header_offset)
        name, extra = struct.unpack("<HH", stream.read(_LOCAL_HEADER)[-4:])
    return info.header_offset + _LOCAL_HEADER + int(name) + int(extra)


def _unpacked(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: Header) -> NpyPart:
    _require_numbers(path, header, info.file_size)
    keeper = _TemporaryFolder()
    target = keeper.folder / "matrix.npy"
    # zipfile never yields more than the declared size, which was just compared with the header.
    try:
        with closing(archive.open(info)) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    except OSError as error:
        if error.errno is None:
            raise
        raise DataError(path, f"could not be unpacked to {keeper.folder.parent}: {error.strerror or error}") from error
    return NpyPart(path, target, header, keeper=keeper)


def read_header(path: Path, stream: BinaryIO | Any) -> Header:
    """The header of a .npy file; the stream is then at the data. ``path`` is for messages."""
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (ValueError, EOFError, SyntaxError, TypeError, TokenError, OverflowError) as error:
        raise DataError(path, f"expected a .npy file, found another or a damaged one: {error}") from error
    if any(length < 0 for length in shape):
        raise DataError(path, f"expected a .npy file, found the impossible shape {shape}")
    return Header(shape, fortran, dtype, stream.tell())


def _require_numbers(path: Path, header: Header, found: int) -> None:
    if header.dtype.hasobject:
        raise DataError(
            path,
            "expected numbers or texts, found Python objects, which are not unpickled; save names with .astype(str)",
        )
    expected = header.start + math.prod(header.shape) * header.dtype.itemsize
    if found < expected:
        finding = f"expected {expected} bytes for shape {header.shape} of {header.dtype}, found {found}"
        raise DataError(path, f"{finding}: it is cut short")
