"""Votes outlive the model: another guess changes no verdict, and only votes of other examples are refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.evaluation.predictions_store import read_partition, read_subject
from ingest.catalogue.open import open_catalogue
from ingest.commands.main import main

Query = Callable[..., list[Any]]

#: Of the six reviewed examples of ``tiny``: correctable to the guess, multi-label.
CORRECTED, MULTI_LABEL = 0, 2


def retrain(tiny: Any, *examples: int) -> None:
    """Another model, which guesses the given label for these examples."""
    for index in examples:
        guess, given = int(tiny.probs[index].argmax()), int(tiny.labels[index])
        tiny.probs[index, [guess, given]] = tiny.probs[index, [given, guess]]


@dataclass
class Pair:
    """The same votes beside the model that they were cast about, and beside another."""

    before: Query
    after: Query
    was: Path
    now: Path
    tiny: Any


@pytest.fixture
def pair(tiny: Any, tmp_path: Path, query_of: Callable[[Path], Query]) -> Pair:
    was, now = tmp_path / "was.sqlite", tmp_path / "now.sqlite"
    assert tiny.add(was) == 0
    retrain(tiny, CORRECTED, MULTI_LABEL)
    assert tiny.add(now) == 0
    return Pair(query_of(was), query_of(now), was, now, tiny)


def test_a_retrained_guess_changes_no_verdict_and_no_vote(pair: Pair) -> None:
    for statement in (
        "SELECT idx, agreement, category, corrected, several FROM verdicts JOIN issues ON id = issue_id ORDER BY 1, 2",
        "SELECT idx, position, option, word, classes, n FROM votes JOIN issues i ON i.id = issue_id ORDER BY 1, 2",
        "SELECT idx, given, shown, votes, vote_pattern, consensus FROM issues WHERE votes <> '' ORDER BY idx",
    ):
        before = pair.before(statement)
        assert before
        assert pair.after(statement) == before


def test_the_corrected_label_is_the_one_agreed_on_whatever_is_guessed(pair: Pair) -> None:
    row = "SELECT given, guessed, shown, flagged FROM issues WHERE idx = ?"
    [(given, guess, shown, flagged)] = pair.before(row, CORRECTED)
    assert guess == shown != given
    assert flagged
    assert pair.after(row, CORRECTED) == [(given, given, shown, 0)]
    corrected = "SELECT DISTINCT category, corrected FROM verdicts JOIN issues i ON i.id = issue_id WHERE idx = ?"
    assert pair.after(corrected, CORRECTED) == [("correctable", shown)]


def test_votes_name_classes(pair: Pair) -> None:
    [(given, shown)] = pair.after("SELECT given, shown FROM issues WHERE idx = ?", MULTI_LABEL)
    found = pair.after(
        "SELECT option, classes, n FROM votes JOIN issues i ON i.id = issue_id WHERE idx = ? ORDER BY position",
        MULTI_LABEL,
    )
    both = sorted([given, shown])
    assert [(option, json.loads(classes), n) for option, classes, n in found] == [
        ("given", [given], 1),
        ("guessed", [shown], 1),
        ("both", both, 3),
        ("neither", [], 0),
    ]
    several = "SELECT agreement, several FROM verdicts JOIN issues i ON i.id = issue_id WHERE idx = ? ORDER BY 1"
    assert [(at, classes and json.loads(classes)) for at, classes in pair.after(several, MULTI_LABEL)] == [
        (3, both),
        (4, None),
        (5, None),
    ]


def test_corrected_test_sets_are_the_same_bytes_under_every_policy(pair: Pair, tmp_path: Path) -> None:
    for policy in ("multi_label=drop", "multi_label=both"):
        files = []
        for catalogue in (pair.was, pair.now):
            files.append(tmp_path / f"{catalogue.stem}.csv")
            options = ("--policy", policy, "--out", str(files[-1]), "--catalogue", str(catalogue))
            assert main(["export", "tiny", *options]) == 0
        assert files[0].read_bytes() == files[1].read_bytes()


def test_models_are_measured_on_the_same_labels(pair: Pair) -> None:
    for agreement in (3, 4, 5):
        tests = []
        for catalogue in (pair.was, pair.now):
            with open_catalogue(catalogue) as connection:
                tests.append(read_partition(connection, read_subject(connection, "tiny"), agreement))
        assert np.array_equal(tests[0].corrected, tests[1].corrected)
        assert tests[0].sizes == tests[1].sizes
        assert tests[0].sizes.correctable == 2 - (agreement == 5)


def test_a_retrained_model_changes_no_label_in_the_log(pair: Pair, query_of: Callable[[Path], Query]) -> None:
    """The dataset is another version, for other examples are flagged; but only who drops these sees a change."""
    assert pair.tiny.add(pair.was) == 0
    query = query_of(pair.was)
    assert query("SELECT count(*) FROM versions") == [(2,)]
    changed = query("SELECT DISTINCT unreviewed FROM change_counts")
    assert changed in ([], [("drop",)])


def test_how_many_guesses_changed_is_counted_and_said(
    pair: Pair, capsys: pytest.CaptureFixture[str], query_of: Callable[[Path], Query]
) -> None:
    assert pair.before("SELECT n_guesses_changed FROM datasets") == [(0,)]
    assert pair.after("SELECT n_guesses_changed FROM datasets") == [(2,)]
    capsys.readouterr()
    assert pair.tiny.add(pair.now) == 0
    [(waiting,)] = query_of(pair.now)("SELECT count(*) FROM issues WHERE flagged AND votes IS NULL")
    said = capsys.readouterr().out
    assert "the model now guesses another label than reviewers were shown for 2 of 6 checked examples" in said
    assert f"tiny: {waiting} flagged examples wait for review" in said
    assert main(["list", "--catalogue", str(pair.now)]) == 0
    assert "2 checked, whose guess has changed since" in capsys.readouterr().out


def test_nothing_is_said_where_no_guess_changed(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tiny.add(tmp_path / "c.sqlite") == 0
    assert "another label" not in capsys.readouterr().out


def test_only_new_suspects_wait_for_review(pair: Pair) -> None:
    """What is flagged now and was reviewed earlier is reviewed; what is not flagged any more keeps its verdict."""
    rows = pair.after(
        "SELECT idx, flagged, category FROM issues i LEFT JOIN verdicts v ON v.issue_id = i.id AND agreement = 3"
    )
    reviewed = {idx for idx, _, category in rows if category is not None}
    assert reviewed == set(range(6))
    assert all(flagged for _, flagged, category in rows if category is None)
    [(unreviewed,)] = pair.after("SELECT sum(n_issues) FROM unreviewed")
    assert unreviewed == sum(category is None for _, _, category in rows)


def test_errors_are_not_extrapolated_from_what_another_model_flagged(pair: Pair) -> None:
    estimated = "SELECT n_errors, estimated_errors FROM datasets"
    [(errors, before)] = pair.before(estimated)
    assert before > errors
    assert pair.after(estimated) == [(errors, errors)]


def test_sets_of_labels_outlive_their_model_too(tiny: Any, tmp_path: Path, query_of: Callable[[Path], Query]) -> None:
    rng = np.random.default_rng(3)
    sets = [sorted({int(rng.integers(3)), int(rng.integers(3))}) for _ in range(40)]
    tiny.top, tiny.labels = 'labels = "multiple"\nflag = 8', np.array([*sets, None], dtype=object)[:-1]
    tiny.probs = np.array([[0.9 if c in labels else 0.1 for c in range(3)] for labels in sets])
    tiny.probs[:6] = 1 - tiny.probs[:6]
    names = np.array(tiny.classes)
    tiny.records = []
    for index in range(6):
        others = [c for c in range(3) if c not in sets[index]]
        heard = {str(names[c]): 5 for c in others} | {str(names[c]): 0 for c in sets[index]}
        labels = {"given_original_labels": list(names[sets[index]]), "our_guessed_labels": list(names[others])}
        tiny.records.append({"id": index, **labels, "mturk": heard})
    assert tiny.add(tmp_path / "was.sqlite") == 0
    tiny.probs[0] = 1 - tiny.probs[0]
    assert tiny.add(tmp_path / "now.sqlite") == 0
    was, now = query_of(tmp_path / "was.sqlite"), query_of(tmp_path / "now.sqlite")
    assert [query("SELECT n_guesses_changed FROM datasets") for query in (was, now)] == [[(0,)], [(1,)]]
    verdicts = (
        "SELECT idx, agreement, category, members FROM verdicts v JOIN issues i ON i.id = issue_id"
        " LEFT JOIN label_sets s ON s.dataset_id = v.dataset_id AND label_id = corrected ORDER BY 1, 2"
    )
    assert was(verdicts) == now(verdicts)
    label = (
        "SELECT members FROM issues i JOIN label_sets s ON s.dataset_id = i.dataset_id AND label_id = {} WHERE idx = 0"
    )
    assert json.loads(now(label.format("guessed"))[0][0]) == sets[0]
    assert json.loads(now(label.format("shown"))[0][0]) == [c for c in range(3) if c not in sets[0]]


@pytest.fixture
def sorted_by_class(tiny: Any) -> Any:
    """Two classes, one after the other: a votes file that is shifted by one has every given label right."""
    tiny.classes, tiny.labels = ["ant", "bee"], np.repeat([0, 1], 40)
    tiny.probs = np.full((80, 2), 0.1)
    tiny.probs[np.arange(80), tiny.labels] = 0.9
    wrong = list(range(2, 38, 6)) + list(range(43, 78, 6))
    tiny.probs[wrong] = tiny.probs[wrong][:, ::-1]
    tiny.records = [tiny.record(index, 0, 5, 0, 0) for index in wrong]
    return tiny


def shift(tiny: Any) -> None:
    for record in tiny.records:
        record["id"] += 1


def test_votes_that_are_shifted_by_one_are_refused_though_every_given_label_fits(
    sorted_by_class: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old.read_bytes()
    shift(sorted_by_class)
    assert sorted_by_class.add(old) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "votes.json: record 1 (id 3): expected guesses that fit these examples" in message
    assert "found 0 of 12 as in probs.npy" in message
    assert 'say guesses = "unchecked" in [votes]' in message
    assert old.read_bytes() == before


def test_votes_of_another_dataset_are_refused_though_every_given_label_fits(sorted_by_class: Any, old: Path) -> None:
    for place, record in enumerate(sorted_by_class.records):
        record["id"] = (40 * record["given_original_label"]) + place % 2 * 7 + place
    assert sorted_by_class.add(old) == 1


def many(tiny: Any, wrong: range) -> Any:
    """Two classes, one after the other, many examples of which were reviewed."""
    tiny.classes, tiny.labels = ["ant", "bee"], np.repeat([0, 1], 200)
    tiny.probs = np.full((400, 2), 0.1)
    tiny.probs[np.arange(400), tiny.labels] = 0.9
    tiny.probs[wrong] = tiny.probs[wrong][:, ::-1]
    tiny.records = [tiny.record(index, 0, 5, 0, 0) for index in wrong]
    return tiny


def test_votes_are_refused_that_slip_where_an_example_was_put_in(
    tiny: Any, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the 60 records the first 36 are of their examples, the others of the ones before theirs."""
    slipped = many(tiny, range(5, 365, 6))
    for record in slipped.records[36:]:
        record["id"] += 1
    assert slipped.add(old) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "votes.json: record 41 (id 246): expected guesses that fit these examples" in message
    assert "found that from example 246 on they fit no better than other examples" in message


