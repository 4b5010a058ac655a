"""Links that are forged, lapsed, of another store or for something else; what raters see of others; what logs hold."""

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.reviews.links import Link, Links
from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from tests.app.reviews.crowd import Server
from tests.app.site.review.rounds import Open, RaterAt, open_round, review, vote


@pytest.fixture
def links(digits: Open) -> Iterator[Links]:
    """What makes the links of the round's own store."""
    store = Store(store_url("", digits.catalogue))
    yield Links(store)
    store.close()


def code_of(links: Links, token: str) -> str:
    return links.read(token).name


def refused_everywhere(digits: Open, token: str, says: str) -> None:
    rater = RaterAt(digits.http, token)
    key = str(uuid.uuid4())
    answers = [
        rater.get("/review/api/task"),
        rater.post("/review/api/votes", json={"task": "x", "answer": "a", "key": key}),
        rater.post("/review/api/lease", json={"task": "x"}),
        rater.delete("/review/api/votes/last"),
        digits.http.get(f"/review/{token}"),
        digits.http.get(f"/review/{token}?start=1"),
        digits.http.post(f"/review/{token}", data={"form_key": "", "task": "x", "answer": "a", "key": key}),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert all(says in answer.text for answer in answers), [answer.text[:200] for answer in answers]


def test_a_lapsed_link_is_refused_everywhere(digits, links):
    code = code_of(links, digits.links[0].rpartition("/")[2])
    refused_everywhere(digits, links.token(Link("rater", code), seconds=-1), "has lapsed")
    for kind, path in (("open", "/review/"), ("owner", "/review/owner/")):
        token = links.token(Link(kind, digits.name), seconds=-1)
        answer = digits.http.get(path + token)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)


def test_a_link_of_another_store_is_refused(digits, links, tmp_path):
    other = Store(store_url("", tmp_path / "catalogue.sqlite"))
    code = code_of(links, digits.links[0].rpartition("/")[2])
    refused_everywhere(digits, Links(other).token(Link("rater", code)), "was not made by this site")
    owner = Links(other).token(Link("owner", digits.name))
    assert digits.http.get(f"/review/owner/{owner}").status_code == 401
    issues = {"Cookie": f"review_owner={owner}"}
    path = "/api/v1/datasets/sample-digits/issues"
    assert digits.http.get(path, headers=issues).json()["total"] == digits.http.get(path).json()["total"] == 0
    other.close()


def test_a_link_opens_only_what_it_was_made_for(digits, links):
    rater = digits.links[0].rpartition("/")[2]
    owner = links.token(Link("owner", digits.name))
    for token in (owner, links.token(Link("open", digits.name)), links.token(Link("rater", "r0000"))):
        assert RaterAt(digits.http, token).get("/review/api/task").status_code == 401
    for token in (rater, links.token(Link("open", digits.name))):
        answer = digits.http.get(f"/review/owner/{token}")
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    issues = digits.http.get("/api/v1/datasets/sample-digits/issues", headers={"Cookie": f"review_owner={rater}"})
    assert issues.json()["total"] == 0
    # A token is no cookie: what another site makes a browser send is nobody's vote.
    for name in ("token", "authorization", "review_owner"):
        asked = httpx.get(f"{digits.base}/review/api/task", headers={"Cookie": f"{name}={rater}"})
        assert asked.status_code == 401


def test_a_vote_that_is_sent_again_by_anybody_is_no_second_vote(digits):
    first, other = digits.rater(0), digits.rater(1)
    task, key = first.get("/review/api/task").json(), str(uuid.uuid4())
    assert vote(first, task, "neither", key).status_code == 201
    assert vote(other, task, "neither", key).status_code == 404
    assert vote(first, task, "neither", key).status_code == 201
    told = review(digits.catalogue, "status", digits.name)
    assert " 1 vote," in told
    assert first.delete("/review/api/votes/last").status_code == 200
    vote(first, task, "neither", key)  # recorded before it was taken back; it does not come back
    assert " 0 votes" in review(digits.catalogue, "status", digits.name)


