"""The issue at an address, or why there is none: none has this index, or an open round holds it back."""

from collections.abc import Iterable

from sqlalchemy import text

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, IssueDetail
from app.errors import InReview, NotFound
from app.issues import queries


def index_of(text_: str) -> int:
    """An index as an address has it; -1 for what is none."""
    return int(text_) if text_.isascii() and text_.isdecimal() and len(text_) <= 12 else -1


def issue_at(catalogue: Catalogue, dataset: Dataset, index: str, agreement: int) -> IssueDetail:
    """All there is to know of the issue of an address. Raises InReview for one that is held back, else NotFound."""
    place = index_of(index)
    require_shown(catalogue, dataset, [place])
    detail = queries.issue_detail(catalogue, dataset, place, agreement)
    if detail is None:
        raise NotFound(
            f"No issue of {dataset.title} has the index {index[:40]!r}. Only flagged or reviewed examples have a page.",
            [(f"All issues of {dataset.title}", f"/{dataset.name}")],
        )
    return detail


def require_shown(catalogue: Catalogue, dataset: Dataset, indices: Iterable[int]) -> None:
    """Raise InReview for the first of these examples that open rounds hold back."""
    if dataset.held_back is None:
        return
    # There on every connection that withholds anything (see app.catalogue.rounds.withheld).
    asked = text(
        "SELECT DISTINCT c.round FROM temp.withheld AS w JOIN temp.chosen AS c ON c.name = :name AND c.idx = w.idx "
        "WHERE w.dataset_id = :dataset AND w.idx = :idx ORDER BY c.round"
    )
    for idx in indices:
        values = {"name": dataset.name, "dataset": dataset.id, "idx": idx}
        rounds = tuple(catalogue.connection.scalars(asked, values))
        if rounds:
            until = dataset.held_back._replace(rounds=rounds).until
            raise InReview(
                f"Example {idx} of {dataset.title} is in an open review, so it is held back until {until}: reviewers "
                "are to see no answer. After that it is shown again.",
                [(f"All other issues of {dataset.title}", f"/{dataset.name}")],
            )
