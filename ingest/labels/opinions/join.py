"""Find the example that each entry of a second opinion is of, and refuse a join that is not right.

Entries that are joined with the wrong examples look like an opinion all the same. So a manifest names one example and
what is held of it, and how often at least the opinion holds the given label; and a join that agrees less often than the
same one shifted by one entry is refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.opinions.opinion import Opinion
from app.evaluation.tables.class_spelling import whole_number
from ingest.errors import DataError, shown
from ingest.labels.opinions.entries import Entries
from ingest.manifest.opinion import Check, OpinionManifest

#: The number at the end of a file name.
_NUMBER: Final = re.compile(r"(\d{1,15})\D*")
_NONE: Final = -1
#: By how many standard deviations a shifted join must be better to be taken for the right one.
_DEVIATIONS: Final = 2.0


@dataclass(frozen=True)
class Examples:
    """The examples of a dataset: (n,) given labels, their keys, if they have any, and the names of classes."""

    given: NDArray[np.int64]
    keys: Sequence[str] | None
    class_names: Sequence[str]

    def __len__(self) -> int:
        return len(self.given)


@dataclass(frozen=True)
class Joined:
    """An opinion over all examples of a dataset, and the share of those it covers where it holds the given label."""

    opinion: Opinion
    agreeing: float


def join(path: Path, manifest: OpinionManifest, entries: Entries, examples: Examples) -> Joined:
    """The opinion of each example of the dataset; silent where no entry is of it.

    Raises DataError for a join that fails its check, an entry of no example, and two of the same.
    """
    at = _targets(path, manifest, entries, examples)
    agreeing = _require_best(path, manifest, entries.opinion, at, examples.given)
    _require_one_each(path, entries, at, examples)
    joined = Joined(_spread(entries.opinion, at, len(examples)), agreeing)
    _require_anchor(path, manifest.check, joined.opinion, examples)
    return joined


def _targets(path: Path, manifest: OpinionManifest, entries: Entries, examples: Examples) -> NDArray[np.int64]:
    """(k,) the index of the example of each entry, -1 where there is none."""
    of = range(len(entries)) if entries.of is None else entries.of
    if manifest.join == "key":
        places = _by_key(path, examples)
        return np.array([places.get(str(one), places.get(_stem(str(one)), _NONE)) for one in of], np.int64)
    numbers = [_number(path, one, entries, place) for place, one in enumerate(of)]
    if manifest.join == "number":
        by_number = _by_number(path, examples)
        return np.array([by_number.get(number + manifest.offset, _NONE) for number in numbers], np.int64)
    return np.array([number if 0 <= number < len(examples) else _NONE for number in numbers], np.int64)


def _number(path: Path, one: Any, entries: Entries, place: int) -> int:
    number = one if type(one) is int else whole_number(str(one))
    if number is None or abs(number) > 1 << 53:
        raise DataError(path, f"expected the number of an example, found {shown(one)}", record=entries.where(place))
    return number


def _by_key(path: Path, examples: Examples) -> Mapping[str, int]:
    """Key -> index; also without folders and ending. None of a name that several examples have."""
    keys = _keys(path, examples)
    stems: dict[str, int] = {}
    whole: dict[str, int] = {}
    for index, key in enumerate(keys):
        stems[_stem(key)] = _NONE if _stem(key) in stems else index
        whole[key] = _NONE if key in whole else index
    return stems | whole


def _stem(key: str) -> str:
    return PurePosixPath(key.replace("\\", "/")).stem


def _by_number(path: Path, examples: Examples) -> Mapping[int, int]:
    """The number at the end of a key -> index."""
    found: dict[int, int] = {}
    for index, key in enumerate(_keys(path, examples)):
        numbers = _NUMBER.findall(_stem(key))
        if not numbers or int(numbers[-1]) in found:
            finding = f"expected keys of the dataset that end in a number of their own, found {shown(key)}"
            raise DataError(path, finding)
        found[int(numbers[-1])] = index
    return found


def _keys(path: Path, examples: Examples) -> Sequence[str]:
    if examples.keys is None:
        raise DataError(
            path, 'expected a dataset whose examples have keys to join by, found none; join = "index" needs none'
        )
    return examples.keys


def _shifted(at: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Targets as if each entry were of the example of the next (1) or of the previous one (-1)."""
    if not by:
        return at
    found = np.full_like(at, _NONE)
    if by > 0:
        found[:-1] = at[1:]
    else:
        found[1:] = at[:-1]
    return found


