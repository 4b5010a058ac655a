"""Turn rows of predictions in any spelling into (n, k) class ids in test set order, or refuse them.

A row is a class, a few ranked classes (most probable first), or one score for each class, of which only the order
counts. Rows are matched with examples by their order, by index, or by the dataset's own keys. ``prediction_files``
reads the files; ``tables.prediction_columns`` interprets the columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import TOP, Ranked
from app.evaluation.tables.class_spelling import AmbiguousClassError, ClassesAre, ClassSpelling, whole_number
from app.evaluation.tables.csv_table import separated_hint

#: More ranked classes than these are not a ranking but a mistake.
MOST_RANKED: Final = 20
_SHOWN: Final = 5
#: How a person says what classes are, on the command line, in a form of the site and in models.toml.
HOW_CLASSES_ARE: Final = "--classes-are names or --classes-are numbers; in a form or models.toml, classes_are"

#: What a row predicts that gives no answer; no label is ever this, so it is wrong.
NO_ANSWER: Final = -1

#: What tells whose a row is. "row names" stand in a column without a name, "either" is the one that fits.
By = Literal["index", "key", "row names", "either"]


class UploadError(ValueError):
    """Predictions that cannot be used: what was expected, what was found, and where."""


@dataclass(frozen=True)
class Target:
    """The test set that predictions are for."""

    title: str
    n: int
    class_names: Sequence[str]
    keys: Sequence[str] | None
    classes_are: ClassesAre | None = None  # what is said of classes that may be names or numbers
    may_be_empty: bool = False  # whether an empty cell, where a row is one class, is no answer instead of a mistake
    #: Index -> the text of a question, of those asked for; None where examples are no questions.
    texts: Callable[[Sequence[int]], Mapping[int, str]] | None = None

    @cached_property
    def spelling(self) -> ClassSpelling:
        """How classes may be written."""
        return ClassSpelling(len(self.class_names), self.class_names, self.classes_are)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Key -> index of the example."""
        return {key: index for index, key in enumerate(self.keys or ())}

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


@dataclass
class PredictionRows:
    """Predictions read so far: blocks of ranked classes, and whose they are.

    Texts are only numbered as they come, for what they mean is decided when all of them are known.
    """

    target: Target
    by: By | None
    blocks: list[NDArray[np.int32]] = field(default_factory=list)
    ids: list[Any] = field(default_factory=list)
    n_rows: int = 0
    _codes: dict[str, int] = field(default_factory=dict)  # text -> its number in the blocks

    def add(self, values: NDArray[Any], ids: Sequence[Any] | None, scores: bool) -> None:
        """Take in a block of rows. Raises UploadError naming the first rows that are wrong."""
        if len(values) == 0:
            return
        if self.n_rows + len(values) > self.target.n:
            raise UploadError(
                f"expected {self.target.n:,} rows, one for each example of {self.target.title}; found more than that"
            )
        if scores:
            self.blocks.append(ranked_of_scores(values, self.target, self.n_rows))
        else:
            rows = _rows_of_classes(values)
            by_number = rows.dtype.kind in "iuf"
            self.blocks.append(numbered(rows, self.target, self.n_rows) if by_number else self._coded(rows))
        if ids is not None:
            self.ids.extend(ids)
        self.n_rows += len(values)

    def _coded(self, rows: NDArray[Any]) -> NDArray[np.int32]:
        """(r, k) the texts of a block as numbers of their own."""
        before = len(self._codes)
        # One by one: an array of texts would give each of them the room of the longest.
        texts = [str(cell) for row in rows.tolist() for cell in row]
        empty_is_none = self.target.may_be_empty and rows.shape[1] == 1
        for text in dict.fromkeys(texts):
            if text.strip() or not empty_is_none:
                self._codes.setdefault(text, len(self._codes))
        codes = np.array([self._codes.get(text, NO_ANSWER) for text in texts], np.int32).reshape(rows.shape)
        spelling = self.target.spelling
        unknown = [code for text, code in list(self._codes.items())[before:] if not spelling.known(text)]
        if unknown:
            raise _no_classes(rows, np.flatnonzero(np.isin(codes, unknown).any(axis=1)), self.target, self.n_rows)
        return codes

    def aligned(self) -> Ranked:
        """All predictions in the order of the test set. Raises UploadError for missing, extra or repeated rows."""
        target = self.target
        if self.blocks and all((block == NO_ANSWER).all() for block in self.blocks):
            raise UploadError(f"expected answers to the questions of {target.title}, found empty cells only")
        if not self.blocks:
            raise UploadError(f"expected {target.n:,} rows, found none")
        ranked = self._of_different_classes(np.concatenate(self.blocks))
        if self.by is None:
            if len(ranked) != target.n:
                raise UploadError(
                    f"expected {target.n:,} rows, one for each example of {target.title}; found {len(ranked):,}"
                )
            return ranked
        places = _places(self.ids, self.by, target)
        found: Ranked = np.empty_like(ranked)
        found[places] = ranked
        return found

    def _of_different_classes(self, ranked: NDArray[np.int32]) -> Ranked:
        if self._codes:
            try:
                ids = self.target.spelling.ids(self._codes)
            except AmbiguousClassError as error:
                raise UploadError(f"{error}: {HOW_CLASSES_ARE}") from error
            # No answer, -1, is the last of these too.
            ranked = np.array([*ids.values(), NO_ANSWER], np.int32)[ranked]
        if ranked.shape[1] > 1:
            ordered = np.sort(ranked, axis=1)
            twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
            if len(twice):
                raise UploadError(f"expected different classes in a row, found one twice in {_rows(twice)}")
        return ranked[:, :TOP]


