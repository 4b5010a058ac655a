"""Read the confident joint of a dataset and its calibration as ingest computed them."""

from typing import NamedTuple

from sqlalchemy import func, select

from app.catalogue.current import Catalogue
from app.catalogue.records import ConfusionCell, Dataset
from app.schema import tables

_j = tables.joint_cells.c


class JointCell(NamedTuple):
    """An entry of the confident joint C (a count) and of the joint Q (a probability)."""

    counted: ConfusionCell  # ``other`` is the latent class
    probability: float

    @property
    def on_diagonal(self) -> bool:
        return self.counted.given.id == self.counted.other.id


class JointSize(NamedTuple):
    """How many entries are not zero, and how many classes those off the diagonal are of."""

    entries: int
    off_diagonal: int
    classes: int


def joint_size(catalogue: Catalogue, dataset: Dataset) -> JointSize:
    """The size of the confident joint; all zero without predicted probabilities."""
    of_dataset = _j.dataset_id == dataset.id
    off = (of_dataset, _j.given != _j.latent)
    involved = select(_j.given).where(*off).union(select(_j.latent).where(*off)).subquery()
    asked = select(
        select(func.count()).select_from(tables.joint_cells).where(of_dataset).scalar_subquery(),
        select(func.count()).select_from(tables.joint_cells).where(*off).scalar_subquery(),
        select(func.count()).select_from(involved).scalar_subquery(),
    )
    return JointSize(*catalogue.connection.execute(asked).one())


def joint(catalogue: Catalogue, dataset: Dataset, start: int, stop: int) -> tuple[JointCell, ...]:
    """Some of the entries that are not zero: off-diagonal ones come first, largest first."""
    rows = catalogue.connection.execute(
        select(_j.given, _j.latent, _j.count.label("n"), _j.probability)
        .where(_j.dataset_id == dataset.id)
        .order_by(_j.given == _j.latent, _j.count.desc(), _j.probability.desc(), _j.given, _j.latent)
        .limit(stop - start)
        .offset(start)
    )
    classes = dataset.classes
    return tuple(
        JointCell(ConfusionCell(classes[row.given], classes[row.latent], row.n), row.probability) for row in rows
    )
