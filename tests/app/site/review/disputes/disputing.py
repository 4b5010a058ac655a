"""A site that takes disputes, its owner, and visitors who dispute."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from ingest.commands.main import main
from tests.app.site.review.rounds import RaterAt, review, vote
from tests.serving import serving


@dataclass
class Disputed:
    """A site over a catalogue of its own, with the form."""

    base: str
    catalogue: Path
    http: httpx.Client

    def owner(self, *arguments: str) -> str:
        """What ``label-errors disputes`` prints."""
        with redirect_stdout(StringIO()) as printed:
            assert main(["disputes", *arguments, "--catalogue", str(self.catalogue)]) == 0
        return printed.getvalue()

    def all(self, *arguments: str) -> list[dict[str, Any]]:
        return list(json.loads(self.owner("list", "--state", "all", "--json", *arguments)))

    def send(self, dataset: str, idx: int, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        sent = {"claim": "neither", "reason": "There is nothing of the kind.", **fields}
        return self.http.post(f"/{dataset}/issues/{idx}/dispute", data=sent, headers=headers)

    def code(self, dataset: str, idx: int, **fields: str) -> str:
        """Send a dispute; its name."""
        answer = self.send(dataset, idx, **fields)
        assert (answer.status_code, answer.headers["location"][-7:]) == (303, "?sent=1"), answer.text
        return str(self.all()[-1]["dispute"])

    def issues(self, dataset: str, query: str = "") -> list[dict[str, Any]]:
        return list(self.http.get(f"/api/v1/datasets/{dataset}/issues?limit=200&{query}").json()["items"])

    def votes(self, name: str, wanted: str) -> None:
        """Let five raters of a round over one example answer with a class or a word, and publish it."""
        asked = review(self.catalogue, "links", name, "--raters", "5", "--base", self.base, "--json")
        for link in json.loads(asked)["links"]:
            rater = RaterAt(self.http, link["url"].rpartition("/")[2])
            task = rater.get("/review/api/task").json()
            sides = {task[side]["name"]: side for side in ("a", "b")}
            assert vote(rater, task, sides.get(wanted, wanted)).status_code == 201
        review(self.catalogue, "close", name)
        review(self.catalogue, "publish", name)


@contextmanager
def disputed_site(catalogue: Path, folder: Path, **settings: object) -> Iterator[Disputed]:
    """A copy of a catalogue, served with the form and with raters."""
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "catalogue.sqlite"
    shutil.copyfile(catalogue, own)
    chosen = {"serve_reviews": True, "disputes": True, "disputes_an_hour": 0, **settings}
    with serving(own, **chosen) as base, httpx.Client(base_url=base, timeout=600) as http:
        yield Disputed(base, own, http)
