"""Votes of other tools come into a round as they were given; what does not fit is refused with file and row."""

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from app.reviews.owner.given_answers import answers_of
from app.reviews.ratings import RATING_COLUMNS, standing, tallies, vote_records
from app.reviews.rounds import find_round
from app.reviews.tables import items
from ingest.commands.main import main
from tests.app.reviews.databases import store_at
from tests.app.site.review.rounds import review

RATERS = ("Ann", "Ben", "Cleo")


@pytest.fixture
def round_(sample_catalogue: Path, tmp_path: Path, own_store: None):
    """An open round over ten digits: catalogue, name, and the questions by index."""
    catalogue = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, catalogue)
    name = json.loads(review(catalogue, "open", "sample-digits", "--lowest", "10", "--json"))["round"]
    store = store_at(catalogue)
    with store.reading() as connection:
        rows = connection.execute(select(items).where(items.c.practice.is_(False)).order_by(items.c.id)).all()
    yield catalogue, name, {row.idx: json.loads(row.question) for row in rows}, store
    store.close()


def wanted(questions) -> list[tuple[int, str, str]]:
    """(example, rater, answer): each says given, guessed, both or neither in turn."""
    said = ("given", "guessed", "both", "neither")
    return [(idx, rater, said[(n + m) % 4]) for n, idx in enumerate(questions) for m, rater in enumerate(RATERS)]


def spelled(question, answer: str) -> str:
    """An answer with the class by name: digits are called by theirs."""
    return {"given": str(question["given"][0]), "guessed": str((question["guessed"] or [""])[0])}.get(answer, answer)


def turk_row(idx, rater, answer, **more):
    return {
        "HITId": "h",
        "WorkerId": rater,
        "AssignmentStatus": "Approved",
        "WorkTimeInSeconds": 7,
        "Input.example": idx,
        "Answer.taskAnswers": json.dumps([{"category": {"label": answer}}]),
        **more,
    }


def written(form: str, folder: Path, questions) -> Path:
    votes = [(idx, rater, spelled(questions[idx], answer)) for idx, rater, answer in wanted(questions)]
    path = folder / {"csv": "v.csv", "parquet": "v.parquet", "studio": "v.json", "mturk": "batch.csv"}[form]
    if form in ("csv", "parquet"):
        frame = pd.DataFrame(votes, columns=["example", "rater", "answer"])
        frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    elif form == "mturk":
        pd.DataFrame([turk_row(*vote) for vote in votes]).to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    else:
        tasks = [
            {
                "id": n,
                "data": {"example": idx},
                "annotations": [
                    {
                        "completed_by": {"email": rater},
                        "lead_time": 3.5,
                        "result": [{"type": "choices", "value": {"choices": [answer]}}],
                    }
                    for i, rater, answer in votes
                    if i == idx
                ],
            }
            for n, idx in enumerate(questions)
        ]
        path.write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize("form", ["csv", "parquet", "studio", "mturk"])
def test_votes_come_in_as_they_were_given(round_, tmp_path, form):
    catalogue, name, questions, store = round_
    path = written(form, tmp_path, questions)
    told = review(catalogue, "import", name, str(path))
    assert f"took 30 votes on 10 examples into {name}; 3 new raters" in told
    found = find_round(store, name)
    expected: dict[int, dict[str, int]] = {}
    for idx, _, answer in wanted(questions):
        counts = expected.setdefault(idx, dict.fromkeys(("given", "guessed", "both", "neither"), 0))
        counts[answer] += 1
    assert {one["id"]: one["mturk"] for one in vote_records(store, found)} == expected
    assert {row.name for row in answers_of(store, found).raters} == set(RATERS)
    assert "took 0 votes" in review(catalogue, "import", name, str(path)), "the same file again changes nothing"
    assert {one["id"]: one["mturk"] for one in vote_records(store, found)} == expected


