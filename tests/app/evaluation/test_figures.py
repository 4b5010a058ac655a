"""The paper's figures of models, from the real predictions, and the reproduction of all figures that can be loaded."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from app.evaluation.evaluate import evaluate, read_results, target_of
from app.evaluation.opinions.capacity_claim import Claim, OnSet, Standing
from app.evaluation.opinions.paper_claims import capacity_note, compare_claims
from app.evaluation.paper_figures import MODEL_COLUMNS, PAPER, Outcome, compare
from app.evaluation.prediction_files import read_predictions
from app.evaluation.predictions_store import NotMeasurableError, read_models, read_partition, read_subject
from ingest.commands.models import evaluation_report


@pytest.fixture(scope="module")
def connection(models_catalogue: Path):
    engine = create_engine(f"sqlite:///{models_catalogue}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def cifar10(connection):
    subject = read_subject(connection, "cifar10")
    return {agreement: read_results(connection, subject.id, agreement) for agreement in (3, 4, 5)}


def published(name: str):
    with (PAPER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_sets_of_cifar10(cifar10):
    assert cifar10[3]["sizes"] == {"D": 10_000, "B": 9_946, "C": 18, "U": 36, "P": 9_964}
    assert f"{cifar10[3]['noise_prevalence']:.2%}" == "0.18%"
    assert [cifar10[t]["sizes"]["C"] for t in (3, 4, 5)] == [18, 7, 3]
    assert {cifar10[t]["sizes"]["B"] for t in (3, 4, 5)} == {9_946}


@pytest.mark.parametrize("row", published("table_s2.csv"), ids=lambda row: row["model"])
def test_table_s2(cifar10, row):
    models = cifar10[3]["models"]
    assert len(models) == 13
    model = next(m for m in models if (m["platform"], m["name"]) == (row["platform"], row["model"]))
    assert model["title"] == "PyTorch 1.0"
    for column, (_, kind) in MODEL_COLUMNS.items():
        if "rank" in column:
            rank = model["ranks"]["correctable"][kind]
            tie = sum(m["ranks"]["correctable"][kind] == rank for m in models)
            assert rank <= int(row[column]) < rank + tie
        else:
            assert f"{100 * model['correctable'][kind]:.2f}" == row[column]


def test_vgg_11_overtakes_vgg_19_where_the_paper_says(cifar10):
    found = [
        c
        for c in cifar10[3]["crossings"]
        if {c["first"], c["second"]} == {"pytorch/vgg19_bn", "pytorch/vgg11_bn"} and c["kind"] == "corrected_top1"
    ]
    assert len(found) == 1
    assert f"{found[0]['noise_prevalence']:.2%}" == "5.64%"
    assert (found[0]["first"], found[0]["second"]) == ("pytorch/vgg19_bn", "pytorch/vgg11_bn")
    low, high = found[0]["interval"]
    assert low < found[0]["noise_prevalence"] < high


def test_rankings_stay_on_the_test_set_and_turn_over_on_c(cifar10):
    assert cifar10[3]["agreement_of_rankings"]["pruned"]["top1"]["kendall"] > 0.9
    assert cifar10[3]["agreement_of_rankings"]["correctable"]["top1"]["kendall"] < 0


def test_ranks_and_correlations_have_intervals(cifar10):
    for model in cifar10[3]["models"]:
        for part, of_set in model["ranks"].items():
            for kind in ("original_top1", "corrected_top1", "original_top5", "corrected_top5"):
                if part == "all" and kind.startswith("corrected"):
                    # 36 examples of D have no label to be ranked by.
                    assert (of_set[kind], of_set["intervals"][kind]) == (None, None)
                    continue
                low, high = of_set["intervals"][kind]
                assert 1 <= low <= high <= 13, (model["name"], part, kind)
    leader = next(m for m in cifar10[3]["models"] if m["name"] == "vgg11_bn")
    assert leader["ranks"]["correctable"]["corrected_top1"] == 1
    assert leader["ranks"]["correctable"]["intervals"]["corrected_top1"] == [1, 7]
    # 9,964 examples say more than 18.
    whole, few = (
        cifar10[3]["agreement_of_rankings"]["pruned"]["top1"],
        cifar10[3]["agreement_of_rankings"]["correctable"]["top1"],
    )
    widths = [of["intervals"]["kendall"][1] - of["intervals"]["kendall"][0] for of in (whole, few)]
    assert widths[0] < widths[1]
    assert few["intervals"]["kendall"][0] < few["kendall"] < few["intervals"]["kendall"][1] < 0


def test_every_figure_is_the_papers_or_differs_for_a_known_reason(connection):
    found = compare(connection)
    counts = Counter(one.outcome for one in found)
    assert counts[Outcome.BROKEN] == 0, [one for one in found if one.outcome is Outcome.BROKEN]
    assert counts[Outcome.SAME] == 204
    assert counts[Outcome.DIFFERS] == 15
    assert all(one.reason for one in found if one.outcome is Outcome.DIFFERS)
    differing = {one.subject for one in found if one.outcome is Outcome.DIFFERS}
    assert differing == {"Caltech-256", "20 Newsgroups", "Abstract"}
    # Nothing but ImageNet's models, and the crossing they have, is missing.
    assert {one.table for one in found if one.outcome is Outcome.NOT_LOADED} == {"S1", "text"}
    assert sum(one.table == "S2" and one.outcome is Outcome.SAME for one in found) == 13 * 8


def test_a_figure_that_breaks_is_seen(connection):
    transaction = connection.begin_nested()
    try:
        connection.execute(text("UPDATE datasets SET n_errors = n_errors + 1 WHERE name = 'mnist'"))
        broken = [one for one in compare(connection) if one.outcome is Outcome.BROKEN]
        assert {(one.table, one.subject, one.figure) for one in broken} >= {("1", "MNIST", "Errors")}
    finally:
        transaction.rollback()


def test_reviews_since_are_a_known_reason_for_what_they_change_alone(connection):
    """Verdicts of CIFAR-10 since a round was published, counts of CIFAR-100 while one is open; nothing else."""
    transaction = connection.begin_nested()
    try:
        for sql in (
            "UPDATE datasets SET n_errors = n_errors + 1, size = size + 1, "
            "about = JSON_SET(about, '$.rounds', JSON('[{\"name\": \"cifar10-1\"}]')) WHERE name = 'cifar10'",
            "UPDATE datasets SET n_errors = n_errors - 1, size = size + 1, about = JSON_SET(about, '$.held_back', "
            'JSON(\'{"examples": 1, "rounds": ["cifar100-1"], "digest": ""}\')) WHERE name = \'cifar100\'',
            "UPDATE datasets SET n_errors = n_errors + 1 WHERE name = 'mnist'",
            "UPDATE stability SET results = JSON_SET(results, '$.models[0].correctable.original_top1', 0.123) "
            "WHERE dataset_id = (SELECT id FROM datasets WHERE name = 'cifar10')",
        ):
            connection.exec_driver_sql(sql)
        found = {(one.table, one.subject, one.figure): one for one in compare(connection)}
        since = "Verdicts on CIFAR-10 are not the published ones alone: the round cifar10-1 was published here since."
        for name, subject, figure, reason in (
            ("1", "CIFAR-10", "Errors", since),
            ("2", "CIFAR-10", "Errors", since),
            ("S2", "pytorch/densenet121", "Acc@1", since),
            ("1", "CIFAR-100", "Errors", "1 example of CIFAR-100 is in an open review and not counted here."),
        ):
            one = found[name, subject, figure]
            assert (one.outcome, one.reason) == (Outcome.DIFFERS, reason)
        assert since in found["text", "Abstract", "Per cent of the checked examples that are errors"].reason
        broken = {key for key, one in found.items() if one.outcome is Outcome.BROKEN}
        assert broken == {
            ("1", "CIFAR-10", "Size"),
            ("1", "CIFAR-100", "Size"),
            *(("1", "MNIST", "Errors"), ("2", "MNIST", "Errors"), ("2", "MNIST", "Non-errors")),
        }
        connection.execute(text("UPDATE datasets SET about = JSON_REMOVE(about, '$.rounds') WHERE name = 'cifar10'"))
        found = {(one.table, one.subject, one.figure): one for one in compare(connection)}
        assert found["S2", "pytorch/densenet121", "Acc@1"].outcome is Outcome.BROKEN
    finally:
        transaction.rollback()


def test_claims_in_words_are_measured(connection):
    """Shares of the ten most frequent confusions against a plain query, and what is flagged of each dataset."""
    found = {one.figure: one for one in compare_claims(connection)}
    outcomes = Counter(one.outcome for one in found.values())
    assert outcomes == {Outcome.SAME: 6, Outcome.DIFFERS: 2, Outcome.NOT_LOADED: 7}
    names = {"CIFAR-10": 18, "CIFAR-100": 318, "Caltech-256": 221, "ImageNet": 1_428, "QuickDraw": 1_047}
    for title, n in names.items():
        pairs = connection.execute(
            text(
                "SELECT COUNT(*) AS n FROM verdicts JOIN issues ON issues.id = issue_id JOIN datasets ON datasets.id = "
                "issues.dataset_id WHERE title = :title AND agreement = 3 AND category = 'correctable' "
                "GROUP BY issues.given, corrected ORDER BY n DESC LIMIT 10"
            ),
            {"title": title},
        ).scalars()
        one = found[f"{title}: wrong labels are “systematic mislabeling, not just random noise”"]
        assert one.outcome is Outcome.SAME
        assert one.computed.startswith(f"{100 * sum(pairs) / n:.1f} %, shuffled ")
        assert f"The share of {n:,} corrections" in one.note
        assert "not that most are systematic" in one.note
    capacity, unsure = [one for one in found.values() if one.outcome is Outcome.DIFFERS]
    assert capacity.figure.startswith("CIFAR-10, corrected labels: “lower capacity models may be practically more")
    assert (capacity.published, capacity.computed) == ("below 0", "0.10 (-0.13 to 0.36)")
    assert "do not tell" in capacity.reason
    assert "On 18 corrected examples, of 13 models whose number of parameters is known." in capacity.note
    assert "it is 0.42 (0.07 to 0.58)" in capacity.note
    assert unsure.figure.startswith("20 Newsgroups")
    assert "do not tell" in unsure.reason
    (less,) = [one for one in found.values() if one.subject == "Section 3"]
    assert (less.published, less.computed) == ("90", "94.7")
    assert "90 or more for 7 of the 10" in less.note
    assert "ImageNet 89.1" in less.note


def test_a_claim_that_does_not_come_out_differs(connection):
    transaction = connection.begin_nested()
    try:
        connection.execute(text("UPDATE datasets SET n_flagged = size / 2 WHERE name IN ('mnist', 'imdb')"))
        (less,) = [one for one in compare_claims(connection) if one.subject == "Section 3"]
        assert (less.outcome, "5 of the 10" in less.note) == (Outcome.SAME, True)
        connection.execute(text("UPDATE datasets SET n_flagged = size / 2 WHERE name = 'amazon'"))
        (less,) = [one for one in compare_claims(connection) if one.subject == "Section 3"]
        assert (less.outcome, less.reason) == (
            Outcome.DIFFERS,
            "It is 90 or more for fewer than half of the datasets.",
        )
        connection.execute(text("UPDATE datasets SET n_flagged = NULL WHERE name = 'amazon'"))
        (less,) = [one for one in compare_claims(connection) if one.subject == "Section 3"]
        assert (less.outcome, less.computed) == (Outcome.NOT_LOADED, None)
        assert "knows of 9 how many examples were flagged" in less.reason
    finally:
        transaction.rollback()


def test_first_choices_go_by_probability_not_by_column(connection, shared):
    folder = shared / "benchmarks" / "pytorch_cifar10"
    unsorted = 0
    for model in read_models(connection, read_subject(connection, "cifar10").id):
        classes = np.load(folder / f"{model.name}_pytorch_cifar10_top5preds.npy")
        weights = np.load(folder / f"{model.name}_pytorch_cifar10_top5probs.npy")
        assert (model.ranked[:, 0] == classes[np.arange(len(classes)), weights.argmax(axis=1)]).all()
        assert (np.sort(model.ranked, axis=1) == np.sort(classes, axis=1)).all()
        unsorted += int((classes[:, 0] != model.ranked[:, 0]).sum())
    assert unsorted > 0


@pytest.fixture(scope="module")
def mine(connection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions for CIFAR-10 that have 9,325 given labels right on B, 5 on U, and 17 corrected ones on C."""
    test = read_partition(connection, read_subject(connection, "cifar10"), 3)
    predicted = (test.given + 1) % 10
    for members, labels, right in (
        (test.benign, test.given, 9_325),
        (test.unknown, test.given, 5),
        (test.correctable, test.corrected, 17),
    ):
        chosen = np.flatnonzero(members)
        predicted[chosen[:right]] = labels[chosen[:right]]
    last = np.flatnonzero(test.correctable)[17]
    predicted[last] = next(c for c in range(10) if c not in (test.given[last], test.corrected[last]))
    file = tmp_path_factory.mktemp("mine") / "mine.npy"
    np.save(file, predicted)
    return file


