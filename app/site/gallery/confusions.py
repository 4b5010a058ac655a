"""Template context of the confusions page: pairs of labels, or the confident joint."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, ConfusionCell, Dataset
from app.issues import queries
from app.issues.confident_joint import joint
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import class_value
from app.site.components.charts import heat_map, most_involved

KINDS: Final = ("corrected", "guessed", "joint")
#: Rows shown before the visitor asks for all.
_AT_FIRST: Final = 200


def confusion_context(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: str, everything: bool
) -> dict[str, Any]:
    """The template context for one of ``KINDS``; ``everything`` includes all rows."""
    context = _joint(catalogue, dataset) if kind == "joint" else _pairs(catalogue, dataset, f, kind)
    rows = context.pop("all_rows")
    return context | {
        "rows": rows if everything else rows[:_AT_FIRST],
        "cut": len(rows) > _AT_FIRST and not everything,
        "n_pairs": len(rows),
        "links": _links(dataset, f, kind),
    }


def _pairs(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: str) -> dict[str, Any]:
    cells = queries.confusions(catalogue, dataset, f.agreement, kind)

    def address(cell: ConfusionCell) -> str:
        # A correctable issue is one with a corrected label, so the filter needs no category.
        pair = {"given": class_value(dataset, cell.given.id), kind: class_value(dataset, cell.other.id)}
        return _address(f"/{dataset.name}", pair | _agreement(dataset, f))

    rows = [(cell.given.name, cell.other.name, cell.count, address(cell), None) for cell in cells]
    return {"all_rows": rows, "chart": heat_map(cells, address, kind), **_involvement(cells)}


def _joint(catalogue: Catalogue, dataset: Dataset) -> dict[str, Any]:
    entries = joint(catalogue, dataset)
    off = [entry.counted for entry in entries if not entry.on_diagonal]
    rows = [(e.counted.given.name, e.counted.other.name, e.counted.count, None, e.probability) for e in entries]
    return {"all_rows": rows, "chart": heat_map(off, lambda _: None, "latent"), **_involvement(off)}


def _involvement(cells: tuple[ConfusionCell, ...] | list[ConfusionCell]) -> dict[str, int]:
    return {"n_classes_shown": len(most_involved(cells)), "n_classes_involved": len(_involved(cells))}


def _involved(cells: Iterable[ConfusionCell]) -> set[ClassInfo]:
    return {info for cell in cells for info in (cell.given, cell.other)}


def _links(dataset: Dataset, f: IssueFilter, kind: str) -> dict[str, Any]:
    here = f"/{dataset.name}/confusions"
    agreement = _agreement(dataset, f)
    this = {"kind": kind} if kind != "corrected" else {}
    return {
        "corrected": _address(here, agreement),
        "guessed": _address(here, {"kind": "guessed"} | agreement),
        "joint": _address(here, {"kind": "joint"} | agreement) if dataset.confident_learning else None,
        "all": _address(here, this | agreement | {"pairs": "all"}),
        "agreements": [
            (a, _address(here, {} if a == dataset.default_agreement else {"agreement": str(a)}))
            for a in dataset.agreements
        ],
    }


def _agreement(dataset: Dataset, f: IssueFilter) -> dict[str, str]:
    return {} if f.agreement == dataset.default_agreement else {"agreement": str(f.agreement)}


def _address(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path
