"""From a dispute to its outcome: accepted, asked again blind, published; what is public of it at which time."""

import json
import re
import time
import xml.etree.ElementTree as ET
from contextlib import redirect_stderr
from io import StringIO

import httpx
import pytest

from app.reviews.store import Store
from ingest.commands.main import main
from tests.app.site.review.disputes.disputing import disputed_site
from tests.app.site.review.rounds import RaterAt, review, vote
from tests.conftest import ingest
from tests.serving import serving

AT = "/api/v1/datasets/sample-digits"
PUBLIC = ("/disputes", "/disputes.atom", "/sample-digits/disputes", "/sample-digits/disputes.atom", f"{AT}/disputes")


@pytest.fixture
def site(sample_catalogue, quick_folder, request):
    with disputed_site(sample_catalogue, quick_folder / request.node.name[:60]) as found:
        yield found


def everything(site, idx):
    """All that is public of disputes, as one text."""
    paths = (*PUBLIC, "/sample-digits/changes", f"/sample-digits/issues/{idx}", f"{AT}/issues/{idx}", "/sample-digits")
    return "\n".join(site.http.get(path).text for path in paths)


def test_a_dispute_is_asked_again_blind_and_its_outcome_stands_in_the_log(site):
    one = site.issues("sample-digits", "category=correctable")[0]
    idx, given, guessed = one["index"], one["given"]["name"], one["guessed"]["name"]
    words = "Look <at> the \u202eloop & the stem."
    code = site.code("sample-digits", idx, claim="given", reason=words, source="https://example.org/?a=1&b=2")

    # Undecided, it is public nowhere.
    before = everything(site, idx)
    assert "the loop" not in before
    assert code not in before
    assert site.http.get(f"{AT}/disputes").json()["counts"] == dict.fromkeys(
        ("upheld", "not_upheld", "undecided", "rejected", "open"), 0
    )
    assert words.replace("\u202e", "") in site.owner("list")
    site.owner("publish")
    assert site.http.get(f"{AT}/disputes").json()["counts"]["open"] == 1
    assert "1 more was not decided when this log was last written" in site.http.get("/sample-digits/disputes").text
    assert "the loop" not in everything(site, idx)

    # Accepted, it is a round as any other, which hides the example and tells raters nothing.
    told = json.loads(site.owner("accept", code, "--json"))
    assert told == {"round": "sample-digits-1", "disputes": [code], "held_back": 1}
    assert site.http.get(f"/sample-digits/issues/{idx}").status_code == 409
    asked = json.loads(review(site.catalogue, "links", told["round"], "--raters", "5", "--base", site.base, "--json"))
    for link in asked["links"]:
        rater = RaterAt(site.http, link["url"].rpartition("/")[2])
        task = rater.get("/review/api/task").json()
        seen = json.dumps(task) + site.http.get(f"{link['url']}?start=1").text + site.http.get(link["url"]).text
        assert not re.search("disput|the loop|example.org", seen, re.I)
        assert {task["a"]["name"], task["b"]["name"]} == {given, guessed}
        assert vote(rater, task, "a" if task["a"]["name"] == given else "b").status_code == 201
        assert "the loop" not in "\n".join(site.http.get(path).text for path in PUBLIC)
    review(site.catalogue, "close", told["round"])
    assert "the loop" not in everything(site, idx)
    assert "disputes: 1 upheld" in review(site.catalogue, "publish", told["round"])

    # One of all that were checked was in a round, and the page of the dataset says no more.
    checked = site.http.get(AT).json()["checked"]
    page = " ".join(site.http.get("/sample-digits").text.split())
    assert f"{checked} checked by reviewers" in page
    assert f"1 of the {checked} checked was reviewed in a blind round (" in page
    assert "Reviewed blind" not in page

    # Published, it stands everywhere, escaped.
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert item["dispute"] == code
    assert (item["outcome"], item["why"], item["proposed"]) == ("upheld", None, [])
    assert item["verdict"] == {"round": "sample-digits-1", "category": "non_error", "corrected": None}
    assert item["reason"] == "Look <at> the loop & the stem."
    assert item["links"]["page"] == f"{site.base}/sample-digits/issues/{idx}"
    for path in ("/disputes", "/sample-digits/disputes", "/sample-digits/changes", f"/sample-digits/issues/{idx}"):
        page = site.http.get(path).text
        assert "Look &lt;at&gt; the loop &amp; the stem." in page, path
        assert '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow ugc noopener noreferrer">' in page, path
        assert '<span class="outcome">Upheld</span>' in page, path
        assert "reviewers said that the given label is right." in page, path
    for path in ("/disputes.atom", "/sample-digits/disputes.atom"):
        root = ET.fromstring(site.http.get(path).content)
        atom = "{http://www.w3.org/2005/Atom}"
        (entry,) = root.findall(f"{atom}entry")
        assert entry.findtext(f"{atom}title") == f"Upheld: Sample: handwritten digits, example {idx}"
        assert f"#{code}" in entry.find(f"{atom}link").get("href")
    assert site.http.get("/api/v1/datasets/sample-texts/disputes").json()["items"] == []
    assert "is settled" in fails(site, "accept", code)

    # A server that has no store of votes shows the same, and the log outlives the dataset's next ingest.
    with serving(site.catalogue) as other:
        assert "the loop" in httpx.get(f"{other}/sample-digits/issues/{idx}").text
    ingest("sample", "--catalogue", site.catalogue)
    assert site.http.get(f"{AT}/disputes").json()["items"][0]["dispute"] == code

    # While another round asks about the example, the log does not tell its raters either.
    review(site.catalogue, "open", "sample-digits")
    assert "the loop" not in everything(site, idx)
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert (item["outcome"], item["claim"], item["verdict"], item["why"]) == ("in_review", None, None, None)
    review(site.catalogue, "close", "sample-digits-2")

    # What the visitor wrote can be taken out again.
    site.owner("forget", code)
    site.owner("publish")
    assert "the loop" not in everything(site, idx)
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert (item["dispute"], item["outcome"], item["reason"], item["source"]) == (code, "upheld", None, None)


