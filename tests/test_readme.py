"""The README keeps its word: its manifest loads, its code runs, its settings and paths are those of the project."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app.settings import PREFIX, Settings
from tests.conftest import ROOT, ingest
from tests.serving import serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADING = "## A dataset of your own"


def blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{kind}\n(.+?)^```$", text, re.M | re.S)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The folder of the README: sixty pictures of three classes, one of them surely wrong."""
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    labels[5] = 0
    probs = rng.dirichlet([1, 1, 1], 60)
    probs[np.arange(60), labels] += 1.5
    probs[5] = [0.01, 0.01, 0.98]
    np.save(folder / "labels.npy", labels)
    np.save(folder / "pred_probs.npy", probs / probs.sum(axis=1, keepdims=True))
    for index in range(60):
        Image.new("RGB", (40, 30), (index, 100, 200)).save(folder / f"images/{index:03}.png")
    own = README[README.index(HEADING) :]
    (folder / "dataset.toml").write_text(blocks("toml", own)[0], encoding="utf-8")
    (folder / "votes.json").write_text(blocks("json", own)[0], encoding="utf-8")
    return folder


def test_a_dataset_of_ones_own(mine: Path, tmp_path: Path):
    catalogue = tmp_path / "catalogue.sqlite"
    command = re.search(r"python -m ingest (add mine/dataset.toml .+)", README)
    assert command is not None
    words = [word.replace("mine", str(mine)) if "mine" in word else word for word in command[1].split()]
    ingest(*words, "--catalogue", catalogue)
    with serving(catalogue) as site:
        issue = httpx.get(f"{site}/api/v1/datasets/pets/issues/5", timeout=60).json()
        assert (issue["given"]["name"], issue["corrected"]["name"], issue["category"]) == (
            "cat",
            "hamster",
            "correctable",
        )
        assert httpx.get(issue["links"]["media"]["image"], timeout=60).status_code == 200
        rows = pd.read_csv(io.BytesIO(httpx.get(f"{site}/api/v1/datasets/pets/corrected.csv", timeout=60).content))
        assert len(rows) == 60
        assert list(rows[rows.action == "corrected"]["index"]) == [5]

    manifest = (mine / "dataset.toml").read_text(encoding="utf-8")
    unreviewed = manifest.replace('votes = "votes.json"\n', "")
    unreviewed = re.sub(r"\[votes\].+?(?=\[media\])", "", unreviewed, flags=re.S)
    (mine / "dataset.toml").write_text(unreviewed, encoding="utf-8")
    ingest("add", mine / "dataset.toml", mine, "--media", mine, "--catalogue", catalogue)
    with serving(catalogue) as site:
        assert httpx.get(f"{site}/api/v1/datasets/pets/issues/5", timeout=60).json()["category"] == "unreviewed"


def test_the_python_example_runs(sample_site: str):
    code = blocks("python")[0].replace("http://127.0.0.1:8000", sample_site)
    printed = io.StringIO()
    names: dict[str, object] = {}
    with redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), names)
    total = httpx.get(f"{names['site']}/issues", params={"category": "correctable", "agreement": 4}, timeout=60).json()[
        "total"
    ]
    lines = printed.getvalue().splitlines()
    assert len(lines) == total > 0
    assert all(re.match(r"^\d -> \d ", line.partition(" ")[2]) for line in lines)
    assert len(names["y"]) > 1_700  # type: ignore[arg-type]


def test_settings_are_listed_with_their_defaults():
    rows = dict(re.findall(rf"^\| `({PREFIX}\w+)` \|.+\| ?(.*?) ?\|$", README, re.M))
    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = str(field.default) if field.default is not None else ""
        assert rows[PREFIX + name.upper()].strip("`") == default


def test_what_it_points_to_is_there():
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    targets = re.findall(r"^make (\w+)", README, re.M) + re.findall(r"`make (\w+)", README)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"serve", "test", "lint"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
    for module in re.findall(r"python -m ((?:benchmarks|tests)\.\w+)", README):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


def test_every_command_of_ingest_that_it_names_exists():
    from ingest.commands.main import main

    for command in set(re.findall(r"python -m ingest (\w+)", README)):
        with redirect_stdout(io.StringIO()) as told, pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert "--catalogue" in told.getvalue() or command in ("check", "flag")
