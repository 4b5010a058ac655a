"""Read arrays from untrusted pickles safely: the only place in the project that unpickles anything.

Two kinds of published files need it: ``.npy`` files of object arrays (AudioSet's labels), and the batches of CIFAR's
Python version. Both contain only numbers, strings, lists, dicts and numpy arrays, and only these are returned.

Every global except the four with which numpy's arrays are written, and every opcode that reaches outside the file, is
refused by name. Even those four are not numpy's own functions: numpy's reconstruction trusts what a pickle says about
an array's size and type, and can be made to take bytes for pointers. They are replaced by functions that check sizes
and types first and then build arrays from bytes.
"""

import io
import math
import pickle
import pickletools
from typing import BinaryIO, Final, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ingest.errors import DataError, shown

#: More than any published file of these formats.
MAX_BYTES: Final = 1 << 30

#: How deep lists and dicts may nest: enough for a dict of lists of tuples.
MAX_DEPTH: Final = 8

# numpy 2 moved its modules under an underscore; files of both kinds exist.
_RECONSTRUCT: Final = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
_NDARRAY: Final = {("numpy", "ndarray")}
_DTYPE: Final = {("numpy", "dtype")}
_ENCODE: Final = {("_codecs", "encode")}  # the form of bytes in protocol 2 under Python 3

_BYTE_ORDERS: Final[dict[object, Literal["<", ">", "=", "|"]]] = {"<": "<", ">": ">", "=": "=", "|": "|"}

_FORBIDDEN_OPCODES: Final = frozenset({"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"})

_NPY_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class PickledArraysError(DataError):
    """A pickle that is damaged or contains anything but arrays."""


def load_arrays(file: BinaryIO, name: str) -> object:
    """The value in a pickle or in a ``.npy`` file of an object array, which must extend to the end of ``file``.

    Arrays are returned as numpy arrays, bytes and strings as they were written (those of Python 2 as bytes), lists,
    tuples and dicts unchanged. ``name`` is the file's name in errors.

    Raises PickledArraysError, naming the file and what was found, for any other content.

    >>> load_arrays(io.BytesIO(pickle.dumps({"data": np.array([1, 2], np.uint8)})), "batch")
    {'data': array([1, 2], dtype=uint8)}
    >>> load_arrays(io.BytesIO(pickle.dumps(print)), "batch")
    Traceback (most recent call last):
    ingest.labels.safe_pickle.PickledArraysError: batch: refused the global builtins.print: only numpy's arrays are \
admitted
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PickledArraysError(name, f"expected at most {MAX_BYTES:,} bytes of pickled arrays, found more")
    try:
        if data.startswith(npy.MAGIC_PREFIX):
            return _object_array(data, name)
        return _unpickled(data, name)
    except PickledArraysError:
        raise
    except Exception as error:  # a damaged pickle can make the unpickler raise nearly any error
        found = f"{type(error).__name__}: {error}"
        raise PickledArraysError(name, f"expected pickled arrays, found a damaged file ({found})") from error


def _object_array(data: bytes, name: str) -> NDArray[np.object_]:
    file = io.BytesIO(data)
    version = npy.read_magic(file)
    if version not in _NPY_HEADERS:
        raise PickledArraysError(name, f"expected .npy format version 1.0 or 2.0, found {version}")
    shape, _, dtype = _NPY_HEADERS[version](file)
    if dtype != np.dtype(object):
        raise PickledArraysError(name, f"expected an array of objects, found one of {dtype}, which needs no pickle")
    array = _unpickled(file.read(), name)
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise PickledArraysError(name, f"expected the array of shape {shape} that its header promises")
    return array


def _unpickled(data: bytes, name: str) -> object:
    _check_opcodes(data, name)
    return _plain(_ArraysUnpickler(data, name).load(), name, {}, 0)


def _check_opcodes(data: bytes, name: str) -> None:
    """Refuse in advance opcodes that reach outside, reserve memory needlessly, or follow the end."""
    end = 0
    for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
        if opcode.name in _FORBIDDEN_OPCODES:
            raise PickledArraysError(name, f"refused the pickle opcode {opcode.name}, which reaches outside the file")
        if opcode.name.endswith("PUT") and int(argument or 0) > count:
            raise PickledArraysError(name, f"refused memo slot {argument} after only {count} values")
        end = (position or 0) + 1
    if end != len(data):
        raise PickledArraysError(name, f"expected the pickle to end the file, found {len(data) - end} bytes after it")


class _ArraysUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._name = name

    def find_class(self, module: str, attribute: str, /) -> "_Global":
        found = (module, attribute)
        for role, names in _ROLES.items():
            if found in names:
                return role(self._name)
        raise PickledArraysError(
            self._name, f"refused the global {module}.{attribute}: only numpy's arrays are admitted"
        )


class _Global:
    """The stand-in for a global of the pickle. Created for each mention, so that no pickle can modify it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_arguments: object) -> object:
        raise PickledArraysError(self._name, f"refused to call {type(self).__name__}")

    def __setstate__(self, _state: object) -> None:
        raise PickledArraysError(self._name, f"refused to change {type(self).__name__}")


