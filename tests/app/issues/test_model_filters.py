"""The filters that ask what models predict: every face of them, against the predictions of each issue."""

from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.filter import IssueFilter
from app.schema import tables

FILTERS = st.builds(
    IssueFilter,
    agreement=st.sampled_from([3, 4, 5]),
    category=st.lists(st.sampled_from(["correctable", "error", "neither", "unreviewed"]), unique=True, max_size=2).map(
        tuple
    ),
    given=st.none() | st.integers(0, 9),
    flagged=st.none() | st.booleans(),
    models=st.none() | st.integers(1, 6),
    model=st.none() | st.sampled_from(["pytorch/vgg11_bn", "pytorch/googlenet", "pytorch/mobilenet_v2"]),
    q=st.none() | st.sampled_from(["frog", "cat", "nothing at all"]),
    sort=st.sampled_from(["suspicion", "-suspicion", "margin", "-index", "disagreement"]),
)


@pytest.fixture(scope="module")
def catalogue(models_catalogue: Path) -> Catalogue:
    return Catalogue(models_catalogue)


@pytest.fixture(scope="module")
def cifar(catalogue: Catalogue) -> Dataset:
    return catalogue.datasets["cifar10"]


@pytest.fixture(scope="module")
def first_choices(catalogue: Catalogue) -> dict[int, list[int]]:
    p = tables.predictions.c
    rows = catalogue.connection.execute(select(p.issue_id, p.top))
    return {row.issue_id: np.frombuffer(row.top, "<i4").tolist() for row in rows}


def everything(catalogue: Catalogue, dataset: Dataset, f: IssueFilter):
    return queries.issue_page(catalogue, dataset, f, limit=300).items


@given(f=FILTERS)
@settings(max_examples=150)
def test_it_selects_corrected_issues_whose_given_label_models_predict(catalogue, cifar, first_choices, f):
    assert IssueFilter.parse_page(cifar, parse_qsl(f.query(cifar))) == f
    plain = f.but(models=None, model=None)
    expected = []
    for issue in everything(catalogue, cifar, plain):
        predicting = [m for m, c in zip(cifar.models, first_choices[issue.id], strict=True) if c == issue.given.id]
        corrected = issue.category is Category.CORRECTABLE
        if f.models is not None and not (corrected and len(predicting) >= f.models):
            continue
        if f.model is not None and not (corrected and f.model in predicting):
            continue
        expected.append(issue.idx)
    assert [issue.idx for issue in everything(catalogue, cifar, f)] == expected
    assert counts.total(catalogue, cifar, f) == len(expected)


@given(f=FILTERS)
@settings(max_examples=60)
def test_every_count_is_what_one_gets_after_the_click(catalogue, cifar, f):
    for facet in counts.choices(catalogue, cifar, f):
        for choice in facet.choices:
            clicked = IssueFilter.parse_page(cifar, parse_qsl(choice.query))
            found = len(everything(catalogue, cifar, clicked))
            if choice.active:
                assert getattr(clicked, facet.name) in (None, ())
            else:
                assert found == choice.count, (facet.name, choice)


def test_pages_follow_each_other(catalogue, cifar):
    f = IssueFilter(models=1, sort="index")
    whole = [issue.idx for issue in everything(catalogue, cifar, f)]
    assert len(whole) > 8
    seen, after = [], None
    while True:
        page = queries.issue_page(catalogue, cifar, f, limit=4, after=after)
        seen += [issue.idx for issue in page.items]
        after = page.after
        if after is None:
            break
    assert seen == whole


def test_it_reads_like_a_sentence(cifar):
    asked = IssueFilter(models=7, model="pytorch/vgg19_bn")
    assert asked.sentence(cifar, 5) == (
        "5 issues of CIFAR-10 whose given label pytorch/vgg19_bn and at least 7 of 13 models predict although "
        "reviewers corrected it, at 3 of 5 votes, most suspicious first."
    )
    assert "whose given label pytorch/vgg19_bn predicts although" in IssueFilter(model=asked.model).sentence(cifar, 1)
    assert "whose given label all 13 models predict" in IssueFilter(models=13).sentence(cifar, 0)
    assert {chip.label: chip.query for chip in asked.chips(cifar)} == {
        "corrected, but at least 7 of 13 models predict the given label": "category=any&model=pytorch/vgg19_bn",
        "corrected, but pytorch/vgg19_bn predicts the given label": "category=any&models=7",
    }


def test_its_facets_stand_only_where_there_are_models(catalogue, cifar):
    names = {facet.name: facet for facet in counts.choices(catalogue, cifar, IssueFilter())}
    assert [choice.value for choice in names["models"].choices][:2] == ["1", "4"]
    assert names["models"].choices[0].label == "at least one of 13 models"
    assert len(names["model"].choices) == 12
    assert names["model"].more == 1
    assert not {"models", "model"} & {
        f.name for f in counts.choices(catalogue, catalogue.datasets["mnist"], IssueFilter())
    }


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("models", "0", "a whole number from 1 to 13"),
        ("models", "14", "a whole number from 1 to 13"),
        ("models", "many", "a whole number from 1 to 13"),
        ("model", "vgg11_bn", "pytorch/vgg11_bn"),
        ("model", "keras/vgg11_bn", "pytorch/vgg11_bn"),
    ],
)
def test_what_cannot_be_asked(catalogue, cifar, name, value, words):
    with pytest.raises(FilterError, match=words):
        IssueFilter.parse(cifar, [(name, value)])
    with pytest.raises(FilterError, match="No model's predictions for MNIST"):
        IssueFilter.parse(catalogue.datasets["mnist"], [(name, value)])


def test_a_page_reads_nothing_but_what_reviewers_corrected(models_catalogue):
    """However many issues a dataset has: every table is searched by an index, and the first of them by category."""
    catalogue = Catalogue(models_catalogue)  # that remembers nothing yet
    cifar = catalogue.datasets["cifar10"]
    raw = catalogue.connection.connection.dbapi_connection
    plans: list[list[str]] = []
    for f in (IssueFilter(models=2), IssueFilter(model="pytorch/vgg11_bn"), IssueFilter(models=2, sort="margin")):
        statements: list[str] = []
        raw.set_trace_callback(statements.append)
        queries.issue_page(catalogue, cifar, f, limit=5)
        raw.set_trace_callback(None)
        plans += [[row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in statements]
    assert len(plans) >= 4
    for plan in plans:
        assert plan[0].startswith("SEARCH verdicts USING INDEX verdicts_by_category"), plan
        assert not [step for step in plan if step.startswith("SCAN")], plan
