"""Nothing that is sent tells which label was given: a classifier over all of it is no better than chance."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ingest.commands.main import main
from ingest.sample import write_sample
from tests.app.site.review.rounds import Open, open_round, vote

pytestmark = pytest.mark.slow

RATERS = 21  # of 96 examples: 2,016 tasks
HEADERS = ("content-length", "date", "vary", "content-encoding", "cache-control")


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, quick_folder: Path
) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """What was sent for each task as numbers, whether its given label was (a), and each rater's order of examples."""
    folder = tmp_path_factory.mktemp("digits")
    manifest = next(path for path in write_sample(folder) if path.parent.name == "sample-digits")
    text = manifest.read_text(encoding="utf-8").replace('votes = "votes.json"\n', "")
    manifest.write_text(text, encoding="utf-8")
    catalogue = folder / "digits.sqlite"
    files = str(manifest.parent)
    assert main(["add", str(manifest), files, "--media", files, "--catalogue", str(catalogue)]) == 0
    labels = np.load(manifest.parent / "labels.npy")
    pictures = sorted((manifest.parent / "media").iterdir())
    by_content = {path.read_bytes(): idx for idx, path in enumerate(pictures)}
    arguments = ("sample-digits", "--votes", str(RATERS))
    with open_round(catalogue, quick_folder, *arguments, raters=RATERS) as found:
        rows, given_is_a, orders = [], [], []
        for number in range(RATERS):
            order = []
            for sent, task, content in tasks(found, number):
                order.append(by_content[content])
                rows.append(sent)
                given_is_a.append(task["a"]["name"] == str(labels[order[-1]]))
                assert given_is_a[-1] != (task["b"]["name"] == str(labels[order[-1]]))
            orders.append(order)
        return np.array(rows), np.array(given_is_a), orders


def tasks(found: Open, number: int) -> Any:
    """Each task of a rater as numbers, when it is loaded behind another and when it is in view; the task, its picture.

    The first is loaded behind none: its numbers are those of when it is in view, twice.
    """
    rater, turn, early = found.rater(number), 0, None
    while (response := rater.get("/review/api/task")).status_code == 200:
        task = response.json()
        picture = rater.get(task["media"][0]["address"])
        page = found.http.get(found.links[number] + "?start=1")
        at_hand = response if early is None or early.status_code == 204 else early
        assert at_hand.json()["task"] == task["task"]
        sent = [*numbers(response), *numbers(at_hand), *numbers(page), *numbers(picture), turn, time.time()]
        yield sent, task, picture.content
        early = rater.get(f"/review/api/task?after={task['task']}")
        turn += 1
        assert vote(rater, task, "ab"[turn % 2]).status_code == 201


def numbers(response: httpx.Response) -> list[float]:
    """A response as numbers: sizes, headers, identifiers, order of its parts; names of classes are no secret."""
    text = "" if response.headers["content-type"].startswith("image") else response.text
    without_names = re.sub(r'"name":"[^"]*"|>[^<>]*<|of \d', "", text)
    ids = re.findall(r"/review/media/([\w-]+)/", text)[:1] or [""]
    letters = [float(ord(letter)) for letter in ids[0].ljust(22)[:22]]
    spread = np.bincount(np.frombuffer(without_names.encode(), np.uint8), minlength=128)[32:128]
    headers = [float(len(response.headers.get(name, ""))) for name in HEADERS]
    places = [float(without_names.find(word)) for word in ("e0-0", "e1-0", "e0-3", "e1-3", "m0", '"a"', '"b"')]
    return [
        len(response.content),
        len(text),
        len(without_names),
        len(response.headers),
        *headers,
        *places,
        *letters,
        *spread,
    ]


def auc(rows: np.ndarray, given_is_a: np.ndarray) -> float:
    """How well what was sent tells the side of the given label, on tasks that were not learnt from."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2_000))
    told = cross_val_predict(model, rows, given_is_a, cv=10, method="predict_proba")[:, 1]
    return float(roc_auc_score(given_is_a, told))


def test_a_classifier_on_all_that_is_sent_knows_nothing(served):
    rows, given_is_a, _ = served
    assert len(rows) >= 2_000
    assert abs(auc(rows, given_is_a) - 0.5) <= 0.05


def test_a_planted_leak_is_seen(served):
    """One byte more in two of five answers, if the given label is (a)."""
    rows, given_is_a, _ = served
    leaky = rows.copy()
    leaky[:, 0] += given_is_a & (np.arange(len(rows)) % 5 < 2)
    assert auc(leaky, given_is_a) > 0.55


def test_sides_are_drawn_evenly(served):
    _, given_is_a, _ = served
    n = len(given_is_a)
    assert abs(given_is_a.sum() - n / 2) < 3.9 * np.sqrt(n) / 2  # one sound run in ten thousand fails


def test_orders_are_random_and_each_raters_own(served):
    """The place of an example in one order says nothing of its place in another, nor does its index."""
    _, _, orders = served
    places = np.array([np.argsort(order) for order in orders])
    between = np.corrcoef(places)[np.triu_indices(len(orders), 1)]
    n = len(orders[0])
    assert abs(between.mean()) < 5 / np.sqrt((n - 1) * len(between))
    assert abs(np.mean([np.corrcoef(order, range(n))[0, 1] for order in orders])) < 5 / np.sqrt((n - 1) * len(orders))
