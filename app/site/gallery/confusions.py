"""Template context of the confusions page: pairs of labels, or the confident joint."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, ConfusionCell, Dataset
from app.issues import queries
from app.issues.confident_joint import joint, joint_size
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import near_classes
from app.issues.where import folded
from app.site.components.charts import heat_map, most_involved
from app.site.components.paged_table import TablePage, table_page

KINDS: Final = ("corrected", "guessed", "joint")
#: Rows that a page shows at most when all are asked for; of more there are only pages.
MOST_AT_ONCE: Final = 2_000
#: Rows of a page, which has a map above them.
_PAIRS: Final = 75
#: The entries of the confident joint, largest first, that its map is drawn from.
_MAPPED: Final = 20_000


class Asked(NamedTuple):
    """Which rows of the table are asked for."""

    everything: bool
    page: str
    q: str | None = None  # words of which each is in the name of one of the two classes


class _Map(NamedTuple):
    """The heat map, and what is said of it."""

    chart: Any
    n_classes_shown: int
    n_classes_involved: int
    n_mapped: int | None  # the pairs it is drawn from where these are not all


def confusion_context(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: str, asked: Asked
) -> dict[str, Any]:
    """The template context for one of ``KINDS``."""
    here = f"/{dataset.name}/confusions"
    searched = {"q": asked.q} if asked.q else {}
    same = ({"kind": kind} if kind != "corrected" else {}) | searched | _agreement(dataset, f)
    if kind == "joint":
        n = catalogue.pages.get(("joint size", dataset.id), lambda: joint_size(catalogue, dataset)).entries
    else:
        cells = _cells(catalogue, dataset, f, kind)
        if asked.q:
            cells = pairs_named(dataset, asked.q, cells)
        n = len(cells)
    everything = asked.everything and n <= MOST_AT_ONCE
    page = TablePage(1, 1, 0, n, "", "") if everything else table_page(asked.page, n, same, _PAIRS)
    rows = _joint_rows(catalogue, dataset, page) if kind == "joint" else _rows(dataset, f, kind, cells[page.rows])
    make = _map_of_joint if kind == "joint" else _map_of_pairs
    drawn = catalogue.pages.get(
        ("confusion map", dataset.id, f.agreement, kind), lambda: make(catalogue, dataset, f, kind)
    )
    return drawn._asdict() | {
        "rows": rows,
        "page": page,
        "all_url": _address(here, same | {"pairs": "all"}) if _PAIRS < n <= MOST_AT_ONCE and not everything else None,
        "n_pairs": n,
        "links": _links(dataset, f, searched),
        "similar": _similar(dataset, asked.q) if asked.q and not n else (),
    }


def pairs_named(dataset: Dataset, q: str, cells: Sequence[ConfusionCell]) -> Sequence[ConfusionCell]:
    """The pairs in which each word of ``q`` begins a word in the name of one of the two classes.

    "ram sheep" finds pairs of ram and bighorn sheep, either way round.
    """
    begins = [re.compile(rf"\b{word}") for word in re.findall(r"\w+", folded(q))]
    named = [{c.id for c in dataset.classes if begin.search(folded(c.name))} for begin in begins]
    return (
        []
        if not begins
        else [cell for cell in cells if all(cell.given.id in ids or cell.other.id in ids for ids in named)]
    )


def _similar(dataset: Dataset, q: str) -> Sequence[ClassInfo]:
    """Classes whose names are near one of the words of a search."""
    names = [c.name for c in dataset.classes]
    found = dict.fromkeys(name for word in q.split()[:4] for name in near_classes(word, names, 3))
    return [dataset.classes[dataset.class_ids[name]] for name in found if name in dataset.class_ids]


def _cells(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: str) -> Sequence[ConfusionCell]:
    return catalogue.cells.get(
        ("confusions", dataset.id, f.agreement, kind),
        lambda: queries.confusions(catalogue, dataset, f.agreement, kind),
    )


def _pair(dataset: Dataset, f: IssueFilter, kind: str, cell: ConfusionCell) -> str:
    pair = f.but(given=cell.given.id, **{kind: cell.other.id})
    return f"/{dataset.name}?{pair.query(dataset)}"


def _rows(dataset: Dataset, f: IssueFilter, kind: str, cells: Iterable[ConfusionCell]) -> list[tuple[Any, ...]]:
    return [(c.given, c.other, c.count, _pair(dataset, f, kind, c), None) for c in cells]


def _joint_rows(catalogue: Catalogue, dataset: Dataset, page: TablePage) -> list[tuple[Any, ...]]:
    entries = joint(catalogue, dataset, page.start, page.stop)
    return [(e.counted.given, e.counted.other, e.counted.count, None, e.probability) for e in entries]


def _map_of_pairs(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: str) -> _Map:
    cells = _cells(catalogue, dataset, f, kind)
    chart = heat_map(cells, lambda cell: _pair(dataset, f, kind, cell), kind)
    return _Map(chart, len(most_involved(cells)), len(_involved(cells)), None)


def _map_of_joint(catalogue: Catalogue, dataset: Dataset, *_: Any) -> _Map:
    size = joint_size(catalogue, dataset)
    mapped = min(_MAPPED, size.off_diagonal)
    off = [entry.counted for entry in joint(catalogue, dataset, 0, mapped)]
    chart = heat_map(off, lambda _: None, "latent")
    return _Map(chart, len(most_involved(off)), size.classes, None if mapped == size.off_diagonal else mapped)


def _involved(cells: Iterable[ConfusionCell]) -> set[ClassInfo]:
    return {info for cell in cells for info in (cell.given, cell.other)}


def _links(dataset: Dataset, f: IssueFilter, searched: dict[str, str]) -> dict[str, Any]:
    here = f"/{dataset.name}/confusions"
    agreement = _agreement(dataset, f)
    return {
        "corrected": _address(here, searched | agreement),
        "guessed": _address(here, {"kind": "guessed"} | searched | agreement),
        "joint": _address(here, {"kind": "joint"} | agreement) if dataset.confident_learning else None,
        "agreements": [
            (a, _address(here, searched | ({} if a == dataset.default_agreement else {"agreement": str(a)})))
            for a in dataset.agreements
        ],
    }


def _agreement(dataset: Dataset, f: IssueFilter) -> dict[str, str]:
    return {} if f.agreement == dataset.default_agreement else {"agreement": str(f.agreement)}


def _address(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path
