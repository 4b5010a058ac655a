"""Rows of the tables of slices, of one dataset."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert

from app.evaluation.predictions_store import MeasurableDataset, Model, NotMeasurableError, read_partition, read_subject
from app.evaluation.slice_accuracy import read_errors, read_slices, slice_results
from app.schema import slice_tables as tables
from app.schema.packing import pack_labels
from app.schema.tables import issue_id
from ingest.datasets.build import Build
from ingest.labels.slices import Slices

Row = dict[str, Any]


def slices_json(slices: Slices) -> dict[str, Any]:
    """The description of slices that stands in ``datasets.about``."""
    counts = np.bincount(slices.numbers, minlength=len(slices.names)).tolist()
    return {"column": slices.column, "names": list(slices.names), "examples": counts}


def issue_slice_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    """The slice of each issue; none of a dataset without slices."""
    slices = build.inputs.slices
    if slices is None:
        return
    for position, number in enumerate(slices.numbers[build.issues.indices].tolist()):
        yield {"issue_id": issue_id(dataset_id, position), "dataset_id": dataset_id, "slice": number}


def example_slice_rows(build: Build, dataset_id: int) -> Iterator[Row]:
    """The slices of all examples, in one row; none of a dataset without slices."""
    if build.inputs.slices is not None:
        yield {"dataset_id": dataset_id, "numbers": pack_labels(build.inputs.slices.numbers)}


def store_slice_results(connection: Connection, subject: MeasurableDataset, models: Sequence[Model]) -> None:
    """Compute errors and accuracies by slice anew, if the dataset has slices."""
    table = tables.slice_results
    connection.execute(delete(table).where(table.c.dataset_id == subject.id))
    slices = read_slices(connection, subject.id)
    if slices is None:
        return
    for agreement in subject.agreements:
        test, errors = read_partition(connection, subject, agreement), read_errors(connection, subject, agreement)
        rankings = [model.ranked for model in models]
        found = slice_results(test, errors, slices, int(slices.max(initial=0)) + 1, rankings)
        row = {"dataset_id": subject.id, "agreement": agreement, "results": json.dumps(found)}
        connection.execute(insert(table), [row])


def store_slice_counts(connection: Connection, build: Build) -> None:
    """``store_slice_results`` of a stored dataset without models; nothing where accuracy is not defined."""
    if build.inputs.slices is None:
        return  # before all labels are read back, of which there may be millions
    try:
        subject = read_subject(connection, build.inputs.manifest.name)
    except NotMeasurableError:
        return
    store_slice_results(connection, subject, [])
