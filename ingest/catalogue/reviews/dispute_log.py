"""Write the public log of disputes into an open catalogue, and find what a round made of those it asked about."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from app.domain.review.dispute_outcome import Claim, outcome
from app.domain.review.verdicts import Category
from app.reviews.disputes.moderation import Dispute, Result, State, find_disputes, waiting_by_dataset
from app.reviews.questions import Question
from app.reviews.ratings import shelf_names
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.reviews.tables import items
from app.schema import tables
from app.schema.change_log import REOPENED, disputes, undecided_disputes
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.progress import Progress

_OPEN = (State.ACCEPTED, State.SETTLED)


class _Step(NamedTuple):
    """A public decision: when, "rejected", "reopened" or an outcome, and the owner's reason."""

    at: float
    what: str
    why: str | None


def publish_log(store: Store, catalogue: Path, *, wait: float, progress: Progress) -> int:
    """Write the log into a catalogue, which changes nothing else; returns how many disputes are in it."""
    with replacing_catalogue(catalogue, [], wait=wait, say=progress.say) as connection:
        return write_log(connection, store, {}, None, store.clock())


def results_of(connection: Connection, store: Store, found: Round, indices: Collection[int]) -> dict[int, Result]:
    """What the verdicts of an open catalogue make of the disputes that a round asks about, by the disputes' ids.

    ``indices`` are the examples whose verdicts follow from the round: of others it has too few votes. Classes are
    compared by name. What a dispute has come to already is not among them.
    """
    asked = [one for one in find_disputes(store, states=_OPEN, round_id=found.id) if one.idx in indices]
    if not asked:
        return {}
    verdicts, offered = _verdicts(connection, found.dataset), _choices(store, found)
    results = {}
    for one in asked:
        category, corrected = verdicts.get(one.idx, (Category.UNREVIEWED, None))
        names = None if corrected is None else frozenset(corrected)
        proposed = frozenset(one.proposed)
        can_say = bool(proposed & offered.get(one.idx, frozenset())) or one.claim is not Claim.OTHER
        decided = outcome(one.claim, proposed, category, names, asked=can_say)
        result = Result(decided, category.value, corrected)
        if result != one.result:
            results[one.id] = result
    return results


def write_log(
    connection: Connection, store: Store, results: Mapping[int, Result], found: Round | None, now: float
) -> int:
    """Write the log of all datasets anew, with the ``results`` of a round that is being published with it ``now``."""
    ids = {row.name: row.id for row in connection.execute(select(tables.datasets.c.name, tables.datasets.c.id))}
    name = None if found is None else found.name
    rows = []
    for one in find_disputes(store):
        steps = _steps(one)
        if one.id in results:
            steps.append(_Step(now, results[one.id].outcome.value, None))
        if one.dataset in ids and steps:
            result = results.get(one.id, one.result)
            row = _row(ids[one.dataset], one, steps, result, name if one.id in results else one.round)
            rows.append((steps[-1].at, one.id, row))
    for table in (disputes, undecided_disputes):
        connection.execute(delete(table))
    if rows:
        in_order = [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]
        connection.execute(insert(disputes), [row | {"position": place} for place, row in enumerate(in_order)])
    _write_undecided(connection, store, ids, results)
    return len(rows)


def _steps(one: Dispute) -> list[_Step]:
    """What is public of the decisions on a dispute, oldest first; none before it was rejected or settled once.

    A decision stays when another follows, also if it was taken back: somebody may have read it.
    """
    steps: list[_Step] = []
    for decision in one.decisions:
        if decision.result is not None:
            steps.append(_Step(decision.at, decision.result.outcome.value, None))
        elif decision.state is State.REJECTED:
            steps.append(_Step(decision.at, State.REJECTED.value, decision.why))
        elif steps and steps[-1].what != REOPENED:
            steps.append(_Step(decision.at, REOPENED, None))
    return steps


def _write_undecided(
    connection: Connection, store: Store, ids: Mapping[str, int], results: Mapping[int, Result]
) -> None:
    settled_now: dict[str, int] = {}
    for one in find_disputes(store, states=(State.ACCEPTED,)):
        settled_now[one.dataset] = settled_now.get(one.dataset, 0) + (one.id in results)
    left = {name: n - settled_now.get(name, 0) for name, n in waiting_by_dataset(store).items() if name in ids}
    rows = [{"dataset_id": ids[name], "n": n} for name, n in sorted(left.items()) if n]
    if rows:
        connection.execute(insert(undecided_disputes), rows)


def _row(
    dataset_id: int, one: Dispute, steps: Sequence[_Step], result: Result | None, name: str | None
) -> dict[str, Any]:
    public = result is not None
    corrected = None if result is None or result.corrected is None else json.dumps(result.corrected)
    return {
        "dataset_id": dataset_id,
        "idx": one.idx,
        "code": one.code,
        "filed": _time(one.filed_at)[:10],
        "decided": _time(steps[-1].at),
        "claim": one.claim.value,
        "proposed": json.dumps(one.proposed),
        "outcome": None if result is None else result.outcome.value,
        "why": steps[-1].why,
        "reason": one.reason or None if public else None,
        "source": one.source if public else None,
        "round": name if public else None,
        "category": None if result is None else result.category,
        "corrected": corrected,
        "history": json.dumps([(_time(step.at), step.what, step.why) for step in steps[:-1]]),
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _verdicts(connection: Connection, name: str) -> dict[int, tuple[Category, tuple[str, ...] | None]]:
    """The verdicts on a dataset's issues at the smallest threshold it offers, classes by their names."""
    d, i, v = tables.datasets.c, tables.issues.c, tables.verdicts.c
    c, s = tables.classes.c, tables.label_sets.c
    dataset_id, agreements = connection.execute(select(d.id, d.agreements).where(d.name == name)).one()
    classes = connection.execute(select(c.class_id, c.name).where(c.dataset_id == dataset_id))
    names = {row.class_id: row.name for row in classes}
    sets = connection.execute(select(s.label_id, s.members).where(s.dataset_id == dataset_id))
    members = {row.label_id: tuple(names[one] for one in json.loads(row.members)) for row in sets}
    joined = tables.issues.join(tables.verdicts, v.issue_id == i.id)
    at = (v.dataset_id == dataset_id, v.agreement == json.loads(agreements)[0])
    rows = connection.execute(select(i.idx, v.category, v.corrected).select_from(joined).where(*at))
    return {
        row.idx: (Category(row.category), None if row.corrected is None else members[row.corrected]) for row in rows
    }


def _choices(store: Store, found: Round) -> dict[int, frozenset[str]]:
    """Example -> the names of the classes that its raters could choose."""
    names = shelf_names(store, found)
    here = (items.c.round_id == found.id, items.c.gold.is_(False), items.c.practice.is_(False))
    with store.reading() as connection:
        rows = connection.execute(select(items.c.idx, items.c.question).where(*here)).all()
    return {row.idx: frozenset(names[one] for one in Question.parse(row.question).classes) for row in rows}