def test_correcting_is_measured_on_one_set_and_leaving_out_apart(connection, mine):
    subject = read_subject(connection, "cifar10")
    target = target_of(connection, subject)
    found = evaluate(connection, subject, target, read_predictions(mine, mine.name, target), 3)
    on_d, on_p = found["accuracy"]["all"], found["accuracy"]["pruned"]
    assert [f"{one:.2%}" for one in (on_d["original_top1"], on_p["original_top1"], on_p["corrected_top1"])] == [
        "93.30%",
        "93.59%",
        "93.76%",
    ]
    assert on_d["corrected_top1"] is None
    assert found["ranks"]["all"]["corrected_top1"] is None
    assert {name: f"{effect:+.2%}" for name, effect in found["effects"].items()} == {
        "leaving_out": "+0.29%",
        "correcting": "+0.17%",
    }
    # Nothing is lost on the way from the one figure to the other.
    assert sum(found["effects"].values()) == pytest.approx(on_p["corrected_top1"] - on_d["original_top1"])


def test_the_command_leads_with_what_is_alike(models_catalogue, mine):
    told = evaluation_report("cifar10", mine, None, models_catalogue, as_json=False).splitlines()
    assert told[1:3] == [
        "on the 9,964 examples of P: 93.59% by the given labels, 93.76% with 18 corrected (+0.17 points)",
        "on all 10,000 examples: 93.30% by the given labels; leaving out the 36 of unknown label alone changes it by "
        "+0.29 points",
    ]
    # Columns stand apart, however long a cell is.
    begin = next(n for n, line in enumerate(told) if line.startswith("rank among"))
    cells = [re.split(r" {2,}", line.strip()) for line in told[begin : begin + 4]]
    assert [len(row) for row in cells] == [5] * 4
    assert all(re.fullmatch(r"-|\d+ of 14( \[\d+, \d+\])?(, \d+ tied)?", cell) for row in cells[1:] for cell in row[1:])


