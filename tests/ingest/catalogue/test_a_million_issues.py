"""A catalogue of a million issues is as safe as a small one: killed, or with a full disk, the old one stays."""

import json
import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ingest.catalogue.test_writing import datasets, start, wait_for_part

N = 1_000_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of a few more than a million examples, of which a million are flagged."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(1)
    probs = rng.dirichlet([0.5, 0.5, 0.5], N + 1_000).astype(np.float16)
    np.save(folder / "probs.npy", probs)
    np.save(folder / "labels.npy", rng.integers(0, 3, len(probs)).astype(np.uint8))
    (folder / "classes.json").write_text(json.dumps(["ant", "bee", "cat"]))
    files = '[files]\nlabels = "labels.npy"\npred_probs = "probs.npy"\n'
    licence = '[licence]\nname = "CC0"\nsource = "made up"\nmedia = "none"\n'
    (folder / "many.toml").write_text(
        f'name = "many"\ntitle = "Many"\nmodality = "image"\nsummary = "Many."\nflag = {N}\n{licence}'
        f'[classes]\nfile = "classes.json"\n{files}'
    )
    return folder


def command(many: Path, catalogue: Path) -> list[str]:
    return ["add", str(many / "many.toml"), str(many), "--catalogue", str(catalogue)]


@pytest.mark.slow
def test_killed_while_issues_are_staged(many: Path, old: Path, tmp_path: Path, leftovers: Any) -> None:
    """Once while they are written, once while they are moved; the next ingest removes what is left."""
    before = old.read_bytes()
    for least in (5_000_000, 60_000_000):
        process = start(*command(many, old))
        wait_for_part(tmp_path, least)
        process.kill()
        process.communicate()
        assert old.read_bytes() == before
        assert any(name.endswith(".staged.part") for name in leftovers())
    process = start(*command(many, old))
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert leftovers() == []
    assert datasets(old) == {"before", "many"}
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(*) FROM issues").fetchone()[0] > N
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.slow
@pytest.mark.parametrize("room", [3_000_000, 50_000_000, 100_000_000])
def test_a_disk_that_is_full_at_some_point(room: int, many: Path, old: Path, leftovers: Any) -> None:
    """While rows are written, while indexes are made, and while all is moved."""
    before = old.read_bytes()
    process = start(*command(many, old), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    _, message = process.communicate()
    assert process.returncode == 1, message
    assert "the disk is full or failing" in message
    assert "The old catalogue stays as it was." in message
    assert old.read_bytes() == before
    assert leftovers() == []


@pytest.mark.slow
def test_who_reads_meanwhile_reads_the_old_one(many: Path, old: Path, tmp_path: Path) -> None:
    shutil.copyfile(old, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as reader:
        first = reader.execute("SELECT * FROM issues").fetchall()
        process = start(*command(many, old))
        wait_for_part(tmp_path, 5_000_000)
        assert reader.execute("SELECT * FROM issues").fetchall() == first
        assert old.read_bytes() == (tmp_path / "copy.sqlite").read_bytes()
        process.communicate()
        assert process.returncode == 0
        assert reader.execute("SELECT * FROM issues").fetchall() == first
