"""The log of versions: whatever two ingests differ in, it says what reading both corrected test sets says."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.corrected.blocks import NO_LABEL, corrected
from app.corrected.original_test_set import load
from app.corrected.policy import ExportOptions
from app.corrected.standing_json import read, spelled
from app.domain.review.changes import Change, change
from app.domain.review.corrections import Policy, Treatment, policies
from ingest.catalogue import change_log, diff
from ingest.commands.main import main
from tests.ingest.catalogue.test_writing import rows

AGREEMENTS = (3, 4, 5)
EVERY = [policy for agreement in AGREEMENTS for policy in policies(agreement)]
LOG = ("versions", "change_counts", "changes")

Labels = dict[int, tuple[int, ...] | None]


def labels_of(catalogue: Path) -> dict[Policy, Labels]:
    """The corrected test set under each policy, as its files have it: index -> classes, None where it is left out."""
    engine = create_engine(f"sqlite:///{catalogue}", poolclass=NullPool)
    found = {}
    with engine.connect() as connection:
        whole = load(connection, "tiny")
        for policy in EVERY:
            under = corrected(connection, whole, ExportOptions(policy))
            found[policy] = {
                block.start + place: None if label == NO_LABEL else under.members[label]
                for block in under.blocks(connection)
                for place, label in enumerate(block.corrected.tolist())
            }
    return found


def differences(before: Labels, after: Labels) -> dict[int, Change]:
    found = {}
    for index in sorted(before.keys() | after.keys()):
        was, now = before.get(index), after.get(index)
        if was != now:
            found[index] = Change.ADDED if was is None else Change.REMOVED if now is None else Change.RELABELLED
    return found


def select(catalogue: Path, statement: str, *values: object) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(catalogue)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, values)]


def entries(catalogue: Path, name: str = "tiny") -> list[dict[str, Any]]:
    return select(
        catalogue,
        "SELECT v.* FROM versions v JOIN datasets d ON d.id = v.dataset_id WHERE d.name = ? ORDER BY v.position",
        name,
    )


def logged(catalogue: Path, position: int) -> list[dict[str, Any]]:
    return select(
        catalogue,
        "SELECT c.* FROM changes c JOIN datasets d ON d.id = c.dataset_id WHERE d.name = 'tiny' AND c.position = ?"
        " ORDER BY idx",
        position,
    )


def counted(catalogue: Path, position: int, policy: Policy) -> tuple[int, int, int]:
    found = select(
        catalogue,
        "SELECT c.* FROM change_counts c JOIN datasets d ON d.id = c.dataset_id"
        " WHERE d.name = 'tiny' AND c.position = ? AND agreement = ?"
        " AND multi_label = ? AND neither = ? AND non_agreement = ? AND unreviewed = ?",
        position,
        policy.agreement,
        *(getattr(policy, name).value for name in ("multi_label", "neither", "non_agreement", "unreviewed")),
    )
    return (found[0]["added"], found[0]["removed"], found[0]["relabelled"]) if found else (0, 0, 0)


def agree(before: Path, after: Path, position: int = 1, kept: int | None = None) -> dict[Policy, dict[int, Change]]:
    """Hold the log's entry to both test sets, under every policy."""
    found = {}
    changed = set()
    log = {
        row["idx"]: (
            None if row["before"] is None else read(row["before"]),
            None if row["after"] is None else read(row["after"]),
        )
        for row in logged(after, position)
    }
    was, now = labels_of(before), labels_of(after)
    for policy in EVERY:
        expected = differences(was[policy], now[policy])
        kinds = list(expected.values())
        assert counted(after, position, policy) == tuple(
            kinds.count(kind) for kind in (Change.ADDED, Change.REMOVED, Change.RELABELLED)
        ), policy
        from_log = {index: change(*pair, policy) for index, pair in log.items()}
        assert {index: kind for index, kind in from_log.items() if kind is not None} == {
            index: kind for index, kind in expected.items() if kept is None or index in log
        }
        changed |= expected.keys()
        found[policy] = expected
    entry = entries(after)[position]
    assert entry["n_changed"] == len(changed)
    assert entry["n_kept"] == len(log) == (len(changed) if kept is None else kept)
    assert sorted(changed)[: len(log)] == list(log)
    return found


def votes(tiny: Any, index: int, *counts: int) -> None:
    tiny.records = [record for record in tiny.records if record["id"] != index] + [tiny.record(index, *counts)]