def test_many_other_guesses_here_and_there_are_no_slip(tiny: Any, tmp_path: Path) -> None:
    honest = many(tiny, range(5, 365, 6))
    retrain(honest, *range(5, 365, 18), *range(245, 365, 12))
    assert honest.add(tmp_path / "c.sqlite") == 0


def test_a_model_that_has_learned_much_is_no_shift(sorted_by_class: Any, tmp_path: Path) -> None:
    """Half of the guesses are other ones; the rest cannot be chance."""
    retrain(sorted_by_class, *(record["id"] for record in sorted_by_class.records[::2]))
    assert sorted_by_class.add(tmp_path / "c.sqlite") == 0


@pytest.mark.parametrize("n_changed", [1, 2])
def test_a_few_votes_are_taken_and_the_doubt_is_said(
    tiny: Any, tmp_path: Path, n_changed: int, query_of: Callable[[Path], Query], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of two guesses may well be other ones honestly."""
    tiny.records = tiny.records[:2]
    retrain(tiny, *(record["id"] for record in tiny.records[:n_changed]))
    assert tiny.add(tmp_path / "c.sqlite") == 0
    doubt = f"{2 - n_changed} of 2 are still the model's: too few checked examples to tell"
    assert doubt in capsys.readouterr().out
    assert doubt in query_of(tmp_path / "c.sqlite")("SELECT missing FROM datasets")[0][0]


def test_who_knows_better_can_say_so(sorted_by_class: Any, tmp_path: Path) -> None:
    shift(sorted_by_class)
    sorted_by_class.top = '[votes]\nguesses = "unchecked"'
    assert sorted_by_class.add(tmp_path / "c.sqlite") == 0


def test_a_given_label_that_differs_is_refused_whatever_is_said_of_guesses(sorted_by_class: Any, old: Path) -> None:
    sorted_by_class.top = '[votes]\nguesses = "unchecked"'
    sorted_by_class.records[3]["given_original_label"] = 1
    assert sorted_by_class.add(old) == 1
