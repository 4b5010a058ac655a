"""Raters who come by HTTP all at once, to servers that can be killed, and what each of them was told."""

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import make_url, select

from app.reviews.links import Link, Links
from app.reviews.raters import add_rater
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.reviews.tables import events, items, leases
from tests.app.reviews.making import opened_round
from tests.conftest import ROOT

#: What a rater may be told: a task, nothing, taken, gone to another, or to come again.
EXPECTED = {200, 201, 204, 409, 503}
#: One for all raters: to make it takes each of them longer than many votes.
_TLS = ssl.create_default_context()


class Server:
    """The real command, over a store, on a port of its own that stays when it is started again."""

    def __init__(self, catalogue: Path, store: str, log: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = os.environ | {
            "LABELERRORS_CATALOGUE": str(catalogue),
            "LABELERRORS_REVIEWS": store,
            "LABELERRORS_REVIEW_REQUESTS_A_MINUTE": "0",
            **{f"LABELERRORS_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "app", "--reviews", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        while True:
            assert self._process.poll() is None, self._log.read_text()
            try:
                httpx.get(f"{self.base}/healthz", timeout=5)
                return
            except httpx.TransportError:
                time.sleep(0.05)

    def kill(self) -> None:
        """End it between any two instructions, as a power cut does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@dataclass
class Rater:
    """One rater, who answers until all is done, tries again when told to, and notes what was promised."""

    token: str
    bases: Sequence[str]
    pause: float = 0.0
    taken: dict[str, str] = field(default_factory=dict)  # task -> key of the vote that was answered with 201
    told: list[int] = field(default_factory=list)  # every status
    seconds: list[float] = field(default_factory=list)  # of each vote that was taken at once
    without_retry: int = 0  # answers 503 that do not say when to come again

    def work(self, until: float = float("inf")) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=60, verify=_TLS) as http:
            while time.monotonic() < until:
                task = self._ask(http, "GET", "task")
                if task.status_code == 204:
                    if "retry-after" not in task.headers:
                        return
                    time.sleep(0.2)
                    continue
                if task.status_code == 200:
                    time.sleep(random.uniform(0, 2 * self.pause))
                    self._vote(http, task.json())

    def _vote(self, http: httpx.Client, task: dict[str, Any]) -> None:
        key = str(uuid.uuid4())
        vote = {"task": task["task"], "answer": random.choice(task["answers"][:4]), "key": key}
        began = time.perf_counter()
        answer = self._ask(http, "POST", "votes", vote)
        seconds = time.perf_counter() - began
        if answer.status_code == 201:
            assert task["task"] not in self.taken, "an example was seen twice"
            self.taken[task["task"]] = key
            self.seconds.append(seconds)

    def _ask(self, http: httpx.Client, method: str, path: str, body: Any = None) -> httpx.Response:
        """The answer, whatever becomes of the server: the same is sent again, to the next server."""
        while True:
            base = random.choice(self.bases)
            try:
                answer = http.request(method, f"{base}/review/api/{path}", json=body)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            self.told.append(answer.status_code)
            if answer.status_code != 503:
                return answer
            self.without_retry += "retry-after" not in answer.headers
            time.sleep(0.1)


@dataclass
class Crowd:
    """The raters of a round of made-up examples."""

    store: Store
    round: Round
    raters: list[Rater]

    @classmethod
    def of(cls, url: str, n_raters: int, n_examples: int, bases: Sequence[str], pause: float = 0.0) -> "Crowd":
        store = Store(make_url(url))
        found = opened_round(store, n_examples, agreements=(3, 4, 5), lease_seconds=60)
        links = Links(store)
        tokens = [links.token(Link("rater", add_rater(store, found, f"r{n}").code)) for n in range(n_raters)]
        return cls(store, found, [Rater(token, bases, pause) for token in tokens])

    def start(self, until: float = float("inf")) -> list[threading.Thread]:
        threads = [threading.Thread(target=rater.work, args=(until,), daemon=True) for rater in self.raters]
        for one in threads:
            one.start()
        return threads

    def wrong(self) -> list[str]:
        """What must not be: votes lost or doubled, too many on an example, an example seen twice, an error."""
        found = []
        statuses = {status for rater in self.raters for status in rater.told}
        if statuses - EXPECTED:
            found.append(f"raters were told {sorted(statuses - EXPECTED)}")
        if lacking := sum(rater.without_retry for rater in self.raters):
            found.append(f"{lacking} answers 503 without Retry-After")
        promised = {key: task for rater in self.raters for task, key in rater.taken.items()}
        with self.store.reading() as connection:
            voted = connection.execute(
                select(events.c.key, leases.c.code, events.c.item_id, events.c.rater_id)
                .join(leases, leases.c.id == events.c.lease_id)
                .where(events.c.kind == "vote")
            ).all()
            most = max(connection.scalars(select(items.c.n_votes)))
        kept = {row.key: row.code for row in voted}
        if lost := [key for key, task in promised.items() if kept.get(key) != task]:
            found.append(f"{len(lost)} votes that were answered 201 are lost")
        if len(kept) != len(voted) or len({(row.item_id, row.rater_id) for row in voted}) != len(voted):
            found.append("votes are doubled")
        if len({row.code for row in voted}) != len(voted):
            found.append("a task has two votes")
        if most > self.round.settings.votes:
            found.append(f"an example has {most} votes")
        return found
