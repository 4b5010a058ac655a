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
from tests.app.site.review.replay import Texts
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
def published(texts: Texts, quick_folder: Path) -> Iterator[Open]:
    """The round of all examples that the sample's raters have seen, answered and published while it is served."""
    arguments = ("sample-texts", "--examples", str(texts.chosen), "--reviewers", "Five students")
    with open_round(texts.bare, quick_folder, *arguments) as found:
        assert texts.replayed(found) == [len(texts.records)] * 5
        review(found.catalogue, "close", found.name)
        review(found.catalogue, "publish", found.name)
        yield found


@pytest.mark.parametrize("statement", FOLLOWS, ids=["issues", "verdicts", "votes", "facets", "unreviewed", "facts"])
def test_what_follows_from_votes_is_what_the_votes_file_makes(published, texts, statement):
    expected, found = rows(texts.voted, statement), rows(published.catalogue, statement)
    assert found == expected
    assert found != rows(texts.bare, statement)


def test_the_votes_file_is_that_of_the_votes_given(published, texts):
    expected = {record["id"]: record["mturk"] for record in texts.records}
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


def test_the_running_site_shows_it_and_says_who_reviewed(published, texts):
    page = published.http.get("/sample-texts").text
    assert f"Reviewed blind in a round of {len(texts.records)} examples (" in page
    assert "by 5 raters: Five students." in page
    assert "5 votes an example" in page
    facts = published.http.get("/api/v1/datasets/sample-texts").json()
    assert facts["checked"] == len(texts.records)


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
    with open_round(texts.bare, folder, "sample-texts", "--lowest", "3") as found:
        shutil.copyfile(found.catalogue, folder / "before.sqlite")
        for number in range(4):
            rater = found.rater(number)
            while (response := rater.get("/review/api/task")).status_code == 200:
                task = response.json()
                rater.post("/review/api/votes", json={"task": task["task"], "answer": "a", "key": f"{number:032x}"})
                break
        assert main(["review", "publish", found.name, "--catalogue", str(found.catalogue)]) == 1
        assert found.catalogue.read_bytes() == (folder / "before.sqlite").read_bytes()


def test_loading_the_dataset_again_says_which_votes_are_gone_and_how_they_come_back(published, texts, tmp_path, capsys):
    for name in ("catalogue.sqlite", "reviews.sqlite"):
        with closing(sqlite3.connect(published.catalogue.with_name(name))) as source:
            source.execute("VACUUM INTO ?", (str(tmp_path / name),))
    catalogue = tmp_path / "catalogue.sqlite"
    capsys.readouterr()
    texts.add(catalogue)
    told = capsys.readouterr().out
    assert f"sample-texts: the votes of {published.name} are not in the catalogue any more; " in told
    assert f"`label-errors review publish {published.name}` brings" in told
    assert rows(catalogue, "SELECT count(*) FROM verdicts") == [(0,)]
    review(catalogue, "publish", published.name)
    for statement in FOLLOWS:
        assert rows(catalogue, statement) == rows(published.catalogue, statement)
    texts.add(catalogue)
    assert "are not in the catalogue any more" in capsys.readouterr().out
    texts.add(catalogue)
    assert "are not in the catalogue any more" not in capsys.readouterr().out


def test_votes_on_what_has_changed_since_are_left_out_and_said(published, texts, tmp_path):
    """One example has another given label now, and two classes have changed their names."""
    for name in ("catalogue.sqlite", "reviews.sqlite"):
        with closing(sqlite3.connect(published.catalogue.with_name(name))) as source:
            source.execute("VACUUM INTO ?", (str(tmp_path / name),))
    catalogue = tmp_path / "catalogue.sqlite"
    texts.add(catalogue)
    idx = texts.records[0]["id"]
    with closing(sqlite3.connect(catalogue)) as connection:
        connection.execute("UPDATE issues SET given = guessed WHERE idx = ?", (idx,))
        connection.commit()
    told = json.loads(review(catalogue, "publish", published.name, "--json"))
    assert (told["examples"], told["changed"]) == (len(texts.records) - 1, 1)
    assert rows(catalogue, f"SELECT count(*) FROM votes v JOIN issues i ON i.id = v.issue_id WHERE i.idx = {idx}") == [
        (0,)
    ]
    texts.add(catalogue)
    with closing(sqlite3.connect(catalogue)) as connection:
        connection.execute("UPDATE classes SET name = name || '!' ")
        connection.commit()
    before = catalogue.read_bytes()
    assert main(["review", "publish", published.name, "--catalogue", str(catalogue)]) == 1
    assert catalogue.read_bytes() == before
