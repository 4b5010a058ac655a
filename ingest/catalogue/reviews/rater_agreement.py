"""How far the reviewers of a dataset agree: computed from the votes that the catalogue holds, whoever brought them."""

import json

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from app.domain.review.agreement.alpha import alpha
from app.schema import tables
from app.schema.votes import rater_agreement, votes


def measure_agreement(connection: Connection, dataset_id: int, *, weighed: bool = False) -> None:
    """Write the row of a dataset, or none if it has no votes. ``weighed`` as in the table."""
    connection.execute(delete(rater_agreement).where(rater_agreement.c.dataset_id == dataset_id))
    d, v = tables.datasets.c, votes.c
    dataset = connection.execute(select(d.raters, d.vote_options).where(d.id == dataset_id)).one()
    rows = connection.execute(
        select(v.issue_id, v.option, v.n).where(v.issue_id.between(*tables.issue_id_range(dataset_id)))
    ).all()
    if not rows:
        return
    options = json.loads(dataset.vote_options)
    by_class = not options
    if by_class:
        counts = np.array([(row.n, max(0, dataset.raters - row.n)) for row in rows], np.int64)
    else:
        examples = {issue_id: place for place, issue_id in enumerate(dict.fromkeys(row.issue_id for row in rows))}
        counts = np.zeros((len(examples), len(options)), np.int64)
        for row in rows:
            counts[examples[row.issue_id], options.index(row.option)] += row.n
    found = alpha(counts)
    low, high = found.interval or (None, None)
    values = {
        "dataset_id": dataset_id,
        "measured": "classes" if by_class else "options",
        "alpha": found.value,
        "low": low,
        "high": high,
        "examples": found.examples,
        "votes": found.votes,
        "weighed": weighed,
    }
    connection.execute(insert(rater_agreement), [values])
