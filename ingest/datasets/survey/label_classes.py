"""The classes that a column of labels, or a list of folders, stands for, and what may go wrong with them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import whole_number
from app.evaluation.tables.number_column import MISSING
from ingest.datasets.survey.remarks import Remarks, some
from ingest.errors import DataError, shown

#: From this many examples on, labels of which most are different are no classes.
_ENOUGH: Final = 10
#: More different fractions than this are measurements.
_MOST_FRACTIONS: Final = 20
_MOST_SHOWN: Final = 4
#: A number with a zero before it.
_CODE: Final = re.compile(r"[+-]?0\d")
#: What stands between several labels of one example.
_LISTED: Final = re.compile("[,;|]")
#: Words by which people mark that a label is missing.
_NO_LABEL: Final = MISSING - {"none", "?"}


@dataclass(frozen=True)
class FoundClasses:
    """Class names in the order of their ids, and the class id of each example, -1 where it has no label."""

    names: Sequence[str]
    ids: NDArray[np.int64]

    @property
    def missing(self) -> NDArray[np.int64]:
        """Indices of examples without a label."""
        return np.flatnonzero(self.ids < 0)


def label_texts(cells: Sequence[Any]) -> list[str | None]:
    """Labels as texts, whether they were names, numbers or true and false; None where one is missing.

    Numbers that are written with zeros before them are codes, and stay as they are.

    >>> label_texts([1.0, 2.0, None]), label_texts([True, False]), label_texts([" cat", "", "7"])
    (['1', '2', None], ['True', 'False'], ['cat', None, '7'])
    >>> label_texts(["01", "02", "10"])
    ['01', '02', '10']
    """
    texts = [_text(cell) for cell in cells]
    distinct = {text for text in texts if text is not None}
    numbers = {text: whole_number(text) for text in distinct}
    if not distinct or None in numbers.values():
        return texts
    spelled = {text: text if _CODE.match(text) else str(number) for text, number in numbers.items()}
    return [None if text is None else spelled[text] for text in texts]


def _text(cell: Any) -> str | None:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = " ".join(str(cell).split())
    return None if text.casefold() in _NO_LABEL else text


def may_be_labels(cells: Sequence[Any]) -> bool:
    """Whether values can be labels: two classes at least, and no names of rows or measurements.

    >>> may_be_labels(["cat", "dog"] * 9), may_be_labels([0.5 + i for i in range(18)]), may_be_labels(["cat"] * 9)
    (True, False, False)
    """
    return _why_none(Counter(text for text in label_texts(cells) if text is not None)) is None


def _why_none(counts: Counter[str]) -> str | None:
    """What was expected and found of labels that are no classes; None if they may be."""
    n = counts.total()
    if len(counts) < 2:
        only = f"one, {shown(next(iter(counts)))}" if counts else "none"
        return f"expected labels of two classes at least, found {only}"
    if n >= _ENOUGH and len(counts) > n / 2:
        found = f"{len(counts):,} different labels of {n:,} examples, such as {some([*counts])}"
        return f"expected classes, found {found}: that is a name, a number of a row or a measurement"
    fractions = _fractions(counts)
    if len(fractions) > _MOST_FRACTIONS:
        return f"expected classes, found measurements, such as {some(fractions)}"
    return None


def classes_of(source: str, texts: Sequence[str | None], remarks: Remarks) -> FoundClasses:
    """The classes of labels: in numeric order if all are whole numbers, else in the order of text.

    ``source`` says where the labels are. Raises DataError for labels that are no classes.
    """
    counts = Counter(text for text in texts if text is not None)
    if (finding := _why_none(counts)) is not None:
        raise DataError(source, finding)
    whole = all(whole_number(text) is not None for text in counts)
    names = sorted(counts, key=int) if whole else sorted(counts)
    _remark_on_names(names, remarks)
    remark_on_counts(counts, remarks)
    ids = {name: class_id for class_id, name in enumerate(names)}
    return FoundClasses(names, np.array([-1 if text is None else ids[text] for text in texts], np.int64))


def named_classes(source: str, names: Sequence[str], cells: Sequence[Any], remarks: Remarks) -> FoundClasses:
    """The classes of a column of class numbers whose names its file lists; -1 is no label."""
    ids = np.array([-1 if cell is None else int(cell) for cell in cells], np.int64)
    if len(ids) and (ids.max() >= len(names) or ids.min() < -1):
        finding = f"expected the number of one of {len(names)} classes, found {max(ids.max(), -ids.min())}"
        raise DataError(source, finding)
    found = np.bincount(ids[ids >= 0], minlength=len(names))
    if np.count_nonzero(found) < 2:
        raise DataError(source, f"expected labels of two classes at least, found {np.count_nonzero(found)}")
    remark_on_counts(Counter(dict(zip(names, found.tolist(), strict=True))), remarks)
    return FoundClasses(names, ids)


def remark_on_counts(counts: Counter[str], remarks: Remarks) -> None:
    """Say which classes have too few examples to learn from."""
    single = sorted(name for name, n in counts.items() if n == 1)
    if single:
        why = "a model cannot learn a class from other examples than the one in question"
        remarks.doubt(f"classes with one example only, {some(single)}: {why}")
    if none := sorted(name for name, n in counts.items() if n == 0):
        remarks.doubt(f"classes without any example: {some(none)}")


def _remark_on_names(names: Sequence[str], remarks: Remarks) -> None:
    if any(whole_number(name) is not None for name in names):
        first = f"class 0 is called {shown(names[0])}"
        differ = [name for class_id, name in enumerate(names) if whole_number(name) != class_id]
        if differ:
            remarks.doubt(
                f"class names are numbers, and not those of the classes, which count from 0: {first}. A model of your "
                "own may number them otherwise"
            )
    if list(names) != sorted(names) and all(whole_number(name) is not None for name in names):
        remarks.doubt(
            "classes are in the order of their numbers, as in scikit-learn; torchvision and Keras order folders as "
            "text, '10' before '2'"
        )
    natural = sorted(names, key=_natural)
    if list(names) != natural and sorted(names, key=str.casefold) != natural:
        at = next(place for place, name in enumerate(names) if name != natural[place])
        remarks.doubt(
            f"classes are in the order of text, as in torchvision and Keras: class {at} is {shown(names[at])}, and "
            f"would be {shown(natural[at])} if numbers in names counted. Columns of probabilities have to be in the "
            "order of classes.json"
        )
    composed = Counter(normalize("NFKC", name) for name in names)
    if same := sorted(name for name in names if composed[normalize("NFKC", name)] > 1):
        listed = ", ".join(ascii(name) for name in same[:_MOST_SHOWN])
        remarks.doubt(f"classes whose names look the same and are written otherwise, {listed}, are different classes")
    numbers = {name: whole_number(name) for name in names}
    written = Counter(numbers.values())
    if equal := sorted(name for name, number in numbers.items() if number is not None and written[number] > 1):
        remarks.doubt(f"classes that are the same number written otherwise, {some(equal)}, are different classes")
    folded = Counter(name.casefold() for name in names)
    alike = sorted(name for name in names if folded[name.casefold()] > 1)
    if alike:
        remarks.doubt(f"classes whose names differ in capitals only, {some(alike)}, are different classes")
    if several := _of_several(names):
        remarks.doubt(
            f"{shown(several[0])} is a class of its own, and not an example of several classes: where examples have "
            'several labels, write a list of sets and labels = "multiple" into the manifest'
        )


def _of_several(names: Sequence[str]) -> list[str]:
    """The names that list others, if most that could be lists do.

    >>> _of_several(["cat", "cat, dog", "dog", "dog|emu"]), _of_several(["hook, claw", "claw", "maillot, tank suit"])
    (['cat, dog', 'dog|emu'], [])
    """
    parts = {name: [part.strip() for part in _LISTED.split(name)] for name in names}
    lists = [name for name in names if len(parts[name]) > 1]
    found = [name for name in lists if not parts.keys().isdisjoint(parts[name])]
    return found if 2 * len(found) > len(lists) else []


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part.casefold()) for part in re.split(r"(\d+)", name) if part]


def _fractions(counts: Counter[str]) -> list[str]:
    return [text for text in counts if whole_number(text) is None and _is_number(text)]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
