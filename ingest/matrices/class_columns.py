"""Put the columns of a table of probabilities into class order, by class names or numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.evaluation.tables.class_spelling import ClassesAre
from ingest.errors import HOW_CLASSES_ARE, DataError, shown


def in_class_order(
    path: Path, columns: Sequence[str], names: Sequence[str] | None, said: ClassesAre | None
) -> tuple[str, ...]:
    """Columns sorted into class order, if they are named by the ``names`` or numbers of the classes; others unchanged.

    ``said`` decides between names and numbers if both are possible. Raises DataError if that is needed but not given,
    and if only some columns are named by classes. Duplicate column names are for the caller to refuse.

    >>> in_class_order(Path("p.parquet"), ["cat", "ant"], ["ant", "cat"], None)
    ('ant', 'cat')
    >>> in_class_order(Path("p.parquet"), ["p_cat", "p_ant"], ["ant", "cat"], None)
    ('p_cat', 'p_ant')
    """
    if len(set(columns)) < len(columns):
        return tuple(columns)
    numbers = [str(number) for number in range(len(columns) if names is None else len(names))]
    by_number = set(numbers) == set(columns)
    absent = [name for name in names or () if name not in columns]
    by_name = names is not None and not absent and len(set(names)) == len(names)
    if by_name and by_number and said is None and list(names or ()) != numbers:
        finding = "found columns that can be called by names or by numbers of classes, in different orders; say which"
        raise DataError(path, f"{finding}: {HOW_CLASSES_ARE}")
    if by_number and said != "names" and not (by_name and said is None):
        return tuple(numbers)
    if by_name and said != "numbers":
        return tuple(names or ())
    if said is not None or (names is not None and not set(columns).isdisjoint(names)):
        wanted = numbers if said == "numbers" else absent
        lacking = next((name for name in wanted if name not in columns), wanted[0] if wanted else "")
        raise DataError(path, f"expected a column for each class, found none called {shown(lacking)}")
    return tuple(columns)


def written(value: object) -> str | None:
    """The text of a value that names a class in memory; None for a value that cannot name one.

    >>> written("cat"), written(np.int64(3)), written(3.0), written(True), written(2.5)
    ('cat', '3', '3', 'True', None)
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return str.__str__(plain)  # an Enum's own __str__ may return something else
    if isinstance(plain, bool):
        return str(plain)
    if isinstance(plain, int) or (isinstance(plain, float) and plain.is_integer()):
        return str(int(plain))
    return None
