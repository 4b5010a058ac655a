"""The log of dataset versions: what changed in a corrected test set when its dataset was ingested again.

A dataset with an unchanged version gets no entry. The changed examples are kept for the latest versions only, and their
number for older ones, so the log stays bounded.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from app.domain.review.changes import ChangeTally
from app.domain.review.corrections import Policy, Treatment
from app.schema import tables
from app.schema.change_log import change_counts, changes, versions
from app.schema.engine import reading_engine
from ingest.catalogue.diff import VersionDiff, compare, side
from ingest.progress import Progress

#: The number of versions whose changed examples are kept.
VERSIONS_KEPT: Final = 10


def enter_versions(connection: Connection, former: Path, names: Collection[str], progress: Progress) -> None:
    """Log the versions of datasets that were just written, and what changed since the previous catalogue.

    ``former`` is the file still in place; it may not exist, or may not be comparable.
    """
    with _opened(former) as before:
        for name in names:
            _enter(connection, before, name, progress)


def _enter(connection: Connection, before: Connection | None, name: str, progress: Progress) -> None:
    d, v = tables.datasets.c, versions.c
    dataset = connection.execute(select(d.id, d.version, d.built_at, d.size).where(d.name == name)).one()
    log = select(v.position, v.version).where(v.dataset_id == dataset.id).order_by(v.position.desc()).limit(1)
    last = connection.execute(log).one_or_none()
    if last is not None and last.version == dataset.version:
        return
    found = None
    if last is not None and before is not None:
        was, now = side(before, name), side(connection, name)
        found = None if was is None or now is None else compare(was, now)
    position = 0 if last is None else last.position + 1
    entry = {
        "dataset_id": dataset.id,
        "position": position,
        "version": dataset.version,
        "since": dataset.built_at,
        "size": dataset.size,
        "class_names": _new_class_names(connection, dataset.id),
    }
    connection.execute(insert(versions), [entry | _told(found)])
    if found is not None and last is not None:
        _enter_changes(connection, {"dataset_id": dataset.id, "position": position}, found)
        progress.say(f"{name}: {found.n_changed:,} examples differ from version {last.version}")
    _forget(connection, dataset.id, position - VERSIONS_KEPT)


def _told(found: VersionDiff | None) -> dict[str, Any]:
    if found is None:
        return {"agreements": None, "flags_compared": False, "n_changed": 0, "n_kept": 0}
    return {
        "agreements": json.dumps(sorted({policy.agreement for policy in found.tally.policies})),
        "flags_compared": any(policy.unreviewed is Treatment.DROP for policy in found.tally.policies),
        "n_changed": found.n_changed,
        "n_kept": len(found.kept),
    }


def _new_class_names(connection: Connection, dataset_id: int) -> str | None:
    """The names of the classes; None if the log already has the same ones."""
    c, v = tables.classes.c, versions.c
    names = json.dumps([*connection.scalars(select(c.name).where(c.dataset_id == dataset_id).order_by(c.class_id))])
    logged = select(v.class_names).where(v.dataset_id == dataset_id, v.class_names.is_not(None))
    return None if connection.scalar(logged.order_by(v.position.desc()).limit(1)) == names else names


def _enter_changes(connection: Connection, here: dict[str, int], found: VersionDiff) -> None:
    counts = [_counts(found.tally, policy) for policy in found.tally.policies]
    if telling := [here | row for row in counts if row["added"] or row["removed"] or row["relabelled"]]:
        connection.execute(insert(change_counts), telling)
    if found.kept:
        connection.execute(insert(changes), [here | row for row in found.kept])


def _counts(tally: ChangeTally, policy: Policy) -> dict[str, Any]:
    counts = tally.counts(policy)
    return {
        "agreement": policy.agreement,
        "multi_label": policy.multi_label.value,
        "neither": policy.neither.value,
        "non_agreement": policy.non_agreement.value,
        "unreviewed": policy.unreviewed.value,
        "added": counts.added,
        "removed": counts.removed,
        "relabelled": counts.relabelled,
    }


def _forget(connection: Connection, dataset_id: int, newest: int) -> None:
    """Keep only the number of changed examples for the version at position ``newest`` and for older ones."""
    c, v = changes.c, versions.c
    connection.execute(delete(changes).where(c.dataset_id == dataset_id, c.position <= newest))
    connection.execute(update(versions).where(v.dataset_id == dataset_id, v.position <= newest).values(n_kept=0))


@contextmanager
def _opened(former: Path) -> Iterator[Connection | None]:
    """The catalogue that is being replaced; None if there is none of this version."""
    if not former.is_file():
        yield None
        return
    engine = reading_engine(former)
    try:
        with engine.connect() as connection:
            yield connection if _has_this_schema(connection) else None
    finally:
        engine.dispose()


def _has_this_schema(connection: Connection) -> bool:
    m = tables.meta.c
    try:
        found = connection.scalar(select(m.value).where(m.key == "schema_version"))
    except DatabaseError:
        return False
    return bool(found == str(tables.SCHEMA_VERSION))
