"""Tables 1 and 2 of the paper for this catalogue, and averages over its datasets.

Figures come from the catalogue and are shown beside the paper's. Only averages of shown figures are computed here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.catalogue.possible_categories import is_possible
from app.catalogue.records import Dataset
from app.domain.review.estimates import Basis
from app.domain.review.verdicts import Category
from app.errors import FilterError
from app.site.components.tables import Header, header
from app.web.templates import number, percent

#: The datasets of the paper; its average is over all of them.
PAPER_DATASETS: Final = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as text, and the paper's figure if it differs."""

    text: str
    paper: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of datasets. ``figure`` is the value shown and sorted by, None if unknown."""

    name: str
    title: str
    figure: Callable[[Dataset], Any]
    paper: str | None = None  # key of the paper's figure in ``Dataset.about``
    show: Callable[[Any], str] | None = None
    on_basis: bool = False  # depends on the dataset's ``basis``, and may be a lower bound

    @property
    def numeric(self) -> bool:
        return self.show is not None

    def cell(self, dataset: Dataset) -> Cell:
        value = self.figure(dataset)
        if self.show is None:
            return Cell(value or "–")
        printed = paper_figure(dataset, self.paper) if self.paper else None
        text = self.show(value)
        beside = None if printed is None or self.show(printed) == text else self.show(printed)
        bound = self.on_basis and value is not None and dataset.basis is Basis.AT_LEAST
        return Cell(f"≥ {text}" if bound else text, beside)


def paper_figure(dataset: Dataset, name: str) -> Any:
    """The paper's figure for a dataset, by name ("errors", "categories.neither"); None if it prints none."""
    found: Any = dataset.about.get("paper")
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def category_count(dataset: Dataset, category: Category) -> int | None:
    """Issues of a category at the paper's agreement; None if not reviewed, or if no reviewer could give that answer."""
    if not dataset.n_checked or not is_possible(category, dataset):
        return None
    return dataset.categories[dataset.default_agreement].get(category, 0)


def _if_reviewed(count: Callable[[Dataset], int]) -> Callable[[Dataset], int | None]:
    """A count of verdicts, or None for a dataset that was not reviewed: that is not the same as no errors."""
    return lambda dataset: count(dataset) if dataset.n_checked else None


def _category(name: str, title: str, category: Category) -> Column:
    return Column(name, title, lambda d: category_count(d, category), f"categories.{name}", number)


TABLE_1: Final = (
    Column("dataset", "Dataset", lambda d: d.title),
    Column("modality", "Modality", lambda d: d.modality),
    Column("size", "Size", lambda d: d.size, "size", number),
    Column("model", "Model", lambda d: d.about.get("model")),
    Column("flagged", "Flagged", lambda d: d.n_flagged, "flagged", number),
    Column("checked", "Checked", lambda d: d.n_checked, "checked", number),
    Column("errors", "Errors", _if_reviewed(lambda d: d.n_errors), "errors", number),
    Column("estimated", "Errors, estimated", lambda d: d.estimated_errors, "estimated_errors", number, on_basis=True),
    Column("percent", "% error", lambda d: d.percent_error, "percent_error", percent, on_basis=True),
)
TABLE_2: Final = (
    Column("dataset", "Dataset", lambda d: d.title),
    Column("non_errors", "Non-errors", _if_reviewed(lambda d: d.n_non_errors), "non_errors", number),
    Column("errors", "Errors", _if_reviewed(lambda d: d.n_errors), "errors", number),
    _category("non_agreement", "Non-agreement", Category.NON_AGREEMENT),
    _category("correctable", "Correctable", Category.CORRECTABLE),
    _category("multi_label", "Multi-label", Category.MULTI_LABEL),
    _category("neither", "Neither", Category.NEITHER),
)
_NOT_ASKED: Final = Column("not_asked", "Not asked", lambda d: category_count(d, Category.NOT_ASKED), show=number)


def table_2(datasets: Sequence[Dataset]) -> tuple[Column, ...]:
    """The columns of Table 2, and one of errors without a category if there are any."""
    some = any(category_count(dataset, Category.NOT_ASKED) for dataset in datasets)
    return (*TABLE_2, _NOT_ASKED) if some else TABLE_2


@dataclass(frozen=True, slots=True)
class Table:
    """A sorted table of datasets."""

    headers: tuple[Header, ...]
    rows: tuple[tuple[Dataset, tuple[Cell, ...]], ...]


def table(parameter: str, columns: Sequence[Column], datasets: Sequence[Dataset], params: Mapping[str, str]) -> Table:
    """A table sorted by ``params[parameter]``, such as "errors" or "-errors"; unknown figures always come last.

    Raises FilterError for an unknown column.
    """
    wanted = params.get(parameter, "")
    chosen, descending = wanted.removeprefix("-"), wanted.startswith("-")
    column = next((c for c in columns if c.name == chosen), None)
    if wanted and column is None:
        raise FilterError(parameter, wanted, [sign + c.name for c in columns for sign in ("", "-")])
    ordered = list(datasets)
    if column is not None:
        known = [d for d in datasets if column.figure(d) is not None]
        known.sort(key=column.figure, reverse=descending)
        ordered = known + [d for d in datasets if column.figure(d) is None]
    others = {name: value for name, value in params.items() if name in ("table1", "table2") and name != parameter}
    headers = tuple(_header(c, parameter, wanted, others) for c in columns)
    return Table(headers, tuple((d, tuple(c.cell(d) for c in columns)) for d in ordered))


def _header(column: Column, parameter: str, wanted: str, others: Mapping[str, str]) -> Header:
    return header(column.name, column.title, column.numeric, wanted, f"#{parameter}", parameter, others)


def average_percent(datasets: Sequence[Dataset]) -> tuple[float, int] | None:
    """The mean percentage of errors and the number of datasets it is over; None if no dataset has one."""
    known = [d.percent_error for d in datasets if d.percent_error is not None]
    return (sum(known) / len(known), len(known)) if known else None


def paper_average(datasets: Sequence[Dataset]) -> float | None:
    """The mean of the paper's percentages of errors; None unless all datasets of the paper are here."""
    printed = [p for d in datasets if (p := paper_figure(d, "percent_error")) is not None]
    return sum(printed) / len(printed) if len(printed) == PAPER_DATASETS else None
