"""Every figure that the published files must give, read back from a catalogue that the real command built."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.manifest.parse import read_manifests
from ingest.pipeline import DATASETS

PAPER = DATASETS.parent / "paper"

# checked, non-errors, errors, non-agreement, correctable, multi-label, neither
TABLE_2 = {
    "mnist": (100, 85, 15, 2, 10, 0, 3),
    "cifar10": (275, 221, 54, 32, 18, 0, 4),
    "cifar100": (2235, 1650, 585, 210, 318, 20, 37),
    "caltech256": (2360, 1902, 458, 99, 221, 115, 23),
    "imagenet": (5440, 2524, 2916, 598, 1428, 597, 293),
    "quickdraw": (2500, 630, 1870, 563, 1047, 20, 240),
    "20news": (93, 11, 82, 43, 22, 12, 5),
    "imdb": (1310, 585, 725, 552, 173, 0, 0),
    "amazon": (1000, 268, 732, 430, 302, 0, 0),
}
CATEGORIES = ("non_error", "non_agreement", "correctable", "multi_label", "neither")


def categories(real: Any, name: str, agreement: int) -> dict[str, int]:
    return dict(
        real(
            "SELECT category, count(*) FROM verdicts v JOIN datasets d ON d.id = v.dataset_id"
            " WHERE d.name = ? AND agreement = ? GROUP BY category",
            name,
            agreement,
        )
    )


@pytest.mark.parametrize("name", TABLE_2)
def test_table_2_comes_out(real: Any, name: str) -> None:
    checked, non_errors, errors, *by_category = TABLE_2[name]
    found = categories(real, name, 3)
    assert [found.get(category, 0) for category in CATEGORIES] == [non_errors, *by_category]
    assert real("SELECT n_checked, n_errors FROM datasets WHERE name = ?", name) == [(checked, errors)]


def test_audioset_has_275_errors_in_307(real: Any) -> None:
    assert real("SELECT n_checked, n_errors FROM datasets WHERE name = 'audioset'") == [(307, 275)]
    found = categories(real, "audioset", 3)
    assert found["non_error"] == 32
    assert sum(found.values()) == 307


@pytest.mark.parametrize(("name", "correctable"), [("imagenet", (1428, 960, 468)), ("cifar10", (18, 7, 3))])
def test_correctable_at_3_4_and_5(real: Any, name: str, correctable: tuple[int, ...]) -> None:
    assert tuple(categories(real, name, agreement)["correctable"] for agreement in (3, 4, 5)) == correctable


@pytest.mark.parametrize("name", [*TABLE_2, "audioset"])
def test_more_agreement_changes_no_error_and_enlarges_no_correctable_set(real: Any, name: str) -> None:
    def issues(agreement: int, condition: str) -> set[int]:
        return {
            issue
            for (issue,) in real(
                "SELECT issue_id FROM verdicts v JOIN datasets d ON d.id = v.dataset_id"
                f" WHERE d.name = ? AND agreement = ? AND {condition}",
                name,
                agreement,
            )
        }

    errors = [issues(agreement, "category <> 'non_error'") for agreement in (3, 4, 5)]
    correctable = [issues(agreement, "category = 'correctable'") for agreement in (3, 4, 5)]
    assert errors[0] == errors[1] == errors[2]
    assert correctable[0] >= correctable[1] >= correctable[2]


def test_estimates_for_the_sampled_datasets(real: Any) -> None:
    rows = real("SELECT name, n_flagged, estimated_errors, round(percent_error, 2) FROM datasets")
    found = {name: figures for name, *figures in rows}
    assert found["quickdraw"] == [6_825_383, 5_105_386, 10.12]
    assert found["amazon"] == [533_249, 390_338, 3.90]
    assert found["caltech256"] == [2_360, 458, 1.54]
    assert found["imagenet"] == [5_440, 2_916, 5.83]


def test_the_papers_own_averages() -> None:
    with (PAPER / "table1.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert round(sum(float(row["percent_error"]) for row in rows) / len(rows), 2) == 3.42
    assert sum(int(row["errors"]) for row in rows) == 7_319
    assert sum(int(row["checked"]) for row in rows) == 13_660


def test_manifests_print_the_papers_tables() -> None:
    papers = {manifest.name: manifest.paper for manifest in read_manifests(DATASETS)}
    for file in ("table1.csv", "table2.csv"):
        with (PAPER / file).open(newline="") as stream:
            for row in csv.DictReader(stream):
                paper = papers[row.pop("dataset")]
                assert paper is not None
                for name in set(row) - {"modality", "model"}:
                    found = getattr(paper if hasattr(paper, name) else paper.categories, name)
                    assert found == (float(row[name]) if row[name] else None), (file, row, name)


@pytest.mark.parametrize(
    ("name", "off_diagonal", "rule", "n_flagged"),
    [
        ("mnist", 15, "100", 100),
        ("cifar10", 244, "uncalibrated", 275),
        ("20news", 55, "uncalibrated", 93),
        ("imdb", 1076, "uncalibrated", 1310),
    ],
)
def test_what_confident_learning_flags(real: Any, name: str, off_diagonal: int, rule: str, n_flagged: int) -> None:
    [(facts, issues)] = real("SELECT confident_learning, n_issues FROM datasets WHERE name = ?", name)
    facts = json.loads(facts)
    assert (facts["off_diagonal"], facts["rule"], facts["n_flagged"]) == (off_diagonal, rule, n_flagged)
    # Flagged and reviewed are the same examples: as many as either, and every one of them both.
    both = (
        "SELECT count(*) FROM issues i JOIN datasets d ON d.id = dataset_id WHERE name = ? AND flagged AND votes <> ''"
    )
    assert real(both, name) == [(n_flagged,)]
    assert issues == n_flagged


@pytest.mark.parametrize(
    ("name", "expected"), [("mnist", 15.9), ("cifar10", 283.1), ("20news", 94.7), ("imdb", 1309.2)]
)
def test_calibrated_number_of_errors(real: Any, name: str, expected: float) -> None:
    [(facts,)] = real("SELECT confident_learning FROM datasets WHERE name = ?", name)
    facts = json.loads(facts)
    assert round(facts["rho"]["calibrated"] * facts["n"], 1) == expected
    assert facts["number_flagged"]["calibrated"] == int(expected)


@pytest.mark.parametrize("name", ["mnist", "cifar10", "20news", "imdb"])
def test_joint_sums_to_one_and_counts_to_the_examples_counted(real: Any, name: str) -> None:
    [(total, off, counted)] = real(
        "SELECT sum(probability), sum(CASE WHEN given <> latent THEN probability ELSE 0 END),"
        " sum(CASE WHEN given <> latent THEN count ELSE 0 END)"
        " FROM joint_cells JOIN datasets d ON d.id = dataset_id WHERE name = ?",
        name,
    )
    [(facts,)] = real("SELECT confident_learning FROM datasets WHERE name = ?", name)
    assert total == pytest.approx(1)
    assert off == pytest.approx(json.loads(facts)["rho"]["calibrated"])
    assert counted == json.loads(facts)["off_diagonal"]


def test_the_frog_called_cat(real: Any) -> None:
    [(given, guessed, rank, votes)] = real(
        "SELECT g.name, h.name, rank, votes FROM issues i JOIN datasets d ON d.id = i.dataset_id"
        " JOIN classes g ON g.dataset_id = d.id AND g.class_id = i.given"
        " JOIN classes h ON h.dataset_id = d.id AND h.class_id = i.guessed WHERE d.name = 'cifar10' AND idx = 2405"
    )
    assert (given, guessed, rank) == ("cat", "frog", 1)
    assert json.loads(votes) == {"given": 0, "guessed": 5, "both": 0, "neither": 0}


@pytest.mark.parametrize(
    ("name", "key", "idx"), [("imagenet", "ILSVRC2012_val_00000293", 0), ("imdb", "neg/9641_4", 0)]
)
def test_records_are_joined_by_their_names(real: Any, shared: Path, name: str, key: str, idx: int) -> None:
    """A record's index is the place of its name in the index file, which is not the number it calls its id."""
    manifest = next(m for m in read_manifests(DATASETS) if m.name == name)
    labels = np.load(shared / "label-errors" / str(manifest.files.labels))
    entries = json.loads((shared / "label-errors" / str(manifest.files.index)).read_text())
    issues = real("SELECT idx, key, given FROM issues i JOIN datasets d ON d.id = dataset_id WHERE d.name = ?", name)
    assert len(issues) == TABLE_2[name][0]
    assert key in entries[idx]
    for index, found, given in issues:
        assert found in entries[index]
        assert labels[index] == given


