"""Read the entries of a second opinion from its file, whatever its format.

Nothing is unpickled. An entry is a row or an element: which classes it names, and, in tables, for which example. The
examples are found by ``join``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from app.domain.opinions.opinion import Opinion
from app.evaluation.prediction_files import open_npy
from app.evaluation.prediction_rows import UploadError
from app.evaluation.tables.class_spelling import ClassSpelling
from app.evaluation.tables.csv_table import TableError, open_text, read_table
from ingest.errors import DataError, shown
from ingest.labels.class_ids import class_ids
from ingest.labels.files import read_json
from ingest.manifest.opinion import OpinionFormat, OpinionManifest

#: What each format is read from.
_READ: Final[Mapping[OpinionFormat, str]] = {
    "counts-npy": "a .npy file of counts (n, m)",
    "labels-npy": "a .npy file of class ids (n,)",
    "sets-json": "a JSON file of lists of class ids",
    "csv-sets": "a CSV file",
    "parquet": "a parquet file",
}
#: How pickles of protocols 2 to 5 begin; older ones are told by their names.
_PICKLED: Final = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_PICKLES: Final = (".pkl", ".pickle")


@dataclass(frozen=True)
class Entries:
    """What a file says: an opinion over its k entries, and the example each is of; by position where ``of`` is None.

    ``lines`` are the lines of a text file on which entries stand.
    """

    opinion: Opinion
    of: Sequence[Any] | None = None
    lines: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.opinion)

    def where(self, place: int) -> str:
        """An entry, for messages."""
        return f"entry {place}" if self.lines is None else f"line {self.lines[place]}"


def read_entries(path: Path, manifest: OpinionManifest, class_names: Sequence[str]) -> Entries:
    """The entries of a file as its manifest describes it. Raises DataError naming the file and the entry."""
    _refuse_pickle(path, manifest)
    n_classes = len(class_names)
    match manifest.format:
        case "counts-npy":
            return Entries(_counts(path, n_classes))
        case "labels-npy":
            return Entries(_labels(path, n_classes))
        case "sets-json":
            return Entries(_sets(path, n_classes))
    spelling = ClassSpelling(n_classes, class_names, manifest.classes_are)
    rows = _csv(path, manifest) if manifest.format == "csv-sets" else _parquet(path, manifest)
    return _table(path, list(rows), spelling)


def _refuse_pickle(path: Path, manifest: OpinionManifest) -> None:
    """Raise DataError for a pickle, which no other check would call one."""
    begins = b""
    if path.is_file():
        with path.open("rb") as file:
            begins = file.read(2)
    if begins in _PICKLED or path.suffix.lower() in _PICKLES:
        what = _READ[manifest.format]
        raise DataError(path, f"expected {what}, found a pickle, which is not read: opening one can run any program")


def _counts(path: Path, n_classes: int) -> Opinion:
    counts = _array(path)
    if counts.ndim != 2 or counts.shape[1] != n_classes:
        raise DataError(path, f"expected counts of {n_classes} classes, (n, {n_classes}), found shape {counts.shape}")
    wrong = np.argwhere(counts < 0)
    if len(wrong):
        raise DataError(
            path, f"expected counts from 0 on, found {counts[tuple(wrong[0])]}", record=f"row {wrong[0][0]}"
        )
    return Opinion.of_counts(counts)


def _labels(path: Path, n_classes: int) -> Opinion:
    labels = _array(path)
    if labels.ndim != 1:
        raise DataError(path, f"expected one class an example, (n,), found shape {labels.shape}")
    wrong = np.flatnonzero((labels < -1) | (labels >= n_classes))
    if len(wrong):
        finding = f"expected a class from 0 to {n_classes - 1}, or -1 for none, found {labels[wrong[0]]}"
        raise DataError(path, finding, record=f"entry {wrong[0]}")
    return Opinion.of_labels(labels)


def _array(path: Path) -> Any:
    """Whole numbers of a .npy file."""
    try:
        array = np.asarray(open_npy(path))
    except UploadError as error:
        raise DataError(path, str(error)) from error
    whole = array if array.dtype.kind in "iu" else np.asarray(array, np.float64).astype(np.int64)
    if array.dtype.kind not in "iuf" or not np.array_equal(whole, array):
        raise DataError(path, f"expected whole numbers, found {array.dtype} with others")
    return whole.astype(np.int64)


def _sets(path: Path, n_classes: int) -> Opinion:
    found = read_json(path)
    if not isinstance(found, list):
        raise DataError(path, f"expected a list of lists of class ids, found {shown(found)}")
    for place, members in enumerate(found):
        good = isinstance(members, list) and all(type(one) is int and 0 <= one < n_classes for one in members)
        if not good or len(set(members)) < len(members):
            finding = f"expected a list of different class ids from 0 to {n_classes - 1}, found {shown(members)}"
            raise DataError(path, finding, record=f"entry {place}")
    return Opinion.of_sets(found)


#: Where a row stands, its example, and the values of its classes.
_Row = tuple[int, Any, list[Any]]


def _table(path: Path, rows: list[_Row], spelling: ClassSpelling) -> Entries:
    values = [value for _, _, classes in rows for value in classes]
    owners = [place for place, (_, _, classes) in enumerate(rows) for _ in classes]
    lines = [line for line, _, _ in rows]
    ids: Sequence[Any] = []
    if values:
        ids = class_ids(path, values, spelling, lambda place: f"line {lines[owners[place]]}").tolist()
    sets: list[list[int]] = [[] for _ in rows]
    for owner, one in zip(owners, ids, strict=True):
        sets[owner].append(int(one))
    return Entries(Opinion.of_sets(sets), [example for _, example, _ in rows], lines)


def _csv(path: Path, manifest: OpinionManifest) -> Iterator[_Row]:
    try:
        with open_text(path) as stream:
            table = read_table(stream)
            columns = list(table.columns or ())
            example = _column(path, columns, manifest.example)
            places = [_column(path, columns, name) for name in manifest.classes]
            for line, cells in table.rows:
                parts = [part.strip() for place in places for part in cells[place].split(manifest.separator)]
                yield line, cells[example].strip(), [part for part in parts if part]
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
    except UnicodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error


def _parquet(path: Path, manifest: OpinionManifest) -> Iterator[_Row]:
    import pyarrow.parquet as pq  # tens of megabytes that an ingest of arrays does without

    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            for name in (manifest.example, *manifest.classes):
                _column(path, columns, name)
            table = file.read([manifest.example, *manifest.classes], use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"expected a parquet file, found another or a damaged one: {error}") from error
    examples = table.column(manifest.example).to_pylist()
    found = [table.column(name).to_pylist() for name in manifest.classes]
    for place, example in enumerate(examples):
        values = [column[place] for column in found]
        flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
        yield place, example, [one for one in flat if one is not None]


def _column(path: Path, columns: Sequence[str], name: str) -> int:
    if columns.count(name) != 1:
        listed = ", ".join(columns[:20]) or "none"
        raise DataError(path, f"expected one column {name!r}, found {listed}")
    return columns.index(name)
