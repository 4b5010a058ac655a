"""A filter's faces: query string, value, sentence, chips, and the counts beside choices, all from one value."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.category_words import CATEGORY_WORDS
from app.issues.filter import IssueFilter
from app.issues.filter_parameters import REVERSED, SORTS, class_value, find_class


@pytest.fixture(scope="module")
def catalogue(real_catalogue: Path) -> Catalogue:
    return Catalogue(real_catalogue)


@pytest.fixture(scope="module")
def cifar(catalogue: Catalogue) -> Dataset:
    return catalogue.datasets["cifar10"]


FILTERS = st.builds(
    IssueFilter,
    agreement=st.sampled_from([3, 4, 5]),
    category=st.lists(st.sampled_from(sorted(CATEGORY_WORDS)), unique=True, max_size=3).map(tuple),
    given=st.none() | st.integers(0, 9),
    guessed=st.none() | st.integers(0, 9),
    corrected=st.none() | st.integers(0, 9),
    votes=st.none() | st.sampled_from(["0-5-0-0", "5-0-0-0", "1-2-1-1"]),
    flagged=st.none() | st.booleans(),
    q=st.none() | st.sampled_from(["frog", "cat & dog", "a=b", "100%", "ä ö", "+"]),
    sort=st.sampled_from([*SORTS, *REVERSED]),
)


@given(f=FILTERS)
@settings(max_examples=200)
def test_a_query_string_says_all_of_a_filter(cifar, f):
    from urllib.parse import parse_qsl

    assert IssueFilter.parse_page(cifar, parse_qsl(f.query(cifar))) == f
    assert IssueFilter.parse(cifar, parse_qsl(f.api_query(cifar))) == f


def test_a_bare_filter_has_a_bare_address(cifar):
    assert IssueFilter.parse(cifar, []).api_query(cifar) == ""
    assert IssueFilter.parse(cifar, [("q", ""), ("given", ""), ("category", "")]).api_query(cifar) == ""
    assert IssueFilter.parse(cifar, [("utm_source", "x")]) == IssueFilter()


def test_pages_show_confirmed_errors_first_and_the_api_shows_all(catalogue, cifar):
    page, api = IssueFilter.parse_page(cifar, [("given", "3")]), IssueFilter.parse(cifar, [("given", "3")])
    assert (page.category, api.category) == (("error",), ())
    assert (page.query(cifar), page.api_query(cifar)) == ("given=cat", "category=error&given=cat")
    assert (api.query(cifar), api.api_query(cifar)) == ("category=any&given=cat", "given=cat")
    assert counts.total(catalogue, cifar, IssueFilter.parse_page(cifar, [])) == 54
    assert counts.total(catalogue, cifar, IssueFilter.parse_page(cifar, [("category", "any")])) == 275


def test_any_category_means_all_whatever_else_is_named(cifar):
    for read in (IssueFilter.parse, IssueFilter.parse_page):
        assert read(cifar, [("category", "any"), ("category", "neither")]) == IssueFilter()


def test_a_page_of_a_dataset_without_errors_shows_its_suspects(cifar):
    unreviewed = replace(cifar, n_errors=0)
    assert IssueFilter.parse_page(unreviewed, []) == IssueFilter()
    assert IssueFilter().query(unreviewed) == ""


@given(f=FILTERS)
@settings(max_examples=60)
def test_every_count_is_what_one_gets_after_the_click(catalogue, cifar, f):
    from urllib.parse import parse_qsl

    page = queries.issue_page(catalogue, cifar, f, limit=200)
    assert page.total == len(page.items) or page.total > 200
    for facet in counts.choices(catalogue, cifar, f):
        for choice in facet.choices:
            clicked = IssueFilter.parse_page(cifar, parse_qsl(choice.query))
            if choice.active:
                assert counts.total(catalogue, cifar, f) <= counts.total(catalogue, cifar, clicked)
            else:
                assert queries.issue_page(catalogue, cifar, clicked, limit=1).total == choice.count
                found = queries.issue_page(catalogue, cifar, clicked, limit=300).items
                assert len(found) == choice.count


@given(f=FILTERS)
@settings(max_examples=60)
def test_walking_forward_and_back_shows_the_same_pages(catalogue, cifar, f):
    pages = [queries.issue_page(catalogue, cifar, f, limit=7)]
    while pages[-1].after:
        pages.append(queries.issue_page(catalogue, cifar, f, limit=7, after=pages[-1].after))
    seen = [issue.idx for page in pages for issue in page.items]
    assert len(seen) == len(set(seen)) == pages[0].total
    back = [pages[-1]]
    while back[-1].before:
        back.append(queries.issue_page(catalogue, cifar, f, limit=7, before=back[-1].before))
    assert [issue.idx for page in back[::-1] for issue in page.items][-len(seen) :] == seen
    for (place, issue), step in zip(enumerate(i for p in pages for i in p.items), range(12), strict=False):
        previous, following = queries.neighbours(catalogue, cifar, f, issue)
        assert previous == (seen[place - 1] if place else None)
        assert following == (seen[place + 1] if place + 1 < len(seen) else None)
        assert step < 12


def test_chips_take_one_thing_back(cifar):
    f = IssueFilter(category=("correctable", "neither"), given=3, q="frog", flagged=True)
    chips = {chip.label: chip.query for chip in f.chips(cifar)}
    assert set(chips) == {"correctable", "neither", "given: cat", "“frog”", "flagged by confident learning"}
    assert chips["given: cat"] == f.but(given=None).query(cifar)
    assert chips["neither"] == f.but(category=("correctable",)).query(cifar)


def test_what_a_page_shows_first_is_no_filter_to_take_back(cifar):
    assert IssueFilter.parse_page(cifar, []).chips(cifar) == ()
    (chip,) = IssueFilter(category=("neither",)).chips(cifar)
    assert (chip.label, chip.query) == ("neither", "")


@pytest.mark.parametrize(
    ("f", "total", "sentence"),
    [
        (IssueFilter(), 275, "275 issues of CIFAR-10, at 3 of 5 votes, most suspicious first."),
        (IssueFilter(category=("error",)), 54, "54 errors of CIFAR-10, at 3 of 5 votes, most suspicious first."),
        (IssueFilter(category=("error",)), 1, "1 error of CIFAR-10, at 3 of 5 votes, most suspicious first."),
        (
            IssueFilter(category=("correctable", "multi_label"), given=3, corrected=6, agreement=4, sort="-index"),
            1,
            "1 correctable or multi-label issue of CIFAR-10 with given label cat and corrected label frog, "
            "at 4 of 5 votes, in reverse order of the test set.",
        ),
        (
            IssueFilter(votes="1-3-0-1", flagged=False, q="frog"),
            0,
            "0 issues of CIFAR-10 with the votes 1 given, 3 guessed, 1 neither, not flagged by confident learning, "
            "that match “frog”, at 3 of 5 votes, most suspicious first.",
        ),
    ],
)
def test_sentences(cifar, f, total, sentence):
    assert f.sentence(cifar, total) == sentence


def test_an_order_is_told_by_what_it_goes_by(catalogue):
    """Suspicion is the margin; without predicted probabilities it is the votes, and the rows are in that order."""
    imagenet = catalogue.datasets["imagenet"]
    assert IssueFilter().sentence(imagenet, 2).endswith("fewest votes for the given label first.")
    assert IssueFilter(sort="-margin").sentence(imagenet, 2).endswith("in reverse order of the test set.")
    page = queries.issue_page(catalogue, imagenet, IssueFilter(), 200)
    confirmations = [issue.votes["given"] for issue in page.items]
    assert confirmations == sorted(confirmations)
    page = queries.issue_page(catalogue, imagenet, IssueFilter(sort="-margin"), 200)
    indices = [issue.idx for issue in page.items]
    assert indices == sorted(indices, reverse=True)


def test_what_is_said_twice_is_refused(cifar):
    given = [("given", "3"), ("given", "4")]
    with pytest.raises(FilterError, match="given is given twice; expected once"):
        IssueFilter.parse(cifar, given)
    assert IssueFilter.parse(cifar, [("given", ""), *given[:1]]).given == 3
    both = IssueFilter.parse(cifar, [("category", "neither"), ("category", "correctable")])
    assert both.category == ("neither", "correctable")


def test_unknown_parameters_are_refused_with_all_that_are_known(real):
    problem = real.get("/api/v1/datasets/cifar10/issues?agrement=4").json()
    assert problem["parameter"] == "agrement"
    for name in problem["allowed"]:
        value = {
            "sort": "index",
            "category": "error",
            "flagged": "yes",
            "votes": "1-1-1-2",
            "confidence": "0.5",
            "self_confidence": "0..1",
            "margin": "-1..1",
            "fields": "key",
        }.get(name, "3")
        answer = real.get("/api/v1/datasets/cifar10/issues", params={name: value})
        # A cursor is given out by the site, and this catalogue holds no models to ask about.
        assert answer.status_code == 200 or name in ("after", "models", "model", "doubting"), answer.text
    assert {"limit", "after", "fields", "given"} <= set(problem["allowed"])


def test_classes_go_by_name_and_where_that_is_not_enough_by_number(catalogue, cifar):
    names = ("crane", "tench", "crane")
    birds = replace(cifar, classes=tuple(ClassInfo(i, name, None, None) for i, name in enumerate(names)))
    assert [class_value(birds, i) for i in range(3)] == ["0", "tench", "2"]
    assert find_class(birds, "given", "2").id == 2
    with pytest.raises(FilterError, match="no class 'crane'"):
        find_class(birds, "given", "crane")
    assert find_class(birds, "given", "TENCH").id == 1
    for dataset in catalogue.datasets.values():
        for c in dataset.classes:
            assert find_class(dataset, "given", class_value(dataset, c.id)) is c


def test_a_name_that_is_a_number_goes_before_the_number(cifar):
    names = ("7", "zero", "3")
    shuffled = replace(cifar, classes=tuple(ClassInfo(i, name, None, None) for i, name in enumerate(names)))
    assert find_class(shuffled, "given", "7").id == 0
    assert find_class(shuffled, "given", "1").name == "zero"


def test_a_class_that_could_be_two_is_not_guessed(cifar):
    """Folders 0 to 11, sorted as texts: "2" is the name of class 4, and the number of the class called 10."""
    names = sorted(map(str, range(12)))
    folders = replace(cifar, classes=tuple(ClassInfo(i, name, None, None) for i, name in enumerate(names)))
    with pytest.raises(FilterError, match=r"'2' is the name of class 4 of .*; expected name:2 or id:2") as refused:
        find_class(folders, "given", "2")
    assert refused.value.allowed == ("name:2", "id:2")
    assert find_class(folders, "given", "name:2").id == 4
    assert find_class(folders, "given", "id:2").name == "10"
    assert find_class(folders, "given", "0").id == 0
    assert [find_class(folders, "given", class_value(folders, i)).id for i in range(12)] == list(range(12))
    twice = replace(cifar, classes=tuple(ClassInfo(i, name, None, None) for i, name in enumerate(["x", "0", "x"])))
    assert [find_class(twice, "given", class_value(twice, i)).id for i in range(3)] == [0, 1, 2]


def test_near_names_are_offered(cifar):
    with pytest.raises(FilterError, match="Did you mean automobile") as refused:
        find_class(cifar, "given", "automobil")
    assert refused.value.allowed[0] == "automobile"


def steps(catalogue: Catalogue, read) -> int:
    """How many instructions SQLite runs for a read: the same number every time, whatever the machine does."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    raw = catalogue.connection.connection.dbapi_connection
    raw.set_progress_handler(step, 1)
    read()
    raw.set_progress_handler(None, 0)
    return count


