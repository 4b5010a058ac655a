"""Examples of a corrected test set as JSON objects: a page of rows, or the rows of given indices and keys.

It reads blocks through ``app.corrected`` and caches a few of them for clients that ask for one example after another.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import Connection, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.corrected.blocks import ACTIONS, CATEGORIES, Block, CorrectedTestSet
from app.corrected.confirmation import Confirmation, SourceName
from app.domain.review.corrections import Action, Policy, Sizes, sizes
from app.errors import NotFound, NotInCatalogue
from app.issues.reviewed.issue_at import require_shown
from app.issues.reviewed.rater_agreement import categories_under
from app.schema import tables
from app.schema.packing import NO_LABEL

#: Larger test sets do not have their keys kept in memory.
MOST_KEYS: Final = 2_000_000
#: In place of an index: a key that several examples have.
_SEVERAL: Final = -2
_BLOCK: Final = tables.EXAMPLES_PER_BLOCK


def sizes_of(catalogue: Catalogue, dataset: Dataset, corrected: CorrectedTestSet) -> Sizes:
    """Sizes of D, B, C, U and P under the policy."""
    policy = corrected.wanted.policy
    counts = categories_under(catalogue, dataset, policy)
    return sizes(dataset.n_shown or 0, counts, policy, corrections(dataset, policy))


def corrections(dataset: Dataset, policy: Policy) -> Mapping[Action, int] | None:
    """What becomes of the correctable examples; None under a policy that treats all of them alike."""
    names = [SourceName(source.name, source.independent) for source in dataset.opinions.sources]
    return Confirmation(names, policy).actions(dataset.confidence.corrections.get(policy.agreement, {}))


def page(
    catalogue: Catalogue, connection: Connection, corrected: CorrectedTestSet, first: int, limit: int
) -> tuple[list[Any], int | None]:
    """At most ``limit`` listed rows from the example ``first`` on, and the index at which the next page begins."""
    rows: list[Any] = []
    write = Writer(corrected)
    for start in range(first - first % _BLOCK, corrected.test_set.size, _BLOCK):
        block = _block(catalogue, connection, corrected, start)
        places = block.listed(corrected.wanted.removed)
        for place in places[np.searchsorted(places, first - start) :].tolist():
            if len(rows) == limit:
                return rows, start + place
            rows.append(write.row(block, place))
    return rows, None


def labels(
    catalogue: Catalogue, connection: Connection, corrected: CorrectedTestSet, wanted: Sequence[int | str]
) -> list[dict[str, Any]]:
    """The rows of examples given by index or key, in the given order.

    Raises NotFound for the first one that does not exist, and InReview for the first one that is held back.
    """
    indices = _indices(catalogue, connection, corrected, wanted)
    require_shown(catalogue, catalogue.datasets[corrected.test_set.name], indices)
    write = Writer(corrected)
    found: dict[int, dict[str, Any]] = {}
    for index in sorted(set(indices)):
        start = index - index % _BLOCK
        found[index] = write.row(_block(catalogue, connection, corrected, start), index - start)
    return [found[index] for index in indices]


class Writer:
    """Writes rows as objects; each label is converted once."""

    def __init__(self, corrected: CorrectedTestSet) -> None:
        self._corrected = corrected
        self._given: dict[int, orjson.Fragment] = {}
        self._now: dict[int, orjson.Fragment] = {}

    def row(self, block: Block, place: int) -> dict[str, Any]:
        """The row at an index of a block."""
        now = int(block.corrected[place])
        given = int(block.given[place])
        row = {
            "index": block.start + place,
            "key": None if block.keys is None else block.keys[place],
            "given": self._label(self._given, given, self._corrected.test_set.multi_label),
            "corrected": None if now == NO_LABEL else self._label(self._now, now, self._corrected.sets),
            "action": ACTIONS[block.action[place]].value,
            "category": CATEGORIES[block.category[place]].value,
        }
        row |= zip(
            self._corrected.confidence_columns, self._corrected.confidences_of(int(block.said[place])), strict=True
        )
        if self._corrected.wanted.opinions:
            names = [source.name for source in self._corrected.test_set.opinions]
            row["opinions"] = dict(zip(names, self._corrected.stances_of(int(block.said[place])), strict=True))
        return row

    def _label(self, made: dict[int, orjson.Fragment], label: int, as_set: bool) -> orjson.Fragment:
        if label not in made:
            names = self._corrected.test_set.class_names
            parts = [{"id": c, "name": names[c]} for c in self._corrected.members[label]]
            made[label] = orjson.Fragment(orjson.dumps(parts if as_set else parts[0]))
        return made[label]


def _block(catalogue: Catalogue, connection: Connection, corrected: CorrectedTestSet, start: int) -> Block:
    def read() -> Block:
        e = tables.examples.c
        row = connection.execute(
            select(e.labels, e["keys"].label("packed")).where(e.dataset_id == corrected.test_set.id, e.start == start)
        ).one()
        return corrected.block(connection, start, row.labels, row.packed)

    return catalogue.blocks.get((corrected.test_set.id, corrected.wanted, start), read)


def _indices(
    catalogue: Catalogue, connection: Connection, corrected: CorrectedTestSet, wanted: Iterable[int | str]
) -> list[int]:
    by_key: Mapping[str, int] | None = None
    size, title = corrected.test_set.size, corrected.test_set.title
    found = []
    for name in wanted:
        if isinstance(name, str):
            if by_key is None:
                by_key = _keys(catalogue, connection, corrected)
            index = by_key.get(name, -1)
        else:
            index = name
        if index == _SEVERAL and isinstance(name, str):
            raise NotInCatalogue(f"{title} has several examples {name[:80]!r}, each with its own label. Use indices.")
        if not 0 <= index < size:
            keyed = "" if by_key == {} else " or a key"
            raise NotFound(f"{title} has no example {str(name)[:80]!r}; expected an index from 0 to {size - 1}{keyed}.")
        found.append(index)
    return found


def has_keys(connection: Connection, dataset_id: int) -> bool:
    """Whether the dataset has its own names for its examples."""
    e = tables.examples.c
    found = select(e.start).where(e.dataset_id == dataset_id, e["keys"].is_not(None)).limit(1)
    return connection.execute(found).first() is not None


def _keys(catalogue: Catalogue, connection: Connection, corrected: CorrectedTestSet) -> Mapping[str, int]:
    test_set = corrected.test_set
    if not has_keys(connection, test_set.id):
        return {}
    if test_set.size > MOST_KEYS:
        raise NotInCatalogue(
            f"{test_set.title} has more than {MOST_KEYS:,} examples, too many to look up by key. Use indices, or "
            "join your keys with the column key of corrected.parquet."
        )

    def read() -> dict[str, int]:
        found: dict[str, int] = {}
        for block in corrected.blocks(connection):
            for place, key in enumerate(block.keys or ()):
                found[key] = _SEVERAL if key in found else block.start + place
        return found

    return catalogue.keys.get(test_set.id, read)
