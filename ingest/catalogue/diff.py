"""Compare two versions of a dataset, in two catalogues, example by example.

Both are read the same way, one block of examples at a time; ``app.domain.review.changes`` defines what a change is. All
changed examples are counted, but only a limited number of them is kept.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from app.corrected.blocks import issues_between
from app.corrected.original_test_set import NotLoadedError, TestSet, load
from app.corrected.standing_json import spelled
from app.domain.review.changes import ChangeTally, LabelSet, Standing
from app.domain.review.corrections import Policy, Treatment, policies
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.packing import unpack_keys, unpack_labels

#: How many changed examples are kept, lowest index first.
MOST_KEPT: Final = 20_000
_BLOCK: Final = tables.EXAMPLES_PER_BLOCK
_NOT_THERE: Final = -1


@dataclass(frozen=True)
class VersionDiff:
    """What changed between two versions: counts, and the first changed examples as the log keeps them."""

    tally: ChangeTally
    n_changed: int
    kept: list[dict[str, Any]]


class VersionReader:
    """One of the two versions, read block by block."""

    def __init__(self, connection: Connection, whole: TestSet) -> None:
        self.whole = whole
        self._connection = connection
        self._reviewed = _reviewed(connection, whole)
        self._indices = np.array(sorted(self._reviewed), dtype=np.int64)
        self._block = _Block(start=-1)

    def block(self, start: int) -> "_Block":
        """The examples from ``start``, one block of them, in a form that can be compared at once."""
        if self._block.start != start:
            self._block = self._read(start)
        return self._block

    def reviewed(self, start: int) -> NDArray[np.int64]:
        """The indices of the reviewed examples of a block."""
        low, high = np.searchsorted(self._indices, (start, start + _BLOCK))
        return self._indices[low:high]

    def standing(self, index: int) -> Standing | None:
        """The standing of an example of the block read last; None if the test set ends before it."""
        if index in self._reviewed:
            return self._reviewed[index]
        block, place = self._block, index - self._block.start
        if block.given[place] == _NOT_THERE:
            return None
        return Standing(self.whole.members[block.given[place]], issue=bool(block.issue[place]))

    def key(self, index: int) -> str | None:
        """The dataset's own key of an example of the block read last."""
        keys = self._block.keys()
        return None if keys is None else keys[index - self._block.start]

    def _read(self, start: int) -> "_Block":
        e = tables.examples.c
        of_block = select(e.labels, e["keys"].label("packed")).where(e.dataset_id == self.whole.id, e.start == start)
        row = self._connection.execute(of_block).one_or_none()
        if row is None:
            return _Block(start)
        block = _Block(start, packed=row.packed)
        labels = unpack_labels(row.labels)
        block.given[: len(labels)] = labels
        block.issue[issues_between(self._connection, self.whole.id, start, _BLOCK) - start] = True
        return block


@dataclass(eq=False)
class _Block:
    start: int
    packed: bytes | None = None
    given: NDArray[np.int64] = field(default_factory=lambda: np.full(_BLOCK, _NOT_THERE, np.int64))  # label ids
    issue: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(_BLOCK, np.bool_))
    _keys: list[str] | None = None

    def keys(self) -> list[str] | None:
        if self._keys is None and self.packed is not None:
            self._keys = unpack_keys(self.packed)
        return self._keys


def side(connection: Connection, name: str) -> VersionReader | None:
    """A dataset of a catalogue to compare; None if it, or the given labels of its examples, are missing."""
    try:
        return VersionReader(connection, load(connection, name))
    except (NotLoadedError, LookupError):
        return None


def compare(before: VersionReader, after: VersionReader) -> VersionDiff | None:
    """What changed between the versions, under every policy for which both have enough data; None if there is no such
    policy.
    """
    shared = _policies(before.whole, after.whole)
    if not shared:
        return None
    tally = ChangeTally(shared)
    same_label = _translation(before.whole.members, after.whole.members)
    n_changed, kept = 0, list[dict[str, Any]]()
    for start in range(0, max(before.whole.size, after.whole.size), _BLOCK):
        changed = _changed(before, after, start, same_label, tally)
        n_changed += len(changed)
        kept += [_row(before, after, index) for index in changed[: MOST_KEPT - len(kept)].tolist()]
    return VersionDiff(tally, n_changed, kept)


def _policies(before: TestSet, after: TestSet) -> list[Policy]:
    shared = [agreement for agreement in after.agreements if agreement in before.agreements]
    every = (policy for agreement in shared for policy in policies(agreement))
    flags = before.flags_known and after.flags_known
    return [policy for policy in every if flags or policy.unreviewed is not Treatment.DROP]


def _translation(before: tuple[LabelSet, ...], after: tuple[LabelSet, ...]) -> NDArray[np.int64]:
    """Label id before -> label id of the same classes after, -2 if there is none; -1 stays -1 (last entry)."""
    ids = {classes: label for label, classes in enumerate(after)}
    return np.array([*(ids.get(classes, -2) for classes in before), _NOT_THERE], dtype=np.int64)


def _changed(
    before: VersionReader, after: VersionReader, start: int, same_label: NDArray[np.int64], tally: ChangeTally
) -> NDArray[np.int64]:
    """The indices of the examples of a block that changed under some policy; also counts them in the tally."""
    was, now = before.block(start), after.block(start)
    alike = same_label[was.given] == now.given
    # Five values distinguish all kinds of unreviewed examples.
    gone, new = was.given == _NOT_THERE, now.given == _NOT_THERE
    kinds = np.packbits(np.stack((alike, gone, new, was.issue, now.issue), axis=1), axis=1)[:, 0]
    reviewed = np.union1d(before.reviewed(start), after.reviewed(start))
    nobody = np.ones(_BLOCK, dtype=np.bool_)
    nobody[reviewed - start] = False
    changed = [index for index in reviewed.tolist() if tally.add(before.standing(index), after.standing(index))]
    for kind in np.unique(kinds[nobody]).tolist():
        places = np.flatnonzero((kinds == kind) & nobody)
        one = start + int(places[0])
        if tally.add(before.standing(one), after.standing(one), n=len(places)):
            changed += (start + places).tolist()
    return np.sort(np.array(changed, dtype=np.int64))


def _row(before: VersionReader, after: VersionReader, index: int) -> dict[str, Any]:
    was, now = before.standing(index), after.standing(index)
    return {
        "idx": index,
        "key": before.key(index) if now is None else after.key(index),
        "before": None if was is None else spelled(was),
        "after": None if now is None else spelled(now),
    }


def _reviewed(connection: Connection, whole: TestSet) -> dict[int, Standing]:
    i, v = tables.issues.c, tables.verdicts.c
    rows = connection.execute(
        select(i.idx, i.given, v.agreement, v.category, v.corrected, v.several)
        .select_from(tables.verdicts.join(tables.issues, i.id == v.issue_id))
        .where(v.dataset_id == whole.id)
    ).all()
    verdicts: dict[int, dict[int, tuple[Category, LabelSet | None]]] = {}
    given: dict[int, int] = {}
    for row in rows:
        agreed = None if row.corrected is None else whole.members[row.corrected]
        if row.several is not None:
            agreed = tuple(json.loads(row.several))
        verdicts.setdefault(row.idx, {})[row.agreement] = Category(row.category), agreed
        given[row.idx] = row.given
    return {
        idx: Standing(whole.members[given[idx]], True, dict(sorted(found.items()))) for idx, found in verdicts.items()
    }
