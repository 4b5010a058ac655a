"""Write what Dawid and Skene's estimate says of a dataset whose votes were all given in rounds."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from app.domain.review.verdicts import Category
from app.reviews.owner.given_answers import Voted, known_category
from app.reviews.owner.weighed_votes import weigh
from app.schema import tables
from app.schema.votes import weighed_verdicts
from ingest.catalogue.reviews.ballots_of_rounds import Counted
from ingest.datasets.facts import compact


def write_weighed(
    connection: Connection,
    dataset_id: int,
    given: Mapping[int, Counted],
    names: Mapping[int, str],
    label: Callable[[tuple[int, ...]], int],
) -> bool:
    """Weigh the votes that count, by issue; whether that was possible: only if no reviewed issue has other votes.

    ``given`` are the votes by the id of the issue, ``label`` gives the id of a label set.
    """
    here = weighed_verdicts.c.issue_id.between(*tables.issue_id_range(dataset_id))
    connection.execute(delete(weighed_verdicts).where(here))
    i = tables.issues.c
    reviewed = select(func.count()).where(i.dataset_id == dataset_id, i.votes.is_not(None))
    if connection.scalar(reviewed) != len(given):
        return False
    issue_ids = {one.tally.idx: issue_id for issue_id, one in given.items()}
    voted = [
        Voted(one.tally.idx, one.tally.question, tuple(zip(one.tally.raters, one.tally.meanings, strict=True)))
        for one in given.values()
    ]
    rows: list[dict[str, Any]] = []
    for found in weigh(voted, names).examples:
        issue_id = issue_ids[found.idx]
        category = known_category(found.verdict.category, given[issue_id].how)
        agreed = None if found.verdict.agreed is None else tuple(sorted(found.verdict.agreed))
        rows.append(
            {
                "issue_id": issue_id,
                "dataset_id": dataset_id,
                "category": category.value,
                "corrected": label(agreed) if category is Category.CORRECTABLE and agreed is not None else None,
                "several": compact(agreed) if category is Category.MULTI_LABEL else None,
                "shares": compact({word: round(share, 6) for word, share in found.shares.items()}),
            }
        )
    connection.execute(insert(weighed_verdicts), rows)
    return True
