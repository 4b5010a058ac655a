"""Run a whole ingest: load, build and write several datasets together, or none of them.

Everything is loaded and checked before the catalogue is modified. ``commands`` decides which datasets are ingested and
from where.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.change_log import enter_versions
from ingest.catalogue.guard.early_copy import EarlyCopy, begun_early
from ingest.catalogue.issue_table import create_indexes
from ingest.catalogue.models import add_found
from ingest.catalogue.store import Stored, store
from ingest.datasets.build import Build, build, for_storing
from ingest.datasets.load import load
from ingest.datasets.media import MediaFor
from ingest.datasets.model_folders import answering_models, find
from ingest.errors import MissingFileError
from ingest.flagging.executors import Executor, on_dask
from ingest.labels.opinions.found import FoundOpinion
from ingest.manifest.model import Manifest
from ingest.manifest.parse import DATASETS, read_manifests
from ingest.progress import Progress

__all__ = ["DATASETS", "IngestJob", "built", "jobs_of_release", "run"]


@dataclass(frozen=True)
class IngestJob:
    """One dataset to ingest, with its manifest and the places of its files."""

    manifest: Manifest
    folder: Path
    media: Path | None
    complete: bool  # every file that the manifest names must be there
    models: Path | None = None  # a folder of models' predictions for it
    drop_media: bool = False  # drop the media in the catalogue if none are found now
    media_for: MediaFor = "all"  # whose media are stored


def run(
    orders: Sequence[IngestJob], catalogue: Path, *, wait: float, progress: Progress, dask: str | None = None
) -> list[Stored]:
    """Ingest datasets into a catalogue: all of them, or none if one fails. With ``dask``, Dask's workers flag.

    Media that cannot be read at all do not make a dataset fail (see ``store.store``). Raises IngestError, naming file
    and record, also if nothing would be new for that reason; the catalogue is then unchanged.
    """
    if dask is not None:
        orders = [replace(order, folder=order.folder.absolute()) for order in orders]  # a worker may run elsewhere
        for name in (order.manifest.name for order in orders if order.manifest.labels == "multiple"):
            progress.say(f"{name}: sets of labels are flagged in this process, not on Dask")
    with begun_early(catalogue) as early:
        return _run(orders, catalogue, wait, progress, dask, early)


def _run(
    orders: Sequence[IngestJob],
    catalogue: Path,
    wait: float,
    progress: Progress,
    dask: str | None,
    early: EarlyCopy | None,
) -> list[Stored]:
    with nullcontext() if dask is None else on_dask(dask) as executor:
        builds = [(order, _for_storing(order, progress, executor)) for order in orders]
    models = [
        [*(find(order.models, order.manifest.name) if order.models else ()), *answering_models(found.inputs)]
        for order, found in builds
    ]
    names = [order.manifest.name for order in orders]
    with replacing_catalogue(catalogue, names, wait=wait, say=progress.say, early=early) as connection:
        stored = [_stored(connection, found, order, catalogue, progress) for order, found in builds]
        errors = [one.unread for one in stored if one.kept and one.unread is not None]
        if errors and len(errors) == len(stored):
            raise errors[0]
        create_indexes(connection)  # models and versions are looked up by them
        for place, found in enumerate(models):
            if stored[place].kept:
                continue
            stored[place] = replace(stored[place], models=tuple(add_found(connection, found, progress)))
        enter_versions(connection, catalogue, names, progress)
        return stored


def _for_storing(order: IngestJob, progress: Progress, executor: Executor | None) -> Build:
    return for_storing(built(order, progress, executor), exemplars=order.media is not None)


def _stored(connection: Connection, found: Build, order: IngestJob, catalogue: Path, progress: Progress) -> Stored:
    named = [FoundOpinion(one, order.folder / (one.file or "")) for one in order.manifest.opinions]
    opinions = [one for one in named if order.complete or one.path.is_file()]
    how: dict[str, Any] = {"drop": order.drop_media, "media_for": order.media_for, "opinions": opinions}
    return store(connection, found, order.media, catalogue, progress, **how)


def jobs_of_release(folder: Path, media: Path | None, names: Sequence[str]) -> list[IngestJob]:
    """The datasets of the release in a folder: those named, or all with a votes file.

    Raises MissingFileError if the folder does not exist, holds nothing of the release, or lacks a named dataset.
    """
    manifests = read_manifests(DATASETS)
    _require_folder(folder)
    if media is not None:
        _require_folder(media)
    if names:
        chosen = [manifest for manifest in manifests if manifest.name in names]
    else:
        chosen = [manifest for manifest in manifests if _is_there(manifest, folder)]
    if not chosen:
        raise MissingFileError(
            folder,
            "expected the release (a clone of github.com/cleanlab/label-errors, with its folder mturk/), found none of "
            f"its {len(manifests)} votes files, such as {manifests[0].files.votes}, and no questions of MMLU-Redux (a "
            "clone of github.com/aryopg/mmlu-redux)",
        )
    for manifest in chosen:
        if manifest.files.votes is not None and not _is_there(manifest, folder):
            raise MissingFileError(folder / manifest.files.votes, f"expected the votes of {manifest.name}, found none")
    return [IngestJob(manifest, folder, media, complete=False) for manifest in chosen]


def _is_there(manifest: Manifest, folder: Path) -> bool:
    """Whether a folder has what makes a release of a dataset: its votes, or its questions."""
    options = manifest.question_options
    if options is not None:
        return any(folder.glob(str(options.get("path", "*"))))
    return (folder / (manifest.files.votes or "")).is_file()


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise MissingFileError(folder, "expected a folder, found " + ("a file" if folder.exists() else "nothing"))


def built(order: IngestJob, progress: Progress, executor: Executor | None = None) -> Build:
    """What a catalogue would hold for a dataset, apart from media. Raises IngestError, naming file and record."""
    _require_folder(order.folder)
    return build(load(order.manifest, order.folder, progress, complete=order.complete, executor=executor))
