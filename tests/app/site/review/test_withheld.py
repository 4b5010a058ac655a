"""While a round is open its examples are not on the site: the answer is not to be found next door."""

import json
import re
import sqlite3
from contextlib import closing

import httpx
import pytest

from app.catalogue.rounds.withheld import withhold
from tests.app.site.review.rounds import Open, open_round, review

AT = "/api/v1/datasets/sample-texts"


@pytest.fixture(scope="module")
def small(sample_catalogue, quick_folder):
    """A round over the three most suspicious texts, and one of what the site tells before it."""
    folder = quick_folder / "withheld"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-digits", "--lowest", "2") as found:
        before = {path: found.http.get(path) for path in (AT, f"{AT}/issues?limit=200")}
        name = review(found.catalogue, "open", "sample-texts", "--lowest", "3", "--json").split('"')[3]
        indices = [one["index"] for one in before[f"{AT}/issues?limit=200"].json()["items"]]
        yield Open(name, found.base, found.catalogue, [], found.http), before, indices


def test_nothing_of_them_is_listed_counted_shown_or_found(small):
    found, before, indices = small
    hidden, others = indices[:3], indices[3:]
    get = found.http.get
    assert [one["index"] for one in get(f"{AT}/issues?limit=200").json()["items"]] == others
    assert [one["index"] for one in get(f"{AT}/issues?limit=200&sort=disagreement").json()["items"]].count(
        hidden[0]
    ) == 0
    for idx in hidden:
        assert get(f"/sample-texts/issues/{idx}").status_code == 404
        assert get(f"{AT}/issues/{idx}").status_code == 404
        assert get(f"{AT}/labels/{idx}").status_code in (404, 409)
    assert get(f"/sample-texts/issues/{others[0]}").status_code == 200
    assert get(f"{AT}/issues").json()["total"] == len(others) == before[f"{AT}/issues?limit=200"].json()["total"] - 3
    reviewed = [one for one in before[f"{AT}/issues?limit=200"].json()["items"][:3] if one["votes"]]
    assert get(AT).json()["checked"] == before[AT].json()["checked"] - len(reviewed)
    page = get("/sample-texts").text
    assert not any(f'id="i{idx}"' in page for idx in hidden)
    assert "3 of its examples are being reviewed" in page
    for path in ("corrected.csv", "corrected.parquet", "labels.csv"):
        assert get(f"{AT}/{path}").status_code in (404, 409)


def test_what_is_withheld_says_until_when(small):
    """Not that somebody should load the dataset again: its labels are there."""
    found, _, indices = small
    version = found.http.get(f"{AT}/versions").json()["items"][0]["version"]
    paths = [f"{AT}/{path}" for path in ("corrected.csv", f"labels/{indices[3]}", "croissant.json")]
    answers = [
        found.http.get(path) for path in (*paths, f"/api/v1/versions/{version}/datasets/sample-texts/corrected.csv")
    ]
    answers.append(found.http.post(f"{AT}/labels", json=[indices[3]]))
    for answer in answers:
        detail = answer.json()["detail"]
        assert answer.status_code == 409, detail
        assert detail.startswith("The given labels of ")
        assert f" are withheld until the round {found.name} is closed" in detail
        assert "again" not in detail


def test_two_rounds_over_one_example_are_both_named(sample_catalogue):
    with closing(sqlite3.connect(f"file:{sample_catalogue}?mode=ro", uri=True)) as connection:
        facts = "SELECT n_issues FROM datasets WHERE name = 'sample-texts'"
        before = connection.execute(facts).fetchone()[0]
        idx = connection.execute(
            "SELECT i.idx FROM issues i JOIN datasets d ON d.id = i.dataset_id WHERE d.name = 'sample-texts'"
        ).fetchone()[0]
        withhold(connection, (("sample-texts", idx, "b"), ("sample-texts", idx, "a"), ("sample-sounds", -1, "c")))
        assert connection.execute(facts).fetchone()[0] == before - 1
        about = dict(connection.execute("SELECT name, about FROM datasets"))
    assert json.loads(about["sample-texts"])["withheld_by"] == ["a", "b"]
    assert [name for name, text in about.items() if "withheld_by" in json.loads(text)] == ["sample-texts"]


def test_their_media_are_gone_at_their_own_addresses(small):
    found, _, indices = small
    version = re.search(r"/media/sample-texts/(\w+)/", found.http.get(f"{AT}/issues?limit=1").text)
    assert version, "an issue that is shown has a text"
    for idx, status in ((indices[0], 404), (indices[3], 200)):
        assert found.http.get(f"/media/sample-texts/{version[1]}/{idx}/text").status_code == status


def test_counts_beside_choices_are_the_counts_after_the_click(small):
    found, _, _ = small
    for category in ("correctable", "non_error", "unreviewed", "non_agreement", "multi_label", "neither"):
        total = found.http.get(f"{AT}/issues?category={category}").json()["total"]
        items = found.http.get(f"{AT}/issues?category={category}&limit=200").json()["items"]
        assert total == len(items)


def test_a_search_does_not_find_them(small, sample_site):
    found, before, _ = small
    for one in before[f"{AT}/issues?limit=200"].json()["items"][:3]:
        text = httpx.get(sample_site + one["links"]["media"]["text"].partition(found.base)[2]).text
        word = max(re.findall(r"[a-z]+", text), key=len)
        whole = httpx.get(f"{sample_site}{AT}/issues", params={"q": word, "limit": 200}).json()["items"]
        assert one["index"] in [hit["index"] for hit in whole]
        hits = found.http.get(f"{AT}/issues", params={"q": word, "limit": 200}).json()["items"]
        assert one["index"] not in [hit["index"] for hit in hits]


def test_other_datasets_are_as_they_were(small):
    found, _, _ = small
    assert found.http.get("/api/v1/datasets/sample-sounds/corrected.csv").status_code == 200


def test_the_owner_sees_all_and_nobody_keeps_it(small):
    found, before, indices = small
    link = review(found.catalogue, "links", found.name, "--owner", "--base", found.base).strip()
    with httpx.Client(base_url=found.base, timeout=600) as owner:
        assert owner.get(link).status_code == 200
        page = owner.get(f"/sample-texts/issues/{indices[0]}")
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "etag" not in page.headers
        assert owner.get(AT).json() == before[AT].json()
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 404
    rater = link.replace("/owner/", "/owner/x")
    assert found.http.get(rater).status_code == 401


def test_they_come_back_when_the_round_is_closed(small):
    """The last test of the module: it closes the round."""
    found, before, indices = small
    review(found.catalogue, "close", found.name)
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 200
    assert found.http.get(AT).json() == before[AT].json()
    assert found.http.get(f"{AT}/corrected.csv").status_code == 200
    review(found.catalogue, "reopen", found.name)
    assert found.http.get(f"/sample-texts/issues/{indices[0]}").status_code == 404
