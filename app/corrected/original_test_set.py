"""Facts about a test set before correction: names, label sets, versions, sources, licence.

Nothing here depends on a policy.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from app.corrected.confirmation import SourceName
from app.schema import tables
from app.schema.held_back import HeldBack, content_version
from app.schema.opinions import confidence_reports, opinion_sources
from app.schema.why_no_confidence import why_no_confidence


class NotLoadedError(LookupError):
    """What was asked for depends on files that the catalogue was built without; the message says on which."""


@dataclass(frozen=True, eq=False)
class TestSet:
    """A dataset of a catalogue whose given labels are known."""

    __test__ = False  # no test, whatever its name makes pytest think

    id: int
    name: str
    title: str
    modality: str
    size: int
    class_names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]  # label id -> class ids, ascending
    agreements: tuple[int, ...]
    raters: int
    flags_known: bool  # every example that confident learning flagged is an issue of the catalogue
    version: str  # of what is here: of the dataset, or of what is left where examples are held back
    built_at: str
    about: Mapping[str, Any]
    sources: tuple[Mapping[str, Any], ...]
    opinions: tuple[SourceName, ...] = ()
    questions_known: bool = False  # its examples are questions, and all of them stand in the catalogue
    no_confidence: str | None = None  # why its corrections have no confidence; None where they have

    @cached_property
    def multi_label(self) -> bool:
        """True where some example carries a set of labels that is not one class."""
        return any(len(classes) != 1 for classes in self.members)

    @property
    def held_back(self) -> HeldBack | None:
        """What open rounds hold back of it; None where it is whole."""
        return HeldBack.of(self.about)

    @property
    def licence(self) -> str:
        """Name and, where there is one, address of the licence."""
        licence = self.about.get("licence") or {}
        return " ".join(str(licence[key]) for key in ("name", "url") if licence.get(key))

    @cached_property
    def members_csr(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Offsets (n_labels + 1,) and class ids: those of label i are ``ids[offsets[i]:offsets[i + 1]]``."""
        return csr(self.members)


def csr(members: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Lists of numbers as offsets and one flat array.

    >>> csr(((1,), (), (2, 3)))
    (array([0, 1, 1, 3]), array([1, 2, 3], dtype=int32))
    """
    offsets = np.zeros(len(members) + 1, dtype=np.int64)
    np.cumsum([len(classes) for classes in members], out=offsets[1:])
    flat = np.array([c for classes in members for c in classes], dtype=np.int32)
    return offsets, flat


def load(connection: Connection, name: str) -> TestSet:
    """The test set of a name. Raises LookupError without one, and NotLoadedError where its labels are not known."""
    d, c, s = tables.datasets.c, tables.classes.c, tables.sources.c
    facts = select(d.id, d.title, d.modality, d.size, d.labels_known, d.n_flagged, d.n_issues, d.agreements, d.raters)
    row = connection.execute(facts.add_columns(d.version, d.built_at, d.about).where(d.name == name)).one_or_none()
    if row is None:
        names = ", ".join(connection.scalars(select(d.name).order_by(d.position)))
        raise LookupError(f"there is no dataset {name[:80]!r} in this catalogue; it holds {names or 'none'}")
    if not row.labels_known or row.size is None:
        raise NotLoadedError(
            f"The given labels of {row.title} are not in this catalogue, so its corrected test set cannot be written. "
            "Load the dataset again with its labels file beside the verdicts."
        )
    about = json.loads(row.about)
    held = HeldBack.of(about)
    n_held = 0 if held is None else held.examples
    issues = tables.issues.c
    in_sources = select(s.path, s.role, s.sha256, s.bytes).where(s.dataset_id == row.id).order_by(s.path)
    known = connection.execute(
        select(issues.id).where(issues.dataset_id == row.id, issues.flagged.is_(True)).limit(1)
    ).first()
    return TestSet(
        id=row.id,
        name=name,
        title=row.title,
        modality=row.modality,
        size=row.size,
        class_names=tuple(connection.scalars(select(c.name).where(c.dataset_id == row.id).order_by(c.class_id))),
        members=_members(connection, row.id),
        agreements=tuple(json.loads(row.agreements)),
        raters=row.raters,
        flags_known=row.n_flagged == 0 or (known is not None and (row.n_flagged or 0) <= row.n_issues),
        version=content_version(row.version, held),
        built_at=row.built_at,
        about=about,
        sources=tuple(
            {"path": source.path, "role": source.role, "sha256": source.sha256, "bytes": source.bytes}
            for source in connection.execute(in_sources)
        ),
        opinions=_opinions(connection, row.id),
        questions_known=row.modality == "question" and _n_questions(connection, row.id) == row.size - n_held,
        no_confidence=_no_confidence(connection, row.id, row.title),
    )


def _n_questions(connection: Connection, dataset_id: int) -> int:
    m = tables.media.c
    which = (m.dataset_id == dataset_id, m.kind == "question")
    return connection.scalar(select(func.count()).select_from(tables.media).where(*which)) or 0


def _no_confidence(connection: Connection, dataset_id: int, title: str) -> str | None:
    c = confidence_reports.c
    text = connection.scalar(select(c.results).where(c.dataset_id == dataset_id))
    report = {} if text is None else json.loads(text)
    return None if report.get("method") else why_no_confidence(title, report.get("why_not"))


def _opinions(connection: Connection, dataset_id: int) -> tuple[SourceName, ...]:
    o = opinion_sources.c
    rows = connection.execute(select(o.name, o.independent).where(o.dataset_id == dataset_id).order_by(o.position))
    return tuple(SourceName(name, bool(independent)) for name, independent in rows)


def _members(connection: Connection, dataset_id: int) -> tuple[tuple[int, ...], ...]:
    found = tables.label_sets.c
    rows = connection.execute(
        select(found.label_id, found.members).where(found.dataset_id == dataset_id).order_by(found.label_id)
    ).all()
    if [row.label_id for row in rows] != list(range(len(rows))):
        raise ValueError(f"the label sets of dataset {dataset_id} are not numbered 0, 1, 2, ...")
    return tuple(tuple(json.loads(row.members)) for row in rows)
