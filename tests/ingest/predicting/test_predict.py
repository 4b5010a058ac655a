"""``label-errors predict`` on small folders: what it writes, whatever the order, and after it was killed."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.manifest.parse import read_manifest
from tests.conftest import ROOT
from tests.ingest.predicting.conftest import texts_of
from tests.waiting import wait_until

NAMES = ["cars", "hockey", "bread"]
LABELS = np.repeat([0, 1, 2], 20)


def told(manifest: Path) -> dict:
    return json.loads((manifest.parent / "pred_probs.json").read_text())


def probabilities(manifest: Path) -> np.ndarray:
    return np.load(manifest.parent / "pred_probs.npy")


def test_what_is_written_fits_together_and_the_manifest_keeps_its_comments(notes, capsys):
    labels = LABELS.copy()
    texts = texts_of(labels)
    labels[[3, 25]] = [1, 2]  # the texts say otherwise
    manifest = notes(labels, texts, NAMES)
    before = manifest.read_text()
    assert main(["predict", str(manifest), "--folds", "5"]) == 0
    printed = capsys.readouterr().out
    assert "words: accuracy" in printed
    found = probabilities(manifest)
    assert found.shape == (60, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert found[[3, 25]].argmax(axis=1).tolist() == [0, 1]
    entered = 'pred_probs = "pred_probs.npy"\nprovenance = "pred_probs.json"\n'
    assert manifest.read_text() == before.replace('index = "index.json"\n', 'index = "index.json"\n' + entered)
    assert read_manifest(manifest).files.pred_probs == ("pred_probs.npy",)
    folds = pq.read_table(manifest.parent / "folds.parquet").to_pandas()
    assert folds["fold"].value_counts().tolist() == [12] * 5
    assert sorted(path.name for path in manifest.parent.iterdir()) == sorted(
        ["dataset.toml", "labels.npy", "index.json", "texts", "pred_probs.npy", "pred_probs.json", "folds.parquet"]
    )
    accuracy = float((found.argmax(axis=1) == labels).mean())
    assert told(manifest)["quality"]["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    confidence, right = found.max(axis=1).astype(np.float64), found.argmax(axis=1) == labels
    bins = np.digitize(confidence, np.arange(1, 15) / 15)
    gaps = [abs(sum(confidence[bins == one]) - sum(right[bins == one])) for one in range(15)]
    assert told(manifest)["quality"]["ece"] == pytest.approx(sum(gaps) / 60, abs=1e-4)
    assert [one["n"] for one in told(manifest)["by_fold"]] == [12] * 5
    assert main(["flag", str(manifest.parent / "pred_probs.npy"), "--labels", str(manifest.parent / "labels.npy")]) == 0


def test_another_order_of_the_examples_gives_the_same_numbers_to_the_bit(notes):
    texts = texts_of(LABELS)
    texts[7] = texts[8]  # an equal pair
    one = notes(LABELS, texts, NAMES, folder="one")
    moved = np.random.default_rng(1).permutation(60)
    other = notes(LABELS[moved], [texts[place] for place in moved], NAMES, folder="other")
    # Names of files would move with the examples; here they do not, so contents alone decide.
    for manifest in (one, other):
        manifest.write_text(
            manifest.read_text()
            .replace('index = "index.json"\n', "")
            .replace('path = "texts"', 'path = "texts"\norder = "sorted"')
        )
        assert main(["predict", str(manifest), "--folds", "4", "--threads", "2"]) == 0
    assert probabilities(other).tobytes() == probabilities(one)[moved].tobytes()


def test_a_run_killed_at_any_moment_goes_on_to_the_same_bytes(notes):
    texts = texts_of(np.repeat([0, 1, 2], 60))
    labels = np.repeat([0, 1, 2], 60)
    whole, killed = (notes(labels, texts, NAMES, folder=name) for name in ("whole", "killed"))
    assert main(["predict", str(whole), "--folds", "8"]) == 0
    command = [sys.executable, "-m", "ingest", "predict", str(killed), "--folds", "8"]
    work = killed.parent / "pred_probs.unfinished"
    for n_files in (1, 4, 7, 11):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(
            lambda n=n_files, one=process: one.poll() is not None or len(list(work.glob("*/fold-*.npy"))) >= n, "a fold"
        )
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (killed.parent / "pred_probs.npy").exists():
            break
        assert len(list(work.glob("*/fold-*.npy"))) >= n_files
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "folds are there already" in done.stderr or (killed.parent / "pred_probs.npy").exists()
    for name in ("pred_probs.npy", "pred_probs.json", "folds.parquet"):
        assert (killed.parent / name).read_bytes() == (whole.parent / name).read_bytes()
    assert not work.exists()


#: Ends the process, as a kill would, before the so-manieth file is moved to its place beside the manifest.
ENDS_THERE = """
import os, sys
moves = int(sys.argv.pop(1))
def moved(event, arguments):
    global moves
    if event == "os.rename" and os.path.dirname(arguments[1]) == sys.argv[-1]:
        if moves == 0:
            os._exit(9)
        moves -= 1
