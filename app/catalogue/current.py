"""The current catalogue, opened read-only and replaced without a restart or a failed request.

A request uses one catalogue from start to end; the next request notices a renamed file. A file that is unreadable,
incomplete or of another schema version is refused with the reason, and the previous catalogue stays in use. If a
catalogue is modified in place, only cached answers are served until the file is complete again.
"""

import copy
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request

from app.catalogue.access import is_public
from app.catalogue.cache import Answers, Cache, visitors_caches
from app.catalogue.open_file import CatalogueFile, CatalogueReplacedError, UnreadableCatalogueError, budget_of
from app.catalogue.records import ClassInfo, Dataset, Label, Source
from app.catalogue.rounds.shown import Shown
from app.catalogue.rounds.withheld import Watch, Withheld, digest_of, withhold
from app.catalogue.shape_check import require_sound
from app.domain.review.verdicts import Category
from app.errors import CatalogueChanging, NoCatalogue
from app.evaluation.opinions.confidence_infos import NO_CONFIDENCE, confidence_by_dataset
from app.evaluation.opinions.opinion_infos import NO_OPINIONS, opinions_by_dataset
from app.schema import prediction_report, tables
from app.schema.engine import FileState
from app.schema.facet_tables import category_counts, facets

log = logging.getLogger(__name__)

MAKE_ONE = "Make one with `label-errors sample` or `label-errors release DIR`."

#: Files that are opened in a row while one after another is put in the catalogue's place.
_TRIES = 3
#: Bytes of pictures, texts and snippets kept in memory: those that many look at, not all there are.
_MEDIA_KEPT = 32 << 20


class Catalogue:
    """One catalogue file, open, with the small facts of all its datasets in memory."""

    def __init__(self, path: Path, copied_over: str | None = None, withheld: Withheld = ()) -> None:
        """Open the file at a path. ``copied_over`` is the version that lay in this very file before, if one did.

        ``withheld`` are examples that are not in it for who reads this object, which must have been opened once whole.

        Raises OSError, NoCatalogue, UnreadableCatalogueError or what SQLite raises for a file that cannot be served.
        """
        self.path = path
        self.file = CatalogueFile(path, partial(withhold, withheld=withheld) if withheld else None)
        # Short reads happen on the event loop, one after another: one open connection serves them all. It stays with
        # the file it opened, whatever is renamed over it.
        self.connection: Connection = self.file.connection().execution_options(isolation_level="AUTOCOMMIT")
        self.brief = budget_of(self.connection)  # bounded while the event loop reads
        facts = _meta(self.connection, path)
        if copied_over not in (None, facts["version"]):
            self.file.require_pages(self.connection)
        if not withheld:
            require_sound(self.connection)
        self.version = self.file_version = facts["version"]
        if withheld:
            self.version += f"-without-{digest_of(withheld)}"
        self.written_at = facts["written_at"]
        said, sure = opinions_by_dataset(self.connection), confidence_by_dataset(self.connection)
        self.datasets: Mapping[str, Dataset] = {
            d.name: replace(d, opinions=said.get(d.id, NO_OPINIONS), confidence=sure.get(d.id, NO_CONFIDENCE))
            for d in _datasets(self.connection)
        }
        self.statements, self.cells, self.facets, self.galleries = visitors_caches()
        self.pages = Cache(1_000)  # of the catalogue and its datasets, not of what visitors make up
        self.corrected = Cache(200, 64 << 20)
        self.checksums = Cache(2_000)
        self.blocks = Cache(8)
        self.keys = Cache(20)
        self.media = Answers(_MEDIA_KEPT)
        self.file.keep_connections()
        if not self.file.intact():
            raise UnreadableCatalogueError("expected a file that stays as it is, found one that is being written")

    def open(self) -> Connection:
        """A connection of its own for long reads in other threads, to be closed by the caller.

        Raises CatalogueReplacedError when none is kept and a newer file has taken this one's place.
        """
        return self.file.connection()

    def require_intact(self) -> None:
        """Raises BeingReplaced when somebody has written to the file, so that what was read may be of two files."""
        if not self.file.intact():
            raise CatalogueChanging

    def over(self, connection: Connection) -> Self:
        """The same catalogue, read over another connection in another thread."""
        read = copy.copy(self)
        read.connection = connection
        return read

    def restricted(self) -> Self:
        """The same catalogue for everyone: its datasets show only what their licences allow."""
        public = copy.copy(self)
        public.version = f"{self.version}-public"
        public.datasets = {name: replace(dataset, restricted=True) for name, dataset in self.datasets.items()}
        public.statements, public.cells, public.facets, public.galleries = (
            visitors_caches()
        )  # whole texts were searched
        public.pages = Cache(1_000)  # none of these is kept of the whole: whole texts were searched
        return public