def ranked_of_scores(scores: NDArray[Any], target: Target, start: int = 0) -> Ranked:
    """(r, k) the classes of the largest scores of (r, m) rows, equal scores by class number; ``start`` counts rows."""
    if scores.ndim != 2 or scores.shape[1] != target.n_classes:
        raise UploadError(
            f"expected {target.n_classes} scores a row, one a class of {target.title}; found shape {scores.shape}"
        )
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(wrong):
        raise UploadError(f"expected finite numbers, found NaN or infinity in {_rows(wrong + start)}")
    k = min(TOP, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    # More classes than places share the last place's score: only a whole, stable sort takes the first of them.
    last = np.take_along_axis(scores, best, axis=1).min(axis=1)
    crowded = np.flatnonzero((scores >= last[:, None]).sum(axis=1) > k)
    best[crowded] = np.argsort(-scores[crowded], axis=1, kind="stable")[:, :k]
    best = np.sort(best, axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1).astype(np.int32)


def _rows_of_classes(values: NDArray[Any]) -> NDArray[Any]:
    """(r, k) classes of (r,) or (r, k) ones; true and false become texts, for they may be names."""
    rows = values.reshape(len(values), -1)
    if values.ndim > 2 or not 1 <= rows.shape[1] <= MOST_RANKED:
        raise UploadError(f"expected a class or up to {MOST_RANKED} ranked classes a row, found shape {values.shape}")
    return np.where(rows, "True", "False") if rows.dtype.kind == "b" else rows


def numbered(rows: NDArray[Any], target: Target, start: int = 0) -> NDArray[np.int32]:
    """(r, k) class ids of (r, k) numbers; ``start`` counts rows."""
    if target.classes_are == "names":
        raise UploadError("expected names of classes, as is said of them, found numbers")
    ids = _numbers(rows)
    wrong = np.flatnonzero(((ids < 0) | (ids >= target.n_classes)).any(axis=1))
    if len(wrong):
        raise _no_classes(rows, wrong, target, start)
    return ids.astype(np.int32)


def _no_classes(rows: NDArray[Any], wrong: NDArray[np.intp], target: Target, start: int) -> UploadError:
    first = rows[wrong[0]].tolist()
    found = first[0] if len(first) == 1 else first
    ways = {"names": "by name", "numbers": f"by number from 0 to {target.n_classes - 1}"}
    said = [ways[target.classes_are]] if target.classes_are else ways.values()
    return UploadError(
        f"expected classes of {target.title}, {' or '.join(said)}; found "
        f"{short(found)} in {_rows(wrong + start)}{_hint(rows, wrong[0], target, start)}"
    )


def _hint(rows: NDArray[Any], wrong: np.intp, target: Target, start: int) -> str:
    """What may be wrong with rows whose cells are not told apart, or whose first column only counts them."""
    if rows.shape[1] == 1:
        found = rows[wrong, 0]
        return separated_hint(found, target.spelling.known) if isinstance(found, str) else ""
    counted = [str(cell).strip() for cell in rows[:, 0].tolist()] == [str(n) for n in range(start, start + len(rows))]
    if not counted:
        return ""
    return "; the first column counts the rows: name the columns in a first line, such as index,prediction"


def _numbers(rows: NDArray[Any]) -> NDArray[np.int64]:
    if rows.dtype.kind != "f":
        # Unsigned numbers beyond int64 would wrap around into the range of classes.
        whole_numbers = rows.astype(np.int64)
        whole_numbers[rows > np.iinfo(np.int32).max] = -1
        return whole_numbers
    whole = np.isfinite(rows) & (np.abs(rows) < 2**31)
    whole &= np.where(whole, rows, 0.5) == np.floor(np.where(whole, rows, 0))
    return np.where(whole, np.where(whole, rows, 0), -1).astype(np.int64)


def _places(ids: Sequence[Any], by: By, target: Target) -> NDArray[np.int64]:
    """(rows,) the index of the example of each row: every example once."""
    readings = {"index": ["index"], "key": ["key"], "either": ["index", "key"], "row names": ["index", "key", "count"]}
    found = {word: _read_ids(ids, word, target) for word in readings[by] if word != "key" or target.keys is not None}
    fitting = [places for places in found.values() if (places >= 0).all()]
    if any((places != fitting[0]).any() for places in fitting[1:]):
        raise UploadError(
            "found row names that can be indices or keys, of different examples: name their column index or key"
        )
    places = fitting[0] if fitting else next(iter(found.values()))
    unknown = np.flatnonzero(places < 0)
    if len(unknown):
        shown = ", ".join(short(ids[row]) for row in unknown[:_SHOWN].tolist())
        wanted = " or ".join(
            f"a key of {target.title}" if word == "key" else f"an index from 0 to {target.n - 1}"
            for word in found
            if word != "count"
        )
        counted = by == "index" and (_read_ids(ids, "count", target) >= 0).all()
        hint = "; these look counted from 1" if counted else ""
        raise UploadError(f"expected {wanted} in each row, found {len(unknown):,} others: {shown}{hint}")
    counts = np.bincount(places, minlength=target.n)
    for wrong, words in ((np.flatnonzero(counts > 1), "more than once"), (np.flatnonzero(counts == 0), "not at all")):
        if len(wrong):
            named = [str(p) if by != "key" or not target.keys else target.keys[p] for p in wrong[:_SHOWN].tolist()]
            raise UploadError(
                f"expected each of the {target.n:,} examples once, found {len(wrong):,} {words}: {', '.join(named)}"
                + (", ..." if len(wrong) > _SHOWN else "")
            )
    return places


def _read_ids(ids: Sequence[Any], as_: str, target: Target) -> NDArray[np.int64]:
    """(rows,) examples by "index", "key" or "count", which is numbers from 1 to n as R writes them; -1 for none."""
    if as_ == "key":
        return np.array([target.places.get(str(key), -1) for key in ids], np.int64)
    places = np.array([_index(value, target.n + 1) for value in ids], np.int64)
    if as_ == "count":
        # Only all of them say that they are counted from 1.
        return places - 1 if len(places) == target.n and places.min() == 1 else np.full(len(ids), -1, np.int64)
    places[places == target.n] = -1
    return places


def _index(value: Any, n: int) -> int:
    if isinstance(value, str):
        number = whole_number(value)
        value = -1 if number is None else number
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return int(value) if whole and 0 <= value < n else -1


def _rows(wrong: NDArray[np.int64]) -> str:
    """The first few rows that are wrong, counted from 0 as the examples are."""
    shown = ", ".join(str(row) for row in wrong[:_SHOWN].tolist())
    more = f" and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
    return f"row{'s' if len(wrong) > 1 else ''} {shown}{more} (counted from 0)"


def short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
