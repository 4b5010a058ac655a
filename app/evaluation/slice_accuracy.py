"""Errors and accuracies of models by slice of a dataset, as a JSON object.

    {"slices": [{"n", "errors", "P", "C",
                 "models": [{"original_all", "original", "corrected", "gained", "lost"}]}]}

Counts of examples, slices in the order of their names, models in that of platform and name: on all examples by given
labels, and like for like on P by given and by corrected ones; then how many are right by the corrected labels alone
("gained"), and by the given ones alone ("lost"). Ingest stores the object, the site reads it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from app.domain.ranking.accuracy import Partition, Ranked, right
from app.domain.review.verdicts import ERROR_CATEGORIES
from app.evaluation.predictions_store import MeasurableDataset
from app.schema import tables
from app.schema.packing import unpack_labels
from app.schema.slice_tables import example_slices

Numbers = NDArray[np.int64]


def read_slices(connection: Connection, dataset_id: int) -> Numbers | None:
    """(n,) the number of each example's slice; None for a dataset without slices."""
    packed = connection.scalar(select(example_slices.c.numbers).where(example_slices.c.dataset_id == dataset_id))
    return None if packed is None else unpack_labels(packed)


def read_errors(connection: Connection, subject: MeasurableDataset, agreement: int) -> NDArray[np.bool_]:
    """(n,) marks of the examples that reviewers found to be errors of any kind."""
    i, v = tables.issues.c, tables.verdicts.c
    found = connection.scalars(
        select(i.idx)
        .select_from(tables.verdicts.join(tables.issues, i.id == v.issue_id))
        .where(v.dataset_id == subject.id, v.agreement == agreement)
        .where(v.category.in_(sorted(category.value for category in ERROR_CATEGORIES)))
    )
    marks = np.zeros(len(subject.given), np.bool_)
    marks[list(found)] = True
    return marks


def slice_results(
    test: Partition, errors: NDArray[np.bool_], slices: Numbers, n_slices: int, rankings: Sequence[Ranked]
) -> dict[str, Any]:
    """The object described above; ``slices`` is (n,), ``rankings`` the predictions of each model."""

    def counts(marks: NDArray[np.bool_]) -> list[int]:
        found: list[int] = np.bincount(slices[marks], minlength=n_slices).tolist()
        return found

    columns = {
        "n": counts(np.ones(len(slices), np.bool_)),
        "errors": counts(errors),
        "P": counts(test.pruned),
        "C": counts(test.correctable),
    }
    models = []
    for ranked in rankings:
        given, corrected = right(ranked, test.given, 1), right(ranked, test.corrected, 1)
        models.append(
            {
                "original_all": counts(given),
                "original": counts(given & test.pruned),
                "corrected": counts(corrected & test.pruned),
                "gained": counts(corrected & ~given & test.pruned),
                "lost": counts(given & ~corrected & test.pruned),
            }
        )
    return {
        "slices": [
            {
                **{name: column[place] for name, column in columns.items()},
                "models": [{name: column[place] for name, column in model.items()} for model in models],
            }
            for place in range(n_slices)
        ]
    }
