"""Read the slice of each example, such as its subject: a text from a list, or from a column of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, MissingFileError, shown
from ingest.labels.files import read_index
from ingest.labels.label_columns import read_csv_column, read_json_column
from ingest.labels.record_location import JSON, SEPARATED

#: More would be names of examples, not of slices.
MOST_SLICES: Final = 2_000
_LONGEST: Final = 200


@dataclass(frozen=True)
class Slices:
    """The slices of a dataset: names in the order of the alphabet, and (n,) the number of each example's."""

    column: str
    names: tuple[str, ...]
    numbers: NDArray[np.uint16]


def slices_of(column: str, values: Sequence[str], source: Path | str) -> Slices:
    """Slices from the text of each example. Raises DataError for an empty text, or too many different ones.

    >>> found = slices_of("subject", ["law", "art", "law"], "questions.csv")
    >>> found.names, found.numbers.tolist()
    (('art', 'law'), [1, 0, 1])
    """
    for place, value in enumerate(values):
        if not value.strip() or len(value) > _LONGEST or any(ord(letter) < 32 for letter in value):
            finding = f"expected a {column} in one line of at most {_LONGEST} characters, found {shown(value)}"
            raise DataError(source, finding, record=f"example {place}")
    names = tuple(sorted({value.strip() for value in values}))
    if len(names) > MOST_SLICES:
        raise DataError(source, f"expected at most {MOST_SLICES:,} values of {column}, found {len(names):,}")
    numbers = {name: number for number, name in enumerate(names)}
    return Slices(column, names, np.array([numbers[value.strip()] for value in values], np.uint16))


def read_slices(path: Path, column: str, size: int) -> Slices:
    """The slices in a file: a JSON list of texts, or the column of that name in a table.

    Raises MissingFileError or DataError naming the file.
    """
    if not path.is_file():
        raise MissingFileError(path, f"expected the {column} of each example, found none")
    values = [str(value) for value in _values(path, column)]
    if len(values) != size:
        raise DataError(path, f"expected the {column} of {size:,} examples, found {len(values):,}")
    return slices_of(column, values, path)


def _values(path: Path, column: str) -> Sequence[Any]:
    suffix = path.suffix.lower()
    if suffix in SEPARATED:
        return read_csv_column(path, column, or_only=False)
    if suffix in (".parquet", ".pq"):
        from ingest.labels.parquet_columns import read_column

        found: Sequence[Any] = list(read_column(path, column, or_only=False))
        return found
    if suffix in JSON:
        return read_json_column(path, column, "a list", or_only=False)
    if suffix == ".npy":
        finding = (
            f"labels in .npy have no column {column}; slices in [files] names a JSON list with one text an example"
        )
        raise DataError(path, finding)
    return read_index(path)
