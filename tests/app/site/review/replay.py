"""Raters who give votes that are known already, each example in an order of its own, over HTTP."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest.commands.main import main
from ingest.sample import write_sample
from tests.app.site.review.rounds import Open, RaterAt, review, vote


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


@dataclass(frozen=True)
class Texts:
    """The sample's texts, in a catalogue with their votes and in one without, and the votes as a file holds them."""

    files: Path
    voted: Path
    bare: Path
    chosen: Path  # a file with the indices of the examples that have votes
    records: Sequence[Mapping[str, Any]]

    @classmethod
    def made(cls, folder: Path) -> "Texts":
        manifest = next(path for path in write_sample(folder / "files") if path.parent.name == "sample-texts")
        files = manifest.parent
        records = json.loads((files / "votes.json").read_text())
        chosen = folder / "chosen.txt"
        chosen.write_text("\n".join(str(record["id"]) for record in records))
        found = cls(files, folder / "voted.sqlite", folder / "bare.sqlite", chosen, records)
        found.add(found.voted)
        text = manifest.read_text(encoding="utf-8").replace('votes = "votes.json"\n', "")
        manifest.write_text(text, encoding="utf-8")
        found.add(found.bare)
        return found

    def add(self, catalogue: Path) -> None:
        """Load the dataset into a catalogue."""
        manifest, media = str(self.files / "dataset.toml"), ("--media", str(self.files))
        assert main(["add", manifest, str(self.files), *media, "--catalogue", str(catalogue)]) == 0

    def replayed(self, found: Open, n_raters: int = 5) -> list[int]:
        """How many answers each rater gave, of those that are in the votes."""
        names = sorted((self.files / "media").iterdir())
        content = {record["id"]: names[record["id"]].read_bytes().strip() for record in self.records}
        replay = Replay(found, records_by_content(self.records, content))
        return [replay.work(found.rater(number)) for number in range(n_raters)]

    def joined(self, found: Open, name: str, n_raters: int = 5) -> Open:
        """Another round at the same server, with raters of its own."""
        told = review(found.catalogue, "links", name, "--raters", str(n_raters), "--base", found.base, "--json")
        return replace(found, name=name, links=[one["url"] for one in json.loads(told)["links"]])
