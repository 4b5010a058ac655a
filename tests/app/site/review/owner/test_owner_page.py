"""The owner's page of a round, over HTTP: who is named, what leaving somebody out changes, and what is never told."""

import csv
import io
import json
import random
import re
import uuid
from pathlib import Path

import httpx
import pytest

from app.reviews.lending import Task, next_task
from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.store import Store
from app.reviews.tables import raters
from app.reviews.voting import Vote, cast
from tests.app.reviews.databases import store_at
from tests.app.site.review.rounds import Open, open_round, review

NAMES = ("Ann", "Ben", "Cleo", "Always", "<b>Coin</b>")


@pytest.fixture(scope="module")
def voted(sample_catalogue: Path, quick_folder: Path, store_of_module: None):
    """A round over the forty most suspicious digits, five raters, all votes given; with the owner's link."""
    arguments = ("sample-digits", "--lowest", "40", "--reviewers", "Five of us")
    with open_round(sample_catalogue, quick_folder, *arguments, raters=1) as found:
        store = store_at(found.catalogue)
        with store.writing() as connection:
            connection.execute(raters.delete())
        review(found.catalogue, "links", found.name, *(part for name in NAMES for part in ("--name", name)))
        vote_all(store, found)
        store.close()
        link = review(found.catalogue, "links", found.name, "--owner", "--base", found.base).strip()
        yield found, link


def vote_all(store: Store, found: Open) -> None:
    """Careful raters say given to two of three; one always (a); one tosses coins."""
    round_ = find_round(store, found.name)
    waiting = list(raters_of(store, round_))
    while waiting:
        for rater in list(waiting):
            task = next_task(store, rater, round_)
            if not isinstance(task, Task):
                waiting.remove(rater)
                continue
            seen = task.question.given[0] if task.idx % 3 else task.question.guessed[0]
            answer = "ab"[task.sides.index(seen)]
            if rater.name == "Always":
                answer = "a"
            elif "Coin" in rater.name:
                # By the example, whichever side it is on: so a run is like another.
                answer = "ab"[task.sides.index(random.Random(task.idx).choice(sorted(task.sides)))]
            cast(store, rater, round_, Vote(task.code, answer, str(uuid.uuid4())))


def form_of(page: str) -> str:
    return re.search(r'name="form_key" value="([^"]+)"', page).group(1)


def figures(link: str) -> dict:
    return httpx.get(f"{link}/figures.json", timeout=600).json()


def test_the_page_names_who_does_not_look(voted):
    _, link = voted
    page = httpx.get(link, timeout=600)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "always answers “a”" in page.text
    assert "<b>Coin" not in page.text, "names are what somebody typed"
    assert "&lt;b&gt;Coin" in page.text
    named = {one["name"]: one["remarks"] for one in figures(link)["raters"]}
    assert named["Always"]
    assert named["<b>Coin</b>"][0].startswith("answers look random")
    assert "answers look random" in page.text
    assert not named["Ann"] + named["Ben"] + named["Cleo"]


def test_json_and_csv_say_the_same(voted):
    _, link = voted
    response = httpx.get(f"{link}/raters.csv", timeout=600)
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["name"] for row in rows] == list(NAMES)
    for row, one in zip(rows, figures(link)["raters"], strict=True):
        assert (row["rater"], int(row["votes"]), int(row["a"])) == (one["rater"], one["votes"], one["a"])
        assert float(row["kappa"]) == one["kappa"]
        assert row["remarks"] == "; ".join(one["remarks"])


