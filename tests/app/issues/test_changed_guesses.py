"""Pages and API where the model guesses another label than reviewers were shown, or they agreed on a third one."""

import json
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from ingest.commands.main import main
from tests.ingest.conftest import Tiny
from tests.serving import serving

NAMES = ["ant", "bee", "cat"]
#: The reviewed examples of ``Tiny`` whose guess changes: corrected to it, confirmed, multi-label.
CORRECTED, CONFIRMED, MULTI_LABEL = 0, 1, 2
#: In the dataset of votes for names, the example that reviewers correct to a class that no model guessed.
THIRD = 4


def third(given: int, guess: int) -> int:
    return next(c for c in range(3) if c not in (given, guess))


def write(folder: Path) -> Path:
    """Two datasets, whose model guesses other classes than the votes tell of."""
    catalogue = folder / "catalogue.sqlite"
    tiny = Tiny(folder / "tiny")
    for index in (CORRECTED, CONFIRMED, MULTI_LABEL):
        given, guess = int(tiny.labels[index]), int(tiny.probs[index].argmax())
        tiny.probs[index] = np.eye(3)[third(given, guess)] * 0.7 + 0.1
    assert tiny.add(catalogue) == 0
    named = Tiny(folder / "named")
    named.top = '[votes]\ndialect = "class-names"\noptions = ["given", "guessed", "other", "off-topic"]'
    for record in named.records:
        given, guess = record["given_original_label"], record["our_guessed_label"]
        record["mturk"] = {NAMES[given]: 1, NAMES[guess]: 3, "off-topic": 1}
        if record["id"] == THIRD:
            record["mturk"] = {NAMES[third(given, guess)]: 4, "off-topic": 1}
    manifest = named.write()
    manifest.write_text(manifest.read_text().replace('"tiny"', '"named"'))
    assert main(["add", str(manifest), str(named.folder), "--catalogue", str(catalogue)]) == 0
    return catalogue


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        serving(write(tmp_path_factory.mktemp("changed"))) as site,
        httpx.Client(base_url=site, timeout=30) as client,
    ):
        yield client


