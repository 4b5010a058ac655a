"""Workers of Mechanical Turk, by requests of the form that Mechanical Turk sends."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest

from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.tables import events, leases, metadata
from ingest.commands.main import main
from tests.app.reviews.databases import store_at
from tests.app.site.review.rounds import open_round, review

WORKER, ASSIGNMENT = "A2MZVVAQ3PK0XQ", "3LJ7UR74RHDU5GMWI4ZNCVPFVPZ4NF"
SANDBOX = "https://workersandbox.mturk.com"
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
BASE = "https://labels.example"
SCHEMA = "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd}"


@pytest.fixture
def task(sample_catalogue: Path, tmp_path: Path, own_store: None):
    """A round over five digits, three an assignment, and its address as the XML gives it."""
    with open_round(sample_catalogue, tmp_path, "sample-digits", "--lowest", "5", raters=1) as found:
        told = json.loads(review(found.catalogue, "links", found.name, "--mturk", "3", "--base", BASE, "--json"))
        url = ElementTree.fromstring(told["question"]).findtext(f"{SCHEMA}ExternalURL")
        assert url == told["links"][0]["url"]
        yield found, url.replace(BASE, found.base)


def arriving(address: str, **changed: str | None) -> str:
    """The address as Mechanical Turk opens it."""
    sent = {"assignmentId": ASSIGNMENT, "hitId": "H1", "turkSubmitTo": SANDBOX, "workerId": WORKER} | changed
    return f"{address}?{urlencode({name: value for name, value in sent.items() if value is not None})}"


def ask(address: str) -> httpx.Response:
    return httpx.get(address, timeout=600)


def fields(page: str, form: int = 0) -> dict[str, str]:
    """The hidden fields of a form of a page."""
    found = re.findall(r"<form.*?</form>", page, re.DOTALL)[form]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)">', found))


def sent(address: str, **more: str) -> httpx.Response:
    """Send the first form of a page."""
    response = httpx.post(address, data={**fields(ask(address).text), **more}, timeout=600)
    assert response.status_code == 303, response.text
    return response


def begun(found, address: str, **changed: str) -> str:
    """Agree: where the tasks are."""
    return found.base + sent(arriving(address, **changed), consent="yes").headers["location"]


def rows(found, table):
    store = store_at(found.catalogue)
    with store.reading() as connection:
        kept = [tuple(row) for row in connection.execute(table.select())]
    store.close()
    return kept


def stored(found):
    store = store_at(found.catalogue)
    kept = raters_of(store, find_round(store, found.name))
    store.close()
    return kept


def test_the_preview_shows_what_cannot_be_answered_and_lends_nothing(task):
    found, address = task
    before = len(stored(found))
    for submit_to in (SANDBOX, None):
        page = ask(arriving(address, assignmentId=PREVIEW, workerId=None, turkSubmitTo=submit_to))
        assert page.status_code == 200
        assert "This is a preview" in page.text
        controls = page.text[page.text.index("<fieldset") : page.text.index("</fieldset>")]
        assert 'class="bare" disabled' in controls
        assert page.text.count("<button") == controls.count("<button") == 5, "all answers are disabled"
        medium = re.search(r'<img src="(/review/media/p\.[^"]+)"', controls).group(1)
        assert ask(found.base + medium).headers["content-type"].startswith("image/")
    assert (len(stored(found)), rows(found, leases), rows(found, events)) == (before, [], [])


@pytest.mark.parametrize(
    "place",
    [
        "https://www.mturk.com.evil.example",
        "http://www.mturk.com",
        "https://evil.example/?https://www.mturk.com",
        "javascript:alert(1)//https://www.mturk.com",
        "https://www.mturk.com@evil.example",
        "",
    ],
)
def test_answers_go_back_to_mechanical_turk_and_nowhere_else(task, place):
    found, address = task
    for changed in ({}, {"assignmentId": PREVIEW}):
        wrong = arriving(address, turkSubmitTo=place, **changed)
        responses = [ask(wrong), ask(f"{wrong}&{urlencode({'turkSubmitTo': SANDBOX})}")]
        responses += [httpx.post(wrong, data=fields(ask(arriving(address)).text) | {"consent": "yes"}, timeout=600)]
        assert [one.status_code for one in responses] == [400] * 3
        assert all("evil" not in one.text and "javascript:" not in one.text for one in responses)
    assert len(stored(found)) == 1, "no worker was let in"


@pytest.mark.parametrize(
    "changed", [{"workerId": None}, {"assignmentId": "<script>"}, {"turkSubmitTo": None}, {"workerId": "a b"}]
)
def test_other_addresses_are_refused(task, changed):
    _, address = task
    response = ask(arriving(address, **changed))
    assert response.status_code == 422
    assert next(iter(changed)) in response.text
    assert "<script>" not in response.text


def test_a_worker_answers_an_assignment_and_sends_it_back(task):
    found, address = task
    assert ask(arriving(address)).text.count("keyed hashes") == 1
    assert len(stored(found)) == 1, "nothing is stored before consent"
    at = begun(found, address)
    assert WORKER not in at
    for n in range(3):
        assert f"<b>{n}</b> of 3" in ask(at).text
        sent(at, answer="a")
    done = ask(at).text
    assert f'action="{SANDBOX}/mturk/externalSubmit"' in done
    worker = stored(found)[1]
    assert worker.name.startswith("MTurk worker ")
    assert worker.name.split()[-1] not in worker.code, "published ratings name the code"
    assert fields(done) == {
        "assignmentId": ASSIGNMENT,
        "round": found.name,
        "rater": worker.name,
        "answered": "3",
    }
    assert len(rows(found, leases)) == 3, "nothing beyond the assignment is lent"
    assert httpx.post(at, data={**fields(done, 1), "do": "undo"}, timeout=600).status_code == 303
    assert "<b>2</b> of 3" in ask(at).text
    sent(at, answer="a")
    assert sum(sum(one["mturk"].values()) for one in found.vote_records()) == 3


def test_an_assignment_goes_on_where_it_was_and_the_next_one_begins_anew(task):
    found, address = task
    sent(begun(found, address), answer="a")
    again = begun(found, address)
    assert "<b>1</b> of 3" in ask(again).text, "who opens the task again is not asked for more"
    sent(again, answer="a")
    sent(again, answer="a")
    second = begun(found, address, assignmentId="SECOND", turkSubmitTo="https://www.mturk.com")
    assert "<b>0</b> of 2" in (page := ask(second).text), "two examples are left"
    votes = len(rows(found, events))
    assert httpx.post(second, data={"form_key": fields(page)["form_key"], "do": "undo"}, timeout=600).status_code == 303
    assert len(rows(found, events)) == votes, "what was sent back is not taken back"
    sent(second, answer="a")
    sent(second, answer="a")
    assert 'action="https://www.mturk.com/mturk/externalSubmit"' in (page := ask(second).text)
    assert "nothing left" in page
    assert (fields(page)["answered"], len(stored(found))) == ("2", 2)


def test_no_id_is_kept_and_forgetting_takes_the_hashes_too(task):
    found, address = task
    sent(begun(found, address), answer="a")
    kept = str([rows(found, table) for table in metadata.sorted_tables])
    assert stored(found)[1].code in kept
    assert WORKER not in kept
    assert ASSIGNMENT not in kept
    worker = stored(found)[1]
    assert [one for one in rows(found, events) if "assignment" in one]
    review(found.catalogue, "forget", found.name, worker.name)
    assert not [one for one in rows(found, events) if "assignment" in one]
    assert worker.code not in [one.code for one in stored(found)]


def test_pages_of_workers_may_be_framed_by_mechanical_turk_and_no_other_page_may(task):
    found, address = task
    at = begun(found, address)
    framed = [arriving(address), arriving(address, assignmentId=PREVIEW), arriving(address, workerId=None), at]
    framed += [f"{found.base}/review/mturk/x", arriving(address, turkSubmitTo="https://evil.example")]
    for one in framed:
        response = ask(one)
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        allowed = policy["frame-ancestors"].split()
        assert {"https://worker.mturk.com", SANDBOX} < set(allowed)
        assert all(re.fullmatch(r"https://\w+\.mturk\.com", place) for place in allowed)
        assert policy["form-action"] == f"'self' https://www.mturk.com {SANDBOX}"
        assert policy["default-src"] == "'none'"
        assert "set-cookie" not in response.headers
        assert response.headers["cache-control"] == "no-store"
    for other in ("/", found.links[0].removeprefix(found.base), "/review/prolific/x", "/review/owner/x", "/review/x"):
        policy = ask(found.base + other).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self';" in policy


def test_tokens_open_only_what_they_were_made_for(task):
    found, address = task
    at = begun(found, address)
    token = at.rpartition("/")[2]
    rater = found.links[0].rpartition("/")[2]
    wrong = [f"/review/{token}", f"/review/owner/{token}", f"/review/mturk/{rater}", f"/review/mturk/{token[:-1]}"]
    assert [ask(found.base + one).status_code for one in wrong] == [401] * 4
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{found.base}/review/api/task", headers=bearer, timeout=600).status_code == 401
    forged = {**fields(ask(at).text), "form_key": "x", "answer": "a"}
    assert httpx.post(at, data=forged, timeout=600).status_code == 403
    assert httpx.post(arriving(address), data={"consent": "yes"}, timeout=600).status_code == 403
    review(found.catalogue, "links", found.name, "--revoke", stored(found)[1].name)
    assert "revoked" in ask(at).text
    assert ask(at).status_code == 401


def test_an_answer_that_comes_twice_is_counted_once(task):
    found, address = task
    at = begun(found, address)
    form = {**fields(ask(at).text), "answer": "a"}
    assert [httpx.post(at, data=form, timeout=600).status_code for _ in range(2)] == [303, 303]
    assert "<b>1</b> of 3" in ask(at).text
    other = httpx.post(at, data={**form, "key": "0" * 32}, timeout=600)
    assert (other.status_code, "answered this example already" in other.text) == (200, True)
    review(found.catalogue, "close", found.name)
    assert fields(ask(at).text)["answered"] == "1", "what was answered is sent back, though the round is closed"


def test_mechanical_turk_frames_https_only(task, capsys):
    found, _ = task
    told = review(found.catalogue, "links", found.name, "--mturk", "--base", BASE)
    assert told.startswith(f"{BASE}/review/mturk/")
    assert "<FrameHeight>0</FrameHeight>" in told
    assert main(["review", "links", found.name, "--mturk", "--catalogue", str(found.catalogue)]) == 1
    assert "https:// only" in capsys.readouterr().err
