"""A dataset whose classes are called 1, 0 and 2: by every command and by the site, told which of the two a file has."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.evaluation.predictions_store import read_models, read_subject
from app.main import create_app
from app.schema.engine import reading_engine
from app.settings import Settings
from tests.commands import run

NAMES = ["1", "0", "2"]


@pytest.fixture
def catalogue(tiny: Any, tmp_path: Path) -> Path:
    tiny.classes = NAMES
    assert tiny.add(tmp_path / "c.sqlite") == 0
    return tmp_path / "c.sqlite"


def predictions(tiny: Any, by: str) -> bytes:
    values = tiny.labels.tolist() if by == "numbers" else [NAMES[i] for i in tiny.labels]
    return ("prediction\n" + "".join(f"{value}\n" for value in values)).encode()


@pytest.mark.parametrize("by", ["numbers", "names"])
def test_evaluate_and_benchmarks(tiny: Any, catalogue: Path, tmp_path: Path, by: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "a.csv").write_bytes(predictions(tiny, by))
    evaluate = ("evaluate", "tiny", folder / "a.csv", "--catalogue", catalogue)
    refused = run(*evaluate)
    assert refused.returncode == 1
    assert "a.csv: found classes that can be names or numbers" in refused.stderr
    right = []
    for said in (by, "numbers" if by == "names" else "names"):
        told = run(*evaluate, "--json", "--classes-are", said)
        assert told.returncode == 0, told.stderr
        right.append(json.loads(told.stdout)["accuracy"]["all"]["original_top1"])
    assert right[0] == 1.0 > right[1]
    # Windows begins texts with a mark.
    said = '\ufeffdataset = "tiny"\nplatform = "own"\n'
    for text, status in ((said, 1), (said + f'classes_are = "{by}"\n', 0), (said + 'classes_are = "both"\n', 1)):
        (folder / "models.toml").write_text(text, encoding="utf-8")
        assert run("benchmarks", folder, "--catalogue", catalogue).returncode == status
    with reading_engine(catalogue).connect() as connection:
        (model,) = read_models(connection, read_subject(connection, "tiny").id)
    assert model.ranked[:, 0].tolist() == tiny.labels.tolist()


def test_the_site(tiny: Any, catalogue: Path) -> None:
    app = create_app(Settings(catalogue=catalogue))

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as site:
            page = await site.get("/tiny/evaluate")
            assert '<select name="classes_are">' in page.text
            path = "/api/v1/datasets/tiny/evaluate"
            files = {"file": ("a.csv", predictions(tiny, "numbers"))}
            answers = [
                await site.post(path, files=files, data=data)
                for data in ({}, {"classes_are": "both"}, {"classes_are": "names"}, {"classes_are": "numbers"})
            ]
            assert [answer.status_code for answer in answers] == [422, 422, 200, 200]
            assert "can be names or numbers" in answers[0].json()["detail"]
            assert "expected names or numbers" in answers[1].json()["detail"]
            right = [answer.json()["accuracy"]["all"]["original_top1"] for answer in answers[2:]]
            assert right[0] < right[1] == 1.0
            issues = "/api/v1/datasets/tiny/issues"
            assert (await site.get(issues, params={"given": "1"})).json()["allowed"] == ["name:1", "id:1"]
            for value, class_id in (("name:1", 0), ("id:1", 1), ("2", 2)):
                found = (await site.get(issues, params={"given": value})).json()["items"]
                assert {issue["given"]["id"] for issue in found} <= {class_id}
            page = (await site.get("/tiny?category=any")).text
            assert "given=name%3A1" in page.replace("given=name:1", "given=name%3A1")

    asyncio.run(ask())
