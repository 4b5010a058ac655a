"""The home page's entries: a dataset with its rate, a telling example, its frequent corrections, and where to go."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Issue
from app.catalogue.table_row import QUESTION
from app.domain.review.verdicts import Category
from app.issues import queries
from app.issues.filter import IssueFilter
from app.site.components.cards import Card, card
from app.site.components.charts import share_bar
from app.site.components.finding import finding, unanimity
from app.site.home.dataset_tables import paper_figure
from app.web.templates import counted, issue_path

#: Corrections named for each dataset, and errors that take turns at the top.
_NAMED: Final = 3
_SPECIMENS: Final = 6
#: A bar is full at this percentage of errors, so that datasets can be told apart.
_FULL_BAR: Final = 12.0


class Entry(NamedTuple):
    """One dataset on the home page."""

    dataset: Dataset
    card: Card | None
    paper: float | None  # the paper's percentage of errors
    bar: Markup  # the percentage as a bar; empty if it is not known
    confusions: list[tuple[str, str, int, str]]  # given and corrected class, number, query string
    ways: list[tuple[str, str]]  # words and path below the dataset


class Specimen(NamedTuple):
    """An error at the top of the page."""

    kind: str
    href: str
    medium: Markup
    excerpt: str | None
    said: Markup
    title: str
    idx: int


def telling(catalogue: Catalogue, datasets: Iterable[Dataset]) -> dict[str, Issue]:
    """Name -> the issue by which each dataset is shown."""
    found = ((d.name, queries.telling_issues(catalogue, d, 1)) for d in datasets)
    return {name: issues[0] for name, issues in found if issues}


def entry(catalogue: Catalogue, dataset: Dataset, issue: Issue | None) -> Entry:
    """What the home page says of a dataset."""
    rate = dataset.percent_error
    return Entry(
        dataset,
        card(dataset, issue) if issue else None,
        paper_figure(dataset, "percent_error"),
        Markup("") if rate is None else share_bar(round(1000 * rate / _FULL_BAR), "given-fill"),
        _confusions(catalogue, dataset),
        _ways(dataset),
    )


def _confusions(catalogue: Catalogue, dataset: Dataset) -> list[tuple[str, str, int, str]]:
    if dataset.modality == QUESTION:
        return []  # the letters of two questions have nothing to do with each other
    f = IssueFilter(agreement=dataset.default_agreement)
    cells = catalogue.pages.get(
        ("most-corrected", dataset.id),
        lambda: queries.confusions(catalogue, dataset, f.agreement, "corrected")[:_NAMED],
    )
    return [
        (
            cell.given.name,
            cell.other.name,
            cell.count,
            f.but(given=cell.given.id, corrected=cell.other.id).query(dataset),
        )
        for cell in cells
    ]


def _ways(dataset: Dataset) -> list[tuple[str, str]]:
    errors = counted(dataset.n_errors, "error")
    flagged = f"{dataset.n_issues:,} flagged"
    return [
        (errors if dataset.n_errors else flagged, ""),
        *([("Corrected labels", "/corrected")] if _has_corrected_labels(dataset) else []),
        *([("Ranking", "/stability")] if dataset.n_models else []),
    ]


def _has_corrected_labels(dataset: Dataset) -> bool:
    return bool(dataset.labels_known and dataset.n_checked)


def _can_test(dataset: Dataset) -> bool:
    return dataset.labels_known and not dataset.multi_label and dataset.held_back is None


def specimens(datasets: Sequence[Dataset], issues: dict[str, Issue]) -> list[Specimen]:
    """The corrected examples to show at the top, pictures first, then texts; none without a medium to look at."""
    found = []
    for dataset in datasets:
        issue = issues.get(dataset.name)
        if issue is None or issue.category is not Category.CORRECTABLE:
            continue
        shown = card(dataset, issue)
        if shown.kind in ("image", "text"):
            who = unanimity(issue)
            said = finding(dataset, issue, who) if who else finding(dataset, issue)
            found.append(
                Specimen(
                    shown.kind,
                    issue_path(dataset, issue.idx),
                    shown.medium,
                    issue.excerpt,
                    said,
                    dataset.title,
                    issue.idx,
                )
            )
    return sorted(found, key=lambda one: one.kind != "image")[:_SPECIMENS]


def doors(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Where each of the doors leads: dataset and address."""
    return {
        "see": [(d, f"/{d.name}") for d in datasets],
        "take": [(d, f"/{d.name}/corrected") for d in datasets if _has_corrected_labels(d)],
        "test": [(d, f"/{d.name}/evaluate") for d in datasets if _can_test(d)],
    }