def api(client: httpx.Client, path: str) -> Any:
    answer = client.get(f"/api/v1/datasets/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def words(client: httpx.Client, path: str) -> str:
    """What a page says, marks and line breaks left out."""
    answer = client.get(path)
    assert answer.status_code == 200
    parts = (part.partition(">")[2] for part in f">{answer.text}".split("<"))
    return " ".join(unescape(" ".join(parts)).split())


@pytest.fixture(scope="module")
def issues(client: httpx.Client) -> dict[int, Any]:
    return {issue["index"]: issue for issue in api(client, "tiny/issues?limit=200")["items"]}


def test_an_issue_tells_both_guesses_and_the_class_agreed_on(client: httpx.Client, issues: dict[int, Any]) -> None:
    issue = issues[CORRECTED]
    assert issue["corrected"] == issue["reviewed_guess"] != issue["guessed"]
    assert issue["category"] == "correctable"
    unreviewed = [one for one in issues.values() if one["category"] == "unreviewed"]
    assert unreviewed
    assert all(one["reviewed_guess"] is None and one["flagged"] for one in unreviewed)
    same = [one for index, one in issues.items() if one["votes"] and index > MULTI_LABEL]
    assert all(one["reviewed_guess"] == one["guessed"] for one in same)


def test_answers_name_classes(client: httpx.Client) -> None:
    issue = api(client, f"tiny/issues/{MULTI_LABEL}")
    given, shown = issue["given"], issue["reviewed_guess"]
    both = sorted([given, shown], key=lambda label: label["id"])
    assert issue["answers"] == [
        {"answer": "given", "classes": [given], "votes": 1},
        {"answer": "guessed", "classes": [shown], "votes": 1},
        {"answer": "both", "classes": both, "votes": 3},
        {"answer": "neither", "classes": [], "votes": 0},
    ]


def test_a_dataset_counts_changed_guesses_and_who_waits(client: httpx.Client, issues: dict[int, Any]) -> None:
    dataset = api(client, "tiny")
    changed = [one for one in issues.values() if one["reviewed_guess"] not in (None, one["guessed"])]
    assert dataset["guesses_changed"] == len(changed) == 3
    assert dataset["unreviewed"] == api(client, "tiny/issues?category=unreviewed")["total"] > 0
    page = words(client, "/tiny")
    assert "For 3 of the 6 checked the model now guesses a different label than reviewers were shown." in page
    assert f"{dataset['unreviewed']} examples are not reviewed yet" in page
    assert api(client, "named")["guesses_changed"] == 0
    assert "now guesses a different" not in words(client, "/named")


def test_cards_and_pages_do_not_put_the_present_guess_into_reviewers_mouths(
    client: httpx.Client, issues: dict[int, Any]
) -> None:
    answers = {"given": "given label {given}", "guessed": "label guessed then {shown}", "both": "both labels"}
    for index in (CORRECTED, CONFIRMED, MULTI_LABEL):
        labels = {"given": issues[index]["given"]["name"], "shown": issues[index]["reviewed_guess"]["name"]}
        now = issues[index]["guessed"]["name"]
        page = words(client, f"/tiny/issues/{index}")
        for answer, n in issues[index]["votes"].items():
            assert answer not in answers or f"{answers[answer].format(**labels)} {n} " in page
        assert f"now guessed {now}" in page
        assert f"They were shown {labels['shown']} , the guess of an earlier model; the current guess is {now}" in page
    gallery = words(client, "/tiny?category=correctable")
    assert f"5 of 5 said {issues[CORRECTED]['reviewed_guess']['name']}" in gallery
    assert f"now guessed {issues[CORRECTED]['guessed']['name']}" in gallery


def test_a_second_label_is_what_reviewers_were_shown(client: httpx.Client, issues: dict[int, Any]) -> None:
    given, shown, now = (issues[MULTI_LABEL][name]["name"] for name in ("given", "reviewed_guess", "guessed"))
    assert f"given {given} also {shown} now guessed {now}" in words(client, f"/tiny/issues/{MULTI_LABEL}")
    given, shown, now = (issues[CONFIRMED][name]["name"] for name in ("given", "reviewed_guess", "guessed"))
    assert f"given {given} alternative {shown} now guessed {now}" in words(client, f"/tiny/issues/{CONFIRMED}")


@pytest.mark.parametrize("role", ["given", "guessed", "corrected"])
@pytest.mark.parametrize("agreement", [3, 4, 5])
def test_what_a_filter_shows_has_the_label_it_asks_for(client: httpx.Client, role: str, agreement: int) -> None:
    every = api(client, f"tiny/issues?limit=200&agreement={agreement}")["items"]
    counts = {one["name"]: one["issues"][role] for one in api(client, f"tiny/classes?agreement={agreement}")["items"]}
    for name in NAMES:
        wanted = [one["index"] for one in every if one[role] and one[role]["name"] == name]
        found = api(client, f"tiny/issues?limit=200&agreement={agreement}&{role}={name}")
        assert [one["index"] for one in found["items"]] == wanted
        assert found["total"] == counts[name] == len(wanted)


def test_a_search_finds_whatever_label_an_issue_has(client: httpx.Client) -> None:
    for dataset in ("tiny", "named"):
        every = api(client, f"{dataset}/issues?limit=200")["items"]
        for name in NAMES:
            labels = ("given", "guessed", "reviewed_guess", "corrected")
            wanted = [one["index"] for one in every if any(one[r] and one[r]["name"] == name for r in labels)]
            found = api(client, f"{dataset}/issues?limit=200&q={name}")
            assert [one["index"] for one in found["items"]] == wanted
            assert found["total"] == len(wanted)


def test_corrected_sets_give_what_reviewers_agreed_on(client: httpx.Client, issues: dict[int, Any]) -> None:
    rows = {row["index"]: row for row in api(client, "tiny/corrected.json?limit=200&multi_label=both")["items"]}
    assert rows[CORRECTED]["corrected"] == [issues[CORRECTED]["reviewed_guess"]]
    both = [issues[MULTI_LABEL]["given"], issues[MULTI_LABEL]["reviewed_guess"]]
    assert rows[MULTI_LABEL]["corrected"] == sorted(both, key=lambda label: label["id"])


def test_a_class_that_no_model_guessed_can_be_agreed_on(client: httpx.Client) -> None:
    issue = api(client, f"named/issues/{THIRD}")
    agreed = NAMES[third(issue["given"]["id"], issue["guessed"]["id"])]
    assert (issue["category"], issue["corrected"]["name"], issue["consensus"]) == ("correctable", agreed, agreed)
    assert issue["reviewed_guess"] == issue["guessed"]
    assert {"answer": agreed, "classes": [issue["corrected"]], "votes": 4} in issue["answers"]
    assert {"answer": "off-topic", "classes": None, "votes": 1} in issue["answers"]
    page = words(client, f"/named/issues/{THIRD}")
    assert f"another label {agreed} 4" in page
    assert f"corrected {agreed}" in page
    pairs = words(client, "/named/confusions")
    assert f"{issue['given']['name']}" in pairs
    assert api(client, f"named/issues?corrected={agreed}&guessed={issue['guessed']['name']}")["total"] >= 1


def test_the_documentation_describes_what_is_answered(client: httpx.Client) -> None:
    schemas = json.loads(client.get("/api/openapi.json").text)["components"]["schemas"]
    for name, fields in (("IssueOut", {"reviewed_guess"}), ("IssueDetailOut", {"answers", "reviewed_guess"})):
        assert fields <= set(schemas[name]["properties"])
    assert {"guesses_changed", "unreviewed"} <= set(schemas["DatasetOut"]["properties"])
