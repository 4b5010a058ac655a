"""Compare the paper's published figures with those computed from the loaded data.

Published figures are read from ``data/paper``, computed ones from a catalogue. A figure matches if it rounds to the
printed value; a rank matches if the printed rank lies within the tie, because the paper breaks ties arbitrarily. Known
differences are listed with their reason in ``differences.csv``, or follow from reviews since; any other difference is
reported as a mismatch.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select

from app.domain.review.corrections import sizes
from app.domain.review.verdicts import Category
from app.evaluation.evaluate import read_results
from app.evaluation.opinions.reviews_since import reviews_since
from app.package_files import DATA
from app.schema import tables
from app.schema.facet_tables import category_counts

PAPER: Final = DATA / "paper"
#: The paper's datasets; an average over fewer is another figure.
_TEN: Final = 10
_TABLE_1: Final = {
    "size": "Size",
    "flagged": "Flagged",
    "checked": "Checked",
    "errors": "Errors",
    "estimated_errors": "Errors, estimated",
    "percent_error": "% error",
}
_TABLE_2: Final = {
    "non_errors": "Non-errors",
    "errors": "Errors",
    "non_agreement": "Non-agreement",
    "correctable": "Correctable",
    "multi_label": "Multi-label",
    "neither": "Neither",
}
#: Column of Tables S1 and S2 -> its title in the paper, and the kind of accuracy it is.
MODEL_COLUMNS: Final = {
    "acc1": ("Acc@1", "original_top1"),
    "cacc1": ("cAcc@1", "corrected_top1"),
    "acc5": ("Acc@5", "original_top5"),
    "cacc5": ("cAcc@5", "corrected_top5"),
    "rank1": ("Rank@1", "original_top1"),
    "crank1": ("cRank@1", "corrected_top1"),
    "rank5": ("Rank@5", "original_top5"),
    "crank5": ("cRank@5", "corrected_top5"),
}


class Outcome(StrEnum):
    """How a published figure fares."""

    SAME = "same"
    DIFFERS = "differs"  # for a known reason
    BROKEN = "broken"  # for none
    NOT_LOADED = "not loaded"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published figure."""

    table: str  # "1", "2", "S1", "S2", "text", "claims" or "MMLU-Redux"
    subject: str  # a dataset or a model, as a reader knows it
    figure: str
    published: str
    computed: str | None
    outcome: Outcome
    reason: str | None  # why it differs, or is not loaded
    note: str | None = None  # what else a reader should know of it


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """What the catalogue says of one dataset."""

    id: int
    row: Mapping[str, Any]
    agreements: tuple[int, ...]
    categories: Mapping[int, Mapping[Category, int]]

    def category(self, category: Category, agreement: int | None = None) -> int:
        return self.categories.get(agreement or self.agreements[0], {}).get(category, 0)


def compare(connection: Connection) -> list[Comparison]:
    """Every published figure, in the order of the paper."""
    loaded = loaded_datasets(connection)
    reasons = {(r["table"], r["subject"], r["figure"]): r["reason"] for r in _rows("differences.csv")}
    found = [*_table_1(loaded, reasons), *_table_2(loaded, reasons)]
    for table, name in (("S1", "imagenet"), ("S2", "cifar10")):
        at = loaded.get(name)
        results = None if at is None else read_results(connection, at.id, at.agreements[0])
        found += _models(table, name, at, results, reasons)
    return [*found, *_text(connection, loaded, reasons)]


