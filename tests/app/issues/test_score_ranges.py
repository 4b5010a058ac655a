"""Filters for scores of the model that flags: what lies in a range, counted like everything else, and what is none."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.catalogue.current import Catalogue
from app.catalogue.open_file import ON_LOOP, LongReadError
from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.facet_kinds.range_facets import Range
from app.issues.filter import IssueFilter
from app.main import create_app
from app.settings import Settings
from tests.app.reading import Page

NAME = "sample-digits"
API = f"/api/v1/datasets/{NAME}/issues"


@pytest.fixture(scope="module")
def catalogue(sample_catalogue: Path) -> Catalogue:
    return Catalogue(sample_catalogue)


@pytest.fixture(scope="module")
def digits(catalogue: Catalogue) -> Dataset:
    return catalogue.datasets[NAME]


@pytest.fixture(scope="module")
def site(sample_catalogue: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(catalogue=sample_catalogue, public=False))) as client:
        yield client


def rows(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> list[Any]:
    return list(queries.issue_rows(catalogue, dataset, f, limit=200).items)


OTHERS: list[dict[str, Any]] = [
    {},
    {"given": 3},
    {"category": ("error",), "agreement": 5, "sort": "-margin"},
    {"category": ("unreviewed", "correctable"), "sort": "index"},
    {"flagged": True, "q": "3"},
    {"models": 2},
    {"corrected": 3, "sort": "disagreement"},
]


@pytest.mark.parametrize("others", OTHERS, ids=str)
def test_a_range_selects_and_everything_is_counted_in_it(
    catalogue: Catalogue, digits: Dataset, others: dict[str, Any]
) -> None:
    every = rows(catalogue, digits, IssueFilter(**others))
    found = 0
    for confidence, margin in ((Range(0, 0.125), None), (None, Range(-0.5, 0.25)), (Range(0.25, 1), Range(-1, 0))):
        f = IssueFilter(**others, self_confidence=confidence, margin=margin)
        expected = [
            row.idx
            for row in every
            if confidence is None or (confidence.low <= row.self_confidence < confidence.high + (confidence.high == 1))
            if margin is None or margin.low <= row.normalized_margin < margin.high
        ]
        assert [row.idx for row in rows(catalogue, digits, f)] == expected
        assert counts.total(catalogue, digits, f) == len(expected)
        for one in counts.choices(catalogue, digits, f):
            for choice in one.choices:
                if not choice.active:
                    clicked = IssueFilter.parse_page(digits, parse_qsl(choice.query))
                    assert len(rows(catalogue, digits, clicked)) == choice.count, choice
        found += len(expected)
    assert found or others.get("q")


def test_ranges_side_by_side_share_nothing_and_leave_nothing_out(catalogue: Catalogue, digits: Dataset) -> None:
    ends = [place / 8 for place in range(-8, 9)]
    parts = [counts.total(catalogue, digits, IssueFilter(margin=Range(low, high))) for low, high in pairwise(ends)]
    assert sum(parts) == digits.n_issues
    assert max(parts) < digits.n_issues


END = st.integers(-1000, 1000).map(lambda n: n / 1000)


@given(ends=st.tuples(END, END).filter(lambda pair: 0 < abs(pair[0] - pair[1]) < 2))
@settings(max_examples=100)
def test_a_filter_and_its_address_say_the_same(digits: Dataset, ends: tuple[float, float]) -> None:
    f = IssueFilter(margin=Range(*sorted(ends)))
    assert IssueFilter.parse(digits, parse_qsl(f.api_query(digits))) == f


@pytest.mark.parametrize(
    "value",
    ["0.5", "0.3..0.1", "0.1..0.1", "..", "-0.1..0.5", "0..1.5", "nan..1", "0..inf", "1e-3..1", "a..b", "0...5"],
)
def test_what_is_no_range_is_refused(digits: Dataset, value: str) -> None:
    with pytest.raises(FilterError, match=r"self_confidence is .*expected two numbers from 0 to 1, .*like 0\.\.1"):
        IssueFilter.parse(digits, [("self_confidence", value)])


def test_a_dataset_without_scores_has_no_such_filter(real: httpx.Client) -> None:
    refused = real.get("/api/v1/datasets/imagenet/issues", params={"margin": "-1..0"})
    assert refused.status_code == 400
    assert "The issues of ImageNet have no normalized margin." in refused.json()["detail"]


def test_rows_are_read_by_a_reader_not_on_the_loop(sample_catalogue: Path) -> None:
    catalogue = Catalogue(sample_catalogue)
    token = ON_LOOP.set(True)
    try:
        with pytest.raises(LongReadError):
            counts.total(catalogue, catalogue.datasets[NAME], IssueFilter(margin=Range(-1, 0.5)))
    finally:
        ON_LOOP.reset(token)


def test_pages_and_answers_have_it(site: TestClient) -> None:
    answer = site.get(API, params={"self_confidence": "0..0.125", "margin": "..-0.25", "limit": 200}).json()
    assert answer["total"] == len(answer["items"]) > 0
    assert all(one["self_confidence"] < 0.125 and one["normalized_margin"] < -0.25 for one in answer["items"])
    page = Page(site.get(f"/{NAME}?category=any&self_confidence=0..0.125&margin=-1..-0.25").text)
    words = " ".join(page.words.split())
    assert f"{answer['total']} issues of " in words
    assert "with a self-confidence below 0.125, with a normalized margin below −0.25" in words
    links = {" ".join(link.words.split()): link.href for link in page.links}
    assert (
        links["Remove the filter normalized margin below −0.25 ×"] == f"/{NAME}?category=any&self_confidence=0..0.125"
    )
    assert links["Choose by scores on a map"] == f"/{NAME}/map"
