"""Corrected test sets as numpy files, without pickles.

``.npy`` has one integer for each example of the original test set, -1 where it was removed, so ``y = np.load(...)``
fits into existing code. Its length is known in advance, and any part of it can be written on its own.

``.npz`` holds label sets: a sparse matrix of examples and classes in CSR form, with the array names that
``scipy.sparse.load_npz`` expects, and ``kept``, which is false where an example was removed.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.corrected.blocks import Block, CorrectedTestSet
from app.corrected.byte_sink import ByteSink
from app.schema.packing import NO_LABEL

_LABEL: Final = np.dtype("<i8")
_Array = NDArray[Any]


def not_one_label(corrected: CorrectedTestSet) -> str | None:
    """Why the labels do not fit into one integer an example, None where they do."""
    if not corrected.sets:
        return None
    others = "." if corrected.test_set.multi_label else ", or another policy than multi_label=both."
    return (
        "A .npy file holds one label an example, and here an example can have several. Take .npz, which holds sets "
        f"in CSR form{others}"
    )


def npy_length(corrected: CorrectedTestSet) -> int:
    """Bytes of the ``.npy`` of labels that are no sets."""
    return len(_header(_LABEL, corrected.test_set.size)) + corrected.test_set.size * _LABEL.itemsize


def npy_pieces(connection: Connection, corrected: CorrectedTestSet, first: int = 0) -> Iterator[bytes]:
    """The ``.npy`` from its byte ``first`` on, in pieces."""
    header = _header(_LABEL, corrected.test_set.size)
    if first < len(header):
        yield header[first:]
    at = max(first - len(header), 0)
    example, skipped = divmod(at, _LABEL.itemsize)
    for block in corrected.blocks(connection, example):
        begin = max(example - block.start, 0)
        labels = block.corrected[begin:].astype(_LABEL, copy=False).tobytes()
        yield labels[skipped:]
        skipped = 0


def npz_pieces(connection: Connection, corrected: CorrectedTestSet) -> Iterator[bytes]:
    """The ``.npz`` of a corrected test set, in pieces. Reads the test set once for each of its arrays."""
    size, classes = corrected.test_set.size, len(corrected.test_set.class_names)
    offsets, flat = corrected.members_csr()
    lengths = np.append(np.diff(offsets), 0)  # the last one is that of NO_LABEL
    n_labels = sum(int(lengths[block.corrected].sum()) for block in corrected.blocks(connection))
    sink = ByteSink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:

        def member(name: str, dtype: np.dtype[Any], n: int, arrays: Iterator[_Array]) -> Iterator[bytes]:
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                file.write(_header(dtype, n))
                for array in arrays:
                    file.write(array.astype(dtype, copy=False).tobytes())
                    yield from sink.taken()

        def each(make: Callable[[Block], _Array]) -> Iterator[_Array]:
            return (make(block) for block in corrected.blocks(connection))

        for name, value in (("format", np.array(b"csr")), ("shape", np.array([size, classes], dtype="<i8"))):
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _whole(value))
        yield from member("indices", np.dtype("<i4"), n_labels, each(lambda b: _taken(offsets, flat, b.corrected)))
        yield from member("indptr", np.dtype("<i8"), size + 1, _pointers(connection, corrected, lengths))
        yield from member("data", np.dtype("i1"), n_labels, _ones(n_labels))
        yield from member("kept", np.dtype("?"), size, each(lambda b: b.corrected != NO_LABEL))
    yield from sink.taken()


def _pointers(connection: Connection, corrected: CorrectedTestSet, lengths: NDArray[np.int64]) -> Iterator[_Array]:
    yield np.zeros(1, dtype=np.int64)
    before = 0
    for block in corrected.blocks(connection):
        ends = before + np.cumsum(lengths[block.corrected])
        before = int(ends[-1])
        yield ends


def _ones(n: int) -> Iterator[_Array]:
    most = 1 << 20
    for first in range(0, n, most):
        yield np.ones(min(most, n - first), dtype=np.int8)


def _taken(offsets: NDArray[np.int64], flat: NDArray[np.int32], labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """The class ids of many labels, one after another; NO_LABEL has none.

    >>> _taken(np.array([0, 1, 3]), np.array([7, 8, 9], dtype=np.int32), np.array([1, -1, 0, 1]))
    array([8, 9, 7, 8, 9], dtype=int32)
    """
    some = labels[labels != NO_LABEL]
    starts, lengths = offsets[some], offsets[some + 1] - offsets[some]
    ends = np.cumsum(lengths)
    places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
    found: NDArray[np.int32] = flat[places]
    return found


def _header(dtype: np.dtype[Any], n: int) -> bytes:
    buffer = io.BytesIO()
    described: dict[str, Any] = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": (n,),
    }
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


def _whole(array: _Array) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()
