"""A round that stops once it is settled whether a label is an error: its errors are "not asked", at every place."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.site.review.replay import Texts
from tests.app.site.review.rounds import Open, open_round, review

API = "/api/v1/datasets/sample-texts"


@pytest.fixture(scope="module")
def published(texts: Texts, quick_folder: Path) -> Iterator[Open]:
    arguments = ("sample-texts", "--examples", str(texts.chosen), "--stop", "error")
    with open_round(texts.bare, quick_folder, *arguments) as found:
        n = sum(texts.replayed(found))
        assert 3 * len(texts.records) <= n < 5 * len(texts.records)
        review(found.catalogue, "close", found.name)
        review(found.catalogue, "publish", found.name)
        yield found


def get(found: Open, path: str, status: int = 200) -> httpx.Response:
    answer = found.http.get(path, headers={"Accept": "application/json"} if path.startswith("/api") else {})
    assert answer.status_code == status, (path, answer.text[:300])
    return answer


@pytest.fixture(scope="module")
def errors(texts: Texts) -> set[int]:
    return {record["id"] for record in texts.records if record["mturk"]["given"] < 3}


def test_errors_are_not_asked_and_the_others_are_none(published, texts, errors):
    assert 0 < len(errors) < len(texts.records)
    facts = get(published, API).json()
    assert (facts["checked"], facts["errors"]) == (len(texts.records), len(errors))
    assert facts["categories"] == {
        "3": {"correctable": 0, "multi_label": 0, "neither": 0, "non_agreement": 0, "not_asked": len(errors)}
    }
    for word in ("not_asked", "not-asked", "error"):
        listed = get(published, f"{API}/issues?category={word}&limit=200").json()
        assert {one["index"] for one in listed["items"]} == errors
        assert listed["total"] == len(errors)
    assert {one["category"] for one in listed["items"]} == {"not_asked"}


@pytest.mark.parametrize(
    "path",
    [
        "/sample-texts?agreement=4",
        "/sample-texts/corrected?agreement=5",
        "/sample-texts/classes?agreement=4",
        f"{API}/issues?agreement=4",
        f"{API}/corrected.csv?agreement=4",
        f"{API}/corrected.npy?agreement=5",
        f"{API}/changes?agreement=4",
        f"{API}/ranks?agreement=4",
    ],
)
def test_a_threshold_that_the_round_does_not_offer_is_refused_with_the_reason(published, path):
    answer = get(published, path, 422)
    told = answer.json()["detail"] if path.startswith("/api") else answer.text
    assert f"only 3: {published.name}, a round of votes, asked for votes only until it was settled whether" in told
    if path.startswith("/api"):
        assert answer.json()["type"].endswith("#not-offered")
        assert answer.json()["allowed"] == ["3"]


@pytest.mark.parametrize("value", ["2", "6", "9", "x", "03", "\u0663"])
def test_what_is_no_threshold_of_five_votes_is_not_understood_as_before(published, value):
    for path in (f"/sample-texts?agreement={value}", f"{API}/corrected.csv?agreement={value}"):
        get(published, path, 400)
    get(published, f"{API}/corrected.csv?agreement=3&agreement=3", 400)


def test_corrected_sets_leave_them_out_like_those_on_which_nobody_agrees(published, errors):
    for policy, listed in (("", False), ("?non_agreement=given", True)):
        rows = list(csv.DictReader(get(published, f"{API}/corrected.csv{policy}").text.splitlines()))
        there = {int(row["index"]) for row in rows}
        assert (errors <= there) is listed
        assert listed or not errors & there
    page = get(published, "/sample-texts/corrected").text
    assert "not asked" in page


def test_pages_say_so(published, errors):
    assert "and no further: the category of errors was not asked" in get(published, "/sample-texts").text
    assert "not asked" in get(published, f"/sample-texts/issues/{min(errors)}").text
    tables = get(published, "/figures").text
    assert ">Not asked" in tables


def test_another_round_asks_for_the_category(published, texts, errors):
    """The last test of the module: it publishes a second round, over what the first one left open."""
    opened = review(
        published.catalogue, "open", "sample-texts", "--category", "not_asked", "--stop", "category", "--json"
    )
    name = json.loads(opened)["round"]
    second = texts.joined(published, name)
    texts.replayed(second)
    review(second.catalogue, "close", name)
    review(second.catalogue, "publish", name)
    told = get(published, API).json()["categories"]["3"]
    assert "not_asked" not in told
    assert sum(n or 0 for n in told.values()) == len(errors)
    expected = {r["id"] for r in texts.records if r["mturk"]["guessed"] >= 3}
    listed = get(published, f"{API}/issues?category=correctable&limit=200").json()["items"]
    assert {one["index"] for one in listed} == expected