class _NdarrayType(_Global):
    __slots__ = ()


class _Reconstruct(_Global):
    __slots__ = ()

    def __call__(self, *arguments: object) -> "_Array":
        if len(arguments) != 3 or not isinstance(arguments[0], _NdarrayType):
            raise PickledArraysError(self._name, "expected numpy.ndarray to be reconstructed, found another type")
        return _Array(self._name)


class _DtypeType(_Global):
    __slots__ = ()

    def __call__(self, *arguments: object) -> "_Dtype":
        code = arguments[0] if arguments else None
        text = code.decode("latin-1") if isinstance(code, bytes) else str(code)
        kind, size = text[:1], text[1:]
        if kind not in "?biufO" or (size and not size.isdecimal()):
            raise PickledArraysError(self._name, f"expected an array of numbers or objects, found type {shown(text)}")
        return _Dtype(self._name, np.dtype(object) if kind == "O" else np.dtype(text))


class _Encode(_Global):
    __slots__ = ()

    def __call__(self, *arguments: object) -> bytes:
        text, encoding = arguments
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1", "latin-1"):
            raise PickledArraysError(self._name, f"expected bytes written as Latin-1, found encoding {shown(encoding)}")
        return text.encode("latin-1")


_ROLES: Final = {_Reconstruct: _RECONSTRUCT, _NdarrayType: _NDARRAY, _DtypeType: _DTYPE, _Encode: _ENCODE}


class _Dtype:
    """The stand-in for a numpy.dtype while a pickle is read."""

    __slots__ = ("_name", "dtype")

    def __init__(self, name: str, dtype: "np.dtype[np.generic]") -> None:
        self._name = name
        self.dtype = dtype

    def __setstate__(self, state: object) -> None:
        # For plain numbers only the byte order in the state matters.
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        text = order.decode("latin-1") if isinstance(order, bytes) else order
        if text not in _BYTE_ORDERS:
            raise PickledArraysError(self._name, f"expected a byte order of an array's type, found {shown(text)}")
        self.dtype = self.dtype.newbyteorder(_BYTE_ORDERS[text])


class _Array:
    """The stand-in for a numpy.ndarray while a pickle is read; ``array`` is the result."""

    __slots__ = ("_name", "array")

    def __init__(self, name: str) -> None:
        self._name = name
        self.array: NDArray[np.generic] | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise PickledArraysError(self._name, "expected the five parts of an array's state, found something else")
        _, shape, dtype, fortran, content = state
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise PickledArraysError(self._name, f"expected an array's shape, found {shown(shape)}")
        if not isinstance(dtype, _Dtype):
            raise PickledArraysError(self._name, f"expected an array's type, found {type(dtype).__name__}")
        flat = self._flat(dtype.dtype, math.prod(shape), content)
        self.array = flat.reshape(shape, order="F" if fortran else "C")

    def _flat(self, dtype: "np.dtype[np.generic]", n: int, content: object) -> NDArray[np.generic]:
        if dtype == np.dtype(object) and isinstance(content, list) and len(content) == n:
            objects = np.empty(n, dtype=object)
            done: dict[int, object] = {}
            for i, value in enumerate(content):
                objects[i] = _plain(value, self._name, done, 0)
            return objects
        if dtype != np.dtype(object) and isinstance(content, bytes) and len(content) == n * dtype.itemsize:
            return np.frombuffer(content, dtype=dtype)
        raise PickledArraysError(self._name, f"an array of {n} x {dtype} does not fit the data it comes with")


def _plain(value: object, name: str, done: dict[int, object], depth: int) -> object:
    """``value`` with arrays in the place of their stand-ins.

    ``done`` keeps converted objects by identity, so a list that a pickle mentions a million times is converted once.
    """
    if isinstance(value, _Array):
        if value.array is None:
            raise PickledArraysError(name, "expected an array's content, found none")
        return value.array
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if id(value) not in done:
        if depth >= MAX_DEPTH:
            raise PickledArraysError(name, f"expected at most {MAX_DEPTH} lists within each other, found more")
        done[id(value)] = _plain_container(value, name, done, depth + 1)
    return done[id(value)]


def _plain_container(value: object, name: str, done: dict[int, object], depth: int) -> object:
    if isinstance(value, list):
        return [_plain(item, name, done, depth) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item, name, done, depth) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item, name, done, depth) for key, item in value.items()}
    raise PickledArraysError(name, f"expected numbers, strings, lists, dicts and arrays, found {type(value).__name__}")