sys.addaudithook(moved)
from ingest.commands.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("moves", range(3))
def test_a_run_that_ends_while_results_are_moved_goes_on(notes, moves: int):
    """The matrix of before, or the new one, is not taken for somebody else's."""
    whole, killed = (notes(LABELS, texts_of(LABELS), NAMES, folder=name) for name in ("whole", "killed"))
    assert main(["predict", str(killed), "--folds", "4", "--model", "words"]) == 0
    before = probabilities(killed).tobytes()
    asked = ["--folds", "4", "--model", "words", "--seed", "5"]
    command = [sys.executable, "-c", ENDS_THERE, str(moves), "predict", str(killed), *asked, "--media"]
    assert subprocess.run([*command, str(killed.parent)], cwd=ROOT, check=False, capture_output=True).returncode == 9
    assert (probabilities(killed).tobytes() == before) == (moves < 2)
    for manifest in (whole, killed):
        assert main(["predict", str(manifest), *asked]) == 0
    for name in ("pred_probs.npy", "pred_probs.json", "folds.parquet"):
        assert (killed.parent / name).read_bytes() == (whole.parent / name).read_bytes()


def test_a_torn_or_foreign_fold_is_not_taken_up(notes):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    whole = notes(LABELS, texts_of(LABELS), NAMES, folder="whole")
    assert main(["predict", str(whole), "--folds", "5"]) == 0
    process = [sys.executable, "-m", "ingest", "predict", str(manifest), "--folds", "5", "--model", "tests.nothing:x"]
    assert subprocess.run(process, cwd=ROOT, capture_output=True, check=False).returncode == 1
    work = manifest.parent / "pred_probs.unfinished"
    for folder in [*work.glob("*"), work / "0123456789abcdef"]:
        if folder.is_dir() or folder.name.startswith("0123"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "fold-000.npy").write_bytes(b"\x93NUMPY torn")
    assert main(["predict", str(manifest), "--folds", "5"]) == 0
    assert probabilities(manifest).tobytes() == probabilities(whole).tobytes()


def test_a_class_of_one_example_keeps_its_column_and_is_named(notes, capsys):
    labels = np.append(LABELS, 3)
    manifest = notes(labels, [*texts_of(LABELS), f"{texts_of(LABELS)[0]} altogether"], [*NAMES, "rare"])
    assert main(["predict", str(manifest), "--folds", "6"]) == 0
    assert "classes with fewer examples than folds: 1, such as rare (1)" in capsys.readouterr().out
    found = probabilities(manifest)
    assert found.shape == (61, 4)
    assert found[60, 3] == 0  # nothing like it was known when it was predicted
    assert (found[:60, 3] > 0).any()
    assert told(manifest)["few_examples"] == {"rare": 1}


@pytest.mark.parametrize("kind", ["names", "numbers", "booleans", "text numbers"])
def test_labels_may_be_names_numbers_or_booleans(notes, kind):
    labels = np.repeat([0, 1], 20)
    names = {"booleans": ["false", "true"], "text numbers": ["1", "5"]}.get(kind, ["cars", "hockey"])
    plain = notes(labels, texts_of(labels), names, folder="plain")
    other = notes(labels, texts_of(labels), names, folder="other")
    if kind == "booleans":
        np.save(other.parent / "labels.npy", labels.astype(bool))
    elif kind != "numbers":
        (other.parent / "labels.json").write_text(json.dumps([names[label] for label in labels]))
        other.write_text(other.read_text().replace("labels.npy", "labels.json"))
    for manifest in (plain, other):
        assert main(["predict", str(manifest), "--folds", "4"]) == 0
    assert probabilities(other).tobytes() == probabilities(plain).tobytes()


