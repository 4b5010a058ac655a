"""Datasets of many classes: pages of bounded size, names found as they are typed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.issues.filter_parameters import near_classes
from app.schema.packing import unpack_labels
from app.site.gallery import confusions
from tests.conftest import ingest
from tests.serving import serving

M, N = 1_234, 1_500
MANIFEST = """
name = "many"
title = "Many"
modality = "image"
summary = "Made up."
[licence]
name = "Ours"
source = "Made up."
media = "none"
[classes]
file = "classes.txt"
[files]
labels = "labels.npy"
pred_probs = "pred_probs.npy"
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, M, N)
    probs = np.full((N, M), 0.2 / M, np.float32)
    probs[np.arange(N), truth] += 0.8
    labels = truth.copy()
    labels[:600] = rng.integers(0, M, 600)
    np.save(folder / "labels.npy", labels)
    np.save(folder / "pred_probs.npy", probs)
    # The name of class 5 is the number of class 77.
    names = ["77" if i == 5 else f"kind {i} of many" for i in range(M)]
    (folder / "classes.txt").write_text("\n".join(names))
    (folder / "dataset.toml").write_text(MANIFEST)
    ingest("add", folder / "dataset.toml", folder, "--catalogue", folder / "catalogue.sqlite")
    return folder / "catalogue.sqlite"


@pytest.fixture(scope="module")
def client(catalogue: Path) -> Iterator[httpx.Client]:
    with serving(catalogue, requests_a_minute=0) as site, httpx.Client(base_url=site) as client:
        yield client


def listed(query: str, client: httpx.Client) -> Iterator[dict[str, Any]]:
    """All items of the API's list of classes."""
    address = f"/api/v1/datasets/many/classes?{query}"
    while address:
        body = client.get(address).json()
        yield from body["items"]
        address = body["next"]


def ids(page: str) -> list[int]:
    """The first cell of each row."""
    return [int(row.partition("</td>")[0]) for row in page.split('<tr>\n<td class="num">')[1:]]


def following(page: str) -> str | None:
    _, found, after = page.partition('rel="next" href="')
    return after.partition('"')[0].replace("&amp;", "&") if found else None


def walked(client: httpx.Client, address: str) -> list[str]:
    """All pages, by following the links."""
    pages, query = [], "?" + address.partition("?")[2]
    while query is not None:
        pages.append(client.get(address.partition("?")[0] + query).raise_for_status().text)
        main = pages[-1].partition('<nav class="pages"')[2]
        query = following(main)
    return pages


@pytest.mark.parametrize("query", ["", "sort=-given", "q=KIND+1", "q=kind+1&sort=-name"])
def test_pages_of_classes_make_up_the_whole_in_order(client: httpx.Client, query: str) -> None:
    pages = walked(client, f"/many/classes?{query}")
    found = [class_id for page in pages for class_id in ids(page)]
    items = list(listed("fields=id,name,examples,issues", client))
    if "q=" in query:
        items = [item for item in items if "kind 1" in item["name"]]
    if "sort=-given" in query:
        items.sort(key=lambda item: -item["issues"]["given"])
    if "sort=-name" in query:
        items.sort(key=lambda item: item["name"], reverse=True)
    assert found == [item["id"] for item in items]
    assert [len(ids(page)) for page in pages[:-1]] == [100] * (len(pages) - 1)
    assert len(pages) == -(-len(items) // 100) > 1
    assert all(len(page) < 60_000 for page in pages)
    # Headers keep the search, start on the first page, and do not sort the rows of one page among themselves.
    assert "data-sortable" not in pages[1]
    assert "page=" not in pages[1].partition("<thead>")[2].partition("</thead>")[0]


def test_few_classes_stay_on_one_page_and_are_sorted_in_place(client: httpx.Client) -> None:
    page = client.get("/many/classes?q=kind+99").text
    assert len(ids(page)) == 11  # 99 and 990 to 999
    assert "data-sortable" in page
    assert 'class="pages"' not in page


@pytest.mark.parametrize("page", ["0", "8", "-1", "x", "1.5", "99999999999999999999", "²"])
@pytest.mark.parametrize("address", ["classes?", "confusions?kind=joint&"])
def test_a_page_that_is_not_there_is_refused(client: httpx.Client, address: str, page: str) -> None:
    answer = client.get(f"/many/{address}page={page}9" if page == "8" else f"/many/{address}page={page}")
    assert answer.status_code == 400
    assert "a whole number from 1 to" in answer.text


def test_pages_of_the_joint_and_of_guesses_add_up(client: httpx.Client) -> None:
    facts: Any = client.get("/api/v1/datasets/many").json()
    for kind, expected in (("joint", None), ("guessed", facts["flagged"])):
        pages = walked(client, f"/many/confusions?kind={kind}")
        assert len(pages) > 1
        rows = [
            row for page in pages for row in page.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]
        ]
        assert len(rows) == len(set(rows))
        assert f"1 to 75 of {len(rows):,}" in pages[0]
        assert all(page.count("<tr><td>") <= 75 for page in pages)
        counts = [row.partition('class="num">')[2].partition("</td>")[0] for row in rows]
        total = sum(int(count.rpartition('">')[2].partition("<")[0].replace(",", "")) for count in counts)
        if expected is not None:
            assert total == expected


