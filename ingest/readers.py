"""Arrays and indexes from files: labels, predicted probabilities, names of examples.

Everything is checked before anyone computes with it: shape, type, range, finiteness, row sums. Matrices stay on disk
and are read in blocks of rows. No file is ever unpickled here; see ``pickles`` for the one kind that needs it.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from ingest.description import KeyKind
from ingest.errors import DataError, MissingFileError, shown
from ingest.pickles import load_arrays

#: Rows read at a time; 65,536 rows of 1,000 classes are half a gigabyte, so wide matrices take fewer.
BLOCK_NUMBERS = 8_000_000

#: How far the probabilities of a row may be from summing to 1, by the bytes of a number. Half precision is coarse.
SUM_TOLERANCE = {2: 1e-2, 4: 1e-4, 8: 1e-4}

LabelSet = tuple[int, ...]


def open_array(path: Path) -> NDArray[Any]:
    """The plain array in a .npy file, memory-mapped, read-only.

    Raises MissingFileError, or DataError when the file is not such a file, is cut short, or holds Python objects.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a .npy file, found none")
    (shape, fortran), dtype, start = _header(path)
    if dtype.hasobject:
        raise DataError(path, "expected an array of numbers, found Python objects, which are not unpickled")
    expected, found = start + math.prod(shape) * dtype.itemsize, path.stat().st_size
    if found < expected:
        raise DataError(path, f"expected {expected} bytes for shape {shape} of {dtype}, found {found}: it is cut short")
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape, order="F" if fortran else "C")


def _header(path: Path) -> tuple[tuple[tuple[int, ...], bool], np.dtype[Any], int]:
    """Shape, whether it lies by columns, type, and where the data begin, as the header of a .npy file says."""
    try:
        with path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(stream)
            start = stream.tell()
    except (ValueError, EOFError, SyntaxError, TypeError, TokenError, OverflowError) as error:
        raise DataError(path, f"expected a .npy file, found another or a damaged one: {error}") from error
    if any(length < 0 for length in shape):
        raise DataError(path, f"expected a .npy file, found the impossible shape {shape}")
    return (shape, fortran), dtype, start


