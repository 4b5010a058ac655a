"""Read single labels from a file of any supported format, as class ids.

Files: .npy (numbers, texts, or true and false), .json (a list of labels or of objects), .jsonl (one per line), .parquet
and .csv (the column "label", or one with a synonymous name, or the only one), and otherwise a text file with one label
per line. ``class_ids`` says which class a value represents.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassesAre, ClassSpelling, whole_number
from ingest.errors import DataError, MissingFileError, shown
from ingest.labels.class_ids import class_ids
from ingest.labels.label_columns import read_csv_column, read_json_column, read_lines, require_names
from ingest.labels.record_location import JSON, SEPARATED, record_location
from ingest.matrices.npy import open_array

_COLUMN: Final = "label"
#: Possible headers of a table that only contains class names.
_HEADERS: Final = frozenset({"name", "names", "class", "classes", "class_name", "label", "labels"})


def read_class_names(path: Path) -> list[str]:
    """The class names in the order of their ids: a JSON list, a column "name" of CSV, or one per line."""
    is_json = path.suffix.lower() in JSON
    names = read_json_column(path, "name", "a list of class names") if is_json else _names_of_text(path)
    require_class_names(path, names)
    return names


def require_class_names(source: Path | str, names: Sequence[Any]) -> None:
    """Require at least one name, all different. Raises DataError naming the source and the class."""
    if not names:
        raise DataError(source, f"expected a list of class names, found {shown(names)}")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise DataError(source, f"expected a name, found {shown(name)}", record=f"class {place}")
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if seen.setdefault(name, place) != place:
            raise DataError(source, f"expected each name once, found {shown(name)} twice", record=f"class {place}")


def _names_of_text(path: Path) -> list[str]:
    """One name per line, also in a .csv file without a column "name"."""
    lines = read_lines(path)
    if path.suffix.lower() not in SEPARATED or not lines:
        require_names(path, lines)
        return lines
    plain = lines[0].strip().casefold() not in _HEADERS and not any(mark in lines[0] for mark in ",;\t")
    if plain:
        require_names(path, lines)
    return lines if plain else read_csv_column(path, "name")


def read_given_labels(
    path: Path,
    m: int,
    names: Sequence[str] | None,
    classes_are: ClassesAre | None = None,
    *,
    column: str | None = None,
    n: int | None = None,
) -> NDArray[Any]:
    """(n,) class ids from 0 to m - 1, in the smallest unsigned type that holds them.

    ``column`` is the column of a table that holds the labels, if it has an unusual name. ``n`` is the number of
    examples, if known; it decides whether an ambiguous first line is a label or a column name. Raises MissingFileError
    or DataError naming the file and the example.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a file of labels, found none")
    spelling = ClassSpelling(m, tuple(names or ()), classes_are)
    values = _values(path, spelling, column, n)
    return class_ids(path, values, spelling, lambda place: record_location(path, place))


def require_as_many(source: Path | str, n_labels: int, n_rows: int, matrix: str) -> None:
    """Require as many labels as rows. Raises DataError naming both."""
    if n_labels != n_rows:
        finding = f"expected {n_rows:,} labels, one for each row of {matrix}, found {n_labels:,}"
        if str(source).lower().endswith(".csv"):
            finding += " below the line that names the columns"
        raise DataError(source, finding)


def _values(path: Path, spelling: ClassSpelling, column: str | None, n: int | None) -> Any:
    """An array, or a list of plain values."""
    suffix = path.suffix.lower()
    name, or_only = column or _COLUMN, column is None
    if suffix == ".npy":
        return open_array(path)
    if suffix in JSON:
        return read_json_column(path, name, "a list of labels", or_only=or_only)
    if suffix in (".parquet", ".pq"):
        from ingest.labels.parquet_columns import read_column

        return read_column(path, name, or_only=or_only)
    if suffix in SEPARATED:
        return read_csv_column(path, name, or_only=or_only, is_value=lambda text: _is_label(text, spelling), n=n)
    if suffix in (".npz", ".zarr", ".pkl", ".pickle", ".xlsx"):
        raise DataError(path, "expected labels in a .npy, .json, .jsonl, .csv or .parquet file, or one a line")
    return read_lines(path)


def _is_label(text: str, spelling: ClassSpelling) -> bool:
    """Whether a text can be a label; a number can only be the number of a class, possibly of one out of range."""
    return spelling.known(text) or whole_number(text) is not None
