"""Read the confident joint of a dataset and its calibration as ingest computed them."""

from typing import NamedTuple

from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import ConfusionCell, Dataset
from app.schema import tables


class JointCell(NamedTuple):
    """An entry of the confident joint C (a count) and of the joint Q (a probability)."""

    counted: ConfusionCell  # ``other`` is the latent class
    probability: float

    @property
    def on_diagonal(self) -> bool:
        return self.counted.given.id == self.counted.other.id


def joint(catalogue: Catalogue, dataset: Dataset) -> tuple[JointCell, ...]:
    """The non-zero entries, off-diagonal ones first, largest first; none without predicted probabilities."""
    j = tables.joint_cells.c
    rows = catalogue.connection.execute(
        select(j.given, j.latent, j.count.label("n"), j.probability)
        .where(j.dataset_id == dataset.id)
        .order_by(j.given == j.latent, j.count.desc(), j.probability.desc(), j.given, j.latent)
    )
    classes = dataset.classes
    return tuple(
        JointCell(ConfusionCell(classes[row.given], classes[row.latent], row.n), row.probability) for row in rows
    )
