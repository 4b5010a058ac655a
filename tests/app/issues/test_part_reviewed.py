"""What pages say of datasets that nobody reviewed, or of which reviewers saw a part, or another model's suspects."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from ingest.commands.main import main
from tests.app.reading import read
from tests.ingest.conftest import Tiny
from tests.serving import serving

#: The corrected example whose guess the later model of "later" changes, so that it is not flagged any more.
LEARNED = 0


def add(tiny: Tiny, name: str, catalogue: Path) -> None:
    manifest = tiny.write()
    text = manifest.read_text().replace('"tiny"', f'"{name}"').replace('"Tiny"', f'"{name.title()}"')
    if name == "nobody":
        text = text.replace('votes = "votes.json"\n', "")
    manifest.write_text(text)
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0


def unflag(tiny: Tiny, index: int) -> None:
    """The model is sure of the given label, though it guesses the other one by a hair: not flagged, same guess."""
    given, guess = int(tiny.labels[index]), int(tiny.probs[index].argmax())
    tiny.probs[index] = 0.0
    tiny.probs[index, [given, guess]] = 0.499, 0.501


def write(folder: Path) -> Path:
    catalogue = folder / "catalogue.sqlite"
    add(Tiny(folder / "nobody"), "nobody", catalogue)
    partly = Tiny(folder / "partly")
    partly.top = "flag = 5"
    unflag(partly, LEARNED)
    add(partly, "partly", catalogue)
    later = Tiny(folder / "later")
    given, guess = int(later.labels[LEARNED]), int(later.probs[LEARNED].argmax())
    later.probs[LEARNED, [guess, given]] = later.probs[LEARNED, [given, guess]]
    add(later, "later", catalogue)
    named = Tiny(folder / "named")
    named.top = 'raters = 3\n[votes]\ndialect = "class-names"\noptions = ["given", "guessed", "other"]'
    for record in named.records:
        third = next(c for c in range(3) if c not in (record["given_original_label"], record["our_guessed_label"]))
        record["mturk"] = {named.classes[third]: 3}
    add(named, "named", catalogue)
    return catalogue


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        serving(write(tmp_path_factory.mktemp("part"))) as site,
        httpx.Client(base_url=site, timeout=30) as client,
    ):
        yield client


def words(client: httpx.Client, path: str) -> str:
    return " ".join(read(client, path).words.split())


def api(client: httpx.Client, name: str) -> Any:
    return client.get(f"/api/v1/datasets/{name}").json()


def table_rows(client: httpx.Client, name: str) -> list[list[str]]:
    """The rows of a dataset in Tables 1 and 2, cell by cell."""
    rows = re.findall(rf'<tr>\s*<th scope="row"><a href="/{name}">.*?</tr>', client.get("/figures").text, re.DOTALL)
    return [[re.sub("<[^>]*>", "", cell).strip() for cell in re.findall("<td.*?</td>", row)] for row in rows]


def test_a_home_page_of_suspects_alone_promises_no_votes(tmp_path: Path) -> None:
    add(Tiny(tmp_path / "nobody"), "nobody", tmp_path / "catalogue.sqlite")
    app = create_app(Settings(catalogue=tmp_path / "catalogue.sqlite"))
    with TestClient(app, base_url="http://localhost") as alone:
        page = alone.get("/").text
    for promised in ("voted", "See the errors", "download corrected", "reviewers see", "the corrected labels"):
        assert promised not in page, promised
    assert "Nobody has reviewed them yet" in page
    assert page.count("Nobody has reviewed them yet") == 3  # in the text, for search engines, and for previews
    assert "See the suspects" in page
    assert "When people have reviewed them: as CSV" in page


def test_nothing_is_said_of_votes_where_nobody_voted(client: httpx.Client) -> None:
    assert api(client, "nobody")["checked"] == 0
    for path in ("/nobody", "/nobody/corrected", "/nobody/evaluate", "/nobody/classes", "/nobody/confusions"):
        page = words(client, path)
        assert not re.search(r"\d of 5", page), path
        assert "Agreement" not in page, path
    assert "8 flagged by confident learning, none checked by reviewers." in words(client, "/nobody")


def test_where_nobody_looked_tables_have_dashes_and_no_findings(client: httpx.Client) -> None:
    table_1, table_2 = table_rows(client, "nobody")
    assert table_1[3:] == ["8", "0", "–", "–", "–"]
    assert set(table_2) == {"–"}
    assert set(table_rows(client, "partly")[1]) & set("123")


def test_predictions_are_held_against_given_labels_where_nobody_reviewed(client: httpx.Client) -> None:
    file = {"file": ("p.csv", "prediction\n" + "0\n" * 40)}
    answer = client.post("/nobody/evaluate", files=file, headers={"Origin": str(client.base_url).rstrip("/")})
    assert answer.status_code == 200
    page = " ".join(re.sub("<[^>]*>", " ", answer.text).split())
    assert "examples by the labels as given" in page
    assert "Nobody has reviewed these labels" in page
    for untrue in ("Reviewers were shown", "guessed", "0 of them corrected", "0 corrected examples", "Pruned set"):
        assert untrue not in page, untrue


def test_the_command_says_no_more_than_the_page(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue, predictions = tmp_path / "c.sqlite", tmp_path / "p.npy"
    add(Tiny(tmp_path / "nobody"), "nobody", catalogue)
    np.save(predictions, np.zeros(40, dtype=np.int64))
    capsys.readouterr()
    assert main(["evaluate", "nobody", str(predictions), "--catalogue", str(catalogue)]) == 0
    said = capsys.readouterr().out
    assert "no label is corrected or left out" in said
    assert "0 corrected" not in said


def test_reviewers_saw_as_many_of_the_flagged_as_are_flagged_and_checked(client: httpx.Client) -> None:
    for name in ("partly", "later"):
        issues = client.get(f"/api/v1/datasets/{name}/issues?limit=200").json()["items"]
        flagged = [one for one in issues if one["flagged"]]
        seen = [one for one in flagged if one["category"] != "unreviewed"]
        dataset = api(client, name)
        assert dataset["checked_of_flagged"] == len(seen) == 5
        assert dataset["unreviewed"] == len(flagged) - len(seen)
        page = words(client, f"/{name}/corrected")
        saw = f"Reviewers saw 5 of the {len(flagged)} flagged examples"
        assert (saw in page) == (dataset["unreviewed"] > 0), name
        assert "6 checked by reviewers (5 of them among the flagged)" in words(client, f"/{name}")


def test_errors_are_said_to_be_what_they_are(client: httpx.Client) -> None:
    partly, later = api(client, "partly"), api(client, "later")
    assert partly["flagged"] == partly["checked_of_flagged"] == 5
    # All that is flagged was seen, and one error beside it: nothing is estimated.
    assert (partly["basis"], partly["estimated_errors"]) == ("counted", partly["errors"])
    assert "estimate" not in words(client, "/partly").replace("estimated:", "")
    # Three of what the later model flags were not seen, and nothing stands for them.
    assert later["unreviewed"] == 3
    assert (later["basis"], later["estimated_errors"]) == ("at least", later["errors"])
    assert f"at least {later['percent_error']:.2f} % of the test set" in words(client, "/later")
    assert table_rows(client, "later")[0][-2:] == [f"≥ {later['errors']}", f"≥ {later['percent_error']:.2f}"]
    assert "3 examples are not reviewed yet" in words(client, "/later")


def test_adding_says_what_the_share_of_errors_rests_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = Tiny(tmp_path / "tiny")
    assert tiny.add(tmp_path / "c.sqlite") == 0
    said = capsys.readouterr().out
    assert "2 flagged examples wait for review; the share of errors is estimated from those that were checked" in said
    given, guess = int(tiny.labels[LEARNED]), int(tiny.probs[LEARNED].argmax())
    tiny.probs[LEARNED, [guess, given]] = tiny.probs[LEARNED, [given, guess]]
    assert tiny.add(tmp_path / "c.sqlite") == 0
    said = capsys.readouterr().out
    assert "3 flagged examples wait for review; the share of errors is at least the one found so far" in said
    assert ">= 12.50" in said


def test_a_card_names_the_class_voted_for(client: httpx.Client) -> None:
    issue = client.get("/api/v1/datasets/named/issues/0").json()
    assert issue["votes"]["other"] == 3
    corrected = issue["corrected"]["name"]
    for path in ("/named", "/named/corrected"):
        page = words(client, path)
        assert f"3 of 3 said {corrected}" in page, path
        assert "said other" not in page, path
    page = words(client, "/named/issues/0")
    assert f"another label {corrected}3 " in page


def test_the_method_of_the_paper_is_told_as_the_papers(client: httpx.Client) -> None:
    page = words(client, "/method")
    assert "In the paper five people see each example" in page
    assert "in the paper, by fewer than three of five" in page
    assert "Five people look" not in page


def test_commands_in_sentences_are_code(client: httpx.Client) -> None:
    answer = client.get("/nobody/stability")
    assert answer.status_code == 409
    assert "<code>label-errors benchmarks DIR</code>" in answer.text
    assert "`" not in answer.text
    assert "`" not in client.get("/reproduction").text
