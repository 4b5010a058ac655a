"""The map of issues by scores: every number on it is what the gallery shows, and a box leads there."""

import re
import sqlite3
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.site.gallery.score_map import frame_of
from tests.app.reading import read

NAME = "sample-digits"


def scores(catalogue: Path) -> list[tuple[float, float]]:
    asked = "SELECT self_confidence, normalized_margin FROM issues JOIN datasets d ON d.id = dataset_id WHERE name = ?"
    with sqlite3.connect(catalogue) as connection:
        found = connection.execute(asked, (NAME,)).fetchall()
    connection.close()
    return found


def require_numbers_after_clicks(client: httpx.Client, path: str) -> None:
    html = client.get(path).text
    cells = re.findall(r'<a href="(/[^"]+)" aria-label="([\d,]+) issues?: ', html)
    assert len(cells) > 3
    for address, n in cells:
        page = client.get(address.replace("&amp;", "&")).text
        assert re.search(r'id="sentence"[^>]*>([\d,]+) ', page)[1] == n, address
    drawn = re.findall(r'data-at="\d+ -?\d+" data-n="(\d+)"', html)
    assert sum(map(int, drawn)) == sum(int(n.replace(",", "")) for _, n in cells)


@pytest.mark.parametrize("query", ["", "?category=error", "?agreement=5&category=error"])
def test_every_number_is_what_one_gets_after_the_click(client: httpx.Client, query: str) -> None:
    require_numbers_after_clicks(client, f"/{NAME}/map{query}")


def test_issues_in_a_corner_are_drawn_large(real: httpx.Client) -> None:
    """CIFAR-10's are the lowest margins: all below -0.75, and none above 0.125 in self-confidence."""
    html = real.get("/cifar10/map").text
    assert 'data-frame="32 256 0 -256"' in html
    assert ">−0.75</text>" in html
    assert "All issues lie in the part that is drawn." in html
    require_numbers_after_clicks(real, "/cifar10/map")


def test_squares_are_where_the_scores_are(client: httpx.Client, sample_catalogue: Path) -> None:
    html = client.get(f"/{NAME}/map").text
    side = int(re.search(r'data-frame="32 (\d+) ', html)[1])
    drawn = {(int(x), int(y)): int(n) for x, y, n in re.findall(r'data-at="(\d+) (-?\d+)" data-n="(\d+)"', html)}
    expected: dict[tuple[int, int], int] = {}
    for confidence, margin in scores(sample_catalogue):
        square = min(int(side * confidence // 1), side - 1), min(int(side * margin // 1), side - 1)
        expected[square] = expected.get(square, 0) + 1
    assert drawn == expected
    assert any(y < 0 for _, y in drawn)


@settings(max_examples=200)
@given(st.dictionaries(st.tuples(st.integers(0, 31), st.integers(-32, 31)), st.integers(1, 9)))
def test_the_part_that_is_drawn_holds_all_issues(found: dict[tuple[int, int], int]) -> None:
    across, side, left, low = frame_of(found)
    zoom = side // 32
    assert across == 32
    for x, y in found:
        assert left <= x * zoom < (x + 1) * zoom <= left + 32
        assert low <= y * zoom < (y + 1) * zoom <= low + 64
    # No more than there is, and cells of the table begin where it does.
    assert 0 <= left <= side - 32
    assert -side <= low <= side - 64
    assert left % 4 == low % 4 == 0


def test_the_fields_of_a_box_lead_to_its_gallery(client: httpx.Client) -> None:
    ends = {"confidence_from": "0", "confidence_to": "0.25", "margin_from": "-0.5", "margin_to": "", "category": "any"}
    answer = client.get(f"/{NAME}/map/issues", params=ends, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/{NAME}?category=any&self_confidence=0..0.25&margin=-0.5..1"
    nothing = client.get(f"/{NAME}/map/issues", follow_redirects=False)
    assert nothing.headers["location"] == f"/{NAME}?category=any"


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ({"confidence_from": "0.5", "confidence_to": "0.25"}, "self_confidence is &#39;0.5..0.25&#39;"),
        ({"margin_from": "<b>"}, "margin is &#39;&lt;b&gt;..&#39;"),
    ],
)
def test_a_box_that_is_none_is_refused(client: httpx.Client, ends: dict[str, str], words: str) -> None:
    answer = client.get(f"/{NAME}/map/issues", params=ends)
    assert answer.status_code == 400
    assert words in answer.text


def test_only_datasets_with_both_scores_have_a_map(real: httpx.Client) -> None:
    assert "have no scores in this catalogue" in read(real, "/imagenet/map", 409).words
    assert "have no scores in this catalogue" in read(real, "/audioset/map", 409).words
    assert not any(link.href.endswith("/map") for link in read(real, "/imagenet").links)
    assert any(link.href == "/mnist/map" for link in read(real, "/mnist").links)