class CurrentCatalogue:
    """The catalogue at a path, whichever file that is by now."""

    def __init__(self, path: Path, watch: Watch = tuple) -> None:
        self.path = path
        self._opening = threading.Lock()
        self._seen: FileState | None = None
        self._catalogue: Catalogue | None = None
        self._shown = Shown(watch, partial(Catalogue, path, None))
        self._refusal = f"There is no catalogue at {path}. {MAKE_ONE}"

    async def renew(self) -> None:
        """Open the file at the path if it is another one than before, in another thread."""
        if self._another() is not None or self._shown.outdated(self._catalogue):
            await anyio.to_thread.run_sync(self._renew)

    def get(self, *, public: bool = False) -> Catalogue:
        """The newest catalogue that can be read, whole or for everyone. Raises NoCatalogue when there was never one."""
        self._renew()
        return self.opened(public=public)

    def opened(self, *, public: bool = False) -> Catalogue:
        """The same, as of when somebody looked last: for who did so a moment ago with ``renew``."""
        if self._catalogue is None:
            raise NoCatalogue(self._refusal)
        return self._shown.get(public=public)

    def whole(self, *, public: bool = False) -> Catalogue:
        """The newest catalogue with what open rounds withhold: for raters' own tasks, and for the owner."""
        self._renew()
        if self._catalogue is None:
            raise NoCatalogue(self._refusal)
        return self._shown.whole(self._catalogue, public=public)

    def _another(self) -> FileState | None:
        found = FileState.at(self.path)
        return None if found == self._seen else found

    def _renew(self) -> None:
        found = self._another()
        outdated = self._shown.outdated(self._catalogue)
        # While one opens the new file, the others go on with the old one, unless some of it is to be withheld by now.
        blocking = outdated or self._catalogue is None
        if (found is None and not outdated) or not self._opening.acquire(blocking=blocking):
            return
        try:
            for _ in range(_TRIES):
                if found is None or found == self._seen:
                    return
                try:
                    self._open(found)
                except CatalogueReplacedError:
                    # Yet another one has taken its place: that one is opened instead, now or for the next who asks.
                    self._refusal = f"{self.path} is being replaced; try again in a few seconds."
                    found = self._another()
                else:
                    self._seen = found
                    return
        finally:
            self._shown.renew(self._catalogue)
            self._opening.release()

    def _open(self, found: FileState) -> None:
        former = self._catalogue
        same_file = former is not None and former.file.state[:2] == found[:2]
        try:
            self._catalogue = Catalogue(self.path, former.version if former is not None and same_file else None)
        except CatalogueReplacedError:
            raise
        except NoCatalogue as error:
            self._refusal = error.detail
            log.error("%s", error.detail)
        except Exception as error:
            why = str(error) if isinstance(error, UnreadableCatalogueError) else type(error).__name__
            self._refusal = f"{self.path} is not a catalogue that can be read ({why}). {MAKE_ONE}"
            log.error("%s: %s", self._refusal, error)


def current(request: Request) -> Catalogue:
    """The catalogue that answers this request."""
    catalogue: Catalogue | None = getattr(request.state, "catalogue", None)
    if catalogue is None:
        catalogue = request.state.catalogue = request.app.state.catalogue.opened(public=is_public(request.scope))
        catalogue.require_intact()
    return catalogue


def _meta(connection: Connection, path: Path) -> dict[str, str]:
    facts = {row.key: row.value for row in connection.execute(select(tables.meta))}
    found = facts.get("schema_version")
    if found != str(tables.SCHEMA_VERSION):
        raise NoCatalogue(
            f"{path} has schema version {found}; this server reads version {tables.SCHEMA_VERSION}. "
            "Build it again with this version's `label-errors`."
        )
    return facts