def _agreeing(opinion: Opinion, at: NDArray[np.int64], given: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float]:
    """(k,) entries that hold the given label of their example, and their share of those with classes and an example."""
    those = (at != _NONE) & opinion.speaks
    found = np.zeros(len(at), np.bool_)
    found[those] = opinion.holds(np.flatnonzero(those), given[at[those]])
    return found, float(found.sum() / max(1, those.sum()))


def _require_best(
    path: Path, manifest: OpinionManifest, opinion: Opinion, at: NDArray[np.int64], given: NDArray[np.int64]
) -> float:
    """The share of agreement of a join that is better than shifted ones. Raises DataError with both shares if not."""
    (here, joined), *others = (_agreeing(opinion, _shifted(at, by), given) for by in (0, 1, -1))
    there, best = max(others, key=lambda one: one[1])
    gained, lost = int((there & ~here).sum()), int((here & ~there).sum())
    # Where few labels are held, as among suspects alone, a shift may agree a little better by chance.
    shifted = gained - lost > _DEVIATIONS * (gained + lost) ** 0.5
    if joined < manifest.check.agreement or shifted:
        at_least = f"expected {manifest.check.agreement:.1%} of the entries or more to hold the given label"
        hint = ". The join is shifted" if shifted else ""
        raise DataError(path, f"{at_least}, found {joined:.1%}; shifted by one entry it is {best:.1%}{hint}")
    return joined


def _require_one_each(path: Path, entries: Entries, at: NDArray[np.int64], examples: Examples) -> None:
    if entries.of is None and len(entries) != len(examples):
        raise DataError(path, f"expected an entry for each of {len(examples)} examples, found {len(entries)}")
    missing = np.flatnonzero(at == _NONE)
    if len(missing):
        place = int(missing[0])
        called = "" if entries.of is None else f" for {shown(entries.of[place])}"
        of_key = 0 if entries.of is None else (examples.keys or []).count(str(entries.of[place]))
        found = f"{of_key} of that key" if of_key > 1 else "none"
        finding = f"expected an example of the dataset{called}, found {found}"
        raise DataError(path, finding, record=entries.where(place))
    order = np.argsort(at, kind="stable")
    twice = np.flatnonzero(np.diff(at[order]) == 0)
    if len(twice):
        first, second = sorted((int(order[twice[0]]), int(order[twice[0] + 1])))
        finding = f"expected one entry an example, found another for that of {entries.where(first)}"
        raise DataError(path, finding, record=entries.where(second))


def _spread(opinion: Opinion, at: NDArray[np.int64], n: int) -> Opinion:
    """The entries in the order of the examples; nothing for examples without one."""
    lengths = np.zeros(n, np.int64)
    lengths[at] = np.diff(opinion.offsets)
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    owners = np.repeat(at, np.diff(opinion.offsets))
    order = np.argsort(owners, kind="stable")
    return Opinion(offsets, opinion.classes[order], opinion.weights[order], opinion.counted)


def _require_anchor(path: Path, check: Check, opinion: Opinion, examples: Examples) -> None:
    index = check.example if isinstance(check.example, int) else _anchor_of(path, check.example, examples)
    if not 0 <= index < len(examples):
        raise DataError(path, f"check.example: expected an index from 0 to {len(examples) - 1}, found {index}")
    names = examples.class_names
    wanted = []
    for one in check.classes:
        if isinstance(one, str) and one not in names:
            raise DataError(path, f"check.classes: expected a class of the dataset, found {shown(one)}")
        wanted.append(one if isinstance(one, int) else list(names).index(one))
    found = opinion.held.members(index)
    if sorted(wanted) != list(found):
        held = ", ".join(f"{one} ({names[one]})" for one in found) or "nothing"
        expected = f"expected {', '.join(map(str, sorted(wanted)))} to be held of example {check.example}"
        raise DataError(path, f"check: {expected}, found {held}; the join is wrong")


def _anchor_of(path: Path, key: str, examples: Examples) -> int:
    found = _by_key(path, examples).get(key, _NONE)
    if found == _NONE:
        raise DataError(path, f"check.example: expected a key of the dataset, found {shown(key)}")
    return found
