"""Read a dataset's second opinions, and what its reviewed issues are compared with, from a catalogue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from app.domain.opinions.opinion import Opinion
from app.domain.opinions.stances import STANCES, Stance, stances
from app.domain.ranking.accuracy import Partition
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.opinions import guesses, opinion_sources
from app.schema.packing import pack_labels, unpack_labels
from app.schema.votes import votes


@dataclass(frozen=True, slots=True)
class OpinionSource:
    """A second opinion on all examples of a dataset."""

    position: int
    name: str
    title: str
    independent: bool
    about: Mapping[str, Any]
    sha256: str
    covered: int
    agreeing: float
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The (k,) reviewed issues of a dataset at an agreement threshold, ascending by index.

    ``other`` is the label beside the given one: the corrected one, else the guess that reviewers saw; -1 without any.
    """

    ids: NDArray[np.int64]
    indices: NDArray[np.int64]
    categories: tuple[Category, ...]
    given: NDArray[np.int64]
    other: NDArray[np.int64]
    votes_given: NDArray[np.int64]  # how many reviewers named the given label alone
    flagged: NDArray[np.bool_]  # where it is not known otherwise, reviewers saw what was flagged

    def having(self, category: Category) -> NDArray[np.bool_]:
        """(k,) marks of the issues of a category."""
        return np.array([one is category for one in self.categories], np.bool_)


def read_sources(connection: Connection, dataset_id: int) -> list[OpinionSource]:
    """The opinions on a dataset, in the order in which they were read."""
    c = opinion_sources.c
    rows = connection.execute(select(opinion_sources).where(c.dataset_id == dataset_id).order_by(c.position))
    return [
        OpinionSource(
            row.position,
            row.name,
            row.title,
            bool(row.independent),
            json.loads(row.about),
            row.sha256,
            row.covered,
            row.agreeing,
            unpacked_opinion(row),
        )
        for row in rows
    ]


def read_reviewed(connection: Connection, dataset_id: int, agreement: int) -> Reviewed:
    """The reviewed issues of a dataset with one label an example."""
    i, v = tables.issues.c, tables.verdicts.c
    joined = tables.verdicts.join(tables.issues, i.id == v.issue_id)
    rows = connection.execute(
        select(i.id, i.idx, v.category, i.given, v.corrected, i.shown, i.guessed, i.flagged)
        .select_from(joined)
        .where(v.dataset_id == dataset_id, v.agreement == agreement)
        .order_by(i.idx)
    ).all()
    n = votes.c
    counted = select(n.issue_id, n.classes, n.n).where(n.dataset_id == dataset_id, n.classes.is_not(None))
    by_answer = {(row.issue_id, row.classes): row.n for row in connection.execute(counted)}
    others = [next((one for one in (row.corrected, row.shown, row.guessed) if one is not None), -1) for row in rows]
    return Reviewed(
        ids=np.array([row.id for row in rows], np.int64),
        indices=np.array([row.idx for row in rows], np.int64),
        categories=tuple(Category(row.category) for row in rows),
        given=np.array([row.given for row in rows], np.int64),
        other=np.array(others, np.int64),
        votes_given=np.array([by_answer.get((row.id, f"[{row.given}]"), 0) for row in rows], np.int64),
        flagged=np.array([row.flagged is not False for row in rows], np.bool_),
    )


def stances_on(source: OpinionSource, reviewed: Reviewed) -> NDArray[np.uint8]:
    """(k,) what an opinion says of reviewed issues, as places in ``STANCES``."""
    return stances(source.opinion, reviewed.indices, reviewed.given, reviewed.other)


def read_guesses(connection: Connection, dataset_id: int) -> NDArray[np.int64] | None:
    """(n,) what the model that flags guesses of every example; None where the catalogue does not keep it."""
    c = guesses.c
    blocks = connection.scalars(select(c.labels).where(c.dataset_id == dataset_id).order_by(c.start)).all()
    return np.concatenate([unpack_labels(block) for block in blocks]) if blocks else None


def only_where(test: Partition, source: OpinionSource, reviewed: Reviewed, stance: Stance) -> Partition:
    """A test set whose C is only what an opinion takes one stance on; other corrections have no known label."""
    wanted = np.zeros(len(test.given), np.bool_)
    wanted[reviewed.indices[stances_on(source, reviewed) == STANCES.index(stance)]] = True
    correctable = test.correctable & wanted
    corrected = np.where(correctable, test.corrected, test.given)
    return Partition(test.given, corrected, correctable, test.unknown | (test.correctable & ~wanted))


def packed_opinion(opinion: Opinion) -> dict[str, bytes | bool | None]:
    """The columns of ``opinion_sources`` that hold an opinion."""
    return {
        "counted": opinion.counted,
        "lengths": pack_labels(np.diff(opinion.offsets)),
        "classes": pack_labels(opinion.classes),
        "weights": pack_labels(opinion.weights) if opinion.counted else None,
    }


def unpacked_opinion(row: Row[tuple[object, ...]]) -> Opinion:
    """The opinion in a row of ``opinion_sources``. Raises ValueError for bytes that ``packed_opinion`` did not make."""
    lengths, classes = unpack_labels(row.lengths), unpack_labels(row.classes)
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    weights = np.ones(len(classes), np.int64) if row.weights is None else unpack_labels(row.weights)
    return Opinion(offsets, classes, weights, bool(row.counted))