def test_a_rater_sees_nothing_of_what_others_answered(digits):
    """The task of one rater is the same to the last byte, its names apart, before and after another has answered it."""
    one, other = digits.rater(2), digits.rater(3)
    seen = one.get("/review/api/task")
    content = one.get(seen.json()["media"][0]["address"]).content
    for _ in range(96):
        task = other.get("/review/api/task").json()
        same = other.get(task["media"][0]["address"]).content == content
        assert vote(other, task, "both").status_code == 201
        if same:
            break
    assert one.get("/review/api/task").content == seen.content
    assert one.delete("/review/api/votes/last").status_code == 404
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        for path in ("votes", "ratings", "raters", "rounds", f"votes/{task['task']}"):
            answer = one(method, f"/review/api/{path}")
            assert answer.status_code in (404, 405), (method, path)
            assert "both" not in answer.text
    assert one.post("/review/api/lease", json={"task": task["task"]}).status_code == 409


@pytest.mark.parametrize("path", ["", "?start=1", "?practice=1", "?pause=1"])
def test_the_address_of_a_page_goes_nowhere_else(digits, path):
    """It holds the rater's token: no other site is told it, nothing keeps it, no search engine lists it."""
    page = digits.http.get(digits.links[4] + path)
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "set-cookie" not in page.headers
    outside = [one for one in re.findall(r'(?:src|href|action)="(\w+:[^"]+)"', page.text) if digits.base not in one]
    assert not outside


def test_pages_and_joining_have_the_limit_of_a_link(sample_catalogue, quick_folder):
    folder = quick_folder / "limits"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-texts", raters=1, review_requests_a_minute=5) as found:
        statuses = [found.http.get(found.links[0] + "?start=1").status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        link = review(found.catalogue, "links", found.name, "--open", "--base", found.base).strip()
        key = re.search(r'name="form_key" value="([^"]+)"', found.http.get(link).text)
        answers = [found.http.post(link, data={"form_key": key[1], "name": f"Nobody {n}"}) for n in range(6)]
        assert [one.status_code for one in answers] == [303] * 5 + [429]
        assert int(answers[5].headers["retry-after"]) >= 1
        store = Store(store_url("", found.catalogue))
        assert len(raters_of(store, find_round(store, found.name))) == 6
        store.close()


def test_what_a_real_server_prints_holds_no_person_and_no_link(sample_catalogue: Path, tmp_path: Path):
    """Joining by name, working, and all that goes wrong: neither names, tokens, tasks nor answers are printed."""
    catalogue, log = tmp_path / "catalogue.sqlite", tmp_path / "printed"
    shutil.copyfile(sample_catalogue, catalogue)
    review(catalogue, "open", "sample-texts", "--lowest", "5")
    server = Server(catalogue, str(tmp_path / "reviews.sqlite"), log, access_log="json")
    try:
        link = review(catalogue, "links", "sample-texts-1", "--open", "--base", server.base).strip()
        with httpx.Client(timeout=60) as http:
            key = re.search(r'name="form_key" value="([^"]+)"', http.get(link).text)
            joined = http.post(link, data={"form_key": key[1], "name": "Ada Lovelace \N{SNOWMAN}"})
            token = joined.headers["location"].rpartition("/")[2].partition("?")[0]
            rater = RaterAt(http, token)
            rater.http.base_url = httpx.URL(server.base)
            task = rater.get("/review/api/task").json()
            vote(rater, task, "off-topic-by-ada")
            vote(rater, task, "both")
            rater.get(task["media"][0]["address"])
            http.get(f"{server.base}/review/{token}?start=1", headers={"Referer": f"{server.base}/review/{token}"})
            http.get(f"{server.base}/review/{token}xx")
            http.get(f"{server.base}/review/owner/{token}")
            http.post(f"{server.base}/review/{token}", data={"form_key": "no", "name": "Ada Lovelace"})
            http.get(f"{server.base}//review/{token}/")
            store = Store(store_url("", catalogue))
            with store.writing() as connection:  # the votes cannot be read any more
                connection.exec_driver_sql("ALTER TABLE leases RENAME TO gone")
            assert rater.get("/review/api/task").status_code == 503
            assert http.get(f"{server.base}/review/{token}?start=1").status_code == 503
            store.close()
    finally:
        server.kill()
    printed = log.read_text()
    assert printed.count("\n") > 8
    for secret in ("Ada", "Lovelace", token, token.partition(".")[0], task["task"], "off-topic-by-ada", key[1]):
        assert secret not in printed, secret
