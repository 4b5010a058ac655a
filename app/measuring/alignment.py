"""Rows of predictions, in whatever spelling, -> (n, k) class ids in the order of the test set, or a precise refusal.

A row is a class, a few ranked classes (most probable first), or one score a class, of which only the order counts.
Rows belong to examples by their order, by index, or by the dataset's own keys. Files are read in ``uploads``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.stability import TOP, Ranked

#: More ranked classes than these are not a ranking but a mistake.
MOST_RANKED: Final = 20
_SHOWN: Final = 5
#: What pandas calls the index of a table that has no name, in CSV, once read again, and in Parquet.
_NAMELESS: Final = ("", "Unnamed: 0", "__index_level_0__")

By = Literal["index", "key"]


class UploadError(ValueError):
    """Predictions that cannot be used: what was expected, what was found, and where."""


@dataclass(frozen=True)
class Target:
    """The test set that predictions are for."""

    title: str
    n: int
    class_names: Sequence[str]
    keys: Sequence[str] | None

    @cached_property
    def class_ids(self) -> Mapping[str, int]:
        """Spelling -> class id: numbers, and names that belong to one class only, which go before numbers."""
        numbers = {str(class_id): class_id for class_id in range(len(self.class_names))}
        times = Counter(self.class_names)
        names = {name: class_id for class_id, name in enumerate(self.class_names) if times[name] == 1}
        return numbers | names

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Key -> index of the example."""
        return {key: index for index, key in enumerate(self.keys or ())}

    @property
    def n_classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a table hold."""

    by: By | None
    id_column: int | None
    values: tuple[int, ...]  # the columns of predictions; of scores, in the order of the classes
    scores: bool


@dataclass
class Gathered:
    """Predictions read so far: blocks of ranked classes, and whose they are."""

    target: Target
    by: By | None
    blocks: list[Ranked] = field(default_factory=list)
    ids: list[Any] = field(default_factory=list)
    n_rows: int = 0

    def add(self, values: NDArray[Any], ids: Sequence[Any] | None, scores: bool) -> None:
        """Take in a block of rows. Raises UploadError naming the first rows that are wrong."""
        if len(values) == 0:
            return
        if self.n_rows + len(values) > self.target.n:
            raise UploadError(
                f"expected {self.target.n:,} rows, one for each example of {self.target.title}; found more than that"
            )
        turn = ranked_of_scores if scores else ranked_of_classes
        self.blocks.append(turn(values, self.target, self.n_rows))
        if ids is not None:
            self.ids.extend(ids)
        self.n_rows += len(values)

    def aligned(self) -> Ranked:
        """All predictions in the order of the test set. Raises UploadError for missing, extra or repeated rows."""
        target = self.target
        if not self.blocks:
            raise UploadError(f"expected {target.n:,} rows, found none")
        ranked = np.concatenate(self.blocks)
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


def layout(columns: Sequence[str], target: Target) -> Layout:
    """What named columns hold: ``index`` or ``key`` where there is one, and else a class, ranked classes, or scores.

    Scores have one column a class, named like the classes or numbered from 0. The nameless column that pandas writes is
    an index. Raises UploadError for anything else.
    """
    names = ["index" if column.strip() in _NAMELESS else column.strip() for column in columns]
    ids = [place for place, name in enumerate(names) if name.casefold() in ("index", "key")]
    if len(ids) > 1:
        raise UploadError("expected one column index or one column key, found both, or one of them twice")
    by: By | None = None
    if ids:
        by = "index" if names[ids[0]].casefold() == "index" else "key"
        if by == "key" and target.keys is None:
            raise UploadError(f"the examples of {target.title} have no keys; name them by index, or keep their order")
    others = [place for place in range(len(names)) if place not in ids]
    classes = [target.class_ids.get(names[place], -1) for place in others]
    if target.n_classes > 1 and sorted(classes) == list(range(target.n_classes)):
        ordered = sorted(others, key=lambda place: classes[others.index(place)])
        return Layout(by, ids[0] if ids else None, tuple(ordered), scores=True)
    if not 1 <= len(others) <= MOST_RANKED:
        raise UploadError(
            f"expected 1 to {MOST_RANKED} columns of classes, or {target.n_classes} columns of scores named like the "
            f"classes of {target.title}; found {len(others):,} columns beside {names[ids[0]] if ids else 'no index'}"
        )
    return Layout(by, ids[0] if ids else None, tuple(others), scores=False)


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


def ranked_of_classes(values: NDArray[Any], target: Target, start: int = 0) -> Ranked:
    """(r, k) class ids of (r,) or (r, k) classes by number or name; ``start`` counts rows."""
    rows = values.reshape(len(values), -1)
    if values.ndim > 2 or not 1 <= rows.shape[1] <= MOST_RANKED:
        raise UploadError(f"expected a class or up to {MOST_RANKED} ranked classes a row, found shape {values.shape}")
    ids = _numbers(rows) if rows.dtype.kind in "iuf" else _named(rows, target)
    wrong = np.flatnonzero(((ids < 0) | (ids >= target.n_classes)).any(axis=1))
    if len(wrong):
        first = rows[wrong[0]].tolist()
        found = first[0] if len(first) == 1 else first
        raise UploadError(
            f"expected classes of {target.title}, by name or by number from 0 to {target.n_classes - 1}; found "
            f"{_short(found)} in {_rows(wrong + start)}{_hint(rows, start)}"
        )
    if ids.shape[1] > 1:
        ordered = np.sort(ids, axis=1)
        twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        if len(twice):
            raise UploadError(f"expected different classes in a row, found one twice in {_rows(twice + start)}")
    return ids[:, :TOP].astype(np.int32)


def _hint(rows: NDArray[Any], start: int) -> str:
    """What may be wrong with rows whose first column only counts them."""
    counted = [str(cell).strip() for cell in rows[:, 0].tolist()] == [str(n) for n in range(start, start + len(rows))]
    if rows.shape[1] == 1 or not counted:
        return ""
    return "; the first column counts the rows: name the columns in a first line, such as index,prediction"


def _numbers(rows: NDArray[Any]) -> NDArray[np.int64]:
    if rows.dtype.kind != "f":
        # Unsigned numbers beyond int64 would wrap around into the range of classes.
        return np.where(rows > np.iinfo(np.int32).max, -1, rows).astype(np.int64)
    whole = np.isfinite(rows) & (np.abs(rows) < 2**31)
    whole &= np.where(whole, rows, 0.5) == np.floor(np.where(whole, rows, 0))
    return np.where(whole, np.where(whole, rows, 0), -1).astype(np.int64)


def _named(rows: NDArray[Any], target: Target) -> NDArray[np.int64]:
    known = target.class_ids
    # One by one: an array of texts would give each of them the room of the longest.
    ids = [known.get(str(cell).strip(), -1) for row in rows.tolist() for cell in row]
    return np.array(ids, np.int64).reshape(rows.shape)


def _places(ids: Sequence[Any], by: By, target: Target) -> NDArray[np.int64]:
    """(rows,) the index of the example of each row: every example once."""
    if by == "key":
        found = [target.places.get(str(key), -1) for key in ids]
    else:
        found = [_index(value, target.n) for value in ids]
    places = np.array(found, np.int64)
    unknown = np.flatnonzero(places < 0)
    if len(unknown):
        shown = ", ".join(_short(ids[row]) for row in unknown[:_SHOWN].tolist())
        wanted = f"an index from 0 to {target.n - 1}" if by == "index" else f"a key of {target.title}"
        raise UploadError(f"expected {wanted} in each row, found {len(unknown):,} others: {shown}")
    counts = np.bincount(places, minlength=target.n)
    for wrong, words in ((np.flatnonzero(counts > 1), "more than once"), (np.flatnonzero(counts == 0), "not at all")):
        if len(wrong):
            named = [str(place) if by == "index" or not target.keys else target.keys[place] for place in wrong[:_SHOWN]]
            raise UploadError(
                f"expected each of the {target.n:,} examples once, found {len(wrong):,} {words}: {', '.join(named)}"
                + (", ..." if len(wrong) > _SHOWN else "")
            )
    return places


def _index(value: Any, n: int) -> int:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return int(value) if whole and 0 <= value < n else -1


def _rows(wrong: NDArray[np.int64]) -> str:
    """The first few rows that are wrong, counted from 0 as the examples are."""
    shown = ", ".join(str(row) for row in wrong[:_SHOWN].tolist())
    more = f" and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
    return f"row{'s' if len(wrong) > 1 else ''} {shown}{more} (counted from 0)"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