@pytest.mark.parametrize(
    ("sort", "category"),
    [*((sort, ()) for sort in (*SORTS, *REVERSED)), ("suspicion", ("correctable",)), ("-suspicion", ("correctable",))],
)
def test_a_page_deep_in_a_gallery_costs_no_more_than_the_first(catalogue, sort, category):
    imagenet = catalogue.datasets["imagenet"]
    f = IssueFilter(sort=sort, category=category)
    page = queries.issue_page(catalogue, imagenet, f, limit=48)
    first = steps(catalogue, lambda: queries.issue_page(catalogue, imagenet, f, limit=48))
    for _ in range(20):
        if page.after is None:
            break
        cursor = page.after
        deep = steps(catalogue, lambda cursor=cursor: queries.issue_page(catalogue, imagenet, f, 48, after=cursor))
        assert deep <= first * 1.1 + 50
        page = queries.issue_page(catalogue, imagenet, f, limit=48, after=cursor)


def test_a_cursor_of_another_dataset_does_not_lead_there(catalogue):
    for name in ("mnist", "imdb"):
        for other in ("cifar10", "audioset", "20news"):
            cursor = queries.issue_page(catalogue, catalogue.datasets[other], IssueFilter(), limit=1).after
            dataset = catalogue.datasets[name]
            own = {issue.idx for issue in queries.issue_page(catalogue, dataset, IssueFilter(), limit=2000).items}
            for place in ({"after": cursor}, {"before": cursor}):
                page = queries.issue_page(catalogue, dataset, IssueFilter(), 200, **place)
                assert {issue.idx for issue in page.items} <= own
                assert all(issue.id >> 32 == dataset.id for issue in page.items)