def test_what_this_program_wrote_comes_back(round_, tmp_path):
    """Ratings of one round into another over the same examples, and the tasks for Label Studio."""
    catalogue, name, questions, store = round_
    review(catalogue, "import", name, str(written("csv", tmp_path, questions)))
    second = json.loads(review(catalogue, "open", "sample-digits", "--lowest", "10", "--json"))["round"]
    tasks = tmp_path / "tasks.json"
    review(catalogue, "export", name, "--format", "label-studio", "--out", str(tasks))
    assert "given" not in tasks.read_text()
    assert "completed_by" not in tasks.read_text(), "Label Studio refuses a file with people it does not know"
    content = json.loads(tasks.read_text())
    for task in content:  # what Label Studio makes of it: all annotations are of whoever imported it
        task["annotations"] = [{"id": n, "completed_by": 1, **one} for n, one in enumerate(task["annotations"])]
    tasks.write_text(json.dumps(content))
    review(catalogue, "import", second, str(tasks))
    meanings = [[(one.idx, one.meanings) for one in tallies(store, find_round(store, each))] for each in (name, second)]
    assert meanings[0] == meanings[1]
    third = json.loads(review(catalogue, "open", "sample-digits", "--lowest", "10", "--json"))["round"]
    out = tmp_path / "ratings.csv"
    review(catalogue, "votes", name, "--out", str(tmp_path / "votes.json"), "--ratings", str(out))
    review(catalogue, "import", third, str(out))
    assert meanings[0] == [(one.idx, one.meanings) for one in tallies(store, find_round(store, third))]


def damaged_csv(text: str):
    def write(folder: Path, first: int) -> Path:
        path = folder / "v.csv"
        path.write_text(f"example,rater,answer\n{first},Ann,given\n{text.format(first=first)}\n")
        return path

    return write


def ratings_with_classes(cell: str):
    def write(folder: Path, first: int) -> Path:
        path = folder / "v.csv"
        row = {"example": first, "rater": "r1", "kind": "pair", "answer": "a", "classes": cell}
        pd.DataFrame([row], columns=RATING_COLUMNS).to_csv(path, index=False)
        return path

    return write


def two_columns_of_answers(folder: Path, first: int) -> Path:
    path = folder / "v.csv"
    path.write_text(f"example,rater,answer,answer\n{first},Ann,given,guessed\n")
    return path


def damaged_json(task: dict):
    def write(folder: Path, first: int) -> Path:
        path = folder / "v.json"
        path.write_text(json.dumps([task if task.get("data") != "first" else {**task, "data": {"example": first}}]))
        return path

    return write


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (damaged_csv("999999,Ann,given"), "line 3: expected an example of"),
        (damaged_csv("{first},Ben,horse"), "line 3: expected"),
        (damaged_csv("{first},,given"), "line 3: expected a value in the column rater"),
        (damaged_csv("no-key,Ben,given"), "line 3: expected the index or the key of an example, found 'no-key'"),
        (damaged_csv("{first},Ann,guessed"), "line 3: expected one answer of 'Ann'"),
        (damaged_csv("{first},Ben"), "line 3: expected 3 cells"),
        (ratings_with_classes("[7"), "line 2: expected names of classes as a JSON list in classes, found '[7'"),
        (ratings_with_classes("[]"), "line 2: expected names of classes as a JSON list in classes, found ()"),
        (two_columns_of_answers, "expected each column once, found 'answer' twice"),
        (damaged_json({"data": {"image": "x"}, "annotations": []}), "task 0: expected the index or key"),
        (damaged_json({"data": "first", "annotations": [{"result": []}]}), "annotation 0: expected who annotated"),
        (
            damaged_json({"data": "first", "annotations": [{"completed_by": 1, "result": []}]}),
            "task 0, annotation 0: expected one result with choices",
        ),
        (damaged_json({}), 'task 0: expected a task with "data"'),
    ],
)
def test_damaged_files_are_refused_whole(round_, tmp_path, capsys, write, expected):
    catalogue, name, questions, store = round_
    path = write(tmp_path, next(iter(questions)))
    assert main(["review", "import", name, str(path), "--catalogue", str(catalogue)]) == 1
    told = capsys.readouterr().err
    assert str(path) in told
    assert expected in told
    assert tallies(store, find_round(store, name)) == [], "nothing of a file that does not fit is taken"
    assert answers_of(store, find_round(store, name)).raters == []


def test_rejected_and_skipped_ones_are_left_out(round_, tmp_path):
    catalogue, name, questions, store = round_
    idx, question = next(iter(questions.items()))
    path = tmp_path / "batch.csv"
    rows = [turk_row(idx, "Ann", spelled(question, "given")), turk_row(idx, "Ben", "x", AssignmentStatus="Rejected")]
    pd.DataFrame(rows).to_csv(path, index=False)
    assert "1 rejected assignments left out" in review(catalogue, "import", name, str(path))
    (one,) = tallies(store, find_round(store, name))
    assert one.meanings == ({"classes": question["given"]},)


