"""A disk without room is said with the file that was to be written, and no half of it stays."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.errors import DataError, system_error, writing
from tests.ingest.catalogue.test_writing import start


def limited(room: int) -> Any:
    """What has the system refuse every byte of a file beyond the first ones, as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))


def test_a_matrix_that_does_not_fit(tmp_path: Path) -> None:
    """The matrix of predict is written in place: the bytes must be there before, or a signal ends the process."""
    script = """
import sys, numpy as np
from pathlib import Path
from ingest.predicting.matrix_writer import write_matrix
plan = type("Plan", (), {"examples": np.zeros(10_000), "n_classes": 10, "n_folds": 0})
try:
    write_matrix(Path(sys.argv[1]), [], plan, None)
except Exception as error:
    sys.exit(str(error))
"""
    command = [sys.executable, "-c", script, str(tmp_path / "probs.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limited(100_000))
    assert done.returncode == 1, done.stderr
    assert f"{tmp_path / 'probs.npy'}: expected room to write it, found none (File too large)" in done.stderr


def test_a_table_of_flagged_examples_that_does_not_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    np.save(tmp_path / "probs.npy", rng.dirichlet(np.ones(3), 3_000))
    np.save(tmp_path / "labels.npy", rng.integers(0, 3, 3_000))
    out = tmp_path / "out.csv"
    files = [str(tmp_path / "probs.npy"), "--labels", str(tmp_path / "labels.npy"), "--all", "--out", str(out)]
    process = start("flag", *files, preexec_fn=limited(20_000))
    _, said = process.communicate()
    assert process.returncode == 1
    assert f"error: {out}: expected room to write it, found none (File too large); make room there" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.npy", "probs.npy"]


def test_an_error_that_names_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing(tmp_path / "out.csv"):
        (tmp_path / "in.csv").read_text()
    with pytest.raises(DataError, match=r"out.csv: could not be written: Input/output error"), writing(Path("out.csv")):
        raise OSError(5, "Input/output error")


def test_a_file_is_named_as_it_was_asked_for_and_not_as_it_is_called_until_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    expected = r"/out.csv: could not be written: No such file or directory$"
    with pytest.raises(DataError, match=expected), writing(out):
        (tmp_path / ".out.csv.7.part").replace(out)


def test_a_file_that_nobody_names_may_be_in_one_of_two_places() -> None:
    said = system_error(OSError(28, "No space left on device"))
    assert "expected room to write a file, found none (No space left on device); make room in the folder" in said
    assert "$TMPDIR" in said
