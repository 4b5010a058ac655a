"""A round over examples with several labels, made up: what is practised on, what is asked, and the answers."""

import html
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from app.reviews.questions import Question
from app.reviews.ratings import tallies
from app.reviews.rounds import find_round
from app.reviews.store import Store, store_url
from app.reviews.tables import items
from ingest.catalogue.open import open_catalogue
from ingest.catalogue.reviews.plan import read_plan
from ingest.catalogue.reviews.round_items import choose, dataset_row
from ingest.commands.main import main
from tests.app.site.review.rounds import Open, open_round, review, vote
from tests.app.site.review.test_rater_pages import fields

NAMES = ("rain", "wind", "sea", "bird")
MANIFEST = """\
name = "noises"
title = "Noises"
summary = "Made up."
modality = "text"
labels = "multiple"
flag = 3

[licence]
name = "None"
source = "Made up"
media = "host"

[classes]
names = ["rain", "wind", "sea", "bird"]

[files]
labels = "labels.json"
pred_probs = "probs.npy"

[media]
layout = "text-folder"
path = "media"
order = "sorted"
"""
N = 24


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Texts that say what is heard in them; three of them are labelled as the opposite."""
    folder = tmp_path_factory.mktemp("noises")
    really = [tuple(sorted({index % 4, (index // 4) % 4})) for index in range(N)]
    given = [tuple(one for one in range(4) if one not in really[n]) if n < 3 else really[n] for n in range(N)]
    (folder / "labels.json").write_text(json.dumps([list(one) for one in given]))
    rng = np.random.default_rng(0)
    truth = np.array([[one in labels for one in range(4)] for labels in really])
    np.save(folder / "probs.npy", np.where(truth, 0.9, 0.05) + rng.random((N, 4)) * 0.05)
    (folder / "media").mkdir()
    for index, labels in enumerate(really):
        (folder / "media" / f"{index:02}.txt").write_text(" and ".join(NAMES[one] for one in labels) + f" ({index})")
    (folder / "noises.toml").write_text(MANIFEST)
    catalogue = folder / "noises.sqlite"
    files = [str(folder / "noises.toml"), str(folder), "--media", str(folder)]
    assert main(["add", *files, "--catalogue", str(catalogue)]) == 0
    with open_round(catalogue, folder, "noises", raters=2) as found:
        yield found


def test_practice_is_on_exemplars_and_one_class_more(noises: Open) -> None:
    """Of each it is known which of the classes are there, and which one is not."""
    with closing(sqlite3.connect(noises.catalogue)) as connection:
        exemplars = {idx for (idx,) in connection.execute("SELECT idx FROM exemplars")}
        suspects = {idx for (idx,) in connection.execute("SELECT idx FROM issues")}
    assert not exemplars & suspects
    for number in (1, 2, 3):
        page = noises.http.get(f"{noises.links[0]}?practice={number}").text
        assert "Which of these are here?" in page
        said = re.search(r'has-text".*?<p class="quote" dir="auto">([^<]*)</p>', page, re.S)[1]
        assert int(said.partition("(")[2].rstrip(")")) in exemplars
        asked = re.findall(r"<legend class=\"hidden\">(\w+)</legend>", page)
        there = [name in said for name in asked]
        assert sorted(there)[0] is False
        assert sum(there) == len(asked) - 1
        for flip in (False, True):
            told = "".join(f"&heard-{n}={'yes' if one != flip else 'no'}" for n, one in enumerate(there))
            answered = noises.http.get(f"{noises.links[0]}?practice={number}&answer={told}").text
            assert ("<b>Yes.</b>" in answered) is not flip
            assert f'This is <b dir="auto">{", ".join(n for n in asked if n in said)}</b>' in answered
    assert "whatever else is there too" in noises.http.get(f"{noises.links[0]}?help=1").text


def test_a_form_tells_of_each_class(noises: Open) -> None:
    link = noises.links[0]
    page = noises.http.get(f"{link}?start=1").text
    asked = [html.unescape(one) for one in re.findall(r"<legend class=\"hidden\">([^<]*)</legend>", page)]
    assert len(asked) >= 2
    told = {f"heard-{n}": "yes" if n == 1 else "no" for n in range(len(asked))}
    assert noises.http.post(link, data=fields(page) | told | {"answer": ""}).status_code == 303
    page = noises.http.get(f"{link}?start=1").text
    assert noises.http.post(link, data=fields(page) | {"answer": "cannot_tell"}).status_code == 303
    (record,) = noises.vote_records()
    assert record["mturk"] == {name: int(name == asked[1]) for name in asked}


def test_the_same_by_the_api(noises: Open) -> None:
    task = noises.rater(1).get("/review/api/task").json()
    names = [one["name"] for one in task["choices"]]
    assert (task["kind"], task["answers"]) == ("set", ["cannot_tell"])
    assert vote(noises.rater(1), task, dict.fromkeys(names, True)).status_code == 201


def test_ratings_of_sets_come_into_another_round(noises: Open, tmp_path):
    """Every answer as a list of classes, also of who heard nothing; ratings and Label Studio's form alike."""
    store = Store(store_url("", noises.catalogue))
    with store.reading() as connection:
        here = select(items).where(items.c.practice.is_(False), items.c.round_id == find_round(store, noises.name).id)
        asked = {row.idx: Question.parse(row.question) for row in connection.execute(here)}
    opened = [json.loads(review(noises.catalogue, "open", "noises", "--json"))["round"] for _ in range(3)]
    names = dict(enumerate(NAMES))
    heard = {
        idx: [[names[each] for each in one.given], [], [names[one.classes[0]]]] for idx, one in sorted(asked.items())
    }
    rows = [(idx, f"rater {n}", json.dumps(one)) for idx, each in heard.items() for n, one in enumerate(each)]
    path = tmp_path / "long.csv"
    pd.DataFrame(rows, columns=["example", "rater", "answer"]).to_csv(path, index=False)
    review(noises.catalogue, "import", opened[0], str(path))
    ratings, tasks = tmp_path / "ratings.csv", tmp_path / "tasks.json"
    review(noises.catalogue, "votes", opened[0], "--out", str(tmp_path / "v.json"), "--ratings", str(ratings))
    review(noises.catalogue, "export", opened[0], "--format", "label-studio", "--out", str(tasks))
    for name, file in zip(opened[1:], (ratings, tasks), strict=True):
        review(noises.catalogue, "import", name, str(file))
    meanings = [[(one.idx, one.meanings) for one in tallies(store, find_round(store, name))] for name in opened]
    store.close()
    assert meanings[0] == meanings[1] == meanings[2]
    numbered = {one: n for n, one in names.items()}
    assert meanings[0] == [
        (idx, tuple({"heard": sorted(numbered[name] for name in each)} for each in said)) for idx, said in heard.items()
    ]


def test_a_class_that_a_dispute_names_is_asked_about_too(noises: Open, tmp_path: Path) -> None:
    """Raters could not find it there otherwise; nothing tells them that it was named."""
    own = tmp_path / "own.sqlite"
    shutil.copyfile(noises.catalogue, own)
    with closing(sqlite3.connect(own)) as connection:
        connection.execute("UPDATE issues SET guessed = given WHERE idx = 1")  # labelled sea and bird
        connection.commit()
    with open_catalogue(own) as connection:
        dataset, plan = dataset_row(connection, "noises"), read_plan(None, {"examples": [1]})

        def asked(beside: dict[int, list[str]]) -> list[str]:
            chosen = choose(connection, dataset, plan, beside)
            (item,) = (one for one in chosen.items if one.idx == 1)
            return [chosen.shelves[one].name for one in item.question.classes]

        assert asked({}) == ["sea", "bird"]
        assert asked({1: ["rain"]}) == ["sea", "bird", "rain"]
        assert asked({1: ["bird"], 2: ["wind"]}) == ["sea", "bird"]