def test_another_answer_later_is_refused(round_, tmp_path, capsys):
    catalogue, name, questions, _ = round_
    path = tmp_path / "v.csv"
    path.write_text(f"example,rater,answer\n{next(iter(questions))},Ann,given\n")
    review(catalogue, "import", name, str(path))
    path.write_text(path.read_text().replace("given", "guessed"))
    assert main(["review", "import", name, str(path), "--catalogue", str(catalogue)]) == 1
    assert "has voted on example" in capsys.readouterr().err


def test_votes_of_excluded_raters_do_not_come_in_again(round_, tmp_path):
    """Ratings say who was excluded: taken for votes, they would undo the exclusion in silence."""
    catalogue, name, questions, store = round_
    review(catalogue, "import", name, str(written("csv", tmp_path, questions)))
    review(catalogue, "exclude", name, "Ben", "--why", "does not look")
    out, second = (
        tmp_path / "ratings.parquet",
        json.loads(review(catalogue, "open", "sample-digits", "--lowest", "10", "--json"))["round"],
    )
    review(catalogue, "votes", name, "--out", str(tmp_path / "votes.json"), "--ratings", str(out))
    told = review(catalogue, "import", second, str(out))
    assert "as ratings of a round: took 20 votes on 10 examples" in told
    assert "10 answers of excluded raters left out" in told
    meanings = [[(one.idx, one.meanings) for one in tallies(store, find_round(store, each))] for each in (name, second)]
    assert meanings[0] == meanings[1]


@pytest.mark.parametrize("name_of_rater", ["Ann\N{NO-BREAK SPACE}Lee", "Ann\N{ZERO WIDTH SPACE}", " Ann "])
def test_a_name_is_one_rater_however_it_is_spelled(round_, tmp_path, name_of_rater):
    """A no-break space is not kept in a name; looked for with it, the rater would be a new one each time."""
    catalogue, name, questions, store = round_
    path = tmp_path / "v.csv"
    idx = next(iter(questions))
    path.write_text(f"example,rater,answer\n{idx},{name_of_rater},given\n", encoding="utf-8")
    assert "took 1 votes" in review(catalogue, "import", name, str(path))
    assert "took 0 votes" in review(catalogue, "import", name, str(path))
    (one,) = tallies(store, find_round(store, name))
    assert len(one.meanings) == 1


def test_a_key_of_two_examples_of_the_round_is_refused(round_, tmp_path, capsys):
    """Two rows about one picture are two examples of one key, and each has a label of its own."""
    catalogue, name, questions, _ = round_
    first, second, *_ = sorted(questions)
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute(f"UPDATE issues SET key = 'one.png' WHERE idx IN ({first}, {second}) AND dataset_id = 1")
    path = tmp_path / "v.csv"
    path.write_text("example,rater,answer\none.png,Ann,given\n")
    assert main(["review", "import", name, str(path), "--by", "key", "--catalogue", str(catalogue)]) == 1
    said = f"v.csv: examples {first} and {second} are both called one.png: call the examples by their index"
    assert said in capsys.readouterr().err


def test_more_votes_than_asked_for_are_told(round_, tmp_path):
    """The first five count, and whoever reads the command's words knows that."""
    catalogue, name, questions, store = round_
    idx = next(iter(questions))
    path = tmp_path / "v.csv"
    said = ["given"] * 5 + ["guessed"] * 2
    path.write_text("example,rater,answer\n" + "".join(f"{idx},rater {n},{answer}\n" for n, answer in enumerate(said)))
    told = review(catalogue, "import", name, str(path))
    assert "took 7 votes on 1 examples" in told
    assert "2 votes are kept and do not count: the round asks for 5 an example" in told
    found = find_round(store, name)
    (one,) = tallies(store, found)
    assert one.meanings == ({"classes": questions[idx]["given"]},) * 5
    assert standing(store, found).votes == 5, "progress counts what counts"
    review(catalogue, "exclude", name, "rater 0", "--why", "w")
    assert standing(store, found).votes == 5, "one of those that were kept steps in"
    assert standing(store, found).needed == 5 * len(questions) - 5


def test_votes_of_somebody_who_is_left_out_are_told(round_, tmp_path):
    catalogue, name, questions, store = round_
    first, second = list(questions)[:2]
    path = tmp_path / "v.csv"
    path.write_text(f"example,rater,answer\n{first},Ann,given\n")
    review(catalogue, "import", name, str(path))
    review(catalogue, "exclude", name, "Ann", "--why", "w")
    path.write_text(f"example,rater,answer\n{first},Ann,given\n{second},Ann,given\n")
    assert "1 votes are of excluded raters and do not count" in review(catalogue, "import", name, str(path))
    assert tallies(store, find_round(store, name)) == []