def _datasets(connection: Connection) -> list[Dataset]:
    classes = _classes(connection)
    labels = _labels(connection, classes)
    categories = _categories(connection)
    flagged_checked = _flagged_checked(connection)
    sources: dict[int, list[Source]] = defaultdict(list)
    for row in connection.execute(select(tables.sources).order_by(tables.sources.c.path)):
        sources[row.dataset_id].append(Source(row.path, row.role, row.sha256, row.bytes))
    m = tables.models.c
    models: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(select(m.dataset_id, m.platform, m.name).order_by(m.platform, m.name)):
        models[row.dataset_id].append(f"{row.platform}/{row.name}")
    rows = connection.execute(select(tables.datasets).order_by(tables.datasets.c.position, tables.datasets.c.name))
    return [
        _dataset(
            row,
            classes[row.id],
            labels[row.id],
            categories[row.id],
            flagged_checked.get(row.id, 0),
            tuple(sources[row.id]),
            tuple(models[row.id]),
        )
        for row in rows
    ]


def _dataset(
    row: Row[Any],
    classes: dict[int, ClassInfo],
    labels: dict[int, Label],
    categories: dict[int, dict[Category, int]],
    n_flagged_checked: int,
    sources: tuple[Source, ...],
    models: tuple[str, ...],
) -> Dataset:
    return Dataset(
        id=row.id,
        name=row.name,
        title=row.title,
        position=row.position,
        modality=row.modality,
        sample=bool(row.sample),
        size=row.size,
        multi_label=any(len(label.classes) != 1 for label in labels.values()),
        labels_known=bool(row.labels_known),
        n_flagged=row.n_flagged,
        n_checked=row.n_checked,
        n_flagged_checked=n_flagged_checked,
        n_errors=row.n_errors,
        n_issues=row.n_issues,
        n_guesses_changed=row.n_guesses_changed,
        estimated_errors=row.estimated_errors,
        percent_error=row.percent_error,
        agreements=tuple(json.loads(row.agreements)),
        raters=row.raters,
        vote_options=tuple(json.loads(row.vote_options)),
        flag_rule=row.flag_rule,
        confident_learning=json.loads(row.confident_learning) if row.confident_learning else None,
        prediction_report=prediction_report.report_of(row.prediction_report),
        about=json.loads(row.about),
        missing=tuple(json.loads(row.missing)),
        version=row.version,
        built_at=row.built_at,
        classes=tuple(classes.values()),
        labels=labels,
        categories=categories,
        sources=sources,
        media_report=None if row.media_report is None else json.loads(row.media_report),
        models=models,
    )


def _classes(connection: Connection) -> dict[int, dict[int, ClassInfo]]:
    found: dict[int, dict[int, ClassInfo]] = defaultdict(dict)
    table = tables.classes
    in_order = select(table).order_by(table.c.dataset_id, table.c.class_id)
    for dataset_id, class_id, *facts in connection.execute(in_order):
        found[dataset_id][class_id] = ClassInfo(class_id, *facts)
    return found


def _labels(connection: Connection, classes: dict[int, dict[int, ClassInfo]]) -> dict[int, dict[int, Label]]:
    found: dict[int, dict[int, Label]] = defaultdict(dict)
    for dataset_id, label_id, members in connection.execute(select(tables.label_sets)):
        # Nearly all are single classes, of which there may be 70,000.
        ids = (label_id,) if members == f"[{label_id}]" else json.loads(members)
        found[dataset_id][label_id] = Label(label_id, tuple(map(classes[dataset_id].__getitem__, ids)))
    return found


def _categories(connection: Connection) -> dict[int, dict[int, dict[Category, int]]]:
    found: dict[int, dict[int, dict[Category, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(category_counts()):
        found[row.dataset_id][row.agreement][Category(row.category)] = row.n
    return found


def _flagged_checked(connection: Connection) -> dict[int, int]:
    """Dataset -> flagged issues that reviewers looked at; as many at every agreement threshold."""
    f = facets.c
    at = (f.dataset_id, f.agreement)
    rows = connection.execute(select(*at, func.sum(f.n).label("n")).where(f.flagged.is_(True)).group_by(*at))
    return {row.dataset_id: row.n for row in rows}
