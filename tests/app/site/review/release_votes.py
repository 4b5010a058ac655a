"""The votes that were published, given again over HTTP by raters in rounds over the same examples.

Which example a task is about is looked up in the store, which only a test can: nothing that is sent tells it.
"""

import json
import random
import shutil
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.reviews.lending import Task, task_of
from app.reviews.questions import BOTH, NEITHER, SIDES
from app.reviews.store import Store, store_url
from tests.app.site.review.rounds import RaterAt, review

_WITHOUT_VOTES = """
DELETE FROM votes;
DELETE FROM verdicts;
UPDATE issues SET votes = NULL, vote_pattern = NULL, consensus = NULL;
UPDATE datasets SET n_checked = 0, n_errors = 0, n_guesses_changed = 0;
CREATE TEMP TABLE counted AS SELECT dataset_id, agreement, given, guessed, flagged, SUM(n) AS n FROM facets
 GROUP BY dataset_id, agreement, given, guessed, flagged;
DELETE FROM facets;
INSERT INTO facets (dataset_id, agreement, category, given, guessed, corrected, vote_pattern, flagged, n)
 SELECT dataset_id, agreement, 'unreviewed', given, guessed, NULL, NULL, flagged, n FROM temp.counted;
"""


@dataclass(frozen=True)
class Answer:
    """An answer, the classes that it names (None for a word), and how many raters gave it."""

    word: str
    classes: tuple[int, ...] | None
    n: int


@dataclass(frozen=True)
class Voted:
    """An example with the votes that it got."""

    idx: int
    given: tuple[int, ...]
    is_set: bool  # each class has votes of its own
    answers: tuple[Answer, ...]

    @property
    def counts(self) -> dict[Any, int]:
        """The votes by the classes that they name, or by their word."""
        return {one.word if one.classes is None else one.classes: one.n for one in self.answers}

    @property
    def nothing_to_ask(self) -> bool:
        """Whether the guess that raters were shown was the given label."""
        return not self.is_set and self.answers[1].classes in (None, self.given)

    def turns(self, draw: random.Random) -> list[Any]:
        """What each rater says in turn: an answer, or the classes heard."""
        if not self.is_set:
            said = [answer for answer in self.answers for _ in range(answer.n)]
            draw.shuffle(said)
            return said
        heard = [(one.classes, set(draw.sample(range(5), one.n))) for one in self.answers]
        return [{classes[0] for classes, who in heard if classes and turn in who} for turn in range(5)]


def published_votes(catalogue: Path, dataset: str) -> list[Voted]:
    """The examples of a dataset with votes, as a catalogue holds them."""
    with closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute(
            "SELECT i.idx, s.members, i.vote_pattern, v.word, v.classes, v.n FROM votes v"
            " JOIN issues i ON i.id = v.issue_id JOIN datasets d ON d.id = i.dataset_id"
            " JOIN label_sets s ON s.dataset_id = d.id AND s.label_id = i.given WHERE d.name = ?"
            " ORDER BY i.idx, v.position",
            (dataset,),
        ).fetchall()
    found: dict[int, tuple[Any, Any, list[Answer]]] = {}
    for idx, members, pattern, word, classes, n in rows:
        known = found.setdefault(idx, (tuple(json.loads(members)), pattern is None, []))
        known[2].append(Answer(word, None if classes is None else tuple(json.loads(classes)), n))
    return [Voted(idx, given, is_set, tuple(answers)) for idx, (given, is_set, answers) in found.items()]


def without_votes(catalogue: Path, copy: Path) -> Path:
    """A copy of a catalogue in which nobody has looked at anything."""
    shutil.copyfile(catalogue, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.executescript(_WITHOUT_VOTES)
    return copy


def verdicts(catalogue: Path, dataset: str) -> dict[tuple[int, int], tuple[str, Any]]:
    """(Index, agreement) -> category, and the label or labels agreed on."""
    with closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute(
            "SELECT i.idx, v.agreement, v.category, s.members, v.several FROM verdicts v"
            " JOIN issues i ON i.id = v.issue_id JOIN datasets d ON d.id = i.dataset_id"
            " LEFT JOIN label_sets s ON s.dataset_id = d.id AND s.label_id = v.corrected WHERE d.name = ?",
            (dataset,),
        ).fetchall()
    return {(idx, agreement): (category, label or several) for idx, agreement, category, label, several in rows}


class Replay:
    """Raters of one round who say what was said before; ``seed`` draws who says it when."""

    def __init__(self, base: str, catalogue: Path, dataset: str, voted: Sequence[Voted], seed: int) -> None:
        self._base, self._catalogue, self._dataset = base, catalogue, dataset
        draw = random.Random(seed)
        self._asked = {one.idx: one for one in voted if not one.nothing_to_ask}
        self._turns = {idx: one.turns(draw)[::-1] for idx, one in self._asked.items()}

    def run(self, *how: str) -> tuple[str, int]:
        """Open a round, answer all of it, and close it: its name, and the number of votes."""
        chosen = self._catalogue.with_name("chosen.txt")
        chosen.write_text("\n".join(map(str, self._asked)))
        opened = review(self._catalogue, "open", self._dataset, "--examples", str(chosen), *how, "--json")
        name = json.loads(opened)["round"]
        told = review(self._catalogue, "links", name, "--raters", "5", "--base", self._base, "--json")
        store = Store(store_url("", self._catalogue))
        with httpx.Client(base_url=self._base, timeout=600) as http:
            links = [one["url"] for one in json.loads(told)["links"]]
            n = sum(self._work(RaterAt(http, link.rpartition("/")[2]), store) for link in links)
        store.close()
        review(self._catalogue, "close", name)
        return name, n

    def _work(self, rater: RaterAt, store: Store) -> int:
        n = 0
        while (response := rater.get("/review/api/task")).status_code == 200:
            sent = response.json()
            found = task_of(store, sent["task"])
            assert found is not None
            said = self._turns[found[0].idx].pop()
            body = {"task": sent["task"], "answer": spelled(found[0], sent, said), "key": str(uuid.uuid4())}
            taken = rater.post("/review/api/votes", json=body)
            assert taken.status_code == 201, taken.text
            n += 1
        assert (response.status_code, "retry-after" in response.headers) == (204, False)
        return n


def spelled(task: Task, sent: Mapping[str, Any], said: Any) -> Any:
    """An answer as the task spells it."""
    if isinstance(said, set):
        names = [one["name"] for one in sent["choices"]]
        return {name: one in said for name, one in zip(names, task.sides, strict=True)}
    if said.classes is None:
        return said.word
    if len(said.classes) != 1:
        return BOTH if said.classes else NEITHER
    if task.question.kind == "pair":
        return SIDES[task.sides.index(said.classes[0])]
    return sent["choices"][task.sides.index(said.classes[0])]["name"]