def test_a_stored_model_sent_again_ties_with_itself(connection, tmp_path):
    subject = read_subject(connection, "cifar10")
    target = target_of(connection, subject)
    stored = next(m for m in read_models(connection, subject.id) if m.name == "vgg11_bn")
    file = tmp_path / "mine.npy"
    np.save(file, stored.ranked)
    ranked = read_predictions(file, file.name, target)
    found = evaluate(connection, subject, target, ranked, 3)
    assert found["ranks"]["correctable"]["corrected_top1"] == {
        "rank": 1,
        "of": 14,
        "tied_with": ["pytorch/vgg11_bn"],
        "interval": [1, 7],
    }
    results = read_results(connection, subject.id, 3)
    model = next(m for m in results["models"] if m["name"] == "vgg11_bn")
    as_read = json.loads(json.dumps(found["accuracy"]))
    assert all(as_read[part] == model[part] for part in ("all", "pruned", "benign", "correctable"))
    with_19 = next(c for c in found["crossings"] if c["first"] == "pytorch/vgg19_bn" and c["kind"] == "corrected_top1")
    assert f"{with_19['noise_prevalence']:.2%}" == "5.64%"
    # What is sent crosses the others where, and as surely as, the stored one does.
    for one in results["crossings"]:
        if "pytorch/vgg11_bn" in (one["first"], one["second"]):
            renamed = one | {k: "yours" for k in ("first", "second") if one[k] == "pytorch/vgg11_bn"}
            assert renamed in found["crossings"]
            assert one["interval"] is not None or one["share"] == 0
    assert len(found["crossings"]) == sum("pytorch/vgg11_bn" in (c["first"], c["second"]) for c in results["crossings"])
    changes = found["changes"]
    assert (changes["gained"], changes["lost"], changes["neither"]) == (12, 5, 1)


def test_audioset_has_no_accuracy_and_says_why(connection):
    with pytest.raises(NotMeasurableError, match="several labels at once"):
        read_subject(connection, "audioset")
    with pytest.raises(NotMeasurableError, match="not in this catalogue, so"):
        read_subject(connection, "quickdraw")
    with pytest.raises(NotMeasurableError, match=r"no dataset 'cifar11'.*cifar10"):
        read_subject(connection, "cifar11")


def test_each_set_that_decides_about_capacity_is_told_with_its_interval():
    sets = (
        OnSet("corrected", 1_428, -1, -0.31, (-0.4, -0.2)),
        OnSet("non_errors", 2_524, 0, 0.01, (-0.2, 0.2)),
        OnSet("confirmed by real", 725, 1, 0.25, (0.1, 0.4)),
        OnSet("confirmed by few", 4, 0, None, None),
    )
    note = capacity_note(Claim(Standing.FAILS, None, sets), 34)
    assert "On 1,428 corrected examples, of 34 models" in note
    assert (
        "On 2,524 flagged examples whose label was kept, right meaning the guess, it is 0.01 (-0.20 to 0.20)." in note
    )
    assert note.endswith("On the 725 corrections confirmed by real it is 0.25 (0.10 to 0.40).")
