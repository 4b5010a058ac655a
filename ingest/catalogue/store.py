"""Store one dataset in the open catalogue, replacing its previous contents and leaving other datasets alone."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, exists, func, insert, select, text, update

from app.evaluation.opinions.opinions_store import read_sources
from app.evaluation.predictions_store import Model, read_models
from app.schema import slice_tables, tables
from app.schema.facet_tables import facets, unreviewed
from app.schema.opinions import guesses
from app.schema.tables import issue_id
from app.schema.votes import votes
from ingest.catalogue import rows, slice_rows
from ingest.catalogue.columns import insert_columns
from ingest.catalogue.facet_rows import facet_columns, unreviewed_rows
from ingest.catalogue.issue_rows import IssueRows, verdict_rows, vote_rows
from ingest.catalogue.issue_table import insert_issues
from ingest.catalogue.models import StoredModels, carry_over
from ingest.catalogue.opinions.add import bring_in
from ingest.catalogue.opinions.store_confidence import store_confidence
from ingest.catalogue.replace import remove, restore
from ingest.catalogue.reviews.rater_agreement import measure_agreement
from ingest.datasets.build import Build, version
from ingest.datasets.exemplars import Exemplar
from ingest.datasets.facts import compact
from ingest.datasets.fingerprints import each_once
from ingest.datasets.media import (
    NOT_AT_HAND,
    NOT_FOUND,
    KeptMedia,
    MediaFor,
    asked_for,
    find_media,
    media_rows,
    media_sources,
    named_by_files,
    not_read,
    report,
    unread_report,
)
from ingest.datasets.media_alignment import notes as notes_of
from ingest.datasets.media_alignment import require_paired
from ingest.labels.opinions.found import FoundOpinion
from ingest.media import LabelMismatchError, MediaError, MediaProblem, MediaSource, NoMediaError
from ingest.media.wanted import WantedExamples
from ingest.progress import Progress

_ROWS_AT_A_TIME = 2_000
#: Packed labels of 65,536 examples each: a hundred kilobytes, or more with keys.
_BLOCKS_AT_A_TIME = 16

_WAYS_OUT = "say where they are with --media, or --drop-media to have it without them"

# Full-text tables have no construct in SQLAlchemy; the values are bound.
_INSERT_ISSUE_SEARCH = text("INSERT INTO issue_search (rowid, body) VALUES (:rowid, :body)")
_INSERT_CLASS_SEARCH = text("INSERT INTO class_search (rowid, name) VALUES (:rowid, :name)")


@dataclass(frozen=True)
class Media:
    """How many issues, and how many exemplars, have a medium now."""

    issues: int = 0
    exemplars: int = 0


@dataclass(frozen=True)
class Stored:
    """What was written for one dataset."""

    build: Build
    media: Media
    problems: tuple[MediaProblem, ...]
    missing: tuple[str, ...]
    spare: int = 0  # media files not used because the same example has a better one
    replaced: str | None = None  # the title of a replaced dataset of the same name
    unread: MediaError | None = None  # why none of its media could be read
    kept: bool = False  # for that reason, the previous dataset was kept with its media
    notes: tuple[str, ...] = ()  # remarks about the matching of media and labels
    rounds: tuple[str, ...] = ()  # rounds of reviews whose votes the replaced dataset had, and this one has not
    models: tuple[StoredModels, ...] = ()  # the result for the models that came with it


def store(
    connection: Connection,
    build: Build,
    media: Path | None,
    former: Path,
    progress: Progress,
    *,
    drop: bool = False,
    media_for: MediaFor = "all",
    opinions: Sequence[FoundOpinion] = (),
) -> Stored:
    """Replace one dataset in the catalogue by what was built, with media from a folder if there is one.

    ``media_for`` says whose media these are.

    If the media cannot be read at all, the dataset is stored without them. But if it had media before, it is restored
    from ``former``, the catalogue being replaced: good pictures are not lost because a download failed or the folder
    was not given, unless they are to be dropped.
    """
    return _DatasetWriter(connection, build, progress, media_for, opinions).store(media, former, drop=drop)


def cache_beside(connection: Connection) -> Path | None:
    """The folder beside the catalogue for results that took long to compute; None if the catalogue is not a file."""
    database = connection.engine.url.database
    return None if database is None else Path(database).parent / "media-cache"


def _gone(before: Any, title: str) -> dict[str, Any]:
    """What is told of the dataset that is replaced: its title if it had another, and the rounds of reviews it had."""
    rounds = json.loads(before.about).get("rounds") or ()
    return {"replaced": before.title if before.title != title else None, "rounds": tuple(one["name"] for one in rounds)}


class _DatasetWriter:
    def __init__(
        self,
        connection: Connection,
        build: Build,
        progress: Progress,
        media_for: MediaFor,
        opinions: Sequence[FoundOpinion],
    ) -> None:
        self._connection = connection
        self._build = build
        self._progress = progress
        self._media_for = media_for
        self._opinions = opinions
        self._name = build.inputs.manifest.name
        self._keyed = build.inputs.keys is not None  # by something other than the media, which are then found by key
        self._id = self._dataset_id()

    def store(self, folder: Path | None, former: Path, *, drop: bool) -> Stored:
        models = read_models(self._connection, self._id)
        d = tables.datasets.c
        before = self._connection.execute(select(d.title, d.about).where(d.id == self._id)).one_or_none()
        gone = {} if before is None else _gone(before, self._build.inputs.manifest.title)
        had_media = self._connection.scalar(select(exists().where(tables.media.c.dataset_id == self._id)))
        missing, unnamed = list(self._build.inputs.missing), self._build
        try:
            media = find_media(self._build.inputs, folder, missing, cache_beside(self._connection))
            if had_media and not drop and not {NOT_AT_HAND, NOT_FOUND}.isdisjoint(missing):
                finding = f"expected the media that the catalogue has of {self._name}, found none ({_WAYS_OUT})"
                return self._kept(NoMediaError(folder or "--media", finding))
            self._build = replace(self._build, inputs=named_by_files(self._build.inputs, media, missing))
            return replace(self._write(folder, media, missing, models), **gone)
        except LabelMismatchError:
            raise
        except MediaError as error:
            if had_media and not drop:
                restore(self._connection, former, self._id)
                return self._kept(error)
            self._build = unnamed
            missing = [*self._build.inputs.missing, not_read(error, folder)]
            return replace(self._write(folder, None, missing, models, error), **gone, unread=error)

    def _kept(self, error: MediaError) -> Stored:
        return Stored(self._build, Media(), (), (), unread=error, kept=True)

    def _write(
        self,
        folder: Path | None,
        media: MediaSource | None,
        missing: list[str],
        models: Sequence[Model],
        unread: MediaError | None = None,
    ) -> Stored:
        """Replace all rows of the dataset; without media if these are ``unread``."""
        build, dataset_id = self._build, self._id
        opinions = read_sources(self._connection, dataset_id)
        remove(self._connection, dataset_id)
        sources = list(build.inputs.sources)
        if media is not None and folder is not None:
            sources += media_sources(media, folder)
        sources = each_once(sources, "media" if folder is None else folder.resolve().name)
        built_at = datetime.now(UTC).isoformat(timespec="seconds")
        dataset = rows.dataset_row(build, dataset_id, missing, version(build, sources), built_at)
        self._insert(tables.datasets, [dataset])
        self._insert(tables.sources, rows.source_rows(sources, dataset_id))
        self._insert(tables.classes, rows.class_rows(build, dataset_id))
        self._insert(tables.label_sets, rows.label_set_rows(build, dataset_id))
        self._insert(tables.joint_cells, rows.joint_rows(build, dataset_id))
        self._insert(tables.examples, rows.example_rows(build, dataset_id), at_a_time=_BLOCKS_AT_A_TIME)
        self._insert(guesses, rows.guess_rows(build, dataset_id))
        for block in facet_columns(build, dataset_id):
            insert_columns(self._connection, facets, block)
        self._insert(unreviewed, unreviewed_rows(build.issues, dataset_id))
        self._execute(_INSERT_CLASS_SEARCH, rows.class_search_rows(build, dataset_id))
        if unread is not None:
            self._tell(unread_report(len(build.issues), not_read(unread, folder)))
        exemplars = {} if media is None else self._build.exemplars
        shown = self._media(media, exemplars)
        self._insert(tables.exemplars, rows.exemplar_rows(exemplars, dataset_id, shown))
        with self._progress.task(f"{self._name}: issues", len(build.issues), "rows") as advance:
            insert_issues(self._connection, IssueRows(build, dataset_id).blocks(shown), advance)
        self._insert(votes, vote_rows(build, dataset_id))
        self._insert(tables.verdicts, verdict_rows(build, dataset_id))
        self._insert(slice_tables.issue_slices, slice_rows.issue_slice_rows(build, dataset_id))
        self._insert(slice_tables.example_slices, slice_rows.example_slice_rows(build, dataset_id))
        slice_rows.store_slice_counts(self._connection, build)
        measure_agreement(self._connection, dataset_id)
        bring_in(self._connection, self._name, opinions, self._opinions, self._progress)
        store_confidence(self._connection, dataset_id)
        carry_over(self._connection, self._name, models, self._progress)
        n_issues = sum(index in build.issues.positions for index in shown.sizes)
        counted = Media(n_issues, 0 if build.inputs.benchmark is not None else len(shown.sizes) - n_issues)
        answers = build.inputs.answers
        notes = () if media is None else notes_of(media, build.inputs)
        notes += () if answers is None else (answers.sentence(),)
        return Stored(build, counted, tuple(shown.problems), tuple(missing), shown.spare, notes=notes)

    def _dataset_id(self) -> int:
        """Its id if the catalogue has it, else the next one."""
        known = self._connection.scalar(select(tables.datasets.c.id).where(tables.datasets.c.name == self._name))
        if known is not None:
            return int(known)
        return int(self._connection.scalar(select(func.coalesce(func.max(tables.datasets.c.id), 0))) or 0) + 1

    def _media(self, media: MediaSource | None, exemplars: Mapping[int, Sequence[Exemplar]]) -> KeptMedia:
        """Write media and the texts to search in one pass over the source, and return the result."""
        shown = KeptMedia()
        if media is not None:
            self._store_media(media, {exemplar.index for chosen in exemplars.values() for exemplar in chosen}, shown)
        self._search_keys(shown)
        return shown

    def _store_media(self, media: MediaSource, beside: set[int], shown: KeptMedia) -> None:
        inputs, issues = self._build.inputs, self._build.issues
        texts, n_shown, n_bytes = dict[int, str](), 0, 0

        def search(index: int, body: str) -> None:
            if index in issues.positions:
                texts[index] = body
                if inputs.evidence is not None:
                    shown.spans[index] = compact(inputs.evidence.spans(index, body, *self._labels(index)))

        asked = asked_for(issues, self._media_for)
        if inputs.benchmark is not None and self._media_for == "all":
            beside = set(range(inputs.size or 0)).difference(asked.tolist())  # a corrected benchmark needs them all
        indices = np.union1d(asked, np.array(sorted(beside), np.int64))
        wanted = WantedExamples(indices, inputs.keys if self._keyed else None)
        with self._progress.task(f"{self._name}: media", len(wanted), "examples") as advance:
            for batch in _batches(media_rows(media, wanted, self._id, shown, search), 200):
                self._insert(tables.media, batch)
                n_bytes += sum(len(row["bytes"]) for row in batch)
                advance(len(shown.sizes) - n_shown)
                n_shown = len(shown.sizes)
                self._search_texts(texts)
                texts.clear()
        require_paired(media, wanted, shown.problems)
        some = {} if self._media_for == "all" else {"asked": len(asked), "asked_for": self._media_for}
        self._tell(report(shown, issues.positions, beside, n_bytes) | some)

    def _tell(self, report: Mapping[str, Any]) -> None:
        here = tables.datasets.c.id == self._id
        self._connection.execute(update(tables.datasets).where(here).values(media_report=compact(report)))

    def _labels(self, index: int) -> tuple[int, int]:
        """The given and the guessed label of an issue."""
        issues = self._build.issues
        position = issues.positions[index]
        return int(issues.given[position]), int(issues.guessed[position])

    def _search_texts(self, texts: Mapping[int, str]) -> None:
        keys, positions = self._build.inputs.keys, self._build.issues.positions
        found = (
            (positions[index], f"{body} {'' if keys is None else keys[index]}".strip()) for index, body in texts.items()
        )
        # In order of ids: after a smaller one, SQLite writes out all it holds.
        self._execute(_INSERT_ISSUE_SEARCH, [_searched(self._id, *one) for one in sorted(found) if one[1]])

    def _search_keys(self, shown: KeptMedia) -> None:
        """The issues that have a name of their own, and no text that was searched with it."""
        keys, issues = self._build.inputs.keys, self._build.issues
        if keys is None:
            return
        for start in range(0, len(issues), _ROWS_AT_A_TIME):
            listed = enumerate(issues.indices[start : start + _ROWS_AT_A_TIME].tolist(), start)
            found = ((position, keys[index].strip()) for position, index in listed if index not in shown.excerpts)
            self._execute(_INSERT_ISSUE_SEARCH, [_searched(self._id, *one) for one in found if one[1]])

    def _insert(self, table: Table, values: Iterable[rows.Row], at_a_time: int = _ROWS_AT_A_TIME) -> None:
        self._execute(insert(table), values, at_a_time)

    def _execute(self, statement: Any, values: Iterable[rows.Row], at_a_time: int = _ROWS_AT_A_TIME) -> None:
        for batch in _batches(values, at_a_time):
            self._connection.execute(statement, batch)


def _searched(dataset_id: int, position: int, body: str) -> rows.Row:
    return {"rowid": issue_id(dataset_id, position), "body": body}


def _batches(values: Iterable[rows.Row], size: int) -> Iterator[list[rows.Row]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
