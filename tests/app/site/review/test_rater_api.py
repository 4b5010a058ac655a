"""The API of raters, over HTTP: what it answers, to whom, and what it never tells."""

import uuid

import httpx
import pytest
from sqlalchemy import select

from app.reviews.store import Store, store_url
from app.reviews.tables import items, leases
from tests.app.site.review.rounds import open_round, review, vote


def test_a_task_is_as_documented_and_stays_until_it_is_answered(digits):
    rater = digits.rater(0)
    task = rater.get("/review/api/task")
    assert task.status_code == 200
    assert task.headers["cache-control"] == "no-store"
    body = task.json()
    assert set(body) == {"task", "kind", "a", "b", "media", "answers", "progress"}
    assert body["kind"] == "pair"
    assert set(body["a"]) == set(body["b"]) == {"name", "exemplars"}
    assert body["answers"] == ["a", "b", "both", "neither", "cannot_tell"]
    assert body["progress"] == {"done": 0, "of": 96}
    assert rater.get("/review/api/task").json() == body
    shown = [body["media"][0]["address"], *body["a"]["exemplars"], *body["b"]["exemplars"]]
    for address in shown:
        medium = rater.get(address)
        assert (medium.status_code, medium.headers["content-type"]) == (200, "image/png")


def test_the_task_after_the_present_one_can_be_loaded_meanwhile(digits):
    rater = digits.rater(6)
    task = rater.get("/review/api/task").json()
    after = rater.get(f"/review/api/task?after={task['task']}")
    assert after.status_code == 200
    body = after.json()
    assert set(body) == set(task)
    assert body["task"] != task["task"]
    assert rater.get("/review/api/task").json() == task
    assert rater.get(body["media"][0]["address"]).status_code == 200
    full = rater.get(f"/review/api/task?after={body['task']}")
    assert (full.status_code, full.headers["retry-after"]) == (204, "1")
    assert digits.rater(5).get(f"/review/api/task?after={task['task']}").status_code == 404
    assert vote(rater, task, "a").status_code == 201
    assert rater.get("/review/api/task").json()["task"] == body["task"]


