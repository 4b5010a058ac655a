"""Known votes come back: raters who give them one by one make the verdicts that the votes file makes."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.sample import write_sample
from tests.app.site.review.replay import Replay, records_by_content
from tests.app.site.review.rounds import Open, open_round, review

#: What follows from votes; the rest of a dataset does not.
FOLLOWS = (
    "SELECT idx, votes, vote_pattern, consensus, shown, by_disagreement FROM issues ORDER BY idx",
    "SELECT i.idx, v.agreement, v.category, v.corrected, v.several FROM verdicts v JOIN issues i ON i.id = v.issue_id"
    " ORDER BY 1, 2",
    "SELECT i.idx, v.position, v.option, v.word, v.classes, v.n FROM votes v JOIN issues i ON i.id = v.issue_id"
    " ORDER BY 1, 2",
    "SELECT agreement, category, given, guessed, corrected, vote_pattern, flagged, n FROM facets"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7",
    "SELECT n_issues, given, guessed, flagged, n FROM unreviewed",
    "SELECT n_checked, n_errors, n_issues, n_guesses_changed, estimated_errors, percent_error, agreements, raters,"
    " vote_options, missing FROM datasets",
)


def rows(catalogue: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(catalogue)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample's texts as a catalogue with their votes, and as one without."""
    folder = tmp_path_factory.mktemp("texts")
    manifest = next(path for path in write_sample(folder / "files") if path.parent.name == "sample-texts")
    found = {"files": manifest.parent}
    for name in ("voted", "bare"):
        if name == "bare":
            text = manifest.read_text(encoding="utf-8").replace('votes = "votes.json"\n', "")
            manifest.write_text(text, encoding="utf-8")
        found[name] = folder / f"{name}.sqlite"
        media = ("--media", str(manifest.parent))
        assert main(["add", str(manifest), str(manifest.parent), *media, "--catalogue", str(found[name])]) == 0
    return found


def replayed(found: Open, files: Path, n_raters: int = 5) -> list[int]:
    records = json.loads((files / "votes.json").read_text())
    names = sorted((files / "media").iterdir())
    content = {record["id"]: names[record["id"]].read_bytes().strip() for record in records}
    replay = Replay(found, records_by_content(records, content))
    return [replay.work(found.rater(number)) for number in range(n_raters)]


@pytest.fixture(scope="module")
def published(texts: dict[str, Path], quick_folder: Path) -> Iterator[Open]:
    """The round of all examples that the sample's raters have seen, answered and published while it is served."""
    records = json.loads((texts["files"] / "votes.json").read_text())
    chosen = quick_folder / "chosen.txt"
    chosen.write_text("\n".join(str(record["id"]) for record in records))
    arguments = ("sample-texts", "--examples", str(chosen), "--reviewers", "Five students")
    with open_round(texts["bare"], quick_folder, *arguments) as found:
        assert replayed(found, texts["files"]) == [len(records)] * 5
        review(found.catalogue, "close", found.name)
        review(found.catalogue, "publish", found.name)
        yield found


@pytest.mark.parametrize("statement", FOLLOWS, ids=["issues", "verdicts", "votes", "facets", "unreviewed", "facts"])
def test_what_follows_from_votes_is_what_the_votes_file_makes(published, texts, statement):
    expected, found = rows(texts["voted"], statement), rows(published.catalogue, statement)
    assert found == expected
    assert found != rows(texts["bare"], statement)


def test_the_votes_file_is_that_of_the_votes_given(published, texts):
    expected = {record["id"]: record["mturk"] for record in json.loads((texts["files"] / "votes.json").read_text())}
    folder = published.catalogue.parent / "reviews" / published.name
    assert {one["id"]: one["mturk"] for one in json.loads((folder / "votes.json").read_text())} == expected


def test_the_raw_table_has_a_row_an_answer_in_both_forms(published):
    folder = published.catalogue.parent / "reviews" / published.name
    table = pq.read_table(folder / "ratings.parquet").to_pylist()
    lines = (folder / "ratings.csv").read_text().splitlines()
    n_examples = len(json.loads((folder / "votes.json").read_text()))
    assert len(table) == len(lines) - 1 == 5 * n_examples
    assert lines[0] == "round,example,rater,kind,a,answer,classes,seconds,gold,repeat,excluded,why"
    assert len({row["rater"] for row in table}) == 5
    assert not any(row["rater"].startswith("rater") for row in table)  # names stay in the store


def test_the_running_site_shows_it_and_says_who_reviewed(published):
    page = published.http.get("/sample-texts").text
    assert "by 5 raters: Five students." in page
    assert "5 votes an example" in page
    facts = published.http.get("/api/v1/datasets/sample-texts").json()
    chosen = published.catalogue.with_name("chosen.txt").read_text().splitlines()
    assert facts["checked"] == len(chosen)


def test_what_the_round_changed_is_told(published):
    page = published.http.get("/sample-texts/changes")
    assert page.status_code == 200
    corrected = rows(
        published.catalogue, "SELECT count(*) FROM verdicts WHERE agreement = 3 AND category = 'correctable'"
    )
    assert corrected[0][0] > 0
    told = published.http.get("/api/v1/datasets/sample-texts/changes").json()
    assert str(corrected[0][0]) in json.dumps(told)


def test_publishing_again_changes_nothing(published, tmp_path):
    before = rows(published.catalogue, "SELECT version FROM datasets")
    review(published.catalogue, "publish", published.name)
    assert rows(published.catalogue, "SELECT version FROM datasets") == before


def test_examples_with_too_few_votes_are_left_out(texts, quick_folder):
    folder = quick_folder / "few"
    folder.mkdir()
    with open_round(texts["bare"], folder, "sample-texts", "--lowest", "3") as found:
        shutil.copyfile(found.catalogue, folder / "before.sqlite")
        for number in range(4):
            rater = found.rater(number)
            while (response := rater.get("/review/api/task")).status_code == 200:
                task = response.json()
                rater.post("/review/api/votes", json={"task": task["task"], "answer": "a", "key": f"{number:032x}"})
                break
        assert main(["review", "publish", found.name, "--catalogue", str(found.catalogue)]) == 1
        assert found.catalogue.read_bytes() == (folder / "before.sqlite").read_bytes()
