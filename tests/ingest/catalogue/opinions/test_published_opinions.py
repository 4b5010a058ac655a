"""ReaL and CIFAR-10H on the release: every figure that must come out, to the unit."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands import run

STANCES = ("given", "guessed", "both", "other", "silent")
CATEGORIES = ("non_error", "correctable", "multi_label", "neither", "non_agreement")
REAL = {
    "non_error": (1707, 98, 98, 298, 323),
    "correctable": (210, 725, 187, 135, 171),
    "multi_label": (121, 93, 342, 21, 20),
    "neither": (43, 23, 2, 99, 126),
    "non_agreement": (201, 92, 73, 109, 123),
}
CIFAR10H = {
    "non_error": (218, 2, 0, 1, 0),
    "correctable": (13, 4, 0, 1, 0),
    "multi_label": (0, 0, 0, 0, 0),
    "neither": (3, 0, 0, 1, 0),
    "non_agreement": (27, 4, 0, 1, 0),
}

Query = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def query(opinions_catalogue: Path, query_of: Callable[[Path], Query]) -> Query:
    return query_of(opinions_catalogue)


def report(query: Query, dataset: str, agreement: int, table: str = "opinion_reports") -> Any:
    ((text,),) = query(
        f"SELECT results FROM {table} JOIN datasets ON id = dataset_id WHERE name = ? AND agreement = ?",
        dataset,
        agreement,
    )
    return json.loads(text)


@pytest.mark.parametrize(("dataset", "expected"), [("imagenet", REAL), ("cifar10", CIFAR10H)])
def test_the_cross_table(query: Query, dataset: str, expected: dict[str, tuple[int, ...]]) -> None:
    (source,) = report(query, dataset, 3)["sources"]
    assert {c: tuple(source["table"][c][s] for s in STANCES) for c in CATEGORIES} == expected


@pytest.mark.parametrize(
    ("dataset", "agreement", "expected"),
    [("imagenet", 3, 725), ("imagenet", 4, 568), ("imagenet", 5, 311), ("cifar10", 4, 2), ("cifar10", 5, 1)],
)
def test_confirmed_corrections_by_agreement(query: Query, dataset: str, agreement: int, expected: int) -> None:
    (source,) = report(query, dataset, agreement)["sources"]
    assert source["table"]["correctable"]["guessed"] == expected
    stored = query(
        "SELECT COUNT(*) FROM verdicts JOIN datasets ON id = dataset_id WHERE name = ? AND agreement = ? AND "
        "category = 'correctable' AND opinions = 'c'",
        dataset,
        agreement,
    )
    assert stored == [(expected,)]


def test_what_the_opinions_cover(query: Query) -> None:
    (real,) = report(query, "imagenet", 3)["sources"]
    flagged = query(
        "SELECT COUNT(*) FROM opinions JOIN datasets ON id = dataset_id WHERE name = 'imagenet' AND classes = '[]'"
    )
    assert (50_000 - real["covered"], flagged) == (3_163, [(763,)])
    # 4,673 lack the given label, 1,693 of them flagged.
    assert round((1 - real["agreeing"]) * real["covered"]) == 4_673
    assert (real["missed"]["n"], len(real["missed"]["examples"])) == (4_673 - 1_693, 24)
    assert real["licence"] == "Apache License 2.0"
    (people,) = report(query, "cifar10", 3)["sources"]
    assert (people["covered"], people["licence"]) == (10_000, "CC BY-NC-SA 4.0")


def test_people_agree_the_more_the_more_reviewers_did(query: Query) -> None:
    (people,) = report(query, "cifar10", 3)["sources"]
    assert [round(one["share"], 2) for one in people["by_votes"]] == [0.28, 0.57, 0.70, 0.85, 0.90, 0.93]
    assert [one["votes"] for one in people["by_votes"]] == list(range(6))


def test_which_corrections_of_cifar10_are_confirmed(query: Query) -> None:
    rows = query(
        "SELECT idx, opinions FROM verdicts JOIN issues ON issues.id = issue_id JOIN datasets ON datasets.id = "
        "issues.dataset_id WHERE name = 'cifar10' AND agreement = 3 AND category = 'correctable'"
    )
    assert sorted(idx for idx, sign in rows if sign == "c") == [2405, 2804, 5468, 9227]
    assert dict(rows)[6877] == "g"
    ((named,),) = query(
        "SELECT classes FROM opinions JOIN issues ON issues.id = issue_id JOIN datasets ON datasets.id = "
        "issues.dataset_id WHERE name = 'cifar10' AND idx = 6877"
    )
    (airplane, n), *_ = json.loads(named)
    assert airplane == 0
    assert round(n / sum(weight for _, weight in json.loads(named)), 2) == 0.71


def test_the_ranking_turns_over_where_no_label_is_wrong(query: Query) -> None:
    found = report(query, "cifar10", 3, "controls")
    assert (found["non_errors"]["n"], round(found["non_errors"]["tau"], 3)) == (221, -0.640)
    assert (found["corrected"]["n"], round(found["corrected"]["tau"], 3)) == (18, -0.440)
    by_guess = {one["name"]: one["guessed"] for one in found["non_errors"]["models"]}
    by_given = {one["name"]: one["given"] for one in found["non_errors"]["models"]}
    assert (max(by_guess, key=by_guess.__getitem__), by_guess["vgg11_bn"]) == ("vgg11_bn", 108)
    assert (min(by_guess, key=by_guess.__getitem__), by_guess["mobilenet_v2"]) == ("mobilenet_v2", 77)
    assert (min(by_given, key=by_given.__getitem__), by_given["vgg11_bn"]) == ("vgg11_bn", 73)
    for one in found["non_errors"]["models"]:
        assert one["given"] + one["guessed"] + one["neither"] == 221
    low, high = found["non_errors"]["tau_interval"]
    assert low < found["non_errors"]["tau"] < high < 0


def test_a_part_of_fewer_than_five_examples_has_no_ranking(query: Query) -> None:
    found = report(query, "cifar10", 3, "controls")
    assert found["confirmed"]["cifar10h"]["n"] == 4
    assert found["confirmed"]["cifar10h"]["tau"] is None
    assert found["confirmed"]["cifar10h"]["models"] is None
    assert found["opposed"]["cifar10h"]["n"] == 13
    assert found["opposed"]["cifar10h"]["tau"] is not None


def test_agreement_with_the_predictions_that_flagged(query: Query, shared: Path) -> None:
    release = shared / "label-errors"
    guesses = np.load(release / "cross_validated_predicted_labels/cifar10_test_set_pyx_argmax_predicted_labels.npy")
    given = np.load(release / "original_test_labels/cifar10_test_set_original_labels.npy")
    folder = shared / "benchmarks/pytorch_cifar10"
    for one in report(query, "cifar10", 3, "controls")["flagger"]:
        classes, weights = (
            np.load(folder / f"{one['name']}_pytorch_cifar10_top5{kind}.npy") for kind in ("preds", "probs")
        )
        first = classes[np.arange(10_000), weights.argmax(axis=1)]
        assert one["agreement"] == (first == guesses).mean()
        assert one["accuracy"] == (first == given).mean()


@pytest.fixture
def copy(opinions_catalogue: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(opinions_catalogue, tmp_path / "catalogue.sqlite"))


def version(catalogue: Path, dataset: str) -> str:
    with closing(sqlite3.connect(catalogue)) as connection:
        return str(connection.execute("SELECT version FROM datasets WHERE name = ?", [dataset]).fetchone()[0])


@pytest.mark.parametrize("by", [1, -1])
def test_a_shifted_opinion_is_refused_and_the_catalogue_unchanged(
    copy: Path, shared: Path, tmp_path: Path, by: int
) -> None:
    before = copy.read_bytes()
    real = json.loads((shared / "opinions/imagenet/real.json").read_text())
    shifted = tmp_path / "real.json"
    shifted.write_text(json.dumps(real[by:] + real[:by]))
    done = run("opinions", "imagenet", "--source", "real", shifted, "--catalogue", copy)
    assert done.returncode == 1
    assert "real.json: expected 85.0% of the entries or more" in done.stderr
    assert "shifted by one entry it is 90.0%. The join is shifted" in done.stderr
    assert copy.read_bytes() == before
    counts = np.load(shared / "opinions/cifar10/cifar10h-counts.npy")
    np.save(tmp_path / "people.npy", np.roll(counts, by, axis=0))
    done = run("opinions", "cifar10", "--source", "cifar10h", tmp_path / "people.npy", "--catalogue", copy)
    assert done.returncode == 1
    assert "shifted by one entry it is 99.2%" in done.stderr


def test_ingesting_again_keeps_the_opinion_and_the_version(copy: Path, shared: Path) -> None:
    before = version(copy, "cifar10")
    with closing(sqlite3.connect(copy)) as connection:
        bare = connection.execute("SELECT v.version FROM bare_versions v JOIN datasets ON id = dataset_id").fetchall()
    assert (before,) not in bare
    assert run("release", shared / "label-errors", "--dataset", "cifar10", "--catalogue", copy).returncode == 0
    assert version(copy, "cifar10") == before
    with closing(sqlite3.connect(copy)) as connection:
        confirmed = "SELECT COUNT(*) FROM verdicts WHERE opinions = 'c' AND category = 'correctable' AND agreement = 3"
        in_dataset = " AND dataset_id = (SELECT id FROM datasets WHERE name = 'cifar10')"
        assert connection.execute(confirmed + in_dataset).fetchone() == (4,)
        assert connection.execute("SELECT COUNT(*) FROM controls").fetchone() == (3,)


def test_an_opinion_read_again_changes_nothing(copy: Path, shared: Path) -> None:
    before = version(copy, "cifar10")
    file = shared / "opinions/cifar10/cifar10h-counts.npy"
    done = run("opinions", "cifar10", file, "--source", "cifar10h", "--catalogue", copy)
    assert done.returncode == 0, done.stderr
    assert "cifar10: CIFAR-10H on 10,000 of 10,000 examples; it holds the given label of 99.2%\n" in done.stdout
    assert version(copy, "cifar10") == before


@pytest.mark.parametrize(
    ("arguments", "status", "finding"),
    [
        (("imagenet", "--source", "cifar10h", "FILE"), 1, "expected an opinion on imagenet, found one on cifar10"),
        (("audioset", "--source", "OWN", "FILE"), 1, "several labels at once"),
        (("nothing", "--source", "OWN", "FILE"), 1, "There is no dataset 'nothing'"),
        (("cifar10", "--source", "cifar10h"), 1, "expected --source SOURCE and one FILE"),
        (("cifar10", "--source", "cifar10h", "absent.npy"), 1, "expected the file of CIFAR-10H, found none"),
    ],
)
def test_what_cannot_be_read_is_refused(
    copy: Path, shared: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, finding: str
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        (Path(__file__).parents[4] / "data/opinions/cifar10h.toml").read_text().replace("dataset =", "title =")
    )
    own.write_text("\n".join(line for line in own.read_text().splitlines() if line != 'title = "cifar10"'))
    file = shared / "opinions/cifar10/cifar10h-counts.npy"
    given = [{"FILE": file, "OWN": own}.get(one, one) for one in arguments]
    done = run("opinions", *given, "--catalogue", copy)
    assert (done.returncode, finding in done.stderr) == (status, True), done.stderr
