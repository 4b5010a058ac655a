"""A statement run by the driver returns what SQLAlchemy returns, whatever a filter asks for."""

from pathlib import Path

import pytest
from sqlalchemy import bindparam, select

from app.catalogue.current import Catalogue
from app.issues.counts import total
from app.issues.filter import IssueFilter
from app.issues.prepared_statement import Prepared
from app.issues.where import selection
from app.schema import tables

FILTERS = [
    IssueFilter(),
    IssueFilter(sort="-margin"),
    IssueFilter(category=("correctable",)),
    IssueFilter(category=("correctable", "neither", "unreviewed"), sort="index"),
    IssueFilter(category=("error",), agreement=4, sort="-disagreement"),
    IssueFilter(given=3, guessed=5),
    IssueFilter(corrected=3, agreement=5),
    IssueFilter(votes="1-3-0-1"),
    IssueFilter(flagged=True, sort="margin"),
    IssueFilter(flagged=False),
    IssueFilter(q="3"),
    IssueFilter(q='"%s" ? :cursor'),
]


@pytest.mark.parametrize("f", FILTERS, ids=str)
@pytest.mark.parametrize("forward", [True, False])
def test_the_same_rows(sample_catalogue: Path, f: IssueFilter, forward: bool):
    catalogue = Catalogue(sample_catalogue)
    dataset = catalogue.datasets["sample-digits"]
    chosen = selection(catalogue.connection, dataset, f, total(catalogue, dataset, f))
    statement = chosen.page(forward)
    prepared = Prepared(catalogue.connection, statement, "cursor", "limit")
    for limit in (1, 7, 500):
        values = {"cursor": chosen.start(forward), "limit": limit}
        expected = [tuple(row) for row in catalogue.connection.execute(statement, values)]
        assert prepared.rows(catalogue.connection, **values) == expected
        assert len(expected) == min(limit, chosen.total)


def test_values_stay_values(sample_catalogue: Path):
    catalogue = Catalogue(sample_catalogue)
    names = select(tables.datasets.c.id).where(tables.datasets.c.name == bindparam("name"))
    prepared = Prepared(catalogue.connection, names, "name")
    assert prepared.rows(catalogue.connection, name="' OR 1 --") == []
    assert prepared.rows(catalogue.connection, name="sample-digits") == [(catalogue.datasets["sample-digits"].id,)]
