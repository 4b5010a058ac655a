"""Read a test set with its verdicts, and its models' predictions, from a catalogue.

Raises NotMeasurableError, with a sentence for the reader, if accuracy is not defined for a dataset.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from app.domain.ranking.accuracy import Labels, Partition, Ranked, partition
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.packing import unpack_keys, unpack_labels


class NotMeasurableError(Exception):
    """A dataset on which no accuracy can be measured, and why, in a sentence."""


@dataclass(frozen=True, slots=True)
class MeasurableDataset:
    """A dataset whose examples have one label each, all of them known."""

    id: int
    name: str
    title: str
    raters: int
    agreements: tuple[int, ...]
    class_names: tuple[str, ...]
    given: Labels
    questions: bool = False  # whether its examples are questions, which a model may leave without an answer


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose predictions are known; ``platform`` is part of its name."""

    platform: str
    name: str
    title: str
    parameters: int | None
    source: str | None
    sha256: str
    ranked: Ranked

    @property
    def key(self) -> str:
        """How pages, addresses and answers name it: "pytorch/resnet18"."""
        return f"{self.platform}/{self.name}"


def read_subject(connection: Connection, name: str) -> MeasurableDataset:
    """The dataset of a name. Raises NotMeasurableError where accuracies cannot be told on it."""
    d = tables.datasets.c
    row = connection.execute(select(tables.datasets).where(d.name == name)).mappings().one_or_none()
    if row is None:
        known = ", ".join(connection.execute(select(d.name).order_by(d.position)).scalars()) or "none"
        raise NotMeasurableError(f"There is no dataset {name[:80]!r} in this catalogue; it holds {known}.")
    if _has_label_sets(connection, row["id"]):
        raise NotMeasurableError(
            f"The examples of {row['title']} have several labels at once, and the paper's accuracies are defined for "
            "one label each, so there is no ranking of models."
        )
    if not row["labels_known"]:
        raise NotMeasurableError(
            f"The given labels of {row['title']} are not in this catalogue, so accuracy cannot be measured."
        )
    c = tables.classes.c
    class_names = connection.execute(select(c.name).where(c.dataset_id == row["id"]).order_by(c.class_id)).scalars()
    return MeasurableDataset(
        id=row["id"],
        name=name,
        title=row["title"],
        raters=row["raters"],
        agreements=tuple(json.loads(row["agreements"])),
        class_names=tuple(class_names),
        given=_given(connection, row["id"]),
        questions=row["modality"] == "question",
    )


def _has_label_sets(connection: Connection, dataset_id: int) -> bool:
    s = tables.label_sets.c
    n_classes = select(tables.datasets.c.n_classes).where(tables.datasets.c.id == dataset_id).scalar_subquery()
    others = select(func.count()).where(s.dataset_id == dataset_id, s.label_id >= n_classes)
    return bool(connection.scalar(others))


def _given(connection: Connection, dataset_id: int) -> Labels:
    e = tables.examples.c
    blocks = connection.execute(select(e.labels).where(e.dataset_id == dataset_id).order_by(e.start)).scalars()
    arrays = [unpack_labels(block) for block in blocks]
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def read_keys(connection: Connection, subject: MeasurableDataset) -> list[str] | None:
    """The dataset's own names of its examples, in their order; None where it has none."""
    e = tables.examples.c
    column = e["keys"].label("packed")
    blocks = connection.execute(select(column).where(e.dataset_id == subject.id).order_by(e.start)).scalars()
    keys: list[str] = []
    for block in blocks:
        if block is None:
            return None
        keys += unpack_keys(block)
    return keys


def read_partition(connection: Connection, subject: MeasurableDataset, agreement: int) -> Partition:
    """The sets B, C, U and P of a dataset at an agreement threshold."""
    i, v = tables.issues.c, tables.verdicts.c
    rows = connection.execute(
        select(i.idx, v.category, v.corrected)
        .select_from(tables.verdicts.join(tables.issues, i.id == v.issue_id))
        .where(v.dataset_id == subject.id, v.agreement == agreement)
    )
    return partition(subject.given, {row.idx: (Category(row.category), row.corrected) for row in rows})


def read_models(connection: Connection, dataset_id: int) -> list[Model]:
    """The models of a dataset with all their predictions, in the order of platform and name."""
    m = tables.models.c
    rows = connection.execute(select(tables.models).where(m.dataset_id == dataset_id).order_by(m.platform, m.name))
    return [
        Model(
            row.platform,
            row.name,
            row.title,
            row.parameters,
            row.source,
            row.sha256,
            unpacked(row.ranked, row.n_examples, row.n_ranked),
        )
        for row in rows
    ]


def read_first_choices(connection: Connection, dataset_id: int) -> dict[str, NDArray[np.int32]]:
    """Key -> (n,) first choices of each model of a dataset, in the order of platform and name."""
    m = tables.models.c
    rows = connection.execute(
        select(m.platform, m.name, m.n_examples, m.ranked)
        .where(m.dataset_id == dataset_id)
        .order_by(m.platform, m.name)
    )
    # First choices stand first: the others need not be unpacked.
    return {
        f"{row.platform}/{row.name}": np.frombuffer(
            zlib.decompressobj().decompress(row.ranked, 4 * row.n_examples), "<i4"
        ).astype(np.int32)
        for row in rows
    }


def packed(ranked: Ranked) -> bytes:
    """(n, k) predictions as the catalogue holds them."""
    return zlib.compress(np.ascontiguousarray(ranked.T).astype("<i4").tobytes(), level=1)


def unpacked(data: bytes, n: int, k: int) -> Ranked:
    """(n, k) predictions from the catalogue's bytes."""
    flat: NDArray[np.int32] = np.frombuffer(zlib.decompress(data), "<i4").astype(np.int32)
    return np.ascontiguousarray(flat.reshape(k, n).T)


def issue_predictions(models: Sequence[Model], indices: Sequence[int]) -> Mapping[int, NDArray[np.int32]]:
    """Index -> (models,) first choices, for some examples."""
    if not models:
        return {}
    top = np.stack([model.ranked[:, 0] for model in models], axis=1)
    return {index: top[index] for index in indices}