def test_mnist_votes_that_stand_twice_count_once(real: Any) -> None:
    same = real(
        "SELECT votes, category FROM issues i JOIN datasets d ON d.id = i.dataset_id JOIN verdicts v"
        " ON v.issue_id = i.id WHERE d.name = 'mnist' AND given = guessed AND agreement = 3"
    )
    assert len(same) == 13
    for votes, category in same:
        assert sum(json.loads(votes).values()) == 5
        assert category == "non_error"


def test_consensus_words_of_sentiment(real: Any) -> None:
    for name in ("imdb", "amazon"):
        words = {
            word
            for (word,) in real(
                "SELECT DISTINCT consensus FROM issues i JOIN datasets d ON d.id = i.dataset_id WHERE d.name = ?", name
            )
        }
        assert {"given", "guessed", "neutral", "off-topic"} <= words
        wrong = real(
            "SELECT count(*) FROM issues i JOIN datasets d ON d.id = i.dataset_id JOIN verdicts v ON v.issue_id = i.id"
            " WHERE d.name = ? AND consensus IN ('neutral', 'off-topic') AND category <> 'non_agreement'",
            name,
        )
        assert wrong == [(0,)]


def test_audioset_names_follow_its_own_table(real: Any, shared: Path) -> None:
    with (shared / "label-errors" / "class_labels_indices.csv").open(newline="") as stream:
        names = [row["display_name"] for row in csv.DictReader(stream)]
    found = real(
        "SELECT c.name FROM classes c JOIN datasets d ON d.id = dataset_id WHERE d.name = 'audioset' ORDER BY class_id"
    )
    assert [name for (name,) in found] == names


def test_quickdraw_names_its_classes_as_its_votes_do(real: Any, shared: Path) -> None:
    records = json.loads((shared / "label-errors" / "mturk" / "quickdraw_mturk.json").read_text())
    names = dict(
        real("SELECT class_id, c.name FROM classes c JOIN datasets d ON d.id = dataset_id WHERE d.name = 'quickdraw'")
    )
    for record in records:
        for field in ("given_original_label", "our_guessed_label"):
            assert names[record[field]].removeprefix("The ") == record[field + "_name"]


def test_what_cannot_be_shown_is_said(real: Any) -> None:
    missing = {name: json.loads(found) for name, found in real("SELECT name, missing FROM datasets")}
    for name in ("quickdraw", "amazon"):
        assert any("given labels" in sentence for sentence in missing[name])
        assert any("predicted probabilities" in sentence for sentence in missing[name])
    assert not any("probabilities" in sentence for sentence in missing["mnist"])
    assert real("SELECT count(*) FROM examples e JOIN datasets d ON d.id = dataset_id WHERE name = 'amazon'") == [(0,)]
