"""The confidence of the release's corrections, from the published votes, and what ReaL and CIFAR-10H teach of it."""

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.linear_model import LogisticRegression

from app.domain.confidence.right_or_wrong import halves
from tests.commands import run

Query = Callable[..., list[Any]]
FILES = {"cifar10": "cifar10_mturk.json", "imagenet": "imagenet_mturk.json", "caltech256": "caltech256_mturk.json"}


@pytest.fixture(scope="module")
def query(opinions_catalogue: Path, query_of: Callable[[Path], Query]) -> Query:
    return query_of(opinions_catalogue)


def report(query: Query, dataset: str) -> Any:
    ((text,),) = query(
        "SELECT results FROM confidence_reports JOIN datasets ON id = dataset_id WHERE name = ?", dataset
    )
    return json.loads(text)


def fitted(chosen: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The most likely beta-binomial, by scipy."""
    counts = Counter(zip(chosen.tolist(), asked.tolist(), strict=True))
    k, n = np.array(list(counts)).T
    times = np.array(list(counts.values()))
    found = optimize.minimize(
        lambda logs: -(times * stats.betabinom.logpmf(k, n, *np.exp(logs))).sum(),
        [0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-10},
    )
    return np.exp(found.x)


@pytest.mark.parametrize("dataset", FILES)
def test_the_numbers_follow_from_the_published_votes(query: Query, shared: Path, dataset: str) -> None:
    """Read anew from the file of votes: the prior, and the number of every correction."""
    records = json.loads((shared / "label-errors/mturk" / FILES[dataset]).read_text())
    votes = [one["mturk"] for one in records]
    chosen, asked = np.array([one["guessed"] for one in votes]), np.array([sum(one.values()) for one in votes])
    a, b = fitted(chosen, asked)
    found = report(query, dataset)
    assert (found["method"], found["fitted"]) == ("beta_binomial", len(records))
    assert [found["prior"]["a"], found["prior"]["b"]] == pytest.approx([a, b], rel=1e-3)
    expected = Counter(
        round(float(stats.beta.sf(0.5, a + k, b + n - k)), 3)
        for one, k, n in zip(votes, chosen.tolist(), asked.tolist(), strict=True)
        if one["given"] < 3 <= k
    )
    stored = query(
        "SELECT confidence FROM verdicts JOIN datasets ON id = dataset_id WHERE name = ? AND agreement = 3 AND "
        "category = 'correctable'",
        dataset,
    )
    assert Counter(round(number, 3) for (number,) in stored) == expected


#: Corrections at 3 of 5 votes, and how many of them have a confidence of at least one half, and of at least 0.9.
CORRECTIONS = {
    "mnist": (10, 5, 2),
    "cifar10": (18, 7, 0),
    "cifar100": (318, 158, 48),
    "caltech256": (221, 118, 41),
    "imagenet": (1_428, 1_428, 468),
    "quickdraw": (1_047, 1_047, 230),
    "20news": (22, 0, 0),
    "imdb": (173, 12, 0),
    "amazon": (302, 0, 0),
    "audioset": (255, 64, 0),
}


@pytest.mark.parametrize(("dataset", "expected"), CORRECTIONS.items())
def test_how_many_corrections_are_sure(query: Query, dataset: str, expected: tuple[int, int, int]) -> None:
    rows = query(
        "SELECT COUNT(*), SUM(confidence >= 0.5), SUM(confidence >= 0.9) FROM verdicts JOIN datasets ON id = dataset_id"
        " WHERE name = ? AND agreement = 3 AND corrected IS NOT NULL",
        dataset,
    )
    assert rows == [expected]


def test_only_corrections_have_one(query: Query) -> None:
    others = "SELECT COUNT(*) FROM verdicts WHERE (category = 'correctable') != (confidence IS NOT NULL)"
    assert query(others) == [(0,)]
    assert query("SELECT COUNT(*) FROM verdicts WHERE (confidence IS NULL) != (by_confidence IS NULL)") == [(0,)]


def test_places_follow_the_numbers(query: Query) -> None:
    rows = query(
        "SELECT dataset_id, agreement, by_confidence, confidence, issue_id FROM verdicts WHERE confidence IS NOT NULL "
        "ORDER BY dataset_id, agreement, by_confidence"
    )
    groups: dict[tuple[int, int], list[Any]] = {}
    for dataset, agreement, *row in rows:
        groups.setdefault((dataset, agreement), []).append(row)
    assert len(groups) == 30
    for group in groups.values():
        assert [place for place, _, _ in group] == list(range(len(group)))
        keys = [(-number, issue) for _, number, issue in group]
        assert keys == sorted(keys)


def test_more_votes_for_a_correction_make_it_surer(query: Query) -> None:
    rows = query(
        "SELECT DISTINCT name, JSON_EXTRACT(votes, '$.guessed') AS n, confidence FROM verdicts JOIN issues ON "
        "issues.id = issue_id JOIN datasets ON datasets.id = issues.dataset_id WHERE agreement = 3 AND category = "
        "'correctable' AND name NOT IN ('audioset', 'amazon') ORDER BY name, n"
    )
    by_dataset: dict[str, list[float]] = {}
    for name, _, number in rows:
        by_dataset.setdefault(name, []).append(number)
    assert len(by_dataset) == 8
    for numbers in by_dataset.values():
        assert numbers == sorted(set(numbers)), "one number for each number of votes, and it rises with that"


def corrections_of_imagenet(query: Query) -> np.ndarray:
    rows = query(
        "SELECT idx, JSON_EXTRACT(votes, '$.guessed'), JSON_EXTRACT(votes, '$.given'), verdicts.opinions = 'c', "
        "verdicts.opinions = 'g', probability_right FROM verdicts JOIN issues ON issues.id = issue_id JOIN datasets ON "
        "datasets.id = issues.dataset_id WHERE name = 'imagenet' AND agreement = 3 AND category = 'correctable'"
    )
    return np.array(rows, np.float64)


def test_what_real_teaches_of_imagenet(query: Query) -> None:
    """The Brier scores, and the learnt probabilities by another library, from what is stored alone."""
    rows = corrections_of_imagenet(query)
    index, chosen, given, confirmed, opposed = rows[:, :5].T
    clear, second = (confirmed + opposed) == 1, halves(index.astype(np.int64))
    features = np.stack([np.log((n + 0.5) / (5.5 - n)) for n in (chosen, given)], axis=1)
    expected = np.zeros(len(rows))
    for half in (second, ~second):
        here = features[clear & half]
        centre, scale = here.mean(axis=0), here.std(axis=0)
        learnt = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
        learnt.fit((here - centre) / scale, confirmed[clear & half])
        expected[~half] = learnt.predict_proba((features[~half] - centre) / scale)[:, 1]
    assert rows[:, 5] == pytest.approx(expected, abs=1e-4)
    right = report(query, "imagenet")["right"]
    assert (right["sources"], right["agreement"], right["clear"], right["confirmed"]) == (["real"], 3, 935, 725)
    by_hand = {
        "share": ((chosen[clear] / 5 - confirmed[clear]) ** 2).mean(),
        "right": ((rows[clear, 5] - confirmed[clear]) ** 2).mean(),
    }
    assert {name: right["brier"][name] for name in by_hand} == pytest.approx(by_hand, abs=1e-6)
    assert {name: round(score, 4) for name, score in right["brier"].items()} == {
        "share": 0.1645,
        "confidence": 0.1645,
        "base": 0.1742,
        "right": 0.1528,
    }


def test_it_beats_the_plain_share_of_votes_on_imagenet(query: Query) -> None:
    right = report(query, "imagenet")["right"]
    gain = right["gains"]["share"]
    assert round(gain["difference"], 4) == 0.0117
    assert [round(end, 4) for end in gain["interval"]] == [0.0057, 0.0173]
    low, high = right["confidence_gain"]["interval"]
    assert low < 0 < high, "the number from votes alone is not better than the share of votes"
    for name in ("share", "confidence", "right"):
        points = right["reliability"][name]
        assert sum(point["n"] for point in points) == 935
        assert round(sum(point["n"] * point["right"] for point in points)) == 725
    share = [(point["n"], point["said"], round(point["right"], 3)) for point in right["reliability"]["share"]]
    assert share == [(263, 0.6, 0.597), (323, 0.8, 0.796), (349, 1.0, 0.891)]


def test_seventeen_opinions_are_too_few(query: Query) -> None:
    right = report(query, "cifar10")["right"]
    assert right == {"why_not": "few", "sources": ["cifar10h"], "agreement": 3, "clear": 17, "confirmed": 4}
    assert report(query, "mnist")["right"] == {"why_not": "no_opinion", "sources": []}
    learnt = query("SELECT DISTINCT name FROM verdicts JOIN datasets ON id = dataset_id WHERE probability_right > 0")
    assert learnt == [("imagenet",)]


def test_one_expert_s_votes_say_nothing_of_others(mmlu_catalogue: Path, query_of: Callable[[Path], Query]) -> None:
    query = query_of(mmlu_catalogue)
    found = report(query, "mmlu")
    assert (found["method"], found["why_not"], found["prior"]) == (None, "one_rater", None)
    assert query("SELECT COUNT(*) FROM verdicts WHERE confidence IS NOT NULL") == [(0,)]


@pytest.mark.slow
def test_an_opinion_that_is_added_changes_what_depends_on_it_alone(
    release_catalogue: Path, shared: Path, tmp_path: Path, query_of: Callable[[Path], Query]
) -> None:
    """And one that says the opposite, in its place, turns the probabilities round."""
    copy = Path(shutil.copyfile(release_catalogue, tmp_path / "catalogue.sqlite"))
    asked = (
        "SELECT issue_id, agreement, confidence, by_confidence, probability_right FROM verdicts WHERE confidence > 0 "
        "ORDER BY issue_id, agreement"
    )
    before = query_of(copy)(asked)
    assert not any(row[-1] for row in before)
    with closing(sqlite3.connect(copy)) as connection:
        rows = connection.execute(
            "SELECT idx, issues.given, corrected FROM verdicts JOIN issues ON issues.id = issue_id JOIN datasets ON "
            "datasets.id = issues.dataset_id WHERE name = 'cifar100' AND agreement = 3 AND corrected IS NOT NULL"
        ).fetchall()
    labels = np.load(shared / "label-errors/original_test_labels/cifar100_test_set_original_labels.npy").astype(
        np.int64
    )
    file, own = tmp_path / "own.npy", tmp_path / "own.toml"
    own.write_text(
        'name = "own"\ntitle = "Own"\nlicence = "CC0"\nredistributable = true\nindependent = true\n'
        'format = "labels-npy"\n[check]\nexample = 0\n'
        f"classes = [{labels[0]}]\nagreement = 0.9\n"
    )
    found = {}
    for name, confirms in (("half", lambda place: place % 2 == 0), ("other half", lambda place: place % 2 == 1)):
        said = labels.copy()
        for place, (idx, given, corrected) in enumerate(sorted(rows)):
            said[idx] = corrected if confirms(place) else given
        said[0] = labels[0]
        np.save(file, said)
        assert run("opinions", "cifar100", "--source", own, file, "--catalogue", copy).returncode == 0
        found[name] = query_of(copy)(asked)
        assert [row[:-1] for row in found[name]] == [row[:-1] for row in before]
    first, second = ([row[-1] for row in found[name] if row[-1] is not None] for name in ("half", "other half"))
    assert len(first) == len(second) > 0
    assert np.array(first) == pytest.approx(1 - np.array(second), abs=0.03)
