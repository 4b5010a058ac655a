"""Keys and class names go out in CSV as they are, whatever a spreadsheet makes of them, and join with the data."""

import csv
import io
import json
from pathlib import Path

import httpx
import pandas as pd
import pytest

from app.domain.ranking.accuracy import KINDS
from app.site.stability.api import SETS, stability_csv
from ingest.commands.main import main
from tests.ingest.conftest import Tiny
from tests.serving import serving

SIGNS = ["-", "+", "=", "@", "\t", "\r", "'", "'="]
NAMES = ["=ant()", "-bee", "@cat"]
KEYS = [f"{SIGNS[i % len(SIGNS)]}nQ9,{i}" for i in range(40)]


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue whose keys and class names begin as formulas do."""
    folder = tmp_path_factory.mktemp("awkward")
    tiny = Tiny(folder / "tiny")
    tiny.classes, tiny.files, tiny.examples = NAMES, 'index = "index.json"', 'key = "entry"'
    tiny.extra = {"index.json": KEYS}
    catalogue = folder / "catalogue.sqlite"
    assert tiny.add(catalogue) == 0
    return catalogue


def exported(catalogue: Path, folder: Path, *options: str) -> pd.DataFrame:
    out = folder / "export.csv"
    assert main(["export", "tiny", "--out", str(out), "--catalogue", str(catalogue), *options]) == 0
    with out.open(newline="", encoding="utf-8") as stream:
        return pd.DataFrame(list(csv.DictReader(stream, strict=True)))


def test_keys_and_names_are_the_datasets_own(awkward: Path, tmp_path: Path) -> None:
    rows = exported(awkward, tmp_path, "--removed", "include")
    assert rows.key.tolist() == KEYS
    assert [NAMES.index(name) for name in rows.given_name] == rows.given.astype(int).tolist()


def test_the_site_finds_every_key_of_its_own_file(awkward: Path) -> None:
    with serving(awkward) as site:
        api = f"{site}/api/v1/datasets/tiny"
        keys = [row["key"] for row in csv.DictReader(io.StringIO(httpx.get(f"{api}/corrected.csv").text, newline=""))]
        found = httpx.post(f"{api}/labels", json=keys)
        assert found.status_code == 200, found.text
        assert [row["key"] for row in found.json()["items"]] == keys


def test_an_export_can_be_evaluated(awkward: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = exported(awkward, tmp_path, "--removed", "include")
    predictions = tmp_path / "predictions.csv"
    rows[["key", "given_name"]].to_csv(predictions, index=False)
    capsys.readouterr()
    assert main(["evaluate", "tiny", str(predictions), "--catalogue", str(awkward), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"]["all"]["original_top1"] == 1.0


def test_the_tables_of_flag_have_names_as_they_are(tmp_path: Path) -> None:
    tiny = Tiny(tmp_path / "tiny")
    tiny.classes = NAMES
    tiny.write()
    folder, out = tiny.folder, tmp_path / "out.csv"
    command = ["flag", str(folder / "probs.npy"), "--labels", str(folder / "labels.npy"), "--all", "--out", str(out)]
    assert main([*command, "--classes", str(folder / "classes.json")]) == 0
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, strict=True))
    assert [row["given_name"] for row in rows] == [NAMES[label] for label in tiny.labels]


def test_the_table_of_models_has_names_as_they_are() -> None:
    figures = {"intervals": dict.fromkeys(KINDS), **dict.fromkeys(KINDS)}
    model = {"title": "=PyTorch", "name": "-net", "parameters": None} | dict.fromkeys(SETS, figures)
    model["ranks"] = {"correctable": figures}
    [row] = csv.DictReader(io.StringIO(stability_csv({"models": [model]}).decode()))
    assert (row["platform"], row["model"]) == ("=PyTorch", "-net")


def test_no_key_of_audioset_changes(real: httpx.Client, shared: Path) -> None:
    text = real.get("/api/v1/datasets/audioset/corrected.csv?removed=include").text
    keys = [row["key"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    index = json.loads(
        (shared / "label-errors/dataset_indexing/audioset_eval_set_index_to_youtube_id.json").read_text()
    )
    assert keys == [entry.split("/")[-1].partition("?")[0] for entry in index]
    signed = [key for key in keys if key.startswith(tuple("-+=@"))]
    assert len(signed) == 392
    found = real.post("/api/v1/datasets/audioset/labels", json=signed)
    assert [row["key"] for row in found.json()["items"]] == signed
