"""Raters who give votes that are known already, each example in an order of its own, over HTTP."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.app.site.review.rounds import Open, RaterAt, vote


def answers_of(record: Mapping[str, Any], draw: random.Random) -> list[Any]:
    """What each rater says of an example with these votes: options by name, or the classes heard."""
    cast = record["mturk"]
    if "given_original_labels" in record:
        heard = {name: set(draw.sample(range(5), n)) for name, n in cast.items()}
        return [{name: rater in who for name, who in heard.items()} for rater in range(5)]
    told = [option for option, n in cast.items() for _ in range(n)]
    draw.shuffle(told)
    return told


class Replay:
    """Answers tasks by what their examples are, which only the test knows: found by the bytes of their media."""

    def __init__(self, found: Open, by_content: Mapping[bytes, Mapping[str, Any]], seed: int = 0) -> None:
        self._open = found
        self._by_content = by_content
        draw = random.Random(seed)
        self._answers = {id(record): answers_of(record, draw) for record in by_content.values()}
        self._given: dict[int, int] = dict.fromkeys(self._answers, 0)

    def work(self, rater: RaterAt) -> int:
        """Answer all there is for a rater; returns the number of answers."""
        n = 0
        while (response := rater.get("/review/api/task")).status_code == 200:
            task = response.json()
            record = self._by_content[rater.get(task["media"][0]["address"]).content]
            told = self._answers[id(record)][self._given[id(record)]]
            self._given[id(record)] += 1
            assert vote(rater, task, spelled(task, record, told), str(uuid.uuid4())).status_code == 201
            n += 1
        assert response.status_code == 204
        assert "retry-after" not in response.headers
        return n


def spelled(task: Mapping[str, Any], record: Mapping[str, Any], told: Any) -> Any:
    """An answer as the task spells it."""
    if told not in ("given", "guessed"):
        return told
    label = {"given": "given_original_label", "guessed": "our_guessed_label"}[told]
    name = record.get(f"{label}_name", record[label])
    return next(side for side in ("a", "b") if task[side]["name"] == name)


def records_by_content(records: Sequence[Mapping[str, Any]], content: Mapping[int, bytes]) -> dict[bytes, Any]:
    """The records by the bytes of their examples, which must all differ."""
    found = {content[record["id"]]: record for record in records}
    assert len(found) == len(records), json.dumps([record["id"] for record in records])
    return found