def changed_votes(tiny: Any) -> None:
    votes(tiny, 0, 5, 0, 0, 0)  # correctable before, confirmed now
    votes(tiny, 1, 0, 3, 0, 2)  # confirmed before, correctable at 3 and not at 4
    votes(tiny, 3, 0, 0, 5, 0)  # neither before, both now


def fewer_votes(tiny: Any) -> None:
    tiny.records = tiny.records[2:]


def other_flags(tiny: Any) -> None:
    tiny.top = "flag = 20"


def other_labels(tiny: Any) -> None:
    tiny.labels[20:30] = (tiny.labels[20:30] + 1) % 3


def larger(tiny: Any) -> None:
    tiny.labels = np.concatenate((tiny.labels, tiny.labels[:5]))
    tiny.probs = np.concatenate((tiny.probs, tiny.probs[:5]))


def smaller(tiny: Any) -> None:
    tiny.labels, tiny.probs = tiny.labels[:30], tiny.probs[:30]


def everything(tiny: Any) -> None:
    for step in (changed_votes, other_flags, other_labels, larger):
        step(tiny)


@pytest.mark.parametrize(
    "step",
    [changed_votes, fewer_votes, other_flags, other_labels, larger, smaller, everything],
    ids=lambda s: s.__name__,
)
def test_it_says_what_reading_both_says(step: Any, tiny: Any, old: Path, tmp_path: Path) -> None:
    assert tiny.add(old) == 0
    before = tmp_path / "before.sqlite"
    shutil.copy(old, before)
    step(tiny)
    assert tiny.add(old) == 0
    found = agree(before, old)
    assert any(found.values())
    # And back again.
    after = tmp_path / "after.sqlite"
    shutil.copy(old, after)
    fresh = type(tiny)(tiny.folder)
    assert fresh.add(old) == 0
    back = agree(after, old, position=2)
    assert {p: sorted(c) for p, c in back.items()} == {p: sorted(c) for p, c in found.items()}
    log = entries(old)
    assert log[0]["version"] == log[2]["version"] != log[1]["version"]


def test_the_same_files_make_no_version(tiny: Any, old: Path) -> None:
    for _ in range(3):
        assert tiny.add(old) == 0
    assert [entry["position"] for entry in entries(old)] == [0]
    assert entries(old)[0]["agreements"] is None
    assert logged(old, 0) == []


def test_a_version_that_changes_no_label_is_entered_without_changes(tiny: Any, old: Path) -> None:
    assert tiny.add(old) == 0
    tiny.top = 'flag = 8\nhomepage = "https://example.org"'
    assert tiny.add(old) == 0
    first, second = entries(old)
    assert first["version"] != second["version"]
    assert (second["n_changed"], second["n_kept"], json.loads(second["agreements"])) == (0, 0, [3, 4, 5])
    assert json.loads(first["class_names"]) == ["ant", "bee", "cat"]
    assert second["class_names"] is None


def test_new_names_of_classes_are_kept_and_change_no_label(tiny: Any, old: Path) -> None:
    assert tiny.add(old) == 0
    tiny.classes = ["ant", "bee", "tiger"]
    assert tiny.add(old) == 0
    assert [json.loads(entry["class_names"])[2] for entry in entries(old)] == ["cat", "tiger"]
    assert entries(old)[1]["n_changed"] == 0


def test_examples_have_their_keys(tiny: Any, old: Path) -> None:
    tiny.files = 'index = "index.json"'
    tiny.examples = 'key = "entry"'
    tiny.extra = {"index.json": [f"example {i}" for i in range(40)]}
    assert tiny.add(old) == 0
    tiny.labels[[7, 33]] = (tiny.labels[[7, 33]] + 1) % 3
    assert tiny.add(old) == 0
    keys = {row["idx"]: row["key"] for row in logged(old, 1)}
    assert {7, 33} <= set(keys)
    assert keys == {index: f"example {index}" for index in keys}
    smaller(tiny)
    tiny.extra["index.json"] = tiny.extra["index.json"][:30]
    assert tiny.add(old) == 0
    assert logged(old, 2)[-1]["key"] == "example 39"
    assert logged(old, 2)[-1]["after"] is None


