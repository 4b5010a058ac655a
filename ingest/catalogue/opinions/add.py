"""Add second opinions to a dataset of a catalogue, or carry those over that it had.

An opinion replaces one of the same name. Everything else stays.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, update

from app.evaluation.opinions.opinions_store import OpinionSource, packed_opinion
from app.evaluation.predictions_store import (
    MeasurableDataset,
    NotMeasurableError,
    read_keys,
    read_models,
    read_subject,
)
from app.schema import tables
from app.schema.opinions import opinion_sources
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.change_log import enter_versions
from ingest.catalogue.opinions.restate import restate
from ingest.catalogue.opinions.store_confidence import store_confidence
from ingest.catalogue.opinions.store_controls import store_controls
from ingest.datasets.facts import compact
from ingest.errors import CatalogueError, DataError, MissingFileError
from ingest.git_pointers import refuse_pointers
from ingest.labels.opinions.entries import read_entries
from ingest.labels.opinions.found import FoundOpinion
from ingest.labels.opinions.join import Examples, join
from ingest.progress import Progress

_TOLD: Final = ("citation", "bibtex", "licence", "licence_url", "redistributable", "homepage", "url", "caveats")


@dataclass(frozen=True)
class Added:
    """What a catalogue now holds of an opinion. ``other_file`` says that it is not the one its manifest names."""

    dataset: str
    title: str
    covered: int
    of: int
    agreeing: float
    other_file: bool

    def __str__(self) -> str:
        said = f"{self.dataset}: {self.title} on {self.covered:,} of {self.of:,} examples; it holds the given label of"
        other = "; the file is not the published one, by its SHA-256" if self.other_file else ""
        return f"{said} {self.agreeing:.1%}{other}"


def add_to_catalogue(name: str, found: FoundOpinion, catalogue: Path, *, wait: float, progress: Progress) -> Added:
    """Read an opinion on a dataset of a catalogue.

    Raises IngestError, naming the file and the entry; the catalogue is then unchanged.
    """
    if not catalogue.is_file():
        finding = "expected a catalogue that holds the dataset already, found none; ingest the dataset first"
        raise MissingFileError(catalogue, finding)
    with replacing_catalogue(catalogue, [], wait=wait, say=progress.say) as connection:
        added = add(connection, name, found)
        dataset_id = restate(connection, name, fresh=False)
        store_confidence(connection, dataset_id)
        subject = read_subject(connection, name)
        store_controls(connection, subject, read_models(connection, dataset_id), progress)
        built_at = datetime.now(UTC).isoformat(timespec="seconds")
        here = tables.datasets.c.id == dataset_id
        connection.execute(update(tables.datasets).where(here).values(built_at=built_at))
        enter_versions(connection, catalogue, [name], progress)
    return added


def add(connection: Connection, name: str, found: FoundOpinion) -> Added:
    """Read an opinion into an open catalogue; ``restate`` is still to be called."""
    manifest, path = found
    if manifest.dataset not in (None, name):
        raise DataError(path, f"expected an opinion on {name}, found one on {manifest.dataset} ({manifest.title})")
    if not path.is_file():
        raise MissingFileError(path, f"expected the file of {manifest.title}, found none")
    refuse_pointers([path])
    try:
        subject = read_subject(connection, name)
    except NotMeasurableError as error:
        raise CatalogueError(f"{path}: {error}") from error
    entries = read_entries(path, manifest, subject.class_names)
    joined = join(path, manifest, entries, Examples(subject.given, read_keys(connection, subject), subject.class_names))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    about = {key: getattr(manifest, key) for key in _TOLD} | {"least_agreeing": manifest.check.agreement}
    source = OpinionSource(
        position=0,
        name=manifest.name,
        title=manifest.title,
        independent=manifest.independent,
        about=about,
        sha256=digest,
        covered=int(joined.opinion.speaks.sum()),
        agreeing=joined.agreeing,
        opinion=joined.opinion,
    )
    _insert(connection, subject.id, source)
    other_file = manifest.sha256 not in (None, digest)
    return Added(name, manifest.title, source.covered, len(subject.given), source.agreeing, other_file)


def bring_in(
    connection: Connection,
    name: str,
    former: Sequence[OpinionSource],
    found: Sequence[FoundOpinion],
    progress: Progress,
) -> None:
    """Give a dataset that was ingested again its ``former`` opinions, as far as they fit, and those of its manifest."""
    if not former and not found:
        return
    named = {manifest.name for manifest, _ in found}
    try:
        subject = read_subject(connection, name)
    except NotMeasurableError as error:
        if found:
            raise CatalogueError(f"{found[0][1]}: {error}") from error
        progress.say(f"{name}: its {len(former)} second opinions are gone. {error}")
        return
    for source in former:
        if source.name in named:
            continue
        if not _fits(source, subject):
            progress.say(f"{name}: the opinion {source.title} no longer fits its labels, and is gone")
            continue
        _insert(connection, subject.id, source)
    for one in found:
        progress.say(str(add(connection, name, one)))
    restate(connection, name, fresh=True)


def _fits(source: OpinionSource, subject: MeasurableDataset) -> bool:
    """Whether an opinion passes its own check with the labels of a new version."""
    opinion = source.opinion
    if len(opinion) != len(subject.given) or int(opinion.classes.max(initial=0)) >= len(subject.class_names):
        return False
    indices = np.flatnonzero(opinion.speaks)
    agreeing = opinion.holds(indices, subject.given[indices]).mean() if len(indices) else 0.0
    return bool(agreeing >= source.about["least_agreeing"])


def _insert(connection: Connection, dataset_id: int, source: OpinionSource) -> None:
    c = opinion_sources.c
    here = (c.dataset_id == dataset_id, c.name == source.name)
    position = connection.scalar(select(c.position).where(*here))
    if position is None:
        most = connection.scalar(select(func.max(c.position)).where(c.dataset_id == dataset_id))
        position = 0 if most is None else most + 1
    connection.execute(delete(opinion_sources).where(*here))
    row = {
        "dataset_id": dataset_id,
        "position": position,
        "name": source.name,
        "title": source.title,
        "independent": source.independent,
        "about": compact(source.about),
        "sha256": source.sha256,
        "covered": source.covered,
        "agreeing": source.agreeing,
    }
    connection.execute(insert(opinion_sources), [row | packed_opinion(source.opinion)])
