"""Put the columns of a table of probabilities into class order, by class names or numbers."""

from collections.abc import Sequence
from itertools import takewhile
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
    >>> in_class_order(Path("p.parquet"), ["p_Cat", "p_Ant"], ["ant", "cat"], None)
    ('p_Ant', 'p_Cat')
    >>> in_class_order(Path("p.parquet"), ["p_cow", "p_ant"], ["ant", "cat"], None)
    ('p_cow', 'p_ant')
    """
    return named_order(path, columns, names, said) or tuple(columns)


def named_order(
    path: Path, columns: Sequence[str], names: Sequence[str] | None, said: ClassesAre | None
) -> tuple[str, ...] | None:
    """As ``in_class_order``; None where the columns are not called by classes."""
    if len(set(columns)) < len(columns):
        return None
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
    named, numbered = _by_core(columns, names or ()), _by_core(columns, numbers)
    if named and numbered and named != numbered:
        finding = "found columns that can be called by names or by numbers of classes, in different orders"
        raise DataError(path, f"{finding}; call them by the names alone")
    return named or numbered


def _by_core(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...] | None:
    """Columns by the names they hold between what all of them begin and end with; None where they hold others.

    >>> _by_core(["p_0", "p_1", "p_10", "p_2"], ["0", "1", "2", "10"])
    ('p_0', 'p_1', 'p_2', 'p_10')
    """
    by_core, wanted = dict(zip(cores(columns), columns, strict=True)), cores(names)
    if len(by_core) < len(columns) or len(set(wanted)) < len(names) or set(by_core) != set(wanted):
        return None
    return tuple(by_core[core] for core in wanted)


def cores(names: Sequence[str]) -> list[str]:
    """Names without what all of them begin and end with, in lower case."""
    folded = [name.strip().casefold() for name in names]
    begin = _in_common(folded)
    rest = [name[begin:] for name in folded]
    end = _in_common([name[::-1] for name in rest])
    return [name[: len(name) - end] for name in rest]


def _in_common(names: Sequence[str]) -> int:
    """How many letters all of several names begin with."""
    if len(names) < 2:
        return 0
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False)))


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
