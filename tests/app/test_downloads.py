"""Corrected test sets as CSV: read back by other libraries, compared with the release's own label files."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from app.downloads import _safe

COLUMNS = ["index", "key", "given", "given_name", "corrected", "corrected_name", "action", "category"]
API = "/api/v1/datasets"

# |D|, |C| and |U| at 3 of 5 from the paper's tables; Caltech-256 from the later release.
SIZES = {
    "mnist": (10_000, 10, 5),
    "cifar10": (10_000, 18, 36),
    "cifar100": (10_000, 318, 267),
    "caltech256": (29_780, 221, 237),
    "imagenet": (50_000, 1_428, 1_488),
    "20news": (7_532, 22, 60),
    "imdb": (25_000, 173, 552),
}
LABELS = {
    "mnist": "mnist_test_set",
    "cifar10": "cifar10_test_set",
    "cifar100": "cifar100_test_set",
    "caltech256": "caltech256",
    "imagenet": "imagenet_val_set",
    "20news": "20news_test_set",
    "imdb": "imdb_test_set",
}


def read(client, name, **params):
    response = client.get(f"{API}/{name}/corrected.csv", params=params)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/csv; charset=utf-8")
    return pd.read_csv(io.BytesIO(response.content), keep_default_na=False)


@pytest.mark.parametrize("name", SIZES)
def test_rows_are_the_sets_of_section_5(real, shared, name):
    size, correctable, unknown = SIZES[name]
    rows = read(real, name, agreement=3)
    assert list(rows.columns) == COLUMNS
    assert len(rows) == size - unknown
    assert (rows.action == "corrected").sum() == correctable
    everything = read(real, name, agreement=3, removed="include")
    assert list(everything["index"]) == list(range(size))
    assert (everything.action == "removed").sum() == unknown
    kept = everything[everything.action != "removed"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept.astype(str), rows.astype(str))

    given = np.load(shared / f"label-errors/original_test_labels/{LABELS[name]}_original_labels.npy")
    assert (everything.given.to_numpy() == given).all()
    same = rows[rows.action == "kept"]
    assert (same.given.astype(int) == same.corrected.astype(int)).all()
    changed = rows[rows.action == "corrected"]
    assert (changed.given.astype(int) != changed.corrected.astype(int)).all()
    assert set(changed.category) == {"correctable"}
    assert set(everything[everything.action == "removed"].corrected) == {""}


@pytest.mark.parametrize(("agreement", "corrected"), [(3, 1428), (4, 960), (5, 468)])
def test_thresholds(real, agreement, corrected):
    rows = read(real, "imagenet", agreement=agreement)
    assert (rows.action == "corrected").sum() == corrected
    assert len(rows) == 50_000 - 2_916 + corrected
    assert rows.key.iloc[0] == "ILSVRC2012_val_00000293"


def test_label_sets_are_joined(real):
    rows = read(real, "audioset", removed="include").set_index("index")
    assert len(rows) == 20_371
    assert set(rows.loc[2, "given_name"].split("|")) == {"Children shouting", "Cheering", "Crowd", "Sound effect"}
    assert set(rows.loc[2, "corrected_name"].split("|")) == {"Cheering", "Crowd", "Applause"}
    assert rows.loc[20328, "given_name"] == "Boat, Water vehicle|Motorboat, speedboat"


def test_the_form_is_rfc_4180(real):
    raw = real.get(f"{API}/audioset/corrected.csv").content
    assert raw.startswith(b"index,key,given,given_name,corrected,corrected_name,action,category\r\n")
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert {len(row) for row in csv.reader(io.StringIO(raw.decode()), strict=True)} == {8}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(sign):
    assert _safe(f"{sign}1+1") == f"'{sign}1+1"
    assert _safe(f"a{sign}1") == f"a{sign}1"


def test_what_cannot_be_written_is_refused_before_the_first_byte(real):
    for name in ("quickdraw", "amazon"):
        response = real.get(f"{API}/{name}/corrected.csv")
        assert response.status_code == 409
        assert response.json()["title"] == "Not in this catalogue"
        assert "labels" in response.json()["detail"]


def test_planted_errors_are_what_the_sample_corrects(client):
    rows = read(client, "sample-digits", removed="include")
    changed = rows[rows.action == "corrected"]
    assert 20 < len(changed) < 120
    assert (changed.given != changed.corrected).all()