def fails(site, *arguments):
    """What a command that fails prints."""
    with redirect_stderr(StringIO()) as printed:
        assert main(["disputes", *arguments, "--catalogue", str(site.catalogue)]) == 1
    return printed.getvalue()


def test_a_rejection_stands_with_the_owners_reason_and_without_the_visitors_words(site):
    idx = site.issues("sample-digits")[0]["index"]
    code = site.code("sample-digits", idx, reason="Buy <now> at our shop!", source="https://shop.example/")
    why = "An advertisement, <not> a reason."
    site.owner("reject", code, "--why", why)
    assert "advertisement" not in everything(site, idx)
    site.owner("publish")
    shown = everything(site, idx)
    assert "our shop" not in shown
    assert "shop.example" not in shown
    assert "An advertisement, &lt;not&gt; a reason." in shown
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert (item["outcome"], item["why"], item["reason"], item["source"]) == ("rejected", why, None, None)
    assert item["verdict"] is None
    assert "is rejected already" in fails(site, "reject", code, "--why", "Again.")
    assert "expected a reason" in fails(site, "reject", site.code("sample-digits", idx), "--why", " ")


def test_a_rejection_that_is_taken_up_again_stays_in_the_log(site):
    """Rejected on a day, taken up again on another, and what came of it; while it is asked again, dates alone."""
    one = site.issues("sample-digits", "category=correctable")[0]
    idx, given = one["index"], one["given"]["name"]
    code = site.code("sample-digits", idx, claim="given", reason="It has a loop, I say.")
    site.owner("reject", code, "--why", "It has <no> loop.")
    site.owner("publish")
    (rejected,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert rejected["history"] == []
    before = {"decided": rejected["decided"], "outcome": "rejected", "why": "It has <no> loop."}

    site.owner("accept", code)
    site.owner("publish")
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert (item["outcome"], item["claim"], item["links"]["issue"]) == ("in_review", None, None)
    assert item["history"] == [before | {"why": None}]
    for path in ("/disputes", "/sample-digits/disputes"):
        page = site.http.get(path).text
        assert "In review" in page, path
        assert "Before: rejected" in page, path
        assert "loop" not in page, path
    assert code not in site.http.get("/disputes.atom").text

    # Where nothing is held back, the log says that it is to be decided anew.
    with serving(site.catalogue) as other:
        (item,) = httpx.get(f"{other}{AT}/disputes").json()["items"]
        assert (item["outcome"], item["claim"], item["history"]) == ("reopened", "given", [before])
        page = httpx.get(f"{other}/sample-digits/disputes").text
        assert "Taken up again" in page
        assert '<q dir="auto">It has &lt;no&gt; loop.</q>' in page
        assert httpx.get(f"{other}{AT}/disputes").json()["counts"]["open"] == 1
        assert httpx.get(f"{other}{AT}/disputes").json()["counts"]["rejected"] == 0

    site.votes("sample-digits-1", given)
    (item,) = site.http.get(f"{AT}/disputes").json()["items"]
    assert (item["dispute"], item["outcome"], item["why"]) == (code, "upheld", None)
    assert [(past["outcome"], past["why"]) for past in item["history"]] == [
        ("rejected", "It has <no> loop."),
        ("reopened", None),
    ]
    assert item["history"][0] == before
    page = site.http.get(f"/sample-digits/issues/{idx}").text
    assert "Upheld" in page
    assert "Before: rejected" in page


def test_the_time_of_a_feed_never_goes_back(site, monkeypatch):
    """Rejected, taken up again, which takes it out of the feed, and that undone: each a minute after the other."""
    times = {path: [] for path in ("/disputes.atom", "/sample-digits/disputes.atom")}

    def publish():
        site.owner("publish")
        for path, found in times.items():
            root = ET.fromstring(site.http.get(path).content)
            found.append(root.findtext("{http://www.w3.org/2005/Atom}updated"))

    now = [time.time()]
    monkeypatch.setattr(Store.__init__, "__defaults__", (lambda: now[0],))
    code = site.code("sample-digits", site.issues("sample-digits")[0]["index"])
    for owner in (("reject", code, "--why", "No."), ("accept", code), ("undo", code)):
        now[0] += 60
        site.owner(*owner)
        publish()
    for path, found in times.items():
        assert found == sorted(found), path
        assert found[0] < found[1], path


def test_hostile_words_of_the_owner_are_text_on_pages_and_in_the_feed(site):
    why = '"><script>alert(1)</script><img src=x onerror=alert(2)> ]]> &amp; {{ 7*7 }}'
    idx = site.issues("sample-digits")[0]["index"]
    site.owner("reject", site.code("sample-digits", idx), "--why", why)
    site.owner("publish")
    for path in ("/disputes", "/sample-digits/disputes", f"/sample-digits/issues/{idx}", "/sample-digits/changes"):
        page = site.http.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page, path
        assert "{{ 7*7 }}" in page, path
    for path in ("/disputes.atom", "/sample-digits/disputes.atom"):
        content = site.http.get(path).content
        assert b"<script" not in content, path
        summary = ET.fromstring(content).find(
            ".//{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}summary"
        )
        assert summary.text.endswith(why), path
        assert summary.get("type") in (None, "text"), path
    assert site.http.get(f"{AT}/disputes").json()["items"][0]["why"] == why


def test_accepting_says_what_it_holds_back_and_is_taken_back(site):
    """The round of one dispute is closed with it; one that asks about more stays open, and says so."""
    found = [one["index"] for one in site.issues("sample-digits", "category=correctable")[:3]]
    codes = [site.code("sample-digits", idx, claim="given") for idx in found]
    whole = site.http.get(f"{AT}/corrected.csv").content
    told = site.owner("accept", codes[0])
    assert "until sample-digits-1 is closed" in told
    assert "holds 1 example of sample-digits back: it has no page, and corrected sets leave it out" in told
    assert "with fewer than 5 examples" in told
    assert f"back: label-errors disputes undo {codes[0]}" in told
    left = site.http.get(f"{AT}/corrected.csv")
    assert left.status_code == 200
    assert len(left.content.splitlines()) == len(whole.splitlines()) - 1
    assert "sample-digits-1 is closed" in site.owner("undo", codes[0])
    assert site.http.get(f"{AT}/corrected.csv").content == whole
    assert site.http.get(f"/sample-digits/issues/{found[0]}").status_code == 200
    assert [one["state"] for one in site.all()] == ["waiting"] * 3
    assert "waits already" in fails(site, "undo", codes[0])

    site.owner("accept", *codes[:2])
    assert f"sample-digits-2 is still open, asks about example {found[0]}" in site.owner("undo", codes[0])
    assert site.http.get(f"/sample-digits/issues/{found[0]}").status_code == 409
    assert json.loads(site.owner("undo", codes[1], "--json"))["closed"] == "sample-digits-2"
    assert site.http.get(f"/sample-digits/issues/{found[0]}").status_code == 200

    # Several at once, all or none.
    told = site.owner("accept", *codes[:2])
    assert "holds 2 examples of sample-digits back: they have no page, and corrected sets leave them out" in told
    assert f"back: label-errors disputes undo {codes[0]} {codes[1]}" in told
    assert f"{codes[2]} waits already" in fails(site, "undo", codes[0], codes[2])
    assert [one["state"] for one in site.all()] == ["accepted", "accepted", "waiting"]
    lines = [json.loads(line) for line in site.owner("undo", codes[0], codes[1], "--json").splitlines()]
    assert [(one["dispute"], one["closed"]) for one in lines] == [(code, "sample-digits-3") for code in codes[:2]]
    assert [one["state"] for one in site.all()] == ["waiting"] * 3

    review(site.catalogue, "open", "sample-digits")
    site.owner("accept", codes[2], "--round", "sample-digits-4")
    assert "sample-digits-4 is still open" in site.owner("undo", codes[2])
    # A round that the owner opened stays, also where it asks about nothing but disputed examples.
    (asked := site.catalogue.parent / "asked.txt").write_text(f"{found[0]}\n")
    review(site.catalogue, "open", "sample-digits", "--examples", str(asked))
    site.owner("accept", codes[0], "--round", "sample-digits-5")
    assert "sample-digits-5 is still open" in site.owner("undo", codes[0])
    site.owner("reject", codes[2], "--why", "It was a mistake.")
    assert "the rejection stays" in site.owner("undo", codes[2])
    assert site.all()[-1]["state"] == "waiting"
    assert site.all()[-1]["decided"] is None


def test_a_second_dispute_of_an_example_joins_the_round_that_is_open(site):
    first, second = [one["index"] for one in site.issues("sample-digits", "category=correctable")[:2]]
    codes = [site.code("sample-digits", first, claim=claim) for claim in ("given", "neither", "both")]
    other = site.code("sample-digits", second, claim="given")
    site.owner("accept", codes[0])
    assert "sample-digits-1 is open and asks about it already" in (told := site.owner("accept", codes[1]))
    assert "next:" not in told
    assert {one["round"] for one in site.all() if one["index"] == first and one["round"]} == {"sample-digits-1"}
    refused = fails(site, "accept", codes[2], other)
    assert f"sample-digits-1 is open and asks about example {first} already, but not about all of these" in refused
    assert f"accept {codes[2]} into it, and then the others" in refused
    assert "with 5 votes; leave --votes out" in fails(site, "accept", codes[2], "--votes", "3")
    assert [one["state"] for one in site.all()] == ["accepted", "accepted", "waiting", "waiting"]
    # The round stays until the last of them is taken back; then a new one is opened.
    assert "sample-digits-1 is still open" in site.owner("undo", codes[0])
    assert "sample-digits-1 is closed" in site.owner("undo", codes[1])
    assert json.loads(site.owner("accept", codes[2], other, "--json"))["round"] == "sample-digits-2"


def test_claims_are_measured_by_the_votes_of_their_own_round(site):
    """Two disputes of two examples in one round, and one on whose example too few vote."""
    corrected = site.issues("sample-digits", "category=correctable")
    # The test tells the examples apart by their classes.
    by_pair = {frozenset((one["given"]["name"], one["guessed"]["name"])): one for one in corrected}
    found = list(by_pair.values())[:3]
    codes = [site.code("sample-digits", one["index"], claim="given") for one in found]
    codes.append(site.code("sample-digits", found[1]["index"], claim="neither"))
    site.owner("accept", *codes)
    asked = json.loads(
        review(site.catalogue, "links", "sample-digits-1", "--raters", "5", "--base", site.base, "--json")
    )
    given = {one["index"]: one["given"]["name"] for one in found}
    for number, link in enumerate(asked["links"]):
        rater = RaterAt(site.http, link["url"].rpartition("/")[2])
        for _ in found:
            task = rater.get("/review/api/task").json()
            sides = {task[side]["name"]: side for side in ("a", "b")}
            idx = by_pair[frozenset(sides)]["index"]
            answer = {0: sides[given[idx]], 1: "neither", 2: "cannot_tell"}[[o["index"] for o in found].index(idx)]
            assert vote(rater, task, answer).status_code == 201, number
    review(site.catalogue, "close", "sample-digits-1")
    assert "disputes: 2 upheld, 1 not upheld" in review(site.catalogue, "publish", "sample-digits-1")
    log = site.http.get(f"{AT}/disputes").json()
    assert {one["dispute"]: one["outcome"] for one in log["items"]} == {
        codes[0]: "upheld",
        codes[1]: "not_upheld",
        codes[3]: "upheld",
    }
    assert log["counts"] == {"upheld": 2, "not_upheld": 1, "undecided": 0, "rejected": 0, "open": 1}
    # Publishing it again, or the log alone, says the same, and enters nothing twice.
    feed = site.http.get("/sample-digits/disputes.atom").content
    review(site.catalogue, "publish", "sample-digits-1")
    site.owner("publish")
    again = site.http.get(f"{AT}/disputes").json()
    assert again == log
    assert site.http.get("/sample-digits/disputes.atom").content == feed
    # The pages of the API lead through all of them once.
    seen, path = [], f"{AT}/disputes?limit=2&fields=dispute"
    while path:
        page = site.http.get(path).json()
        seen += [one["dispute"] for one in page["items"]]
        path = page["next"]
    assert seen == [one["dispute"] for one in again["items"]]


def test_a_round_that_asks_about_the_example_already_decides_it_too(site):
    found = site.issues("sample-digits", "category=correctable")
    code = site.code("sample-digits", found[0]["index"], claim="given")
    other = site.code("sample-digits", found[-1]["index"], claim="given")
    examples = site.catalogue.with_name("examples.txt")
    examples.write_text("\n".join(str(one["index"]) for one in found[:3]))
    review(site.catalogue, "open", "sample-digits", "--examples", str(examples))
    assert f"does not ask about example {found[-1]['index']}" in fails(
        site, "accept", other, "--round", "sample-digits-1"
    )
    assert "there is no round" in fails(site, "accept", code, "--round", "sample-digits-9")
    site.owner("accept", code, "--round", "sample-digits-1")
    assert [one["state"] for one in site.all()] == ["accepted", "waiting"]
    review(site.catalogue, "close", "sample-digits-1")
    assert "is closed; expected an open round" in fails(site, "accept", other, "--round", "sample-digits-1")


def test_disputes_of_several_datasets_do_not_fit_into_one_round(site):
    codes = [site.code(name, site.issues(name)[0]["index"]) for name in ("sample-digits", "sample-texts")]
    assert "expected disputes of one dataset, found sample-digits, sample-texts" in fails(site, "accept", *codes)
    assert [one["state"] for one in site.all()] == ["waiting", "waiting"]
    assert len(site.all("--dataset", "sample-texts")) == 1
    assert json.loads(site.owner("show", codes[0], "--json"))["reason"] == "There is nothing of the kind."
    assert "page: /sample-digits/issues/" in site.owner("show", codes[0])
    assert "no dispute is settled" in site.owner("list", "--state", "settled")


def test_no_parameter_is_passed_over(site):
    assert site.http.get("/disputes?agreement=5").status_code == 400
    assert site.http.get(f"{AT}/disputes?sort=x").json()["type"] == "/about/errors#bad-parameter"
    assert site.http.get(f"{AT}/disputes?after=nonsense").status_code == 400
    assert site.http.get("/no-such/disputes").status_code == 404
