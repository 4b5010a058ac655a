"""Pack labels, keys and probabilities for a catalogue: part of the contract of ``app.schema.tables``.

Every label takes as few bytes as the largest label needs. Labels and keys are compressed with zstd, which unpacks up
to ten times as fast as zlib; with zlib, downloading a corrected test set of fifty million rows would be mostly waiting
for it. An issue's most probable classes are too few bytes to compress; their probabilities keep the matrix's own type.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: Bytes per label, or 0 for keys; unpacked size in bytes.
_HEAD: Final = struct.Struct("<BI")
_WIDTHS: Final = (1, 2, 4)
#: Stands for the label of an example that is held back.
NO_LABEL: Final = -1
_HELD_BACK: Final = 2**32 - 1
_KEYS: Final = 0
_LEVEL: Final = 1

#: Bytes of a probability in a row of ``issues.top_probs``.
_FLOATS: Final = (2, 4, 8)
#: Digits behind the point of a published probability.
_DIGITS: Final = 9


def pack_labels(labels: NDArray[Any]) -> bytes:
    """(n,) label ids, each from 0 to 2**32 - 2, as bytes; -1 for one that is held back. Raises ValueError for others.

    >>> unpack_labels(pack_labels(np.array([3, 70_000, 0])))
    array([    3, 70000,     0])
    >>> unpack_labels(pack_labels(np.array([3, NO_LABEL])))
    array([ 3, -1])
    """
    largest = int(labels.max(initial=0))
    smallest = int(labels.min(initial=0))
    if largest >= _HELD_BACK or smallest < NO_LABEL:
        raise ValueError(f"expected label ids from {NO_LABEL} to {_HELD_BACK - 1}, found {smallest} to {largest}")
    width = next(width for width in _WIDTHS if largest < 1 << 8 * width)
    if smallest == NO_LABEL:
        width = _WIDTHS[-1]
    return _packed(width, labels.astype(f"<u{width}").tobytes())


def unpack_labels(packed: bytes) -> NDArray[np.int64]:
    """The label ids packed by ``pack_labels``. Raises ValueError for bytes that it did not make."""
    width, raw = _unpacked(packed, _WIDTHS)
    found = np.frombuffer(raw, dtype=f"<u{width}").astype(np.int64)
    if width == _WIDTHS[-1]:
        found[found == _HELD_BACK] = NO_LABEL
    return found


def pack_keys(keys: Sequence[str]) -> bytes:
    """The keys of examples as bytes; no key may contain a line break."""
    return _packed(_KEYS, "\n".join(keys).encode())


def unpack_keys(packed: bytes) -> list[str]:
    """The keys packed by ``pack_keys``. Raises ValueError for bytes that it did not make.

    >>> unpack_keys(pack_keys(["neg/9641_4", "pos/1_10"]))
    ['neg/9641_4', 'pos/1_10']
    """
    _, raw = _unpacked(packed, (_KEYS,))
    return str(raw, "utf-8").split("\n")


def pack_top(classes: NDArray[Any], probabilities: NDArray[Any], n_classes: int) -> list[bytes]:
    """(k, t) classes and their probabilities, of 16, 32 or 64 bits, as bytes for each of the k rows.

    The first byte says how wide a class (upper half) and a probability (lower half) are; then come the classes, then
    the probabilities, little-endian.

    >>> pack_top(np.array([[7, 2]]), np.array([[0.75, 0.25]], np.float16), 10)
    [b'\\x12\\x07\\x02\\x00:\\x004']
    """
    k, t = classes.shape
    width, size = next(width for width in _WIDTHS if n_classes <= 1 << 8 * width), probabilities.itemsize
    rows = np.empty((k, 1 + t * (width + size)), np.uint8)
    rows[:, 0] = width << 4 | size
    rows[:, 1 : 1 + t * width] = classes.astype(f"<u{width}").view(np.uint8).reshape(k, -1)
    rows[:, 1 + t * width :] = probabilities.astype(f"<f{size}").view(np.uint8).reshape(k, -1)
    packed: list[bytes] = rows.view(f"V{rows.shape[1]}").ravel().tolist()
    return packed


def unpack_top(packed: bytes) -> list[tuple[int, float]]:
    """The classes and probabilities packed by ``pack_top``, these rounded to nine digits, as they are published.

    Raises ValueError for bytes that it did not make.

    >>> unpack_top(pack_top(np.array([[7, 2]]), np.array([[0.75, 0.25]], np.float16), 10)[0])
    [(7, 0.75), (2, 0.25)]
    """
    width, size = divmod(packed[0], 16) if packed else (0, 0)
    if width not in _WIDTHS or size not in _FLOATS or (len(packed) - 1) % (width + size):
        raise ValueError("packed in another way than this version's; build the catalogue again")
    t = (len(packed) - 1) // (width + size)
    classes = np.frombuffer(packed, f"<u{width}", t, offset=1)
    probabilities = np.frombuffer(packed, f"<f{size}", t, offset=1 + t * width)
    return [(c, round(p, _DIGITS)) for c, p in zip(classes.tolist(), probabilities.tolist(), strict=True)]


def _packed(kind: int, raw: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd", compression_level=_LEVEL).compress(raw, asbytes=True)
    return _HEAD.pack(kind, len(raw)) + packed


def _unpacked(packed: bytes, expected: Sequence[int]) -> tuple[int, memoryview]:
    try:
        kind, size = _HEAD.unpack_from(packed)
        if kind in expected:
            buffer = pa.Codec("zstd").decompress(memoryview(packed)[_HEAD.size :], decompressed_size=size)
            return kind, memoryview(buffer)
    except (struct.error, OSError):
        pass  # too short, or cut in its middle
    raise ValueError("packed in another way than this version's; build the catalogue again")
