"""Names and labels of more classes than two bytes number: read, flagged and stored, or refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, select

from app.schema import tables
from app.schema.packing import unpack_labels
from ingest.commands.main import main

N = 6
MANIFEST = """
name = "many"
title = "Many"
modality = "image"
summary = "Made up."
[licence]
name = "Ours"
source = "Made up."
media = "none"
[classes]
file = "classes.txt"
[files]
labels = "labels.npy"
pred_probs = "probs.npy"
"""


def made(folder: Path, m: int) -> Any:
    """Labels of which the fourth is wrong, and the last two are the last classes."""
    labels = np.array([0, 1, 2, 3, m - 2, m - 1])
    probs = np.zeros((N, m), np.float32)
    probs[np.arange(N), [0, 1, 2, m - 1, m - 2, m - 1]] = 1
    np.save(folder / "labels.npy", labels)
    np.save(folder / "probs.npy", probs)
    (folder / "classes.txt").write_text("".join(f"kind {i}\n" for i in range(m)))
    (folder / "dataset.toml").write_text(MANIFEST)
    return labels


@pytest.mark.parametrize("m", [65_535, 65_537])
def test_many_names_are_read_and_told(tmp_path: Path, m: int) -> None:
    labels = made(tmp_path, m)
    (tmp_path / "names.csv").write_text("label\n" + "".join(f"kind {label}\n" for label in labels))
    asked = ["--labels", tmp_path / "names.csv", "--classes", tmp_path / "classes.txt", "--out", tmp_path / "out.csv"]
    assert main(["flag", *map(str, [tmp_path / "probs.npy", *asked, "--rule", "both"])]) == 0
    assert main(["flag", *map(str, [tmp_path / "probs.npy", *asked, "--rule", "argmax"])]) == 0
    found = pd.read_csv(tmp_path / "out.csv")
    assert found[["index", "given", "given_name", "guessed", "guessed_name"]].to_numpy().tolist() == [
        [3, 3, "kind 3", m - 1, f"kind {m - 1}"]
    ]


@pytest.mark.parametrize("m", [65_535, 65_537])
def test_a_label_behind_the_last_class_is_refused(tmp_path: Path, m: int, capsys: pytest.CaptureFixture[str]) -> None:
    labels = made(tmp_path, m)
    np.save(tmp_path / "labels.npy", np.where(labels == 2, m, labels))
    assert main(["flag", str(tmp_path / "probs.npy"), "--labels", str(tmp_path / "labels.npy")]) == 1
    said = capsys.readouterr().err
    assert "labels.npy: example 2" in said
    assert f"found {m}" in said


@pytest.mark.slow
def test_a_catalogue_holds_classes_whose_numbers_take_more_than_two_bytes(tmp_path: Path) -> None:
    m = 65_537
    labels = made(tmp_path, m)
    file = tmp_path / "catalogue.sqlite"
    assert main(["add", str(tmp_path / "dataset.toml"), str(tmp_path), "--catalogue", str(file)]) == 0
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert connection.execute(select(tables.datasets.c.n_classes)).scalar() == m
        last = select(tables.classes.c.name).order_by(tables.classes.c.class_id.desc()).limit(1)
        assert connection.execute(last).scalar() == f"kind {m - 1}"
        assert unpack_labels(connection.execute(select(tables.examples.c.labels)).scalar()).tolist() == labels.tolist()
        j = tables.joint_cells.c
        cells = connection.execute(select(j.given, j.latent, j.count).order_by(j.given)).all()
    engine.dispose()
    # The wrong one is counted for the last class, whose threshold it reaches.
    assert cells == [(0, 0, 1), (1, 1, 1), (2, 2, 1), (3, m - 1, 1), (m - 2, m - 2, 1), (m - 1, m - 1, 1)]
