"""What a gallery proposes where nothing matches: the filter without one of its parts, and classes of a similar name."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset
from app.catalogue.table_row import QUESTION
from app.errors import InReview
from app.issues import counts
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import near_classes
from app.issues.reviewed.issue_at import require_shown
from app.issues.where import index_in

_MOST_CLASSES: Final = 5


class Proposals(NamedTuple):
    """Filters that find something, each as its words, its number of issues and its query string; and classes."""

    filters: Sequence[tuple[str, int, str]]
    classes: Sequence[ClassInfo]
    unlisted: str | None = None  # why an example of the test set is not listed whose index is searched for


def proposals(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> Proposals:
    """What is near a filter that selects nothing."""
    found = [
        (words, n, wider.query(dataset))
        for words, wider in _wider(dataset, f)
        if (n := counts.total(catalogue, dataset, wider))
    ]
    return Proposals(found, _similar(dataset, f.q), _unlisted(catalogue, dataset, f))


def _unlisted(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> str | None:
    index = None if f.q is None else index_in(f.q)
    if index is None or dataset.size is None or index >= dataset.size:
        return None
    try:
        require_shown(catalogue, dataset, [index])
    except InReview as held_back:
        return held_back.detail
    alone = IssueFilter(agreement=f.agreement, q=f"#{index}")
    if counts.total(catalogue, dataset, alone):
        return None
    words = f"{dataset.title} has an example {index}, but not among the issues here"
    return f"{words}: only flagged and reviewed examples are."


def _wider(dataset: Dataset, f: IssueFilter) -> Iterator[tuple[str, IssueFilter]]:
    """The filter without each of its parts, and which part that is; categories are offered elsewhere."""
    for facet, values in f.taken():
        if facet.name != "category":
            words = ", ".join(facet.chip(dataset, value) for value in values)
            yield words, f.but(**{facet.name: facet.put(())})
    if f.q is not None:
        yield f"“{f.q}”", f.but(q=None)


def _similar(dataset: Dataset, q: str | None) -> Sequence[ClassInfo]:
    """Classes whose names are near a search, or one of its words."""
    if q is None or dataset.modality == QUESTION:
        return ()
    names = [c.name for c in dataset.classes]
    found = [name for text in dict.fromkeys((q, *q.split()[:4])) for name in near_classes(text, names, _MOST_CLASSES)]
    ids = {dataset.class_ids[name]: None for name in found if name in dataset.class_ids}
    return [dataset.classes[class_id] for class_id in list(ids)[:_MOST_CLASSES]]
