"""A corrected test set as arrays, one block of examples at a time.

Every output (text, arrays, tables, look-ups) is written from these blocks, so they always agree. Memory use is one
block plus the reviewed examples, whatever the size of the test set.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, null, select

from app.corrected.confirmation import Confirmation
from app.corrected.original_test_set import NotLoadedError, TestSet, csr
from app.corrected.policy import ExportOptions, PolicyError
from app.domain.confidence.correction_facts import NOTHING_KNOWN, CorrectionFacts
from app.domain.opinions.stances import stances_of
from app.domain.review.corrections import Action, LabelSource, Policy, Rule, Treatment, decision
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.packing import NO_LABEL, unpack_keys, unpack_labels
from app.schema.votes import rater_agreement, weighed_verdicts

ACTIONS: Final = tuple(Action)
CATEGORIES: Final = tuple(Category)
#: What rows say of corrections, on request: how probable a majority would make it, and how probable it is right.
CONFIDENCE_COLUMNS: Final = ("confidence", "probability_right")
KEPT: Final = ACTIONS.index(Action.KEPT)
_REMOVED: Final = ACTIONS.index(Action.REMOVED)
UNREVIEWED: Final = CATEGORIES.index(Category.UNREVIEWED)


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Consecutive examples. ``action`` and ``category`` are places in ``ACTIONS`` and ``CATEGORIES``.

    Those that an open round holds back have no label at all, and are not listed even where removed ones are.
    """

    start: int
    given: NDArray[np.int64]  # label ids, NO_LABEL where held back
    corrected: NDArray[np.int64]  # label ids of the corrected set, NO_LABEL where removed or held back
    action: NDArray[np.uint8]
    category: NDArray[np.uint8]
    said: NDArray[np.int32]  # places in ``CorrectedTestSet.known``
    special: NDArray[
        np.int64
    ]  # places of the examples that were reviewed, removed or held back; others keep their label
    keys: list[str] | None

    def __len__(self) -> int:
        return len(self.given)

    def part(self, first: int, end: int) -> "Block":
        """The examples at the places first, ..., end - 1 of this block."""
        inside = self.special[(self.special >= first) & (self.special < end)] - first
        return Block(
            self.start + first,
            self.given[first:end],
            self.corrected[first:end],
            self.action[first:end],
            self.category[first:end],
            self.said[first:end],
            inside,
            None if self.keys is None else self.keys[first:end],
        )

    def listed(self, removed: bool) -> NDArray[np.int64]:
        """The places of the examples that are listed: all, or those that were not removed."""
        if removed:
            return np.flatnonzero(self.given != NO_LABEL)
        return np.flatnonzero(self.action != _REMOVED)


