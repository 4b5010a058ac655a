"""`label-errors add --dask`: Dask's workers flag, and the catalogue is the same to the last bit."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.commands.main import main


def contents(catalogue: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those that name a write and its time."""
    with closing(sqlite3.connect(catalogue)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in names if name not in ("meta", "versions", "datasets")]
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in kept}
        found["datasets"] = connection.execute("SELECT n_issues, version, confident_learning FROM datasets").fetchall()
        return found


def test_workers_flag_and_the_catalogue_is_the_same(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the folder is told relative to that of this process, in which no worker runs."""
    manifest = tiny.write()
    monkeypatch.chdir(manifest.parent.parent)
    folder = manifest.parent.name
    for name, more in (("alone", []), ("dask", ["--dask", "local:1"])):
        catalogue = tmp_path / f"{name}.sqlite"
        assert main(["add", str(manifest), folder, "--catalogue", str(catalogue), *more]) == 0
    assert contents(tmp_path / "dask.sqlite") == contents(tmp_path / "alone.sqlite")
    assert "on Dask" not in capsys.readouterr().err


@pytest.mark.parametrize("address", ["local:", "local:0", "local:many"])
def test_a_number_of_workers_that_is_none_is_refused(
    address: str, tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, catalogue = tiny.write(), tmp_path / "none.sqlite"
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue), "--dask", address]) == 1
    assert f"--dask {address}: expected a number of workers after local:" in capsys.readouterr().err
    assert not catalogue.exists()
