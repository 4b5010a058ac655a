"""Rows of tables on the site: shown as small tables, with what is unusual for the given label marked."""

import json
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from ingest.datasets.unusual_values import MarkedRows
from ingest.manifest.layouts import options_of
from tests.flowers import GREEN, KINDS, LONG, NASTY, WRONG, flowers
from tests.serving import serving

NAME = "flowers"


@pytest.fixture(scope="module")
def client(rows_site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=rows_site, timeout=30) as client:
        yield client


def row_of(client: httpx.Client, index: int) -> dict[str, tuple[Any, str | None]]:
    body = client.get(f"/api/v1/datasets/{NAME}/issues/{index}").json()
    return {value["column"]: (value["value"], value["unusual"]) for value in body["row"]}


@pytest.mark.parametrize("index", WRONG)
def test_a_row_with_a_wrong_label_shows_why_it_is_suspect(client: httpx.Client, index: int) -> None:
    """Its length and its colour are those of another kind, and its garden and its petals say nothing."""
    frame, _ = flowers()
    row = row_of(client, index)
    given = frame[frame["kind"] == frame["kind"][index]]
    assert row["length in cm"][0] == frame["length in cm"][index]
    low, high = map(float, str(row["length in cm"][1]).removeprefix("usually ").split(" to "))
    inside = given["length in cm"].between(low, high)
    assert 0.9 < inside.mean() < 1
    assert not inside[index]
    share = (given["colour"] == frame["colour"][index]).mean()
    assert row["colour"] == (frame["colour"][index], f"{100 * share:.1f} % of this class")
    assert [row[name][1] for name in ("petals", "garden")] == [None, None]
    page = client.get(f"/{NAME}/issues/{index}").text
    assert page.count('<mark class="unusual">') >= 2
    assert "Marked values are unusual for the given label." in unescape(page)


def test_cards_show_rows_with_marks(client: httpx.Client) -> None:
    page = client.get(f"/{NAME}").text
    assert page.count('<table class="values">') == 8
    frame, _ = flowers()
    for index in WRONG:
        assert f'<mark class="unusual">{frame["length in cm"][index]}</mark>' in page
        assert f'href="/{NAME}/issues/{index}"' in page
    assert "usually " in page
    assert "Marked values are unusual for the given label." in unescape(page)


def test_text_of_a_row_is_never_markup(client: httpx.Client) -> None:
    frame, _ = flowers()
    nasty = [card["index"] for card in items(client) if frame["garden"][card["index"]] == NASTY]
    assert nasty
    for page in (client.get(f"/{NAME}").text, client.get(f"/{NAME}/issues/{nasty[0]}").text):
        assert "&lt;b&gt;&amp; &#39;x&#39;&lt;/b&gt;" in page
        assert NASTY not in page


def items(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    return list(client.get(f"/api/v1/datasets/{NAME}/issues?limit=100{query}").json()["items"])


def test_words_in_rows_are_searched_and_numbers_are_not(client: httpx.Client) -> None:
    frame, _ = flowers()
    by_colour = {card["index"] for card in items(client, "&q=blue")}
    assert by_colour == {card["index"] for card in items(client) if frame["colour"][card["index"]] == "blue"}
    assert by_colour
    assert items(client, "&q=petals") == []
    assert "Search words and names" in client.get(f"/{NAME}").text


def test_typical_examples_are_rows(client: httpx.Client) -> None:
    page = client.get(f"/{NAME}/issues/{WRONG[0]}").text
    shelves = page[page.index('class="shelves"') :]
    assert shelves.count('<table class="values">') == 8
    assert "Typical examples of both classes" in shelves


def test_the_row_itself_is_a_medium(client: httpx.Client) -> None:
    body = client.get(f"/api/v1/datasets/{NAME}/issues/{WRONG[0]}").json()
    answer = client.get(body["links"]["media"]["row"])
    assert answer.headers["content-type"] == "application/json"
    assert [value["column"] for value in body["row"]] == [column for column, _, _ in json.loads(answer.content)]


def test_usual_values_of_a_class_are_told_from_others_by_its_middle_half(tmp_path: Path) -> None:
    """Of the right labels, only the long and the green one are unusual in these columns."""
    frame, kinds = flowers()
    told = options_of("row-table", {"columns": ["length in cm", "colour"], "categories": ["colour"]})
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    marked = MarkedRows(tmp_path / "flowers.csv", told, given=kinds)
    found = {column: [index for index in range(len(frame)) if marked.unusual(index, column)] for column in told.columns}
    assert LONG in found["length in cm"]
    assert len(found["length in cm"]) < 0.1 * len(frame)
    assert found["colour"] == [GREEN]
    assert marked.unusual(GREEN, "colour") == "1.0 % of this class"


def test_a_public_site_shows_no_row_that_it_may_not(rows_catalogue: Path) -> None:
    """What ``init`` writes is for one's own machine: nothing of a row is told, and none is found by its words."""
    with serving(rows_catalogue, public=True) as address, httpx.Client(base_url=address, timeout=30) as client:
        page, issue = client.get(f"/{NAME}").text, client.get(f"/{NAME}/issues/{WRONG[0]}").text
        for one in (page, issue):
            assert 'class="values"' not in one
            assert "garden" not in one
            assert "does not show the rows" in one
        body = client.get(f"/api/v1/datasets/{NAME}/issues/{WRONG[0]}").json()
        assert body["row"] is None
        assert items(client, "&q=blue") == []
        version = client.get(f"/api/v1/datasets/{NAME}").json()["version"]
        assert client.get(f"/media/{NAME}/{version}/{WRONG[0]}/row").status_code == 404


def test_the_given_labels_are_those_of_the_rows(client: httpx.Client) -> None:
    frame, kinds = flowers()
    for card in items(client):
        assert card["given"]["name"] == frame["kind"][card["index"]]
    wrong = {card["index"] for card in items(client) if card["guessed"]["name"] == KINDS[kinds[card["index"]]]}
    assert set(WRONG) <= wrong
    assert np.isnan(frame["petals"][5])