@dataclass(frozen=True, eq=False)
class CorrectedTestSet:
    """A test set under a policy. ``members`` are its label sets and those of multi-label examples that it adds."""

    test_set: TestSet
    wanted: ExportOptions
    members: tuple[tuple[int, ...], ...]
    index: NDArray[np.int64]  # of reviewed examples, ascending
    action: NDArray[np.uint8]
    category: NDArray[np.uint8]
    label: NDArray[np.int64]  # label id, NO_LABEL where removed, and where the given label stays
    known: tuple[CorrectionFacts, ...]  # what rows say beside the verdict; the first is of examples nobody reviewed
    said: NDArray[np.int32]  # places in ``known``; all 0 where rows do not say anything else

    @property
    def sets(self) -> bool:
        """True where corrected labels are sets: the dataset's own way, or the policy's."""
        return self.test_set.multi_label or self.wanted.policy.multi_label is Treatment.BOTH

    @property
    def opinion_columns(self) -> tuple[str, ...]:
        """The columns that say what each second opinion holds, where they are asked for."""
        names = [source.name for source in self.test_set.opinions] if self.wanted.opinions else []
        return tuple(f"opinion_{name}" for name in names)

    @property
    def confidence_columns(self) -> tuple[str, ...]:
        """The columns that say how sure corrections are, where they are asked for."""
        return CONFIDENCE_COLUMNS if self.wanted.confidences else ()

    def stances_of(self, said: int) -> tuple[str | None, ...]:
        """The values of the opinions' columns, by a place in ``known``; None where nobody reviewed the example."""
        columns = self.opinion_columns
        found = [stance.value for stance in stances_of(self.known[said].signs)] if columns else []
        return tuple(found) or (None,) * len(columns)

    def confidences_of(self, said: int) -> tuple[float | None, ...]:
        """The values of the columns of confidence, likewise; None for anything but a correction."""
        known = self.known[said]
        return (known.confidence, known.probability_right) if self.wanted.confidences else ()

    def members_csr(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """As ``TestSet.members_csr``, over the label sets of this policy."""
        return csr(self.members)

    def blocks(self, connection: Connection, first: int = 0) -> Iterator[Block]:
        """The blocks of all examples, in their order, from the one that holds the example ``first``."""
        e = tables.examples.c
        start = first - first % tables.EXAMPLES_PER_BLOCK
        rows = connection.execution_options(stream_results=True, max_row_buffer=1).execute(
            select(e.start, e.labels, e["keys"].label("packed"))
            .where(e.dataset_id == self.test_set.id, e.start >= start)
            .order_by(e.start)
        )
        for row in rows:
            yield self.block(connection, row.start, row.labels, row.packed)

    def block(self, connection: Connection, start: int, labels: bytes, packed: bytes | None) -> Block:
        """The block that begins at an example, from its packed labels and keys."""
        given = unpack_labels(labels)
        corrected, n = given.copy(), len(given)
        action, category = np.full(n, KEPT, np.uint8), np.full(n, UNREVIEWED, np.uint8)
        low, high = np.searchsorted(self.index, (start, start + n))
        reviewed = self.index[low:high] - start
        action[reviewed], category[reviewed] = self.action[low:high], self.category[low:high]
        said = np.zeros(n, np.int32)
        said[reviewed] = self.said[low:high]
        kept = self.action[low:high] == KEPT
        corrected[reviewed] = np.where(kept, given[reviewed], self.label[low:high])
        special = reviewed
        if self.wanted.policy.unreviewed is Treatment.DROP:
            dropped = np.setdiff1d(issues_between(connection, self.test_set.id, start, n) - start, reviewed)
            action[dropped], corrected[dropped] = _REMOVED, NO_LABEL
            special = np.union1d(reviewed, dropped)
        held_back = np.flatnonzero(given == NO_LABEL)
        if len(held_back):
            action[held_back], corrected[held_back] = _REMOVED, NO_LABEL
            special = np.union1d(special, held_back)
        keys = None if packed is None else unpack_keys(packed)
        return Block(start, given, corrected, action, category, said, special, keys)


def corrected(connection: Connection, test_set: TestSet, wanted: ExportOptions) -> CorrectedTestSet:
    """A test set under a policy, with what happens to each reviewed example decided.

    Raises NotLoadedError for a policy that drops flagged examples where the catalogue does not know which those are,
    and PolicyError for a rule that the dataset does not offer.
    """
    if wanted.policy.unreviewed is Treatment.DROP and not test_set.flags_known:
        raise NotLoadedError(
            f"Which examples of {test_set.title} were flagged is not in this catalogue, so unreviewed ones cannot be "
            "dropped. Ingest the dataset again with its predicted probabilities, or use unreviewed=given."
        )
    rows = sorted(connection.execute(_verdicts(connection, test_set, wanted.policy)).all(), key=lambda row: row.idx)
    labels, confirmation = _Labels(test_set.members), Confirmation(test_set.opinions, wanted.policy)
    places = {NOTHING_KNOWN: 0}
    said = [places.setdefault(_told(wanted, row), len(places)) for row in rows]
    known = [CorrectionFacts(row.opinions, row.confidence) for row in rows]
    decided = [_decided(wanted.policy, row, labels, confirmation.of(one)) for row, one in zip(rows, known, strict=True)]
    return CorrectedTestSet(
        test_set=test_set,
        wanted=wanted,
        members=tuple(labels.members),
        index=np.array([row.idx for row in rows], dtype=np.int64),
        action=np.array([action for action, _, _ in decided], dtype=np.uint8),
        category=np.array([category for _, category, _ in decided], dtype=np.uint8),
        label=np.array([label for _, _, label in decided], dtype=np.int64),
        known=tuple(places),
        said=np.array(said, dtype=np.int32),
    )


def _told(wanted: ExportOptions, row: Any) -> CorrectionFacts:
    """What rows say of an example beside its verdict."""
    found = CorrectionFacts(row.opinions) if wanted.opinions else NOTHING_KNOWN
    if not wanted.confidences:
        return found
    return found._replace(confidence=row.confidence, probability_right=row.probability_right)


def _verdicts(connection: Connection, test_set: TestSet, policy: Policy) -> Select[Any]:
    """The verdicts that a policy goes by: a row a reviewed example."""
    i, v = tables.issues.c, tables.verdicts.c
    if policy.rule is Rule.VOTES:
        columns = (
            i.idx,
            i.given,
            v.category,
            v.corrected,
            v.several,
            v.opinions,
            *(v[name] for name in CONFIDENCE_COLUMNS),
        )
        of_votes = select(*columns).select_from(tables.verdicts.join(tables.issues, i.id == v.issue_id))
        return of_votes.where(v.dataset_id == test_set.id, v.agreement == policy.agreement)
    known = select(rater_agreement.c.weighed).where(rater_agreement.c.dataset_id == test_set.id)
    if not connection.scalar(known):
        raise PolicyError(
            "rule",
            policy.rule.value,
            [Rule.VOTES.value],
            f"rule={policy.rule.value} needs to know who gave each vote, which this catalogue does not know of "
            f"{test_set.title}: its votes were not all given in rounds of this site. Use rule=votes.",
        )
    w = weighed_verdicts.c
    unknown = [null().label(name) for name in ("opinions", *CONFIDENCE_COLUMNS)]
    weighed = select(i.idx, i.given, w.category, w.corrected, w.several, *unknown)
    joined = weighed.select_from(weighed_verdicts.join(tables.issues, i.id == w.issue_id))
    return joined.where(w.issue_id.between(*tables.issue_id_range(test_set.id)))


class _Labels:
    """The label sets of a test set, and more where a policy makes more."""

    def __init__(self, members: tuple[tuple[int, ...], ...]) -> None:
        self.members = list(members)
        self._ids = {classes: label for label, classes in enumerate(members)}

    def id_of(self, classes: tuple[int, ...]) -> int:
        if classes not in self._ids:
            self._ids[classes] = len(self.members)
            self.members.append(classes)
        return self._ids[classes]


def _decided(policy: Policy, row: Any, labels: _Labels, said: tuple[bool, bool]) -> tuple[int, int, int]:
    category = Category(row.category)
    done = decision(category, policy, confirmed=said[0], opposed=said[1])
    label: int | None = NO_LABEL
    if done.carries is LabelSource.CORRECTED:
        label = row.corrected
    elif done.carries is LabelSource.BOTH:
        label = None if row.several is None else labels.id_of(tuple(json.loads(row.several)))
    elif done.carries is LabelSource.GIVEN:
        label = row.given
    if label is None:
        raise ValueError(f"a {category} example of label {row.given} has no label that reviewers agreed on")
    return ACTIONS.index(done.action), CATEGORIES.index(category), label


def issues_between(connection: Connection, dataset_id: int, start: int, n: int) -> NDArray[np.int64]:
    """Indices of flagged or reviewed examples in a range; the index of the table alone answers this."""
    i = tables.issues.c
    found = connection.scalars(
        select(i.idx).where(i.dataset_id == dataset_id, i.idx >= start, i.idx < start + n).order_by(i.idx)
    )
    return np.fromiter(found, dtype=np.int64)