def test_a_vote_is_taken_once_for_its_key(digits):
    rater = digits.rater(1)
    task, key = rater.get("/review/api/task").json(), str(uuid.uuid4())
    first, again = vote(rater, task, "a", key), vote(rater, task, "a", key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == {"task": task["task"], "answer": "a", "key": key}
    assert rater.get("/review/api/task").json()["progress"] == {"done": 1, "of": 96}
    assert vote(rater, task, "b", key).status_code == 422
    assert vote(rater, task, "b").status_code == 409


def test_the_last_vote_is_taken_back_and_its_task_comes_again(digits):
    rater = digits.rater(2)
    assert rater.delete("/review/api/votes/last").status_code == 404
    task = rater.get("/review/api/task").json()
    assert vote(rater, task, "cannot_tell").status_code == 201
    assert rater.get("/review/api/task").json()["task"] != task["task"]
    taken = rater.delete("/review/api/votes/last")
    assert (taken.status_code, taken.json()) == (200, {"task": task["task"]})
    again = rater.get("/review/api/task").json()
    assert (again["a"], again["b"]) == (task["a"], task["b"])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"answer": "c"}, 422),
        ({"answer": None}, 422),
        ({"answer": {"3": True}}, 422),
        ({"key": "1"}, 422),
        ({"key": None}, 422),
        ({"task": "none"}, 404),
        ({"task": 1}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_is_no_vote_is_refused_with_the_reason(digits, sent, status):
    rater = digits.rater(3)
    body = {"task": rater.get("/review/api/task").json()["task"], "answer": "a", "key": str(uuid.uuid4())} | sent
    refused = rater.post("/review/api/votes", json=body)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"a"', b"\xff", b"x" * 70_000])
def test_what_is_no_object_is_refused(digits, body):
    assert digits.rater(3).post("/review/api/votes", content=body).status_code in (413, 422)


def test_a_task_is_its_raters_alone(digits):
    task = digits.rater(4).get("/review/api/task").json()
    assert vote(digits.rater(5), task, "a").status_code == 404
    stolen = digits.rater(5).post("/review/api/lease", json={"task": task["task"]})
    assert stolen.status_code == 409
    assert digits.rater(4).post("/review/api/lease", json={"task": task["task"]}).json() == {"seconds": 1800.0}


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic abc", "Bearer abc", "Bearer a.b"])
def test_without_a_link_nothing_is_answered(digits, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("GET", "task"), ("POST", "votes"), ("DELETE", "votes/last"), ("POST", "lease")):
        refused = httpx.request(method, f"{digits.base}/review/api/{path}", headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_a_forged_link_is_refused(digits):
    token = digits.links[6].rpartition("/")[2]
    payload, _, signature = token.partition(".")
    for forged in (f"{payload}.{signature[::-1]}", f"{payload[:-2]}.{signature}", f"{token}x"):
        answer = httpx.get(f"{digits.base}/review/api/task", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401
        assert httpx.get(f"{digits.base}/review/{forged}").status_code == 401


def test_a_link_can_be_revoked(digits):
    review(digits.catalogue, "links", digits.name, "--name", "Robin", "--base", digits.base)
    review(digits.catalogue, "links", digits.name, "--revoke", "rater 8")
    assert digits.rater(7).get("/review/api/task").status_code == 401
    assert "revoked" in digits.rater(7).get("/review/api/task").json()["detail"]


def test_an_open_link_is_no_raters(digits):
    link = review(digits.catalogue, "links", digits.name, "--open", "--base", digits.base).strip()
    token = link.rpartition("/")[2]
    answer = httpx.get(f"{digits.base}/review/api/task", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/review/api/task", "/review/x", "/review/media/a/m0"])
def test_without_the_option_there_are_no_such_routes(sample_site, path):
    assert httpx.get(sample_site + path).status_code == 404


@pytest.mark.parametrize("part", ["m1", "m", "e0", "e0-99", "e9-0", "m0-0", "x0", "m-1", "e0-0-0", "m٣"])
def test_a_task_has_no_other_media(digits, part):
    rater = digits.rater(8)
    code = rater.get("/review/api/task").json()["task"]
    assert rater.get(f"/review/media/{code}/{part}").status_code == 404
    assert rater.get(f"/review/media/{code[::-1]}/m0").status_code == 404


def test_a_link_has_a_limit_of_its_own(sample_catalogue, quick_folder):
    folder = quick_folder / "limited"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-texts", raters=2, review_requests_a_minute=5) as found:
        answers = [found.rater(0).get("/review/api/task") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[5].headers["retry-after"]) <= 12
        assert found.rater(1).get("/review/api/task").status_code == 200


def test_all_is_done_or_others_have_the_rest(sample_catalogue, quick_folder):
    folder = quick_folder / "small"
    folder.mkdir()
    arguments = ("sample-texts", "--lowest", "1", "--lease", "2")
    with open_round(sample_catalogue, folder, *arguments, raters=7) as found:
        tasks = [found.rater(n).get("/review/api/task").json() for n in range(5)]
        waiting = found.rater(5).get("/review/api/task")
        assert waiting.status_code == 204
        assert 1 <= int(waiting.headers["retry-after"]) <= 120
        for n, task in enumerate(tasks):
            assert vote(found.rater(n), task, "both").status_code == 201
        done = found.rater(5).get("/review/api/task")
        assert (done.status_code, "retry-after" in done.headers) == (204, False)
        (record,) = found.vote_records()
        assert record["mturk"] == {"given": 0, "guessed": 0, "both": 5, "neither": 0}


def test_nothing_tells_gold_items_from_others(sample_catalogue, quick_folder):
    """They have as many exemplars, of the same kinds and sizes, are typical of no class shown, and count as others."""
    folder = quick_folder / "gold"
    folder.mkdir()
    with open_round(sample_catalogue, folder, "sample-digits", "--gold", "0.09", raters=1) as found:
        store = Store(store_url("", found.catalogue))
        rater, told, shown, pictures = found.rater(0), {True: set(), False: set()}, set(), {True: set(), False: set()}
        for _ in range(105):
            task = rater.get("/review/api/task").json()
            media = [rater.get(one["address"]) for one in task["media"]]
            shelves = [[rater.get(address).content for address in task[side]["exemplars"]] for side in "ab"]
            shown |= {picture for shelf in shelves for picture in shelf}
            (gold,) = gold_of(store, task["task"])
            pictures[gold].add(media[0].content)
            kinds = tuple(one["kind"] for one in task["media"])
            sizes = tuple(len(shelf) for shelf in shelves)
            told[gold].add((kinds, sizes, tuple(sorted(media[0].headers)), len(task["task"]), task["progress"]["of"]))
            assert vote(rater, task, "a").status_code == 201
        store.close()
        assert rater.get("/review/api/task").status_code == 204
        assert (len(pictures[True]), len(pictures[False])) == (9, 96)
        assert told[True] == told[False]
        assert len(told[True]) == 1
        assert not pictures[True] & shown


def gold_of(store: Store, code: str) -> list[bool]:
    """Whether the example of a task is a gold item, which only the store knows."""
    of_task = select(items.c.gold).join(leases, leases.c.item_id == items.c.id).where(leases.c.code == code)
    with store.reading() as connection:
        return list(connection.scalars(of_task))


def test_sounds_and_texts_are_shown_too(sample_catalogue, quick_folder):
    for name, kinds in (("sample-texts", {"text"}), ("sample-sounds", {"audio", "waveform"})):
        folder = quick_folder / name
        folder.mkdir()
        with open_round(sample_catalogue, folder, name, "--lowest", "2") as found:
            rater = found.rater(0)
            task = rater.get("/review/api/task").json()
            assert {one["kind"] for one in task["media"]} == kinds
            assert all(rater.get(one["address"]).status_code == 200 for one in task["media"])
