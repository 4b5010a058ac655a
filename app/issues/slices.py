"""Slices: the groups of examples that a dataset names, such as subjects, and the facet for them.

The facet has the name that the dataset gives its slices: ``?subject=virology``.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, select

from app.catalogue.records import Dataset
from app.errors import FilterError, near_names
from app.issues.facet import CountedIn, Facet, Others
from app.schema import tables
from app.schema.slice_tables import SLICES, issue_slices

_i, _s = tables.issues.c, issue_slices.c


class Slices(NamedTuple):
    """What a dataset calls its slices, their names, and how many examples each has."""

    column: str
    names: tuple[str, ...]
    examples: tuple[int, ...]

    @property
    def title(self) -> str:
        """The name of the column as a heading: "Subject"."""
        return self.column.replace("_", " ").capitalize()

    @property
    def noun(self) -> str:
        """The name of the column within a sentence: "subject"."""
        return self.column.replace("_", " ")


def slices_of(dataset: Dataset) -> Slices | None:
    """The slices of a dataset; None where it has none."""
    told = dataset.about.get(SLICES)
    if not isinstance(told, Mapping):
        return None
    return Slices(str(told["column"]), tuple(map(str, told["names"])), tuple(map(int, told["examples"])))


def slice_words(name: str) -> str:
    """The name of a slice for readers: "high_school_physics" -> "high school physics"."""
    return name.replace("_", " ")


def _read(dataset: Dataset, name: str, value: str) -> str:
    slices = slices_of(dataset)
    if slices is None:
        raise FilterError(name, value, [], f"{dataset.title} has no slices to filter by.")
    if value not in slices.names:
        raise FilterError(name, value, near_names(value, slices.names) or slices.names)
    return value


def _noun(dataset: Dataset) -> str:
    slices = slices_of(dataset)
    return "slice" if slices is None else slices.noun


def _where(dataset: Dataset, names: Sequence[str], _: bool) -> list[ColumnElement[bool]]:
    slices = slices_of(dataset)
    known = () if slices is None else slices.names
    numbers = [known.index(name) for name in names if name in known]
    inside = select(_s.issue_id).where(_s.dataset_id == dataset.id, _s.slice.in_(numbers))
    return [_i.id.in_(inside)]


def _means(dataset: Dataset, number: int) -> Sequence[str]:
    slices = slices_of(dataset)
    return () if slices is None else (slices.names[number],)


def _names(dataset: Dataset) -> Sequence[str]:
    slices = slices_of(dataset)
    return () if slices is None else slices.names


SLICE: Final = Facet(
    name="slice",
    called=lambda dataset: None if (slices := slices_of(dataset)) is None else slices.column,
    title="Slice",
    heading=lambda dataset: _noun(dataset).capitalize(),
    read=_read,
    says="A slice, where the dataset has some; its own name for them is the usual one: ``subject=virology``.",
    schema={"type": "string"},
    label=lambda _, name: slice_words(name),
    chip=lambda dataset, name: f"{_noun(dataset)}: {slice_words(name)}",
    clause=lambda dataset, chosen: f"of the {_noun(dataset)} {slice_words(chosen['slice'])}",
    where=_where,
    counted_in=CountedIn.ISSUES,
    columns=(select(_s.slice).where(_s.issue_id == _i.id).scalar_subquery(),),
    means=_means,
    exists=lambda dataset: slices_of(dataset) is not None,
    others=Others(lambda dataset, _: f"Any {_noun(dataset)}", _names),
)
