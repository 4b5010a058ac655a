"""What uploads take of the disk together: the form's nameless copy and ours, until the file was evaluated."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.site.evaluate import upload

PATH = "/api/v1/datasets/cifar10/evaluate"


def test_both_copies_of_a_file_are_counted_and_gone_after_it(models_catalogue: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "_MOST_HELD", 3_000_000)
    app = create_app(Settings(catalogue=models_catalogue))
    with TestClient(app) as client:

        def send(n_bytes: int) -> int:
            table = b"prediction\n" + b"1\n" * 10_000
            files = {"file": ("mine.csv", table + b"\n" * (n_bytes - len(table)), "text/csv")}
            return client.post(PATH, files=files).status_code

        seen = []
        worked = upload._worked

        async def looking(evaluations, order):
            seen.append((evaluations.held, [path.name for path in app.state.folder.path().glob("*/upload")]))
            return await worked(evaluations, order)

        monkeypatch.setattr(upload, "_worked", looking)
        assert send(1_000_000) == 200
        # While it is evaluated, the file counts once, and lies where a killed server's next one clears it away.
        assert seen == [(1_000_000, ["upload"])]
        assert send(2_000_000) == 503
        assert app.state.evaluations.held == 0
        assert send(1_000_000) == 200
        assert not list(app.state.folder.path().glob("*/upload"))
    assert app.state.evaluations.held == 0
