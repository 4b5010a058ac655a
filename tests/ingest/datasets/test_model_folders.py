"""Folders of models' predictions into a catalogue, by the real command, in both forms; and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.evaluate import read_results
from app.evaluation.predictions_store import read_models, read_partition, read_subject
from app.schema.engine import writing_engine
from ingest.errors import DataError
from ingest.manifest.parse import read_manifest
from ingest.pipeline import IngestJob
from ingest.pipeline import run as run_orders
from ingest.progress import progress_for_terminal
from tests.commands import run

NAME = "sample-digits"


@pytest.fixture
def catalogue(sample_catalogue, tmp_path):
    file = tmp_path / "catalogue.sqlite"
    shutil.copyfile(sample_catalogue, file)
    return file


def opened(catalogue: Path):
    return writing_engine(catalogue).connect()


def given_labels(catalogue: Path) -> np.ndarray:
    with opened(catalogue) as connection:
        return read_subject(connection, NAME).given


def write_twins(folder: Path, model: str, labels: np.ndarray, platform: str = "keras", seed: int = 0) -> np.ndarray:
    """Top five of a made-up model: the label in a random place of five different classes, its probability largest."""
    rng = np.random.default_rng(seed)
    classes = np.array([rng.permutation([c for c in range(10) if c != label])[:5] for label in labels])
    column = rng.integers(5, size=len(labels))
    classes[np.arange(len(labels)), column] = labels
    weights = rng.random(classes.shape)
    right = rng.random(len(labels)) < 0.9
    weights[np.arange(len(labels)), column] = np.where(right, 2, weights.min() / 2)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{model}_{platform}_{NAME}_top5preds.npy", classes)
    np.save(folder / f"{model}_{platform}_{NAME}_top5probs.npy", weights)
    return classes[np.arange(len(labels)), weights.argmax(axis=1)]


def test_the_published_layout_sorts_by_probability_not_by_column(catalogue, tmp_path):
    labels = given_labels(catalogue)
    top = write_twins(tmp_path / "b" / f"keras_{NAME}", "net", labels)
    other = write_twins(tmp_path / "b" / f"pytorch_{NAME}", "net", labels, "pytorch", seed=1)
    done = run("benchmarks", tmp_path / "b", "--catalogue", catalogue)
    assert done.returncode == 0, done.stderr
    assert f"{NAME}: 2 models read" in done.stdout
    with opened(catalogue) as connection:
        subject = read_subject(connection, NAME)
        found = {m.key: m for m in read_models(connection, subject.id)}
        assert found["keras/net"].ranked[:, 0].tolist() == top.tolist()
        assert found["pytorch/net"].ranked[:, 0].tolist() == other.tolist()
        assert found["keras/net"].title == "Keras 2.2.4"
        results = read_results(connection, subject.id, 3)
        accuracy = next(m for m in results["models"] if m["platform"] == "keras" and m["name"] == "net")
        assert accuracy["all"]["original_top1"] == (top == labels).mean()
        test = read_partition(connection, subject, 3)
        assert accuracy["correctable"]["corrected_top1"] == (top == test.corrected)[test.correctable].mean()


def plain_folder(tmp_path: Path, labels: np.ndarray, dataset: str = NAME, n_classes: int = 10) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    np.save(folder / "exact.npy", labels)
    rows = "".join(f"{i},{(c + 1) % n_classes}\n" for i, c in enumerate(labels.tolist()))
    (folder / "off-by-one.csv").write_text("index,prediction\n" + rows)
    (folder / "notes.txt").write_text("not a model")
    (folder / "models.toml").write_text(
        f'dataset = "{dataset}"\nplatform = "own"\ntitle = "Our own"\n\n'
        '[[models]]\nfile = "exact.npy"\nname = "oracle"\n'
        'parameters = 12\nsource = "https://example.org/"\n'
    )
    return folder


def test_the_plain_form(catalogue, tmp_path):
    folder = plain_folder(tmp_path, given_labels(catalogue))
    assert run("benchmarks", folder, "--catalogue", catalogue).returncode == 0
    with opened(catalogue) as connection:
        subject = read_subject(connection, NAME)
        models = {m.key: m for m in read_models(connection, subject.id)}
        assert {"own/oracle", "own/off-by-one"} <= set(models)
        assert (models["own/oracle"].parameters, models["own/oracle"].title) == (12, "Our own")
        found = {m["name"]: m for m in read_results(connection, subject.id, 3)["models"] if m["platform"] == "own"}
        assert found["oracle"]["all"]["original_top1"] == 1.0
        assert found["oracle"]["correctable"]["corrected_top1"] == 0.0
        assert found["oracle"]["correctable"]["original_top5"] is None
        assert found["off-by-one"]["all"]["original_top1"] == 0.0


def test_a_model_is_replaced_and_ingesting_the_dataset_again_keeps_models(tiny, old, tmp_path):
    assert tiny.add(old) == 0
    folder = plain_folder(tmp_path, tiny.labels, "tiny", n_classes=3)
    assert run("benchmarks", folder, "--catalogue", old).returncode == 0
    np.save(folder / "exact.npy", (tiny.labels + 2) % 3)
    assert run("benchmarks", folder, "--catalogue", old).returncode == 0
    assert tiny.add(old) == 0
    with opened(old) as connection:
        subject = read_subject(connection, "tiny")
        assert [m.key for m in read_models(connection, subject.id)] == ["own/off-by-one", "own/oracle"]
        found = {m["name"]: m for m in read_results(connection, subject.id, 3)["models"]}
        assert found["oracle"]["all"]["original_top1"] == 0.0


def refuse(catalogue: Path, folder: Path, *words: str, dataset: str | None = None) -> None:
    before = catalogue.read_bytes() if catalogue.exists() else None
    done = run("benchmarks", folder, *(["--dataset", dataset] if dataset else []), "--catalogue", catalogue)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert (catalogue.read_bytes() if catalogue.exists() else None) == before


def test_refusals_name_the_file_and_leave_the_catalogue(catalogue, tmp_path):
    labels = given_labels(catalogue)
    twins = tmp_path / "twins" / f"keras_{NAME}"
    write_twins(twins, "net", labels)
    probs = twins / f"net_keras_{NAME}_top5probs.npy"
    preds = twins / f"net_keras_{NAME}_top5preds.npy"

    kept = np.load(probs)
    probs.unlink()
    refuse(catalogue, twins.parent, "expected the twin of", preds.name, probs.name)
    np.save(probs, kept[:-1])
    refuse(catalogue, twins.parent, probs.name, "shape of its twin")
    np.save(probs, np.where(np.arange(len(kept))[:, None] == 7, np.nan, kept))
    refuse(catalogue, twins.parent, probs.name, "example 7", "finite probabilities")
    np.save(probs, kept)

    classes = np.load(preds)
    np.save(preds, np.where(classes == 3, 10, classes))
    refuse(catalogue, twins.parent, preds.name, "expected a class from 0 to 9, found 10")
    np.save(preds, classes[:-1])
    refuse(catalogue, twins.parent, preds.name, "1,797 examples", "(1796, 5)")
    np.save(preds, classes)
    shutil.copytree(twins, tmp_path / "twins" / "nested" / f"keras_{NAME}")
    refuse(catalogue, tmp_path / "twins", "expected", dataset="imagenet")


def test_refusals_of_the_plain_form(catalogue, tmp_path):
    labels = given_labels(catalogue)
    folder = plain_folder(tmp_path, labels)
    manifest = folder / "models.toml"
    good = manifest.read_text()
    for text, *words in (
        (good.replace("exact.npy", "absent.npy"), "absent.npy"),
        (good.replace('name = "oracle"', 'name = "off-by-one"'), "expected one own/off-by-one, found another"),
        (good.replace('name = "oracle"', 'name = "../x"'), "letters, digits", "'../x'"),
        (good.replace("parameters = 12", 'parameters = "12"'), "model 1", "whole number at parameters"),
        (good.replace("parameters = 12", "colour = 12"), "model 1", "'colour'"),
        (good.replace(f'dataset = "{NAME}"\n', ""), "which dataset"),
        ("dataset = [", "expected TOML"),
        (good.replace(NAME, "sample-sounds"), "off-by-one.csv", "expected 170 rows"),
        (good.replace(NAME, "nothing"), "no dataset 'nothing'"),
    ):
        manifest.write_text(text)
        refuse(catalogue, folder, *words)
    manifest.write_text(good)
    np.save(folder / "exact.npy", labels[:-1])
    refuse(catalogue, folder, "exact.npy", "expected 1,797 rows", "found 1,796")
    refuse(catalogue, tmp_path / "nowhere", "expected a folder, found nothing")
    (tmp_path / "empty").mkdir()
    refuse(catalogue, tmp_path / "empty", "expected predictions of any model")
    refuse(tmp_path / "none.sqlite", folder, "ingest the dataset first")


def test_models_that_come_with_a_dataset_are_stored_with_it_or_nothing_is(tiny, old, tmp_path):
    manifest = read_manifest(tiny.write())
    models = tmp_path / "models"
    models.mkdir()
    np.save(models / "exact.npy", tiny.labels)
    order = IngestJob(manifest, tiny.folder, None, complete=True, models=models)
    (stored,) = run_orders([order], old, wait=1, progress=progress_for_terminal())
    assert [str(one) for one in stored.models] == [
        "tiny: 1 model read, 1 in all; 2 correctable at 3, 2 correctable at 4, 1 correctable at 5"
    ]
    with opened(old) as connection:
        assert [model.key for model in read_models(connection, read_subject(connection, "tiny").id)] == ["models/exact"]
    before = old.read_bytes()
    np.save(models / "short.npy", tiny.labels[:-1])
    with pytest.raises(DataError, match="expected 40 rows"):
        run_orders([order], old, wait=1, progress=progress_for_terminal())
    assert old.read_bytes() == before


def test_evaluate_prints_what_it_finds_and_what_is_wrong(catalogue, tmp_path):
    labels = given_labels(catalogue)
    file = tmp_path / "mine.csv"
    file.write_text("prediction\n" + "\n".join(map(str, labels.tolist())))
    done = run("evaluate", NAME, file, "--catalogue", catalogue)
    assert done.returncode == 0, done.stderr
    assert "100.00" in done.stdout
    assert "original@1" in done.stdout
    as_json = run("evaluate", NAME, file, "--json", "--agreement", 4, "--catalogue", catalogue)
    found = json.loads(as_json.stdout)
    assert found["agreement"] == 4
    assert found["accuracy"]["all"]["original_top1"] == 1.0
    assert found["changes"]["gained"] == 0
    assert found["changes"]["lost"] == found["sizes"]["C"]

    for arguments, *words in (
        ((NAME, tmp_path / "absent.csv"), "absent.csv", "expected a file of predictions"),
        (("nothing", file), "no dataset 'nothing'"),
        ((NAME, file, "--agreement", 9), "agreement thresholds 3, 4, 5; found 9"),
        (("sample-texts", file), "mine.csv", "expected 245 rows", "found more than that"),
    ):
        done = run("evaluate", *arguments, "--catalogue", catalogue)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert all(word in done.stderr for word in words), done.stderr


def test_reproduce_holds_on_what_is_loaded_and_fails_when_a_match_breaks(models_catalogue, catalogue, tmp_path):
    done = run("reproduce", "--catalogue", models_catalogue)
    assert done.returncode == 0, done.stdout
    assert "210 same, 17 differs, 0 broken" in done.stdout
    done_of_real = done.stdout
    broken = tmp_path / "broken.sqlite"
    shutil.copyfile(models_catalogue, broken)
    with opened(broken) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE datasets SET n_errors = 16 WHERE name = 'mnist'")
    done = run("reproduce", "--catalogue", broken)
    assert done.returncode == 1
    assert "BROKEN   1    MNIST: Errors: 15 published, 16 here" in done.stdout
    nothing = run("reproduce", "--catalogue", catalogue)
    assert nothing.returncode == 1
    assert "0 same, 0 differs, 0 broken" in nothing.stdout
    assert nothing.stdout.splitlines()[-1].startswith("nothing was compared: no dataset of the paper")
    assert "NOT LOADED S1: 272 figures. The dataset imagenet is not in this catalogue." in nothing.stdout
    assert "NOT LOADED S1: 272 figures. No model's predictions for ImageNet are in this catalogue;" in done_of_real