@pytest.mark.parametrize(
    ("q", "index", "total"),
    [
        ("cat frog", 2405, None),
        ("frog cat", 2405, None),
        ("2405", 2405, 1),
        ("cat fro", 2405, None),
        ("cat truck frog", None, 0),
    ],
)
def test_a_search_finds_pairs_of_labels_and_indices(catalogue, cifar, q, index, total):
    page = queries.issue_page(catalogue, cifar, IssueFilter(q=q), limit=100)
    found = [issue.idx for issue in page.items]
    assert total is None or page.total == total
    assert index is None or index in found
    for issue in page.items if total is None else ():
        names = {one.classes[0].name for one in (issue.given, issue.guessed, issue.shown, issue.corrected) if one}
        assert {"cat", "frog"} <= names


def test_a_search_for_two_labels_finds_all_that_have_both(catalogue, cifar):
    found = {issue.idx for issue in queries.issue_page(catalogue, cifar, IssueFilter(q="cat dog"), limit=300).items}
    every = queries.issue_page(catalogue, cifar, IssueFilter(), limit=300).items
    both = {
        issue.idx
        for issue in every
        if {"cat", "dog"} <= {label.classes[0].name for label in (issue.given, issue.guessed, issue.shown) if label}
    }
    assert found == both
    assert len(both) > 20
