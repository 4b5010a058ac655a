"""What is kept in memory is counted with its keys and all that surrounds it, and has an end."""

import gc
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.catalogue.cache import Answers, Cache, footprint
from app.catalogue.current import Catalogue
from app.issues import counts
from app.issues.filter import IssueFilter
from app.main import create_app
from app.settings import Settings
from app.web.response_cache import CatalogueResponses


def answers_of(client: TestClient) -> Answers:
    """The answers that a site keeps, wherever they are among what is wrapped around it."""
    layer = client.app.middleware_stack
    while not isinstance(layer, CatalogueResponses):
        layer = layer.app
    return layer.kept._answers


@pytest.fixture
def site(sample_catalogue: Path):
    with TestClient(create_app(Settings(catalogue=sample_catalogue, kept_answers=1))) as client:
        client.get("/api/v1/datasets")
        yield client


def test_answers_take_no_more_memory_than_they_may():
    """As measured, not as counted: small bodies under keys and headers that are larger than they are."""
    answers = Answers(most_bytes=1_000_000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(20_000):
        where = (b"/api/v1/datasets/mnist/labels/%d" % n, b"fields=index&n=%d" % n, "http", b"host-%d" % n)
        headers = [(b"etag", b"%d" % n), (b"vary", b"Accept-Encoding"), (b"content-type", b"application/json")]
        answers.keep((where, ("br", False)), headers, b"%d" % n)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert answers.get((where, ("br", False))) is not None
    assert answers.held <= 1_000_000
    assert taken < 1_500_000


def test_what_is_counted_of_a_site_s_answers_is_what_they_take(sample_catalogue: Path):
    """Small answers as the routes make them: their bodies come with room for more than there is in them."""
    with TestClient(create_app(Settings(catalogue=sample_catalogue, kept_answers=64))) as client:

        def ask(numbers: range) -> None:
            for n in numbers:
                client.get(f"/api/v1/datasets/sample-digits/labels/{n % 100}?fields=index", headers={"Host": f"h{n}"})

        ask(range(200))
        answers = answers_of(client)
        held = answers.held
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        ask(range(1_000, 1_300))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert taken < 1.5 * (answers.held - held)


def test_answers_have_an_end_however_small_they_are():
    answers = Answers(most_bytes=1 << 40)
    for n in range(Answers.MOST + 10):
        answers.keep(n, (), b"")
    assert answers.get(9) is None
    assert answers.get(10) is not None


def test_a_site_keeps_one_answer_for_all_accept_headers(site: TestClient):
    def asked(accept: str) -> httpx.Response:
        return site.get("/api/v1/datasets?fields=name", headers={"Accept": accept})

    first = asked("application/json")
    held = answers_of(site).held
    for accept in ("application/json;q=0.1", "*/*", "text/html, application/json", "x/y", "a" * 20_000):
        again = asked(accept)
        assert (again.status_code, again.content) == (200, first.content)
    assert answers_of(site).held == held


def test_what_differs_by_accept_is_not_kept_for_others(site: TestClient):
    path = "/api/v1/datasets/sample-digits/corrected"
    for media_type in ("text/csv", "application/json", "application/x-ndjson"):
        answer = site.get(path, headers={"Accept": media_type})
        assert answer.headers["content-type"].partition(";")[0] == media_type
    for path in ("/nothing", "/api/v1/datasets/nothing"):
        for accept in ("text/html", "application/json"):
            assert site.get(path, headers={"Accept": accept}).status_code == 404


def test_requests_without_number_are_counted_whole(site: TestClient):
    """Each answer is tiny; what is kept of it is not."""
    for n in range(800):
        path = f"/api/v1/datasets/sample-digits/labels/{n % 100}?fields=index"
        assert site.get(path, headers={"Host": f"host-{n}.example"}).status_code == 200
    answers = answers_of(site)
    assert 0 < answers.held <= 1_000_000
    assert len(answers._kept) < 800


class Slotted:
    __slots__ = ("kept",)

    def __init__(self, kept: object) -> None:
        self.kept = kept


Slotted.__module__ = "app.somewhere"


@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        b"x" * 1_000_000,
        np.zeros(125_000),
        ["x" * 1_000] * 1_000,
        dict.fromkeys(range(100), "x" * 10000),
        Slotted([Slotted("x" * 1_000_000)]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_weight_of_a_value_is_about_its_size(value: object):
    assert 0.9e6 < footprint(value) < 1.3e6


def test_a_memory_is_bounded_in_bytes_and_what_is_too_large_is_only_not_kept():
    memo = Cache(most=1_000, most_bytes=1_000_000)
    for n in range(500):
        assert memo.get(n, lambda: np.zeros(2_000)).size == 2_000
        assert memo.held <= 1_000_000
    assert 40 < len(memo) < 70
    assert memo.get("large", lambda: np.zeros(1_000_000)).size == 1_000_000
    assert len(memo) > 40


def test_what_visitors_make_up_does_not_push_out_what_a_catalogue_needs(sample_catalogue: Path):
    """Every memory that filters are keys of has an end in bytes; what stands for a dataset is apart from them."""
    catalogue = Catalogue(sample_catalogue)
    for memo in (catalogue.statements, catalogue.cells, catalogue.facets, catalogue.galleries, catalogue.corrected):
        assert memo._most_bytes is not None
    dataset = catalogue.datasets["sample-texts"]
    for n in range(200):
        counts.choices(catalogue, dataset, IssueFilter(agreement=3, q=f"word{n}"))
    assert len(catalogue.cells) <= 200
    assert catalogue.facets.held > 200 * 500
    assert len(catalogue.pages) == 0


def test_several_threads_may_ask_a_memory_that_is_full() -> None:
    """What one thread pushes out, another may be pushing out as well."""
    memo = Cache(most=4, most_bytes=3_000)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda n: memo.get(n % 11, lambda: n % 11), range(20_000)))
    finally:
        sys.setswitchinterval(interval)
    assert found == [n % 11 for n in range(20_000)]
    assert len(memo) <= 4
    assert memo.held == sum(weight for _, weight in memo._kept.values())
