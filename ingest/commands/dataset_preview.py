"""Build a dataset without writing it, and collect what is wrong with it.

For datasets of the release, media are read completely but not decoded, because decoding takes long and most of the
files are well known. For a user's own dataset, each medium is decoded, for ``predict`` reads all; of very many, those
that would be stored and some of the others. The first examples are listed with their labels and files, because only the
user can tell whether these belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ingest.datasets.build import Build
from ingest.datasets.load import Inputs
from ingest.datasets.media import NOT_FOUND, find_media, named_by_files, workers_for
from ingest.datasets.media_alignment import notes, require_paired
from ingest.errors import IngestError, shown
from ingest.manifest.model import Manifest
from ingest.media import MediaError, MediaProblem, MediaSource, excerpt
from ingest.media.layouts.file_per_example import Members
from ingest.pipeline import IngestJob, built
from ingest.progress import Progress

#: The number of examples listed with their labels and files.
_FIRST: Final = 3
#: Media that are decoded, beside those of issues; of more examples these are evenly spaced.
_MOST_OPENED: Final = 10_000
_EXCERPT: Final = 60


@dataclass(frozen=True)
class DatasetPreview:
    """What a dataset would become, or what is wrong with it."""

    manifest: Manifest
    build: Build | None
    error: IngestError | None
    own: bool = False  # a user's own dataset, which must be complete
    media: bool = False  # its media were looked for, and are present and complete
    missing: tuple[str, ...] = ()  # which of its media would be missing
    notes: tuple[str, ...] = ()  # what was skipped
    problems: tuple[MediaProblem, ...] = ()  # examples whose media cannot be shown
    shown: tuple[int, int] | None = None  # issues that have a medium, of how many; None where none was decoded
    opened: tuple[int, int] | None = None  # examples whose medium could be decoded, of how many that was tried
    first: tuple[str, ...] = ()  # the first examples with their labels and files

    @property
    def wrong(self) -> bool:
        """Whether something is wrong, apart from what is merely absent."""
        damaged = any(not problem.absent for problem in self.problems)
        nothing = self.shown is not None and self.shown[0] == 0 < self.shown[1]
        return self.error is not None or damaged or nothing or self.lost

    @property
    def has_unread_media(self) -> bool:
        """Whether the manifest says how to read media, and that they may be shown, but none were looked for."""
        return not self.media and self.manifest.media is not None and self.manifest.licence.media != "none"

    @property
    def awaits_matrix(self) -> bool:
        """Whether it is a user's own dataset for which nothing was predicted or reviewed yet."""
        if self.build is None or not self.own:
            return False
        inputs = self.build.inputs
        files = inputs.manifest.files
        return inputs.labels is not None and not (
            files.pred_probs or files.pred_probs_of or files.predicted or files.votes
        )

    @property
    def lost(self) -> bool:
        """Whether media of a user's own dataset were looked for and not found."""
        return self.own and NOT_FOUND in self.missing


def check(orders: Sequence[IngestJob], progress: Progress) -> list[DatasetPreview]:
    """Load and build every dataset as an ingest would, and collect what is wrong with each. Writes nothing."""
    found = []
    for order in orders:
        try:
            found.append(_checked(order, progress))
        except IngestError as error:
            found.append(DatasetPreview(order.manifest, None, error))
    return found


def _checked(order: IngestJob, progress: Progress) -> DatasetPreview:
    build, missing = built(order, progress), list[str]()
    source = (
        None if order.media is None and not order.complete else find_media(build.inputs, order.media, missing, None)
    )
    checked = DatasetPreview(order.manifest, build, None, own=order.complete)
    if source is None:
        first = tuple(_first(build.inputs, None, {}, {})) if order.complete else ()
        return replace(checked, missing=tuple(missing), first=first)
    if not order.complete:
        for _ in source.items({}):
            pass
        return replace(checked, media=True, missing=tuple(missing))
    return _decoded(replace(checked, media=True), build, source, missing, progress)


def _decoded(
    checked: DatasetPreview, build: Build, source: MediaSource, missing: list[str], progress: Progress
) -> DatasetPreview:
    inputs = named_by_files(build.inputs, source, missing)
    keys, issues = build.inputs.keys, set(build.issues.indices.tolist())
    first = range(min(_FIRST, build.inputs.size or 0))
    size = build.inputs.size or 0
    wanted = {
        index: None if keys is None else keys[index]
        for index in sorted(issues.union(first, range(0, size, max(1, -(-size // _MOST_OPENED)))))
    }
    seen, beginnings, problems = set[int](), dict[int, str](), list[MediaProblem]()
    with progress.task(f"{build.inputs.manifest.name}: media", len(wanted), "examples") as advance:
        for item in source.items(wanted, workers_for(len(wanted))):
            if isinstance(item, MediaProblem):
                problems.append(item)
                continue
            advance(item.index not in seen)
            seen.add(item.index)
            if item.index in first and item.text is not None:
                beginnings[item.index] = excerpt(item.text, _EXCERPT)
    try:
        require_paired(source, wanted, problems)
    except MediaError as error:
        missing, problems = [*missing, str(error)], problems[:1]
    of_first = {index: wanted[index] for index in first}
    return replace(
        checked,
        missing=tuple(missing),
        notes=notes(source, build.inputs),
        problems=tuple(problems),
        shown=(len(issues & seen), len(issues)),
        opened=(len(seen), len(wanted)),
        first=tuple(_first(inputs, source, of_first, beginnings)),
    )


def _first(
    inputs: Inputs, source: MediaSource | None, wanted: dict[int, str | None], beginnings: dict[int, str]
) -> list[str]:
    if inputs.labels is None:
        return []
    files = source.files(wanted) if isinstance(source, Members) else {}
    lines = []
    for index in range(min(_FIRST, len(inputs.labels))):
        label = ", ".join(inputs.classes.names[class_id] for class_id in inputs.labels[index]) or "no class"
        key = None if inputs.keys is None else inputs.keys[index]
        told = [f"example {index}: {label}"]
        if source is not None:
            told.append(_file(source, index, files.get(index), key))
        elif key is not None:
            told.append(key)
        told += [shown(beginnings[index], _EXCERPT + 10)] if index in beginnings else []
        lines.append("; ".join(told))
    return lines


def _file(source: MediaSource, index: int, file: str | None, key: str | None) -> str:
    if isinstance(source, Members):
        return "no file" if file is None else file
    name = Path(source.sources[0]).name if source.sources else "its row"
    return f"{name}, {f'record {index}' if key is None else key}"