def test_groups_near_duplicates_and_a_pair_of_different_labels(notes, capsys):
    texts = texts_of(LABELS)
    texts[41] = texts[2] + " copied"
    texts[12] = texts[13]
    manifest = notes(LABELS, texts, NAMES)
    assert main(["predict", str(manifest), "--folds", "4", "--groups", r"00\d(\d)\."]) == 0
    printed = capsys.readouterr().out
    folds = pq.read_table(manifest.parent / "folds.parquet").to_pydict()["fold"]
    assert folds[2] == folds[41]
    assert folds[12] == folds[13]
    for last in range(10):
        assert len({folds[index] for index in range(60) if index % 10 == last}) == 1
    assert "near-duplicates with different labels, such as examples 2 and 41: 1 pair" in printed
    assert told(manifest)["near_duplicates"]["different_labels"][0][:2] == [2, 41]
    assert told(manifest)["groups"]["by"] == r"what 00\d(\d)\. finds in the names"


def test_of_several_copies_that_differ_in_label_those_of_the_majority_are_not_listed(notes):
    """Six copies of each of ten texts, one labelled otherwise: whose digest is the lowest does not matter."""
    texts = [text for text in texts_of(np.arange(10) % 2) for _ in range(6)]
    labels = np.repeat(np.arange(10) % 2, 6)
    odd = np.arange(10) * 6 + np.arange(10) % 6
    labels[odd] = 1 - labels[odd]
    manifest = notes(labels, texts, NAMES[:2])
    assert main(["predict", str(manifest), "--folds", "5", "--model", "words"]) == 0
    alike = told(manifest)["near_duplicates"]
    assert (alike["pairs"], alike["n_different"]) == (50, 10)
    listed = [index for first, second, _ in alike["different_labels"] for index in (first, second)]
    assert sorted(set(listed) & set(odd.tolist())) == sorted(odd.tolist())
    assert sorted(index // 6 for index in set(listed) - set(odd.tolist())) == list(range(10))


def test_texts_without_a_word_are_equal_and_tell_no_label(notes, capsys):
    texts = texts_of(LABELS)
    texts[2], texts[41] = "", " \n"
    texts[5], texts[45] = "", ""
    manifest = notes(LABELS, texts, NAMES)
    assert main(["predict", str(manifest), "--folds", "4"]) == 0
    assert told(manifest)["near_duplicates"]["different_labels"] == []
    assert "near-duplicates with different labels" not in capsys.readouterr().out


def test_columns_that_predict_made_are_in_no_other_order(notes, capsys):
    """Of two examples each is guessed to be what the other is, as if the columns were exchanged."""
    manifest = notes(np.array([0, 1]), texts_of(np.array([0, 1])), NAMES[:2])
    assert main(["predict", str(manifest), "--folds", "2"]) == 0
    assert told(manifest)["quality"]["accuracy"] == 0
    assert not any("another order" in warning for warning in told(manifest)["warnings"])


def test_a_matrix_of_another_origin_is_not_replaced(notes, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    np.save(manifest.parent / "pred_probs.npy", np.eye(3)[LABELS])
    before = (manifest.parent / "pred_probs.npy").read_bytes()
    assert main(["predict", str(manifest), "--folds", "4"]) == 1
    assert "was not made by label-errors predict" in capsys.readouterr().err
    assert (manifest.parent / "pred_probs.npy").read_bytes() == before
    assert main(["predict", str(manifest), "--folds", "4", "--replace"]) == 0
    first = (manifest.parent / "pred_probs.npy").read_bytes()
    assert main(["predict", str(manifest), "--folds", "4"]) == 0  # its own may be made again
    assert (manifest.parent / "pred_probs.npy").read_bytes() == first != before


def test_models_of_a_users_module_and_the_mean_of_several(notes, monkeypatch, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    (manifest.parent / "mymodels.py").write_text(
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "def bayes():\n    return make_pipeline(CountVectorizer(), MultinomialNB())\n"
    )
    monkeypatch.chdir(manifest.parent)
    found = {}
    for models in (["mymodels:bayes"], ["words"], ["mymodels:bayes", "words"]):
        arguments = [part for model in models for part in ("--model", model)]
        assert main(["predict", "dataset.toml", "--folds", "4", *arguments]) == 0
        found[len(found)] = probabilities(manifest)
    np.testing.assert_allclose(found[2], (found[0].astype(np.float64) + found[1]) / 2, atol=1e-6)
    assert "the mean of all: accuracy" in capsys.readouterr().out
    assert main(["predict", "dataset.toml", "--model", "mymodels:absent"]) == 1
    assert "expected module:factory, found 'mymodels:absent'" in capsys.readouterr().err
    assert main(["predict", "dataset.toml", "--model", "boosting"]) == 1
    assert (
        "expected one for texts (auto, words, phrases+characters, minilm) or module:factory" in capsys.readouterr().err
    )


def test_features_are_enough(notes, capsys):
    labels = np.repeat([0, 1, 2], 40)
    manifest = notes(labels, texts_of(labels), NAMES)
    features = np.random.default_rng(0).normal(size=(120, 16)) + 3 * np.eye(3)[labels] @ np.eye(3, 16)
    np.save(manifest.parent / "f.npy", features)
    path = str(manifest.parent / "f.npy")
    assert main(["predict", str(manifest), "--folds", "5", "--features", path]) == 0
    assert told(manifest)["models"][0]["name"] == "features"
    assert told(manifest)["quality"]["accuracy"] > 0.9
    np.save(manifest.parent / "f.npy", features[:7])
    assert main(["predict", str(manifest), "--features", path]) == 1
    assert "expected 120 rows of numbers, one for each label, found 7 x 16 of float64" in capsys.readouterr().err
    features[3, 3] = np.nan
    np.save(manifest.parent / "f.npy", features)
    assert main(["predict", str(manifest), "--features", path]) == 1
    assert "row 3: expected finite numbers, found another" in capsys.readouterr().err


def test_temperatures_bring_confidence_and_accuracy_together(notes):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    texts = texts_of(labels)
    labels = np.where(rng.random(180) < 0.2, rng.integers(0, 3, 180), labels)
    manifest = notes(labels, texts, NAMES)
    assert main(["predict", str(manifest), "--model", "words", "--folds", "6"]) == 0
    before, plain = told(manifest), probabilities(manifest)
    assert main(["predict", str(manifest), "--model", "words", "--folds", "6", "--calibrate"]) == 0
    after, scaled = told(manifest), probabilities(manifest)
    assert after["quality"]["log_loss"] < before["quality"]["log_loss"]
    assert after["quality"]["accuracy"] == before["quality"]["accuracy"]
    assert (scaled.argmax(axis=1) == plain.argmax(axis=1)).all()
    assert all(one["temperature"] > 0 for one in after["by_fold"])


def test_an_example_without_a_file_is_refused(notes, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    (manifest.parent / "texts/0005.txt").unlink()
    assert main(["predict", str(manifest)]) == 1
    told = capsys.readouterr().err
    assert "example 5" in told
    assert "0005.txt" in told
    assert not (manifest.parent / "pred_probs.npy").exists()


def test_several_labels_are_refused(notes, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    manifest.write_text('labels = "multiple"\n' + manifest.read_text())
    (manifest.parent / "labels.json").write_text(json.dumps([[int(label)] for label in LABELS]))
    manifest.write_text(manifest.read_text().replace("labels.npy", "labels.json"))
    assert main(["predict", str(manifest)]) == 1
    assert "expected single labels, from which models learn" in capsys.readouterr().err


def test_two_at_the_same_time_are_refused(notes, capsys):
    from ingest.predicting.out_of_sample import _alone

    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    with _alone(manifest.parent):
        assert main(["predict", str(manifest)]) == 1
    assert "another predict is at work there" in capsys.readouterr().err
    assert not (manifest.parent / "pred_probs.npy").exists()


def test_features_of_the_training_set_join_every_fold(notes, capsys):
    """The looked-at examples are of one class but for two, so what tells the classes apart is in the training set."""
    rng = np.random.default_rng(0)
    labels, more = np.array([0] * 38 + [1, 1]), np.repeat([0, 1], 60)
    manifest = notes(labels, texts_of(labels), NAMES[:2])
    paths = {}
    for name, ids in (("features", labels), ("train", more)):
        paths[name] = str(manifest.parent / f"{name}.npy")
        np.save(paths[name], rng.normal(size=(len(ids), 8)) + 4 * np.eye(2)[ids] @ np.eye(2, 8))
    np.save(manifest.parent / "more.npy", more)
    (manifest.parent / "more.json").write_text(json.dumps([f"more/{place}.txt" for place in range(120)]))
    arguments = ["predict", str(manifest), "--folds", "4", "--features", paths["features"]]
    given = ["--train-features", paths["train"]]
    assert main([*arguments, *given]) == 1
    assert "--train-features: expected [train] in the manifest, found none" in capsys.readouterr().err
    manifest.write_text(manifest.read_text() + '\n[train]\nlabels = "more.npy"\nindex = "more.json"\n')
    assert main(arguments) == 0
    assert "The training set was not used: its features were not given (--train-features)." in capsys.readouterr().out
    assert told(manifest)["train_examples"] == 0
    assert probabilities(manifest)[38:, 1].max() < 0.5
    assert main([*arguments, *given]) == 0
    assert told(manifest)["train_examples"] == 120
    read = ["labels.npy", "features.npy", "train.npy", "more.npy", "more.json", "index.json"]
    for name in read:
        sha256 = hashlib.sha256((manifest.parent / name).read_bytes()).hexdigest()
        assert told(manifest)["inputs"][name] == sha256, name
    assert probabilities(manifest)[38:, 1].min() > 0.5
    assert main(["predict", str(manifest), *given]) == 1
    assert "--train-features: expected --features as well, found none" in capsys.readouterr().err
    np.save(paths["train"], np.zeros((120, 7)))
    assert main([*arguments, *given]) == 1
    assert "train.npy: expected 8 columns, as --features has, found 7" in capsys.readouterr().err
    np.save(paths["train"], np.zeros((119, 8)))
    assert main([*arguments, *given]) == 1
    assert "train.npy: expected 120 rows of numbers" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "try"])
def test_without_scikit_learn_it_is_said_how_to_install_it(command, notes, monkeypatch, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    before = sorted(manifest.parent.iterdir())
    monkeypatch.setitem(sys.modules, "sklearn", None)  # what is None there cannot be imported
    of = {"predict": manifest, "try": manifest.parent / "texts"}[command]
    assert main([command, str(of)]) == 1
    printed = capsys.readouterr().err
    assert "learning needs scikit-learn, which a plain install lacks" in printed
    assert "pip install 'label-errors-site[train]'" in printed
    assert sorted(manifest.parent.iterdir()) == before


@pytest.mark.parametrize("asked", [[], ["--no-near-duplicates"]])
def test_what_is_looked_at_is_not_learnt_from_in_the_train_set(notes, asked, capsys):
    """The train set has ten of the texts, one of them with a word more, and with them their wrong labels."""
    labels, texts = LABELS.copy(), texts_of(LABELS)
    wrong = [3, 10, 25, 44]
    labels[wrong] = (labels[wrong] + 1) % 3
    manifest = notes(labels, texts, NAMES)
    more = [*texts[:3], texts[3] + " more", *texts[10:13], texts[25], texts[44], texts[45], *texts_of(LABELS, seed=1)]
    train = notes(np.concatenate([labels[[0, 1, 2, 3, 10, 11, 12, 25, 44, 45]], LABELS]), more, NAMES, folder="train")
    shutil.move(train.parent / "texts", manifest.parent / "more")
    for name in ("labels.npy", "index.json"):
        shutil.move(train.parent / name, manifest.parent / f"train_{name}")
    told_of = '\n[train]\nlabels = "train_labels.npy"\nindex = "train_index.json"\npath = "more"\n'
    manifest.write_text(manifest.read_text() + told_of)
    assert main(["predict", str(manifest), "--folds", "4", "--model", "words", *asked]) == 0
    n = 9 if asked else 10
    assert told(manifest)["train_examples"] == 70 - n
    expected = f"Of the 70 examples to learn from {n} are the same{'' if asked else ' or nearly the same'} as one that"
    assert expected in capsys.readouterr().out
    guessed = probabilities(manifest).argmax(axis=1)
    of_twins = wrong if not asked else [10, 25, 44]
    assert guessed[of_twins].tolist() == LABELS[of_twins].tolist()


def test_of_its_own_matrix_it_does_not_say_that_the_model_has_seen_the_examples(notes, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    for command in (["predict", "--folds", "4"], ["check"]):
        place = [] if command[0] == "predict" else [str(manifest.parent), "--media", str(manifest.parent)]
        assert main([command[0], str(manifest), *place, *command[1:]]) == 0
        printed = capsys.readouterr().out
        assert "and nothing is flagged, though it has not seen these examples." in printed
        assert "trained on these very examples" not in printed
    kept = [line for line in manifest.read_text().splitlines() if not line.startswith("provenance")]
    manifest.write_text("\n".join(kept))  # where the matrix comes from is not known any more
    assert main(["check", str(manifest), str(manifest.parent), "--media", str(manifest.parent)]) == 0
    assert "it has probably been trained on these very examples" in capsys.readouterr().out


def test_all_files_that_cannot_be_read_are_named_at_once(notes, capsys):
    manifest = notes(LABELS, texts_of(LABELS), NAMES)
    (manifest.parent / "texts" / "0007.txt").unlink()
    for place in range(20, 26):
        (manifest.parent / "texts" / f"{place:04}.txt").write_bytes(b"\xff\xfe\xff")
    assert main(["predict", str(manifest), "--folds", "4"]) == 1
    error = capsys.readouterr().err
    assert "notes: expected a file to read for each example; 7 examples have none: " in error
    assert [f"example {place}: " in error for place in (20, 21, 22, 25)] == [True, True, True, False]
    assert error.count("0020.txt") == 1
    assert "; and 2 more. Mend these" in error
