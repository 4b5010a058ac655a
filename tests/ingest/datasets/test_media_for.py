"""Whose media are stored: of all issues, of the reviewed ones, or of these and the most suspicious."""

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.settings import Settings
from ingest.commands.main import main
from ingest.datasets.build import for_storing
from tests.ingest.catalogue.test_writing import rows


@pytest.fixture
def pictures(tiny: Any, tmp_path: Path) -> list[str]:
    """A command that adds 40 examples with a picture each; 12 are flagged, and six reviewed."""
    media = tmp_path / "pictures"
    media.mkdir()
    with zipfile.ZipFile(media / "pictures.zip", "w") as archive:
        for index in range(40):
            stream = io.BytesIO()
            Image.fromarray(np.full((9, 7), index * 6, np.uint8)).save(stream, "PNG")
            archive.writestr(f"{index:03}.png", stream.getvalue())
    tiny.top = "flag = 12"
    manifest = tiny.write()
    text = manifest.read_text().replace('media = "none"', 'media = "host"')
    manifest.write_text(f'{text}\n[media]\nlayout = "image-folder"\npath = "pictures.zip"\n')
    return ["add", str(manifest), str(tiny.folder), "--media", str(media), "--catalogue", str(tmp_path / "c.sqlite")]


def issues(catalogue: str) -> list[tuple[int, bool, bool]]:
    """Position, whether it was reviewed, and whether it has a medium, of each issue."""
    with closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute("SELECT votes IS NOT NULL, media IS NOT NULL FROM issues ORDER BY id").fetchall()
    return [(position, bool(reviewed), bool(medium)) for position, (reviewed, medium) in enumerate(rows)]


@pytest.mark.parametrize(("choice", "first"), [("reviewed", 0), ("3", 3), ("all", 100), ("1000", 100), ("0", 0)])
def test_those_issues_have_media(choice: str, first: int, pictures: list[str]) -> None:
    assert main([*pictures, "--media-for", choice]) == 0
    found = issues(pictures[-1])
    assert {reviewed for _, reviewed, _ in found} == {True, False}
    assert all(medium == (reviewed or position < first) for position, reviewed, medium in found)


def test_all_have_media_if_nobody_says_otherwise(pictures: list[str]) -> None:
    assert main(pictures) == 0
    assert all(medium for *_, medium in issues(pictures[-1]))


def test_the_site_says_whose_are_stored(pictures: list[str]) -> None:
    assert main([*pictures, "--media-for", "reviewed"]) == 0
    asked = sum(reviewed for _, reviewed, _ in issues(pictures[-1]))
    with closing(sqlite3.connect(pictures[-1])) as connection:
        [(report,)] = connection.execute("SELECT media_report FROM datasets")
        query = "SELECT idx FROM issues WHERE media IS NULL ORDER BY id LIMIT 1"
        [(without,)] = connection.execute(query)
    assert json.loads(report)["asked"] == json.loads(report)["issues"] == asked
    with TestClient(create_app(Settings(catalogue=Path(pictures[-1])))) as client:
        told = client.get("/api/v1/datasets/tiny").json()["missing"]
        page = client.get(f"/tiny/issues/{without}").text
    assert f"The pictures of {asked} of {len(issues(pictures[-1]))} issues are stored: the reviewed ones." in told
    assert "The picture is not stored: this catalogue has those of some issues only." in page


def test_other_words_are_refused(pictures: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*pictures, "--media-for", "some"])
    assert stopped.value.code == 2
    assert "expected all, reviewed or a number of issues, found some" in capsys.readouterr().err


def test_scores_of_many_examples_are_let_go_without_a_trace(
    pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issues and typical examples are the same; only guesses of all examples are not stored of so many."""
    assert main(pictures) == 0
    kept = rows(Path(pictures[-1]), without=("built_at", "since"))
    for module in ("ingest.datasets.build", "ingest.catalogue.rows"):
        monkeypatch.setattr(f"{module}.MOST_GUESSES", 39)
    bare: list[int] = []
    monkeypatch.setattr("ingest.pipeline.for_storing", lambda *a, **k: _noted(bare, for_storing(*a, **k)))
    assert main([*pictures[:-1], str(tmp_path / "bare.sqlite")]) == 0
    found = rows(tmp_path / "bare.sqlite", without=("built_at", "since"))
    assert bare == [0]
    assert kept.pop("guesses")
    assert not found.pop("guesses")
    assert kept["exemplars"]
    assert found == kept


def _noted(sizes: list[int], build: Any) -> Any:
    """What is stored, with the number of examples whose scores are still held noted."""
    own = build.inputs.flagging.scores.own
    sizes.append(len(own if own.base is None else own.base))
    return build
