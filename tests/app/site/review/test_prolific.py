"""Participants of Prolific, by requests of the form that Prolific sends."""

import json
import re
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.reviews.raters import raters_of
from app.reviews.rounds import find_round
from app.reviews.tables import metadata
from ingest.commands.main import main
from tests.app.reviews.databases import store_at
from tests.app.site.review.rounds import Open, RaterAt, open_round, review, vote

PID = "5a9d64f5f6dfdd0001eaa73d"
CODES = {"done": "CDONE1", "no_consent": "CNONE2", "screened_out": "CSCREEN3", "too_fast": "CFAST4"}


@pytest.fixture(scope="module")
def study(sample_catalogue: Path, quick_folder: Path, store_of_module: None):
    """A round over two digits with the address that its owner enters at Prolific."""
    with open_round(sample_catalogue, quick_folder, "sample-digits", "--lowest", "2", raters=1) as found:
        pairs = [part for pair in CODES.items() for part in ("--prolific", "=".join(pair))]
        yield found, review(found.catalogue, "links", found.name, *pairs, "--base", found.base).strip()


def arriving(address: str, pid: str = PID) -> str:
    """The address as Prolific opens it for a participant."""
    return address.replace("{{%PROLIFIC_PID%}}", pid).replace("{{%STUDY_ID%}}", "s1").replace("{{%SESSION_ID%}}", "e1")


def agreed(address: str, answer: str = "yes") -> httpx.Response:
    page = httpx.get(address, timeout=600)
    assert page.status_code == 200
    assert "keyed hash" in page.text
    key = re.search(r'name="form_key" value="([^"]+)"', page.text).group(1)
    return httpx.post(address, data={"form_key": key, "consent": answer}, timeout=600)


def code_of(response: httpx.Response) -> str:
    assert response.status_code == 303
    address = urlsplit(response.headers["location"])
    assert (address.scheme, address.netloc, address.path) == ("https", "app.prolific.com", "/submissions/complete")
    return parse_qs(address.query)["cc"][0]


def stored(found: Open):
    store = store_at(found.catalogue)
    rows = raters_of(store, find_round(store, found.name))
    store.close()
    return rows


def test_without_consent_nothing_is_kept(study):
    found, address = study
    before = len(stored(found))
    assert code_of(agreed(arriving(address), "no")) == CODES["no_consent"]
    assert len(stored(found)) == before


def test_a_participant_answers_and_goes_back_with_a_code(study):
    found, address = study
    began = agreed(arriving(address))
    assert began.status_code == 303
    token = began.headers["location"].rpartition("/")[2]
    rater = RaterAt(found.http, token)
    end = f"{found.base}/review/prolific-end/{token}"
    unfinished = httpx.get(end, timeout=600).headers["location"]
    assert unfinished.startswith(f"/review/{token}")
    for _ in range(2):
        assert vote(rater, rater.get("/review/api/task").json(), "a", str(uuid.uuid4())).status_code == 201
    assert f"/review/prolific-end/{token}" in httpx.get(f"{found.base}/review/{token}", timeout=600).text
    assert code_of(httpx.get(end, timeout=600)) == CODES["done"]
    again = agreed(arriving(address)).headers["location"].rpartition("/")[2]
    assert RaterAt(found.http, again).get("/review/api/task").status_code == 204, "who comes back is the same rater"
    other = agreed(arriving(address, "0" * 24)).headers["location"].rpartition("/")[2]
    assert RaterAt(found.http, other).get("/review/api/task").status_code == 200


def test_others_are_not_sent_to_prolific(study):
    found, _ = study
    rater = found.rater(0)
    while (task := rater.get("/review/api/task")).status_code == 200:
        vote(rater, task.json(), "a", str(uuid.uuid4()))
    assert "Prolific" not in httpx.get(found.links[0], timeout=600).text


def test_the_id_is_nowhere(study):
    found, address = study
    agreed(arriving(address))
    assert PID not in str([tuple(row) for row in stored(found)])
    store = store_at(found.catalogue)
    with store.reading() as connection:
        kept = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(table.select())]
    store.close()
    assert kept
    assert PID not in str(kept)


def test_who_finds_nothing_to_look_at_is_told_so(study):
    found, address = study
    began = agreed(arriving(address, "f" * 24))
    token = began.headers["location"].rpartition("/")[2]
    review(found.catalogue, "close", found.name)
    assert code_of(httpx.get(f"{found.base}/review/prolific-end/{token}", timeout=600)) == CODES["screened_out"]
    review(found.catalogue, "reopen", found.name)


@pytest.mark.parametrize("pid", ["", "<script>", "a" * 65])
def test_other_addresses_are_refused(study, pid):
    _, address = study
    response = httpx.get(arriving(address, pid), timeout=600)
    assert response.status_code == 422
    assert "<script>" not in response.text.replace("<script src", "")


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [(["maybe=C1"], "expected OUTCOME=CODE"), (["no_consent=C1"], "expected done=CODE"), (["done="], "OUTCOME=CODE")],
)
def test_codes_are_checked(study, capsys, pairs, expected):
    found, _ = study
    arguments = [part for pair in pairs for part in ("--prolific", pair)]
    assert main(["review", "links", found.name, *arguments, "--catalogue", str(found.catalogue)]) == 1
    assert expected in capsys.readouterr().err
    assert json.loads(review(found.catalogue, "status", found.name, "--json"))["state"] == "open"


@pytest.fixture
def paid_only(sample_catalogue: Path, tmp_path: Path):
    """A study whose owner has made a code for who has answered, and no other."""
    with open_round(sample_catalogue, tmp_path, "sample-digits", "--lowest", "2", raters=1) as found:
        arguments = ("--prolific", "done=CDONE1", "--base", found.base)
        yield found, review(found.catalogue, "links", found.name, *arguments).strip()


def test_nobody_who_has_not_answered_gets_the_code_for_it(paid_only):
    """The code is worth money: it is not for who does not agree, nor for who finds nothing to look at."""
    found, address = paid_only
    refused = agreed(arriving(address), "no")
    token = agreed(arriving(address)).headers["location"].rpartition("/")[2]
    review(found.catalogue, "close", found.name)
    late = httpx.get(f"{found.base}/review/prolific-end/{token}", timeout=600)
    for page, told in ((refused, "You did not agree"), (late, "There is nothing left to look at")):
        assert page.status_code == 200
        assert "CDONE1" not in page.text
        assert told in page.text
        assert "Return your submission on Prolific" in page.text


def test_who_has_answered_gets_the_code_even_without_one_for_too_fast(paid_only):
    found, address = paid_only
    token = agreed(arriving(address)).headers["location"].rpartition("/")[2]
    rater = RaterAt(found.http, token)
    while (task := rater.get("/review/api/task")).status_code == 200:
        vote(rater, task.json(), "cannot_tell")
    assert code_of(httpx.get(f"{found.base}/review/prolific-end/{token}", timeout=600)) == "CDONE1"
