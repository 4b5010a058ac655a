"""A catalogue may be called anything: all that opens one, by a name that an address would take for something else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest.commands.main import main
from tests.ingest.catalogue.test_change_log import changed_votes
from tests.ingest.conftest import Tiny
from tests.serving import serving

API = "/api/v1/datasets/tiny"


@pytest.fixture(params=["what? really=1&x.sqlite", "100%25 %3f.sqlite", "#1#.sqlite", ":memory:", "file:a b;c.sqlite"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "cat?a=b#c%20"
    folder.mkdir()
    yield folder / request.param
    assert [file.name for file in folder.iterdir() if ".lock" not in file.name] == [request.param]


def test_a_catalogue_of_any_name_is_written_served_measured_and_replaced(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Tiny(tmp_path / "tiny")
    assert tiny.add(catalogue) == 0
    predictions = "\n".join(["prediction", *map(str, tiny.labels)])
    with serving(catalogue) as address, httpx.Client(base_url=address, timeout=60) as client:
        found = client.post(
            f"{API}/evaluate", files={"file": ("mine.csv", predictions.encode())}, data={"agreement": "3"}
        )
        assert found.status_code == 200, found.text
        assert found.json()["accuracy"]["all"]["original_top1"] == 1.0
        changed_votes(tiny)
        assert tiny.add(catalogue) == 0
        first, second = client.get(f"{API}/versions").json()["items"][::-1]
        assert first["since"] <= second["since"]
        assert (first["version"], first["former"]) == (second["former"], None)
        assert second["counts"] != {"added": 0, "removed": 0, "relabelled": 0}
    (tmp_path / "mine.csv").write_text(predictions)
    for command in (["list"], ["evaluate", "tiny", str(tmp_path / "mine.csv")], ["export", "tiny"]):
        out = ["--out", str(tmp_path / "corrected.csv")] if command[0] == "export" else []
        assert main([*command, *out, "--catalogue", str(catalogue)]) == 0, capsys.readouterr().err
