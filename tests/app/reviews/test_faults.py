"""Servers that are killed, and a database that is restarted, lose no vote, double none, and exceed no quota."""

import time
import uuid
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.reviews.raters import add_rater
from app.reviews.tables import items
from tests.app.reviews.crowd import Crowd, Server
from tests.app.reviews.postgresql import Cluster
from tests.serving import serving

pytestmark = pytest.mark.slow

KILLS = 10


def finished(crowd: Crowd) -> list[int]:
    with crowd.store.reading() as connection:
        return list(connection.scalars(select(items.c.n_votes)))


def test_a_server_that_is_killed_ten_times_loses_no_vote(sample_catalogue: Path, tmp_path: Path):
    store = f"sqlite:///{tmp_path}/reviews.sqlite"
    server = Server(sample_catalogue, store, tmp_path / "log")
    try:
        crowd = Crowd.of(store, n_raters=8, n_examples=120, bases=[server.base], pause=0.05)
        threads = crowd.start()
        for _ in range(KILLS):
            time.sleep(0.7)  # some votes
            server.kill()
            server.start()
        for one in threads:
            one.join(300)
        assert not any(one.is_alive() for one in threads)
    finally:
        server.kill()
    assert crowd.wrong() == []
    assert finished(crowd) == [5] * 120
    assert "Traceback" not in (tmp_path / "log").read_text()
    crowd.store.close()


def test_two_servers_and_their_database_are_killed_in_turn(sample_catalogue: Path, tmp_path: Path, postgresql: Cluster):
    store = postgresql.database()
    servers = [Server(sample_catalogue, store, tmp_path / f"log{n}") for n in range(2)]
    try:
        crowd = Crowd.of(store, n_raters=10, n_examples=120, bases=[one.base for one in servers], pause=0.05)
        threads = crowd.start()
        for turn in range(KILLS):
            time.sleep(0.7)  # some votes
            if turn % 3 == 1:
                postgresql.stop("immediate")
                time.sleep(0.5)  # raters are told to come again
                postgresql.start()
            servers[turn % 2].kill()
            servers[turn % 2].start()
        for one in threads:
            one.join(300)
        assert not any(one.is_alive() for one in threads)
    finally:
        for one in servers:
            one.kill()
    assert crowd.wrong() == []
    assert finished(crowd) == [5] * 120
    assert 503 in {status for rater in crowd.raters for status in rater.told}
    crowd.store.close()


def test_a_name_that_postgresql_cannot_store_is_not_found(sample_catalogue: Path, postgresql: Cluster):
    """Told as a database that is away, it would be sent again for ever."""
    store = postgresql.database()
    with serving(sample_catalogue, serve_reviews=True, reviews=store) as base:
        crowd = Crowd.of(store, n_raters=1, n_examples=2, bases=[base])
        headers, key = {"Authorization": f"Bearer {crowd.raters[0].token}"}, str(uuid.uuid4())
        with httpx.Client(base_url=base, headers=headers, timeout=60) as http:
            vote = {"task": "\0", "answer": "a", "key": key}
            assert http.post("/review/api/votes", json=vote).status_code == 404
            assert http.get("/review/media/%00/m0").status_code == 404
            task = http.get("/review/api/task").json()["task"]
            assert http.post("/review/api/votes", json=vote | {"task": task, "answer": "a\0"}).status_code == 422
            assert http.post("/review/api/votes", json=vote | {"task": task}).status_code == 201
        assert add_rater(crowd.store, crowd.round, "Zo\0\N{LATIN SMALL LETTER E WITH DIAERESIS}\n").name == "Zo\u00eb"
        crowd.store.close()