def test_all_pairs_are_on_one_page_only_where_they_are_few(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = client.get("/many/confusions?kind=guessed&pairs=all").text
    assert every.count("<tr><td>") > 100
    assert 'class="pages"' not in every
    assert "pairs=all" in client.get("/many/confusions?kind=guessed").text
    monkeypatch.setattr(confusions, "MOST_AT_ONCE", 300)
    asked = client.get("/many/confusions?kind=joint&pairs=all").text
    assert asked.count("<tr><td>") == 75
    assert 'rel="next" href="?kind=joint&amp;page=2"' in asked
    assert "Show all" not in asked


def suggested(client: httpx.Client, text: str) -> Any:
    answer = client.get("/many/classes/names", params={"q": text})
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_suggestions_are_few_begin_with_what_begins_so_and_are_taken_by_the_filter(client: httpx.Client) -> None:
    assert suggested(client, "KIND  123") == [f"kind {i} of many" for i in (123, *range(1230, 1234))]
    assert suggested(client, "77")[0] == "name:77"  # alone it would be the number of another class
    assert suggested(client, "77 of")[:2] == ["kind 77 of many", "kind 177 of many"]
    assert len(suggested(client, "kind")) == len(suggested(client, "")) == 20
    assert suggested(client, "no such kind") == suggested(client, "x" * 5_000) == []
    for text in ("name:77", "77 of", "kind 9"):
        for name in [text] if ":" in text else suggested(client, text):
            assert client.get("/many", params={"given": name}).status_code == 200


def test_the_gallery_of_many_classes_holds_no_list_of_them(client: httpx.Client) -> None:
    page = client.get("/many").text
    assert page.count("<option") == 0
    assert '<datalist id="class-names">' in page
    assert 'list="class-names" data-suggest' in page
    # Without a script a name or a number is typed as it is.
    for value in ("kind 9 of many", "9", "Kind 9 OF many"):
        assert client.get("/many", params={"given": value}).status_code == 200


def test_a_name_that_is_not_there_is_answered_with_those_that_contain_it_or_are_like_it(client: httpx.Client) -> None:
    assert "kind 412 of many" in client.get("/many", params={"given": "412 of"}).text
    assert "kind 412 of many" in client.get("/many", params={"given": "kidn 412 of manny"}).text


def test_near_classes_of_many_are_those_of_all() -> None:
    names = [f"{a} {b}" for a in ("red", "green", "blue", "ochre") for b in range(400)]
    assert near_classes("gren 17", names)[0] == "green 17"
    assert near_classes("", names) == near_classes("zzzzzz", names) == []


@pytest.mark.parametrize(
    "path",
    ["", "/classes", "/confusions", "/confusions?kind=joint", "/corrected", "/evaluate", "/changes", "/issues/{}"],
)
def test_no_page_grows_with_the_number_of_classes(client: httpx.Client, path: str) -> None:
    index = client.get("/api/v1/datasets/many/issues?limit=1").json()["items"][0]["index"]
    page = client.get(f"/many{path.format(index)}")
    assert page.status_code == 200
    assert len(page.content) < 75_000


@pytest.mark.parametrize("query", ["", "limit=500", "limit=617&given=3", "limit=1000&fields=id,name"])
def test_the_api_lists_a_thousand_classes_at_most_and_leads_to_the_others(client: httpx.Client, query: str) -> None:
    first = client.get(f"/api/v1/datasets/many/classes?{query}")
    body = first.json()
    assert len(body["items"]) == body["limit"] <= body["most"] == 1_000
    assert first.headers["link"] == f'<{body["next"]}>; rel="next"'
    found = list(listed(query, client))
    assert [item["id"] for item in found] == list(range(M)) == list(range(body["total"]))
    assert found[: body["limit"]] == body["items"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=here", "limit=5&limit=6"])
def test_what_no_page_of_classes_is_asked_for_by_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/api/v1/datasets/many/classes?{query}")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == query.partition("=")[0]


def test_what_the_first_page_counts_does_not_grow_with_the_combinations_of_labels(
    catalogue: Path, client: httpx.Client
) -> None:
    """It reads one packed row, however many pairs of labels issues have that nobody reviewed."""
    with closing(sqlite3.connect(catalogue)) as connection:
        assert connection.execute("SELECT count(*) FROM facets").fetchone() == (0,)
        [(n_issues, given)] = connection.execute("SELECT n_issues, given FROM unreviewed").fetchall()
    assert len(unpack_labels(given)) > 500
    assert client.get("/api/v1/datasets/many/issues?limit=1").json()["total"] == n_issues
