"""The versions of a dataset in this catalogue, and what changed between two of them.

Reads the log that ingest keeps (``app.schema.change_log``). ``app.domain.review.changes`` defines what a change is.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from app.catalogue.records import Dataset
from app.corrected import standing_json
from app.domain.review.changes import Change, ChangeCounts, LabelSet, Standing, carried, change
from app.domain.review.corrections import TREATMENTS, Action, Policy, Treatment, decision
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.change_log import change_counts, changes, versions

_ROWS_AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a dataset, and what changed since the one before under a policy."""

    position: int  # 0 is the first one that this catalogue had
    name: str
    since: str  # ISO 8601
    until: str | None  # None for the current one
    size: int | None
    former: str | None  # the version before
    counts: ChangeCounts | None  # None where it was not compared with that, or not under this policy
    note: str | None  # what cannot be told of the changes, as a sentence
    complete: bool  # all examples that changed are kept one by one
    classes: tuple[str, ...]
    former_classes: tuple[str, ...]

    @property
    def current(self) -> bool:
        return self.until is None


@dataclass(frozen=True, slots=True)
class VersionStep:
    """From one version to another: the one after it, or the current one."""

    positions: tuple[int, ...]  # of the versions that came on the way, ascending
    former: str | None
    name: str
    since: str
    until: str | None
    counts: ChangeCounts | None
    note: str | None
    classes: tuple[str, ...]
    former_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExampleState:
    """How an example stood in a version, under a policy."""

    given: LabelSet
    corrected: LabelSet | None  # None where it was left out
    action: Action
    category: Category


@dataclass(frozen=True, slots=True)
class ChangedExample:
    """An example that changed under a policy."""

    index: int
    key: str | None
    change: Change
    before: ExampleState | None  # None where it was not there
    after: ExampleState | None


def log(connection: Connection, dataset: Dataset, policy: Policy) -> tuple[Version, ...]:
    """All versions of a dataset, the current one first; empty where a catalogue keeps no log of it."""
    v = versions.c
    rows = connection.execute(select(versions).where(v.dataset_id == dataset.id).order_by(v.position)).all()
    counts = _counts(connection, dataset, policy)
    found: list[Version] = []
    for place, row in enumerate(rows):
        before = found[-1] if found else None
        note = _why_not_compared(row, policy)
        found.append(
            Version(
                position=row.position,
                name=row.version,
                since=row.since,
                until=rows[place + 1].since if place + 1 < len(rows) else None,
                size=row.size,
                former=before.name if before else None,
                counts=counts.get(row.position, ChangeCounts()) if note is None else None,
                note=note or _what_is_not_kept(row),
                complete=note is None and row.n_kept == row.n_changed,
                classes=before.classes if before and row.class_names is None else tuple(json.loads(row.class_names)),
                former_classes=before.classes if before else (),
            )
        )
    return tuple(reversed(found))


def _why_not_compared(row: Row[Any], policy: Policy) -> str | None:
    if row.position == 0:
        return "This is the first version that this catalogue had."
    if row.agreements is None:
        return "The versions were not compared, because not all given labels are known for both."
    if policy.agreement not in json.loads(row.agreements):
        return f"The previous version had no agreement threshold {policy.agreement}, so it cannot be compared."
    if policy.weighs_corrections:
        return "Versions are not compared under a policy that asks second opinions, or how sure a correction is."
    if policy.unreviewed is Treatment.DROP and not row.flags_compared:
        return "The versions cannot be compared under this policy, because the flagged examples are not known for both."
    return None


def _what_is_not_kept(row: Row[Any]) -> str | None:
    if row.n_kept == row.n_changed:
        return None
    if row.n_kept == 0:
        return "Only the number of changed examples is kept, because there have been many newer versions since."
    return (
        f"Of the {row.n_changed:,} examples that changed under any policy, only the {row.n_kept:,} with the lowest "
        "indices are listed; the counts include all."
    )


