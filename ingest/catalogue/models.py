"""Store models' predictions in a catalogue, with everything the site shows about them, computed once.

A model replaces one of the same platform and name. Other models of the dataset, and everything else, stay.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from app.domain.review.verdicts import Category
from app.evaluation.evaluate import target_of
from app.evaluation.predictions_store import (
    MeasurableDataset,
    Model,
    NotMeasurableError,
    issue_predictions,
    packed,
    read_models,
    read_partition,
    read_subject,
)
from app.evaluation.stability import results
from app.schema import tables
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.columns import BLOCK, Columns, insert_columns
from ingest.catalogue.opinions.store_controls import store_controls
from ingest.catalogue.replace import of_dataset
from ingest.catalogue.slice_rows import store_slice_results
from ingest.datasets.model_folders import ModelFiles, find
from ingest.errors import CatalogueError, MissingFileError
from ingest.progress import Progress

_ROWS_AT_A_TIME: Final = 2_000


@dataclass(frozen=True)
class StoredModels:
    """What a catalogue now holds for one dataset's models."""

    dataset: str
    added: tuple[str, ...]
    n_models: int
    correctable: dict[int, int]  # agreement -> |C|

    def __str__(self) -> str:
        sizes = ", ".join(f"{n:,} correctable at {agreement}" for agreement, n in self.correctable.items())
        read = f"{len(self.added)} model{'s' if len(self.added) != 1 else ''} read"
        return f"{self.dataset}: {read}, {self.n_models} in all; {sizes}"


def add_models(
    folder: Path, dataset: str | None, catalogue: Path, *, wait: float, progress: Progress
) -> list[StoredModels]:
    """Read the models in a folder into a catalogue that holds their datasets: all of them, or none if one fails.

    Raises IngestError, naming the file; the catalogue is then unchanged.
    """
    found = find(folder, dataset)
    if not catalogue.is_file():
        raise MissingFileError(
            catalogue, "expected a catalogue that holds the dataset already, found none; ingest the dataset first"
        )
    with replacing_catalogue(catalogue, [], wait=wait, say=progress.say) as connection:
        return add_found(connection, found, progress)


def add_found(connection: Connection, found: Sequence[ModelFiles], progress: Progress) -> list[StoredModels]:
    """Read models, in the order of their datasets, into an open catalogue that holds these datasets."""
    groups = groupby(found, key=lambda one: one.dataset)
    return [_add(connection, name, list(some), progress) for name, some in groups]


def _add(connection: Connection, name: str, found: Sequence[ModelFiles], progress: Progress) -> StoredModels:
    try:
        subject = read_subject(connection, name)
    except NotMeasurableError as error:
        raise CatalogueError(f"{found[0].files[0].parent}: {error}") from error
    target = target_of(connection, subject)
    models = {model.key: model for model in read_models(connection, subject.id)}
    with progress.task(f"{name}: predictions", len(found), "models") as advance:
        for one in found:
            ranked = one.read(target)
            models[one.key] = Model(one.platform, one.name, one.title, one.parameters, one.source, one.sha256(), ranked)
            advance(1)
    ordered = sorted(models.values(), key=lambda model: (model.platform, model.name))
    sizes = store_models(connection, subject, ordered, progress)
    return StoredModels(name, tuple(one.key for one in found), len(ordered), sizes)


def store_models(
    connection: Connection, subject: MeasurableDataset, models: Sequence[Model], progress: Progress
) -> dict[int, int]:
    """Replace the models of a dataset, and everything computed from them.

    Returns the size of the correctable set by agreement threshold.
    """
    for table in (tables.predictions, tables.repeats, tables.stability, tables.models):
        connection.execute(delete(table).where(of_dataset(table, subject.id)))
    store_slice_results(connection, subject, models)
    if not models:
        store_controls(connection, subject, models, progress)
        return {}
    connection.execute(insert(tables.models), [_model_row(subject.id, model) for model in models])
    for block in _predictions(connection, subject, models):
        insert_columns(connection, tables.predictions, block)
    _insert(connection, tables.repeats, _repeat_rows(connection, subject, models))
    sizes = {}
    with progress.task(f"{subject.name}: stability", len(subject.agreements), "thresholds") as advance:
        for agreement in subject.agreements:
            test = read_partition(connection, subject, agreement)
            found = results(test, models, len(subject.class_names))
            row = {"dataset_id": subject.id, "agreement": agreement, "results": json.dumps(found)}
            connection.execute(insert(tables.stability), [row])
            sizes[agreement] = test.sizes.correctable
            advance(1)
    store_controls(connection, subject, models, progress)
    return sizes


def carry_over(connection: Connection, name: str, models: Sequence[Model], progress: Progress) -> None:
    """Restore the models of a dataset that was ingested again, as far as they fit the new version."""
    if not models:
        return
    try:
        subject = read_subject(connection, name)
    except NotMeasurableError as error:
        progress.say(f"{name}: its {len(models)} models are gone. {error}")
        return
    fitting = [model for model in models if _fits(model, subject)]
    if len(fitting) < len(models):
        progress.say(f"{name}: {len(models) - len(fitting)} models predict another test set than this, and are gone")
    store_models(connection, subject, fitting, progress)


def _fits(model: Model, subject: MeasurableDataset) -> bool:
    return len(model.ranked) == len(subject.given) and int(model.ranked.max()) < len(subject.class_names)


def _model_row(dataset_id: int, model: Model) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "platform": model.platform,
        "name": model.name,
        "title": model.title,
        "parameters": model.parameters,
        "source": model.source,
        "sha256": model.sha256,
        "n_examples": model.ranked.shape[0],
        "n_ranked": model.ranked.shape[1],
        "ranked": packed(model.ranked),
    }


def _predictions(connection: Connection, subject: MeasurableDataset, models: Sequence[Model]) -> Iterator[Columns]:
    """What the models predict for each issue, in order of ids."""
    i = tables.issues.c
    first_choices = [model.ranked[:, 0] for model in models]
    asked = select(i.id, i.idx, i.given).where(of_dataset(tables.issues, subject.id)).order_by(i.id)
    for rows in connection.execute(asked).partitions(BLOCK):
        ids, indices, given = zip(*rows, strict=True)
        top = np.stack([choices[np.array(indices)] for choices in first_choices], axis=1).astype("<i4")
        yield {
            "issue_id": ids,
            "dataset_id": [subject.id] * len(ids),
            "top": np.ascontiguousarray(top).view(f"V{4 * len(models)}").ravel().tolist(),
            "n_given": (top == np.array(given)[:, None]).sum(axis=1).tolist(),
        }


def _repeat_rows(
    connection: Connection, subject: MeasurableDataset, models: Sequence[Model]
) -> Iterator[dict[str, Any]]:
    """Which models predict the given label of which issues that reviewers corrected, at any threshold."""
    i, v = tables.issues.c, tables.verdicts.c
    corrected = connection.execute(
        select(i.id, i.idx, i.given)
        .distinct()
        .select_from(tables.verdicts.join(tables.issues, i.id == v.issue_id))
        .where(v.dataset_id == subject.id, v.category == Category.CORRECTABLE.value)
    ).all()
    top = issue_predictions(models, [issue.idx for issue in corrected])
    for issue in corrected:
        for place in np.flatnonzero(top[issue.idx] == issue.given).tolist():
            yield {"dataset_id": subject.id, "model": place, "issue_id": issue.id}


def _insert(connection: Connection, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _ROWS_AT_A_TIME:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)