def _rows(name: str) -> list[dict[str, str]]:
    with (PAPER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def loaded_datasets(connection: Connection) -> dict[str, LoadedDataset]:
    counts: dict[int, dict[int, dict[Category, int]]] = {}
    for cell in connection.execute(category_counts()):
        counts.setdefault(cell.dataset_id, {}).setdefault(cell.agreement, {})[Category(cell.category)] = cell.n
    found = {}
    for row in connection.execute(select(tables.datasets).where(tables.datasets.c.sample.is_(False))).mappings():
        categories = counts.get(row["id"], {})
        found[row["name"]] = LoadedDataset(row["id"], dict(row), tuple(sorted(categories)) or (3,), categories)
    return found


def _comparison(
    table: str,
    subject: str,
    figure: str,
    published: str,
    value: float | None,
    reason: str | None,
    absent: str,
    same: Callable[[float], bool] | None = None,
) -> Comparison:
    """A figure held against its value, None where that is ``absent``: a sentence that says why."""
    if value is None:
        return Comparison(table, subject, figure, published, None, Outcome.NOT_LOADED, absent)
    decimals = len(published.partition(".")[2])
    computed = f"{value:.{decimals}f}"
    if computed == published or (same is not None and same(value)):
        return Comparison(table, subject, figure, published, computed, Outcome.SAME, None)
    outcome = Outcome.BROKEN if reason is None else Outcome.DIFFERS
    exact = f"{value:.2f}" if decimals else computed
    return Comparison(table, subject, figure, published, exact, outcome, reason)


Reasons = Mapping[tuple[str, str, str], str]


def _reason(reasons: Reasons, table: str, subject: str, figure: str, since: str | None) -> str | None:
    """Why a figure may differ: what is known of the paper and its release, and the reviews ``since``."""
    known = reasons.get((table, subject, figure)) or reasons.get((table, subject, ""))
    return " ".join(filter(None, (known, since))) or None


def _since(at: LoadedDataset | None, *, judged: bool = True, counted: bool = True) -> str | None:
    return None if at is None else reviews_since([at.row], judged=judged, counted=counted)


def _table_1(loaded: Mapping[str, LoadedDataset], reasons: Reasons) -> Iterator[Comparison]:
    columns = {"flagged": "n_flagged", "checked": "n_checked", "errors": "n_errors"}
    for row in _rows("table1.csv"):
        name = row["dataset"]
        at = loaded.get(name)
        for figure, title in _TABLE_1.items():
            if row[figure]:
                value = None if at is None else at.row[columns.get(figure, figure)]
                judged, counted = figure not in ("size", "flagged"), figure != "size"
                reason = _reason(reasons, "1", name, figure, _since(at, judged=judged, counted=counted))
                yield _comparison("1", title_of(at, name), title, row[figure], value, reason, why_absent(at, name))


def _table_2(loaded: Mapping[str, LoadedDataset], reasons: Reasons) -> Iterator[Comparison]:
    for row in _rows("table2.csv"):
        name = row["dataset"]
        at = loaded.get(name)
        for figure, title in _TABLE_2.items():
            if row[figure]:
                value = None if at is None else _count(at, figure)
                reason = _reason(reasons, "2", name, figure, _since(at))
                yield _comparison("2", title_of(at, name), title, row[figure], value, reason, why_absent(at, name))


def _count(at: LoadedDataset, figure: str) -> int:
    if figure == "errors":
        return int(at.row["n_errors"])
    if figure == "non_errors":
        return int(at.row["n_checked"] - at.row["n_errors"])
    return at.category(Category(figure))


def title_of(at: LoadedDataset | None, name: str) -> str:
    return name if at is None else str(at.row["title"])


def why_absent(at: LoadedDataset | None, name: str) -> str:
    """Why a figure of a dataset is not known."""
    if at is None:
        return f"The dataset {name} is not in this catalogue."
    return f"The files of {at.row['title']} that this catalogue was built from do not tell."


def why_no_models(at: LoadedDataset | None, name: str) -> str:
    """Why a figure of a dataset's models is not known."""
    if at is None:
        return why_absent(at, name)
    return (
        f"No model's predictions for {at.row['title']} are in this catalogue; `label-errors benchmarks DIR` reads "
        "them from a clone of github.com/cgnorthcutt/benchmarking-keras-pytorch."
    )


def _models(
    table: str, dataset: str, at: LoadedDataset | None, results: Mapping[str, Any] | None, reasons: Reasons
) -> Iterator[Comparison]:
    models = {} if results is None else {(m["platform"], m["name"]): m for m in results["models"]}
    for row in _rows(f"table_{table.lower()}.csv"):
        model = models.get((row["platform"], row["model"]))
        subject = f"{row['platform']}/{row['model']}"
        absent = f"{subject} is not among the models of this catalogue." if models else why_no_models(at, dataset)
        for figure, (title, kind) in MODEL_COLUMNS.items():
            reason = _reason(reasons, table, subject, figure, _since(at, counted=False))
            if "rank" in figure:
                value = None if model is None else model["ranks"]["correctable"][kind]
                tie = sum(m["ranks"]["correctable"][kind] == value for m in models.values())
                yield _rank(table, subject, title, row[figure], value, tie, reason, absent)
            else:
                fraction = None if model is None else model["correctable"][kind]
                value = None if fraction is None else 100 * fraction
                yield _comparison(table, subject, title, row[figure], value, reason, absent)


def _rank(
    table: str, subject: str, title: str, published: str, value: int | None, tie: int, reason: str | None, absent: str
) -> Comparison:
    def within(rank: float) -> bool:
        return rank <= int(published) < rank + tie

    found = _comparison(table, subject, title, published, value, reason, absent, within)
    if found.outcome is Outcome.SAME and tie > 1:
        return Comparison(table, subject, title, published, f"{value}, {tie} tied", Outcome.SAME, None)
    return found


def _text(connection: Connection, loaded: Mapping[str, LoadedDataset], reasons: Reasons) -> Iterator[Comparison]:
    for row in _rows("text.csv"):
        at = loaded.get(row["dataset"])
        crossing = row["figure"].startswith("crossing")
        since = _since(at, counted=not crossing) if row["dataset"] else reviews_since(_of_paper(loaded))
        reason = _reason(reasons, "text", row["dataset"], row["figure"], since)
        if crossing:
            yield _crossing_comparison(connection, at, row, reason)
            continue
        if row["dataset"]:
            value = None if at is None else _of_dataset(at, row["figure"], row["argument"])
            absent = why_absent(at, row["dataset"])
        else:
            value = _of_all(loaded, row["figure"])
            absent = f"It is of all ten datasets; this catalogue holds {len(_of_paper(loaded))} of them."
        yield _comparison("text", row["place"], row["words"], row["published"], value, reason, absent)


def _crossing_comparison(
    connection: Connection, at: LoadedDataset | None, row: Mapping[str, str], reason: str | None
) -> Comparison:
    """A crossing of two models by corrected accuracy, or how far above the prevalence of P it lies, in per cent.

    ``beside`` are two other models that a reader might take for these: the note says where they cross.
    """
    results = None if at is None else read_results(connection, at.id, at.agreements[0])
    absent = why_no_models(at, row["dataset"])
    known = {f"{m['platform']}/{m['name']}" for m in results["models"]} if results else set()
    if known:
        missing = [key for key in row["argument"].split() if key not in known]
        absent = (
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not among the models of this catalogue."
        )
        if results is not None and not missing and _crossing(results, row["figure"], row["argument"]) is None:
            # Not a gap in the data: both models are here, and what was published does not happen.
            outcome = Outcome.BROKEN if reason is None else Outcome.DIFFERS
            return Comparison("text", row["place"], row["words"], row["published"], "no crossing", outcome, reason)
    value = _crossing(results, row["figure"], row["argument"])
    found = _comparison("text", row["place"], row["words"], row["published"], value, reason, absent)
    other = _crossing(results, row["figure"], row["beside"]) if row["beside"] else None
    return found if value is None or other is None else replace(found, note=row["note"].format(other))


def _of_all(loaded: Mapping[str, LoadedDataset], figure: str) -> float | None:
    ten = _of_paper(loaded)
    if len(ten) < _TEN:
        return None
    if figure == "average_percent_error":
        percents = [row["percent_error"] for row in ten]
        return None if None in percents else sum(percents) / len(percents)
    return float(100 * sum(row["n_errors"] for row in ten) / sum(row["n_checked"] for row in ten))


def _of_paper(loaded: Mapping[str, LoadedDataset]) -> list[Mapping[str, Any]]:
    return [loaded[row["dataset"]].row for row in _rows("table1.csv") if row["dataset"] in loaded]


def _of_dataset(at: LoadedDataset, figure: str, argument: str) -> float | None:
    if figure == "errors":
        return int(at.row["n_errors"])
    if figure == "percent_error":
        return None if at.row[figure] is None else float(at.row[figure])
    if figure == "correctable":
        return at.category(Category.CORRECTABLE, int(argument)) if int(argument) in at.agreements else None
    counts = at.categories.get(at.agreements[0], {})
    return 100 * sizes(at.row["size"], counts).noise_prevalence if at.row["size"] else None


def _crossing(results: Mapping[str, Any] | None, figure: str, pair: str) -> float | None:
    if results is None:
        return None
    for one in results["crossings"]:
        if one["kind"] == "corrected_top1" and {one["first"], one["second"]} == set(pair.split()):
            least = float(results["noise_prevalence"]) if figure == "crossing_increase" else 0.0
            return 100 * (float(one["noise_prevalence"]) - least)
    return None
