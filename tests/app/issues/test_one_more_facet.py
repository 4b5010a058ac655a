"""A facet is one value: one entry more in the list, and everything that filters, counts, tells and documents has it."""

import ast
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.testclient import TestClient

from app.catalogue.current import Catalogue
from app.catalogue.open_file import ON_LOOP, LongReadError
from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues import counts, queries
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter
from app.main import create_app
from app.settings import Settings
from tests.app.issues.source_facet import SOURCE
from tests.app.reading import Page

ROOT = Path(__file__).resolve().parents[3]
NAME = "sample-digits"
API = f"/api/v1/datasets/{NAME}/issues"
ADDRESSES = (None, "https://example.org/a", "http://youtu.be/b?start=3", "https://example.org/c")


@pytest.fixture(scope="module")
def file(sample_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded sample, of whose examples some can be seen elsewhere."""
    copy = tmp_path_factory.mktemp("source") / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, copy)
    with sqlite3.connect(copy) as connection:
        connection.create_function("address", 1, lambda idx: ADDRESSES[idx % len(ADDRESSES)])
        connection.execute("UPDATE issues SET url = address(idx)")
    connection.close()
    return copy


@pytest.fixture
def catalogue(file: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.setitem(FACETS, "source", SOURCE)
    return Catalogue(file)


@pytest.fixture
def digits(catalogue: Catalogue) -> Dataset:
    return catalogue.datasets[NAME]


@pytest.fixture
def site(catalogue: Catalogue) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(catalogue=catalogue.path, public=False))) as client:
        yield client


def everything(catalogue: Catalogue, dataset: Dataset, f: IssueFilter) -> list[Any]:
    return list(queries.issue_rows(catalogue, dataset, f, limit=200).items)


#: Filters without the facet, of every kind of cells.
OTHERS: list[dict[str, Any]] = [
    {},
    {"given": 3},
    {"category": ("correctable", "unreviewed")},
    {"category": ("error",), "agreement": 5, "sort": "-margin"},
    {"flagged": True, "q": "3"},
    {"models": 2},
    {"corrected": 3},
]


@pytest.mark.parametrize("others", OTHERS, ids=str)
@pytest.mark.parametrize("host", ["example.org", "youtu.be", "nowhere.example"])
def test_it_selects_and_counts(catalogue: Catalogue, digits: Dataset, others: dict[str, Any], host: str) -> None:
    rows = everything(catalogue, digits, IssueFilter(**others))
    expected = [row.idx for row in rows if row.url and f"://{host}/" in row.url]
    f = IssueFilter(**others, source=host)
    assert f.source == host
    assert [row.idx for row in everything(catalogue, digits, f)] == expected
    assert counts.total(catalogue, digits, f) == len(expected)


@pytest.mark.parametrize("source", [None, "example.org"])
@pytest.mark.parametrize("others", OTHERS, ids=str)
def test_every_count_is_what_one_gets_after_the_click(
    catalogue: Catalogue, digits: Dataset, others: dict[str, Any], source: str | None
) -> None:
    f = IssueFilter(**others, source=source)
    found = {one.name: one for one in counts.choices(catalogue, digits, f)}
    assert [choice.value for choice in found["source"].choices if choice.active] == ([source] if source else [])
    seen = 0
    for choice in (choice for one in found.values() for choice in one.choices if not choice.active):
        clicked = IssueFilter.parse_page(digits, parse_qsl(choice.query))
        assert len(everything(catalogue, digits, clicked)) == choice.count, choice
        seen += choice.count
    assert seen


def test_it_is_counted_by_a_reader_once(catalogue: Catalogue, digits: Dataset) -> None:
    f = IssueFilter(source="youtu.be")
    token = ON_LOOP.set(True)
    try:
        counts.total(catalogue, digits, IssueFilter(given=3))
        with pytest.raises(LongReadError):
            counts.total(catalogue, digits, f)
        ON_LOOP.set(False)
        counts.total(catalogue, digits, f)
        ON_LOOP.set(True)
        assert counts.class_counts(catalogue, digits, f, "given")
    finally:
        ON_LOOP.reset(token)


def test_its_words_and_its_spelling(digits: Dataset) -> None:
    f = IssueFilter(given=3, source="youtu.be")
    assert f.query(digits) == "category=any&given=3&source=youtu.be"
    assert IssueFilter.parse_page(digits, parse_qsl(f.query(digits))) == f
    assert {chip.label: chip.query for chip in f.chips(digits)}["at youtu.be"] == "category=any&given=3"
    assert "with given label 3, that can be seen at youtu.be, at 3 of 5 votes" in f.sentence(digits, 2)
    with pytest.raises(FilterError, match=r"source.*expected example\.org, youtu\.be, nowhere\.example") as refused:
        IssueFilter.parse(digits, [("source", "elsewhere")])
    assert (refused.value.parameter, refused.value.value) == ("source", "elsewhere")
    with pytest.raises(FilterError, match="source is given twice"):
        IssueFilter.parse(digits, [("source", "youtu.be"), ("source", "youtu.be")])


def test_pages_and_answers_have_it(catalogue: Catalogue, digits: Dataset, site: TestClient) -> None:
    page = Page(site.get(f"/{NAME}?category=any&source=example.org").text)
    n = counts.total(catalogue, digits, IssueFilter(source="example.org"))
    assert "Can be seen at" in page.headings("h2")
    links = {" ".join(link.words.split()): link for link in page.links}
    assert links[f"host example.org {n}"].attributes["aria-current"] == "true"
    assert links["Remove the filter at example.org ×"].href == f"/{NAME}?category=any"
    assert f"{n} issues of {digits.title} that can be seen at example.org" in " ".join(page.words.split())
    answer = site.get(API, params={"source": "example.org", "limit": 200}).json()
    assert answer["total"] == n == len(answer["items"])
    assert {one["links"]["source"].split("/")[2] for one in answer["items"]} == {"example.org"}
    refused = site.get(API, params={"source": "elsewhere"})
    assert refused.status_code == 400
    assert refused.json()["parameter"] == "source"
    assert refused.json()["allowed"] == ["example.org", "youtu.be", "nowhere.example"]
    assert "source" in site.get(API, params={"unknown": "1"}).json()["allowed"]


def test_the_documentation_has_it() -> None:
    """In a program of its own, for documentation is written when a program begins."""
    script = (
        "from app.issues.facets import FACETS\n"
        "from tests.app.issues.source_facet import SOURCE\n"
        "FACETS['source'] = SOURCE\n"
        "import json\n"
        "from app.main import create_app\n"
        "print(json.dumps(create_app().openapi()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = json.loads(done.stdout)["paths"]
    for path in ("issues", "classes", "issues/{index}"):
        declared = paths[f"/api/v1/datasets/{{name}}/{path}"]["get"]["parameters"]
        (source,) = [one for one in declared if one["name"] == "source"]
        assert source["description"] == SOURCE.says
        assert source["schema"] == SOURCE.schema


@pytest.mark.parametrize("module", ["filter", "cells", "counts"])
def test_what_reads_the_list_names_no_facet(module: str) -> None:
    tree = ast.parse((ROOT / f"app/issues/{module}.py").read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not words & FACETS.keys()


def test_the_side_column_names_no_facet() -> None:
    markup = (ROOT / "templates/side.html").read_text(encoding="utf-8")
    assert not [name for name in FACETS if f'"{name}"' in markup or f"filter.{name}" in markup]