def read_labels(path: Path, n_classes: int) -> NDArray[np.int64]:
    """(n,) class ids, one an example, from a .npy file of any type of whole number."""
    labels = open_array(path)
    if labels.ndim != 1 or len(labels) == 0:
        raise DataError(path, f"expected one label an example, shape (n,), found shape {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(path, f"expected whole numbers, found {labels.dtype}")
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(wrong):
        raise _label_out_of_range(path, int(wrong[0]), int(labels[wrong[0]]), n_classes)
    return labels.astype(np.int64)


def read_multiple_labels(path: Path, n_classes: int) -> list[LabelSet]:
    """The label set of each example, from a .npy file: an object array of arrays, or an (n, m) array of 0 and 1.

    Each set comes back ascending, without repetition.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a .npy file, found none")
    _, dtype, _ = _header(path)
    if not dtype.hasobject:
        return _sets_of_indicators(path, n_classes)
    with path.open("rb") as stream:
        loaded = load_arrays(stream, str(path))
    if not isinstance(loaded, np.ndarray) or loaded.ndim != 1 or len(loaded) == 0:
        raise DataError(path, f"expected an (n,) array of label sets, found {shown(loaded)}")
    return [_label_set(path, place, labels, n_classes) for place, labels in enumerate(loaded)]


def _label_set(path: Path, place: int, labels: object, n_classes: int) -> LabelSet:
    if not isinstance(labels, np.ndarray) or labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(path, f"expected an array of class numbers, found {shown(labels)}", record=f"example {place}")
    label_set = tuple(sorted({int(label) for label in labels}))
    for label in label_set:
        if not 0 <= label < n_classes:
            raise _label_out_of_range(path, place, label, n_classes)
    return label_set


def _sets_of_indicators(path: Path, n_classes: int) -> list[LabelSet]:
    indicators = open_array(path)
    if indicators.ndim != 2 or indicators.shape[1] != n_classes:
        raise DataError(path, f"expected shape (n, {n_classes}), one column a class, found {indicators.shape}")
    wrong = np.argwhere((indicators != 0) & (indicators != 1))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(path, f"expected 0 or 1, found {indicators[row, column]}", record=f"example {row}")
    return [tuple(int(label) for label in np.flatnonzero(row)) for row in indicators]


def _label_out_of_range(path: Path, place: int, label: int, n_classes: int) -> DataError:
    return DataError(path, f"expected a class from 0 to {n_classes - 1}, found {label}", record=f"example {place}")


@dataclass(frozen=True)
class Matrix:
    """(n, m) predicted probabilities on disk, in one file or in parts one below the other."""

    paths: tuple[Path, ...]
    parts: tuple[NDArray[Any], ...]
    softmax: bool  # the files hold logits

    @property
    def shape(self) -> tuple[int, int]:
        return sum(len(part) for part in self.parts), self.parts[0].shape[1]

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """The rows in blocks, checked, clipped to [0, 1] and summing to 1, each with the index of its first row."""
        height = max(1, BLOCK_NUMBERS // self.shape[1])
        start = 0
        for path, part in zip(self.paths, self.parts, strict=True):
            for row in range(0, len(part), height):
                block = part[row : row + height]
                yield start + row, _probabilities(path, start + row, block, softmax=self.softmax)
            start += len(part)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """(k, m) the rows at ascending ``indices``."""
        found = np.empty((len(indices), self.shape[1]))
        start = 0
        for path, part in zip(self.paths, self.parts, strict=True):
            here = slice(*np.searchsorted(indices, [start, start + len(part)]))
            if here.start < here.stop:
                chosen = part[indices[here] - start]
                found[here] = _probabilities(path, start, chosen, softmax=self.softmax)
            start += len(part)
        return found


def open_matrix(paths: list[Path], n_rows: int, n_classes: int, *, logits: bool) -> Matrix:
    """The matrix in one file or several, its shape and type checked; the values are checked as they are read.

    With ``logits`` a softmax is applied, unless the values turn out to be probabilities already.
    """
    parts = [open_array(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part.ndim != 2 or part.shape[1] != n_classes:
            raise DataError(path, f"expected shape (n, {n_classes}), one column a class, found {part.shape}")
        if not np.issubdtype(part.dtype, np.floating):
            raise DataError(path, f"expected floating-point numbers, found {part.dtype}")
    found = sum(len(part) for part in parts)
    if found != n_rows:
        where = paths[0] if len(paths) == 1 else f"{paths[0]} and the {len(paths) - 1} parts after it"
        raise DataError(where, f"expected {n_rows} rows, one an example, found {found}")
    return Matrix(tuple(paths), tuple(parts), softmax=logits and not _looks_like_probabilities(parts[0]))


def _looks_like_probabilities(part: NDArray[Any]) -> bool:
    head = part[:1000].astype(np.float64)
    tolerance = SUM_TOLERANCE[min(part.dtype.itemsize, 8)]
    return bool((head >= -tolerance).all() and (np.abs(head.sum(axis=1) - 1) <= tolerance).all())


def _probabilities(path: Path, start: int, block: NDArray[Any], *, softmax: bool) -> NDArray[np.float64]:
    """A block of rows as probabilities. ``start`` is the index of its first row, for messages."""
    tolerance = SUM_TOLERANCE[min(block.dtype.itemsize, 8)]
    values = np.array(block, dtype=np.float64)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        bad = values[row][~np.isfinite(values[row])][0]
        raise DataError(path, f"expected finite numbers, found {bad}", record=f"row {start + row}")
    if softmax:
        values = np.exp(values - values.max(axis=1, keepdims=True))
        normalised: NDArray[np.float64] = values / values.sum(axis=1, keepdims=True)
        return normalised
    _require_probabilities(path, start, values, tolerance)
    np.clip(values, 0.0, 1.0, out=values)
    sums = values.sum(axis=1, keepdims=True)
    np.divide(values, sums, out=values, where=np.abs(sums - 1) > 1e-9)
    return values


def _require_probabilities(path: Path, start: int, values: NDArray[np.float64], tolerance: float) -> None:
    hint = 'if these are logits, the manifest must say "logits = true"'
    for wrong, what in ((values < -tolerance, "0 or more"), (values > 1 + tolerance, "at most 1")):
        rows = np.flatnonzero(wrong.any(axis=1))
        if len(rows):
            value = values[rows[0]][wrong[rows[0]]][0]
            finding = f"expected probabilities, {what}, found {value:g} ({len(rows)} such rows here); {hint}"
            raise DataError(path, finding, record=f"row {start + int(rows[0])}")
    sums = values.sum(axis=1)
    rows = np.flatnonzero(np.abs(sums - 1) > tolerance)
    if len(rows):
        finding = (
            f"expected probabilities that sum to 1 within {tolerance:g}, found a sum of {sums[rows[0]]:.6g}; {hint}"
        )
        raise DataError(path, finding, record=f"row {start + int(rows[0])}")


def read_json(path: Path) -> Any:
    """What a JSON file holds. Refuses an object that says one key twice, which JSON readers otherwise forget."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(path, f"expected each key once in an object, found {shown(twice)} twice")
        return values

    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text, object_pairs_hook=unique)
        if "\\ud" in text.casefold():
            json.dumps(values, ensure_ascii=False).encode()
        return values
    except UnicodeEncodeError as error:
        raise DataError(path, f"expected text, found half a character, which no text has: {error}") from error
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a JSON file, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(path, f"expected JSON, found that it breaks there: {error.msg}", record=where) from error
    except (RecursionError, ValueError) as error:
        raise DataError(path, f"expected plain JSON, found it too deep or a number too long: {error}") from error


def read_index(path: Path) -> list[str]:
    """The names of all examples, in order, from a JSON list of texts."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise DataError(path, f"expected a list of names, found {shown(entries)}")
    for place, entry in enumerate(entries):
        if not isinstance(entry, str) or not entry or "\n" in entry:
            raise DataError(path, f"expected a name, found {shown(entry)}", record=f"entry {place}")
    return entries


def key_of(entry: str, kind: KeyKind) -> str:
    """An entry of an index file reduced to the example's key.

    >>> key_of("val/n01440764/ILSVRC2012_val_00000293.JPEG", "stem")
    'ILSVRC2012_val_00000293'
    >>> key_of("neg/9641_4.txt", "path"), key_of("http://youtu.be/lL-7q3g0k3k?start=140", "youtube")
    ('neg/9641_4', 'lL-7q3g0k3k')
    """
    if kind == "entry":
        return entry
    if kind == "youtube":
        address = urlsplit(entry)
        return parse_qs(address.query).get("v", [address.path.rpartition("/")[2]])[0]
    path = PurePosixPath(entry)
    return path.stem if kind == "stem" else str(path.with_suffix(""))