def test_excluding_says_first_and_does_then(voted):
    found, link = voted
    before = figures(link)
    code = next(one["rater"] for one in before["raters"] if one["name"] == "Always")
    with httpx.Client(timeout=600) as owner:
        key = form_of(owner.get(link).text)
        sent = {"form_key": key, "do": "exclude", "rater": code, "why": "always (a)"}
        asked = owner.post(link, data=sent)
        assert asked.status_code == 200
        assert "Exclude Always?" in asked.text
        assert "40 votes would no longer count; 40 examples would be asked about again" in asked.text
        assert figures(link) == before, "asking changes nothing"
        promised = float(re.search(r"to (−?[0-9.]+)\.</li>", asked.text).group(1).replace("−", "-"))
        assert owner.post(link, data={**sent, "sure": "yes"}).status_code == 303
        after = figures(link)
        assert round(after["alpha"]["value"], 3) == promised
        assert after["progress"]["needed"] == 40
        assert next(one["why"] for one in after["raters"] if one["rater"] == code) == "always (a)"
        owner.post(link, data={"form_key": key, "do": "include", "rater": code, "sure": "yes"})
    assert figures(link) == before
    status = json.loads(review(found.catalogue, "status", found.name, "--json"))
    assert status["needed"] == 0


def test_what_is_done_already_is_not_done_again(voted):
    """Sent again from another tab, the form changes neither the reason nor anything else."""
    _, link = voted
    before = figures(link)
    code = before["raters"][0]["rater"]
    with httpx.Client(timeout=600) as owner:
        key = form_of(owner.get(link).text)
        sent = {"form_key": key, "do": "exclude", "rater": code, "why": "first", "sure": "yes"}
        for why in ("first", "second"):
            assert owner.post(link, data={**sent, "why": why}).status_code == 303
        assert figures(link)["raters"][0]["why"] == "first"
        for _ in range(2):
            assert owner.post(link, data={**sent, "do": "include"}).status_code == 303
    assert figures(link) == before


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"form_key": "x"}, 403),
        ({"why": " "}, 422),
        ({"do": "delete"}, 422),
        ({"rater": "nobody"}, 404),
    ],
)
def test_what_is_not_of_this_page_is_refused(voted, changed, status):
    _, link = voted
    before = figures(link)
    code = before["raters"][0]["rater"]
    key = form_of(httpx.get(link, timeout=600).text)
    sent = {"form_key": key, "do": "exclude", "rater": code, "why": "w", "sure": "yes", **changed}
    assert httpx.post(link, data=sent, timeout=600).status_code == status
    assert figures(link) == before


def test_a_page_of_another_site_sends_nothing(voted):
    _, link = voted
    key = form_of(httpx.get(link, timeout=600).text)
    sent = {"form_key": key, "do": "exclude", "rater": figures(link)["raters"][0]["rater"], "why": "w", "sure": "yes"}
    assert httpx.post(link, data=sent, headers={"Sec-Fetch-Site": "cross-site"}, timeout=600).status_code == 403


def test_a_raters_link_shows_nothing_of_it(voted):
    found, link = voted
    made = json.loads(review(found.catalogue, "links", found.name, "--name", "Dan", "--base", found.base, "--json"))
    token = made["links"][0]["url"].rpartition("/")[2]
    for address in ("", "/figures.json", "/raters.csv"):
        assert httpx.get(f"{found.base}/review/owner/{token}{address}", timeout=600).status_code == 401
    assert httpx.get(f"{link}x/figures.json", timeout=600).status_code == 401


def test_the_command_line_does_the_same(voted):
    found, link = voted
    before = figures(link)
    told = review(found.catalogue, "exclude", found.name, "Always", "--why", "always (a)", "--preview")
    assert "40 votes would no longer count" in told
    assert figures(link) == before
    review(found.catalogue, "exclude", found.name, "Always", "--why", "always (a)")
    listed = json.loads(review(found.catalogue, "raters", found.name, "--json"))["raters"]
    assert {one["name"] for one in listed if one["excluded"]} == {"Always"}
    assert listed == figures(link)["raters"]
    review(found.catalogue, "include", found.name, "Always")
    assert figures(link) == before


def test_status_tells_where_weighing_differs(voted):
    found, link = voted
    printed = review(found.catalogue, "status", found.name)
    n = len(figures(link)["dawid_skene"]["otherwise"])
    assert f"Dawid-Skene puts {n} of 40 settled examples into another category" in printed
