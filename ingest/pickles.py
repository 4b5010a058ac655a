"""Pickled arrays, read without running what a pickle asks to run. The one restricted unpickler of the project.

numpy stores an array of arrays as a pickle, and so are CIFAR's Python batches; unpickling freely runs whatever the file
says. This module puts stand-ins under the few names that arrays of numbers need. They build nothing but arrays of plain
numbers and plain containers; any other name is refused, by name, before anything of it is run.
"""

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, shown

from ingest.errors import DataError, shown

_NUMBER_CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
_OBJECT_CODES = ("O8", "O4", "O")


class _Refused(pickle.UnpicklingError):
    """What the file asks for that is not part of an array of numbers."""


def _text(value: object) -> object:
    """A text; Python 2 wrote bytes where Python 3 writes texts."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _DType:
    """Stands in for numpy.dtype: a code such as "u2" or "O8", and a byte order."""

    def __init__(self, code: object, *_flags: object) -> None:
        known = _text(code)
        if known not in _NUMBER_CODES + _OBJECT_CODES:
            raise _Refused(f"expected arrays of numbers, found elements of type {shown(code)}")
        self.code = str(known)
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        order = _text(state[1]) if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise _Refused(f"expected a byte order, found {shown(order)}")
        self.order = str(order)


class _Array:
    """Stands in for numpy.ndarray: its numbers or, for an object array, the list of what is in it."""

    content: NDArray[Any] | list[Any] | None = None
    shape: tuple[int, ...] = ()

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], _DType)):
            raise _Refused(f"expected the state of an array, found {shown(state)}")
        _, shape, dtype, fortran, content = state
        if not (isinstance(shape, tuple) and all(isinstance(n, int) and n >= 0 for n in shape)):
            raise _Refused(f"expected the shape of an array, found {shown(shape)}")
        n = math.prod(shape)
        self.shape = shape
        if dtype.code in _OBJECT_CODES:
            if not isinstance(content, list) or len(content) != n or len(shape) != 1:
                raise _Refused(f"expected a list of {n} arrays, found {shown(content)}")
            self.content = content
            return
        numbers = np.dtype(dtype.code).newbyteorder(dtype.order)
        if not isinstance(content, bytes) or len(content) != n * numbers.itemsize:
            raise _Refused(f"expected {n * numbers.itemsize} bytes of numbers, found {shown(content)}")
        self.content = np.frombuffer(content, dtype=numbers).reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    if kind is not _Array or shape != (0,) or _text(code) != "b":
        raise _Refused(f"expected an empty array to fill, found {shown((kind, shape, code))}")
    return _Array()


def _encode(text: object, encoding: object) -> bytes:
    """Stands in for _codecs.encode, by which Python 3 writes bytes in the old protocols."""
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise _Refused(f"expected bytes written as Latin-1, found {shown((text, encoding))}")
    return text.encode("latin-1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encode,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise _Refused(f"refused {module}.{name}, which arrays of numbers do not need; nothing of it was run")
        return _STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused(f"refused a reference to something outside the file, {shown(pid)}")


def load_arrays(raw: bytes, name: Path | str) -> Any:
    """What a pickle holds: arrays of numbers (object arrays as lists), and plain containers, texts and numbers.

    Texts that Python 2 wrote come back as bytes. ``name`` is the file, for messages. Raises DataError, naming what was
    refused, when the pickle asks for anything else, breaks off, or is damaged.
    """
    try:
        loaded = _ArrayUnpickler(io.BytesIO(raw), encoding="bytes").load()
        return _plain(loaded, depth=0)
    except _Refused as error:
        raise DataError(name, str(error)) from error
    except Exception as error:  # a damaged pickle can raise almost anything
        raise DataError(name, f"expected a pickle, found one that breaks off or is damaged: {error}") from error


def _plain(value: Any, depth: int) -> Any:
    """The value with stand-ins replaced by what they hold."""
    if depth > 8:
        raise _Refused("expected arrays in at most a few containers, found a deep nest")
    if isinstance(value, _Array):
        return _plain(value.content, depth + 1) if isinstance(value.content, list) else value.content
    if isinstance(value, dict):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    raise _Refused(f"expected arrays and plain values, found {shown(value)}")


def read_label_sets(path: Path) -> list[tuple[int, ...]]:
    """The label sets in a .npy file that holds an (n,) object array of arrays of whole numbers.

    Each set comes back ascending, without repetition. Raises DataError, naming what was refused, when the file holds
    anything else.
    """
    raw = path.read_bytes()
    stream = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    except ValueError as error:
        raise DataError(path, f"expected a .npy file: {error}") from error
    if not dtype.hasobject or len(shape) != 1:
        raise DataError(path, f"expected an (n,) array of label sets, found shape {shape} of {dtype}")
    sets = load_arrays(raw[stream.tell() :], path)
    if not isinstance(sets, list) or len(sets) != shape[0]:
        raise DataError(path, f"expected {shape[0]} label sets, found {shown(sets)}")
    return [_label_set(path, place, labels) for place, labels in enumerate(sets)]


def _label_set(path: Path, place: int, labels: object) -> tuple[int, ...]:
    if not isinstance(labels, np.ndarray) or labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(path, f"expected an array of class numbers, found {shown(labels)}", record=f"example {place}")
    return tuple(sorted({int(label) for label in labels}))
