"""A round of the sample, opened and served as its owner does, and raters who come by HTTP."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from ingest.commands.main import main
from tests.serving import serving


def review(catalogue: Path, *arguments: str) -> str:
    """What ``label-errors review`` prints."""
    with redirect_stdout(StringIO()) as printed:
        assert main(["review", *arguments, "--catalogue", str(catalogue)]) == 0
    return printed.getvalue()


@dataclass
class RaterAt:
    """A rater who comes by HTTP."""

    http: httpx.Client
    token: str

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def get(self, path: str) -> httpx.Response:
        return self("GET", path)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self("POST", path, **more)

    def delete(self, path: str) -> httpx.Response:
        return self("DELETE", path)


@dataclass
class Open:
    """An open round: its name, its server, and the addresses of its raters."""

    name: str
    base: str
    catalogue: Path
    links: list[str]
    http: httpx.Client

    def rater(self, number: int) -> RaterAt:
        return RaterAt(self.http, self.links[number].rpartition("/")[2])

    def vote_records(self) -> list[dict[str, Any]]:
        out = self.catalogue.with_name("votes.json")
        review(self.catalogue, "votes", self.name, "--out", str(out))
        return list(json.loads(out.read_text()))


@contextmanager
def open_round(catalogue: Path, folder: Path, *arguments: str, raters: int = 5, **settings: object) -> Iterator[Open]:
    """A copy of a catalogue with a round over a dataset of it, served."""
    own = folder / "catalogue.sqlite"
    shutil.copyfile(catalogue, own)
    name = json.loads(review(own, "open", *arguments, "--json"))["round"]
    store = os.environ.get("LABELERRORS_REVIEWS", "")
    with serving(own, serve_reviews=True, **{"reviews": store, **settings}) as base:
        links = json.loads(review(own, "links", name, "--raters", str(raters), "--base", base, "--json"))["links"]
        with httpx.Client(base_url=base, timeout=600) as http:
            yield Open(name, base, own, [one["url"] for one in links], http)


def vote(rater: RaterAt, task: dict[str, Any], answer: Any, key: str | None = None) -> httpx.Response:
    sent = {"task": task["task"], "answer": answer, "key": key or str(uuid.uuid4())}
    return rater.post("/review/api/votes", json=sent)