def _counts(connection: Connection, dataset: Dataset, policy: Policy) -> dict[int, ChangeCounts]:
    c = change_counts.c
    treatments = [c[category.value] == policy.treatment(category).value for category in TREATMENTS]
    rows = connection.execute(
        select(c.position, c.added, c.removed, c.relabelled).where(
            c.dataset_id == dataset.id, c.agreement == policy.agreement, *treatments
        )
    )
    return {row.position: ChangeCounts(row.added, row.removed, row.relabelled) for row in rows}


def by_name(found: tuple[Version, ...]) -> Mapping[str, Version]:
    """The versions by name; of one that came back, the last time."""
    return {version.name: version for version in reversed(found)}


def step_to(version: Version) -> VersionStep:
    """From the version before to this one."""
    return VersionStep(
        positions=(version.position,),
        former=version.former,
        name=version.name,
        since=version.since,
        until=version.until,
        counts=version.counts,
        note=version.note,
        classes=version.classes,
        former_classes=version.former_classes,
    )


def step_from(
    connection: Connection, dataset: Dataset, found: tuple[Version, ...], former: Version, policy: Policy
) -> VersionStep:
    """From a version to the current one, whatever came between: an example that changed and changed back, has not."""
    newest, between = found[0], [version for version in found if version.position > former.position]
    gap = next((version for version in between if not version.complete), None)
    note = None if gap is None else f"The changes of version {gap.name} cannot be listed one by one. {gap.note}"
    step = VersionStep(
        positions=tuple(version.position for version in reversed(between)),
        former=former.name,
        name=newest.name,
        since=newest.since,
        until=None,
        counts=ChangeCounts() if gap is None else None,
        note=note,
        classes=newest.classes,
        former_classes=former.classes,
    )
    if gap is not None or not between:
        return step
    counted = Counter(one.change for one in changed(connection, dataset, step, policy))
    counts = ChangeCounts(counted[Change.ADDED], counted[Change.REMOVED], counted[Change.RELABELLED])
    return replace(step, counts=counts)


def changed(
    connection: Connection,
    dataset: Dataset,
    step: VersionStep,
    policy: Policy,
    first: int = 0,
    kind: Change | None = None,
) -> Iterator[ChangedExample]:
    """The examples that changed in a step under a policy, by index, from the index ``first`` on.

    ``kind`` leaves out all other changes. Only those are there that the log keeps; the step's note says so.
    """
    if step.counts is None:
        return
    for index, rows in groupby(_rows(connection, dataset, step.positions, first), key=lambda row: int(row.idx)):
        some = list(rows)
        before, after = (
            None if text is None else standing_json.read(text) for text in (some[0].before, some[-1].after)
        )
        what = change(before, after, policy)
        if what is not None and kind in (None, what):
            yield ChangedExample(index, some[-1].key, what, _seen(before, policy), _seen(after, policy))


def _rows(connection: Connection, dataset: Dataset, positions: Sequence[int], first: int) -> Iterator[Any]:
    """The rows of the log by index, then by version. Whole examples at a time, however few rows are read at once."""
    c = changes.c
    here = select(c.idx, c.key, c.before, c.after).where(c.dataset_id == dataset.id, c.position.in_(positions))
    while True:
        page = here.where(c.idx >= first).order_by(c.idx, c.position).limit(_ROWS_AT_A_TIME)
        rows = connection.execute(page).all()
        if len(rows) < _ROWS_AT_A_TIME:
            yield from rows
            return
        last = rows[-1].idx
        yield from (row for row in rows if row.idx < last)
        first = last


def _seen(standing: Standing | None, policy: Policy) -> ExampleState | None:
    if standing is None:
        return None
    category, _ = standing.verdicts.get(policy.agreement, (Category.UNREVIEWED, None))
    action = decision(category, policy, issue=standing.issue).action
    return ExampleState(standing.given, carried(standing, policy), action, category)


def issues_among(connection: Connection, dataset: Dataset, indices: Sequence[int]) -> set[int]:
    """Those of some examples that are issues now, and have a page."""
    i = tables.issues.c
    return {*connection.scalars(select(i.idx).where(i.dataset_id == dataset.id, i.idx.in_(indices)))}