def test_flags_that_are_not_known_are_not_compared(tiny: Any, old: Path, tmp_path: Path) -> None:
    manifest = tiny.write()
    text = manifest.read_text().replace("flag = 8", "flagged = 9").replace('pred_probs = "probs.npy"\n', "")
    bare = tmp_path / "bare.toml"
    bare.write_text(text)

    def add() -> None:
        assert main(["add", str(bare), str(tiny.folder), "--catalogue", str(old)]) == 0

    add()
    votes(tiny, 0, 5, 0, 0, 0)
    tiny.write()
    add()
    entry = entries(old)[1]
    assert (entry["flags_compared"], entry["n_changed"]) == (0, 1)
    assert counted(old, 1, Policy()) == (0, 0, 1)
    assert counted(old, 1, Policy(unreviewed=Treatment.DROP)) == (0, 0, 0)


def test_without_labels_nothing_is_compared(tiny: Any, old: Path, tmp_path: Path) -> None:
    manifest = tiny.write()
    bare = tmp_path / "bare.toml"
    text = manifest.read_text().replace('labels = "labels.npy"\npred_probs = "probs.npy"\n', "")
    bare.write_text(text.replace("flag = 8", "size = 40\nflagged = 9"))
    assert tiny.add(old) == 0
    assert main(["add", str(bare), str(tiny.folder), "--catalogue", str(old)]) == 0
    assert tiny.add(old) == 0
    log = entries(old)
    assert [entry["agreements"] for entry in log] == [None, None, None]
    assert [entry["size"] for entry in log] == [40, 40, 40]


def test_an_ingest_of_others_carries_the_log_along(tiny: Any, old: Path, tmp_path: Path) -> None:
    assert tiny.add(old) == 0
    changed_votes(tiny)
    assert tiny.add(old) == 0
    before = rows(old)
    other = type(tiny)(tmp_path / "other")
    manifest = other.write()
    manifest.write_text(manifest.read_text().replace('"tiny"', '"other"'))
    assert main(["add", str(manifest), str(other.folder), "--catalogue", str(old)]) == 0
    after = rows(old)
    for table in LOG:
        assert set(map(repr, before[table])) <= set(map(repr, after[table])), table
    assert len(after["versions"]) == len(before["versions"]) + 1


def test_what_is_kept_is_bounded_and_counts_are_not(
    tiny: Any, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "MOST_KEPT", 4)
    monkeypatch.setattr(change_log, "VERSIONS_KEPT", 2)
    assert tiny.add(old) == 0
    before = tmp_path / "before.sqlite"
    for _ in range(4):
        shutil.copy(old, before)
        tiny.labels = (tiny.labels + 1) % 3
        tiny.records = [tiny.record(0, 5, 0, 0, 0)]
        assert tiny.add(old) == 0
    agree(before, old, position=4, kept=4)
    assert [len(logged(old, position)) for position in range(5)] == [0, 0, 0, 4, 4]
    assert [entry["n_kept"] for entry in entries(old)] == [0, 0, 0, 4, 4]
    assert all(entry["n_changed"] >= 38 for entry in entries(old)[1:])


def test_blocks_of_examples_are_no_border(tiny: Any, old: Path, tmp_path: Path) -> None:
    """More examples than one block holds, changed on both sides of the border and behind a former end."""
    n = 2 * 65_536 + 10
    manifest = tiny.write()
    text = manifest.read_text().replace('pred_probs = "probs.npy"\n', "").replace("flag = 8", "")
    manifest.write_text(text)
    labels = np.arange(n, dtype=np.uint16) % 3
    labels[:40] = tiny.labels

    def add(some: np.ndarray) -> None:
        np.save(tiny.folder / "labels.npy", some)
        assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(old)]) == 0

    add(labels[:65_546])
    before = tmp_path / "before.sqlite"
    shutil.copy(old, before)
    places = [65_535, 65_536, 65_545]
    labels[places] = (labels[places] + 1) % 3
    add(labels)
    entry = entries(old)[1]
    assert entry["n_changed"] == 3 + n - 65_546
    assert entry["n_kept"] == diff.MOST_KEPT
    assert counted(old, 1, Policy()) == (n - 65_546, 0, 3)
    assert [row["idx"] for row in logged(old, 1)][:5] == [*places, 65_546, 65_547]


def test_standings_are_read_as_they_were_spelled(tiny: Any, old: Path) -> None:
    assert tiny.add(old) == 0
    everything(tiny)
    assert tiny.add(old) == 0
    for row in logged(old, 1):
        for text in (row["before"], row["after"]):
            assert text is None or spelled(read(text)) == text
