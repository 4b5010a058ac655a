"""Find the media of a dataset's issues and exemplars and stream them into the catalogue.

If the medium of one example cannot be read, that is recorded and the others continue. The manifest decides whether
media may be stored at all; the server decides who may see stored ones. ``ingest.media`` does the reading.
"""

import gzip
import json
import os
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from ingest.datasets.clip_times import clips
from ingest.datasets.facts import compact
from ingest.datasets.fingerprints import Source
from ingest.datasets.load import Inputs
from ingest.datasets.media_alignment import require_same_examples
from ingest.datasets.suspects.issues import Integers, Issues
from ingest.datasets.unusual_values import MarkedRows
from ingest.errors import DataError, shown
from ingest.flagging.cores import available
from ingest.media import (
    CLIPPED,
    COUNTED,
    MediaCountError,
    MediaError,
    MediaItem,
    MediaProblem,
    MediaSource,
    Wanted,
    excerpt,
    fingerprint,
    open_media,
)
from ingest.media.layouts.locate import meant, unread_archives
from ingest.media.layouts.row_table import RowTable

#: Up to this many examples are decoded before other processes would have started.
_FEW = 500
_MOST_WORKERS = 8
#: How many problems a report lists; the others are counted.
_PROBLEMS_NAMED = 200
#: How many silent sounds a report lists.
_SILENT_NAMED = 10_000

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

NOT_AT_HAND = "The media were not at hand when this was built, so issues are shown by their labels."
NOT_FOUND = "The media were not found when this was built, so issues are shown by their labels."
#: The beginning of a sentence that says what was found instead.
NOT_UNPACKED = "What lies there is in a format that is not read"
NOT_AS_MANY = "The media found were not as many as the labels when this was built, so issues are shown by their labels"
NOT_READ = "The media could not be read when this was built, so issues are shown by their labels"

Row = dict[str, Any]

#: Whose media are stored: those of all issues, of the reviewed ones, or of these and so many of the most suspicious.
MediaFor: TypeAlias = Literal["all", "reviewed"] | int


@dataclass
class KeptMedia:
    """What was stored of a dataset's media, and what could not be."""

    # Index -> JSON object kind -> [width, height], as stored; the same few texts for many examples.
    sizes: dict[int, str] = field(default_factory=dict)
    excerpts: dict[int, str] = field(default_factory=dict)
    spans: dict[int, str] = field(default_factory=dict)  # of the marked words, as stored
    problems: list[MediaProblem] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)  # silent sounds
    spare: int = 0  # files not used because the same example has a better one


def find_media(inputs: Inputs, folder: Path | None, missing: list[str], cache: Path | None) -> MediaSource | None:
    """The dataset's media in a folder; None, and the reason in ``missing``, if there are none to show.

    ``cache`` is where an adapter may keep results that took long to compute. Raises DataError if the media do not
    belong to these labels.
    """
    manifest = inputs.manifest
    terms = manifest.licence
    if terms.media == "none":
        missing.append(f"The media stay where they are published, because of their terms: {terms.name}.")
        return None
    if inputs.benchmark is not None:
        return inputs.benchmark.source
    if manifest.media is None:
        missing.append("The media of this dataset are not read, so issues are shown by their labels.")
        return None
    if folder is None:
        missing.append(NOT_AT_HAND)
        return None
    options = dict(manifest.media.options)
    if manifest.media.layout in COUNTED and "key_column" not in options and inputs.size is not None:
        options.setdefault("count", inputs.size)
    if "key_column" in options and inputs.keys is None:
        finding = "expected keys of the examples (a file of them, see [examples]), found none; without key_column"
        raise DataError(manifest.path, f"{finding} rows go by their place", record="media.key_column")
    if manifest.media.layout in CLIPPED:
        options["clips"] = {**clips(inputs), **cast("Mapping[str, object]", options.get("clips", {}))}
    source = open_media(manifest.media.layout, folder, options, cache)
    if source is None:
        missing.append(NOT_FOUND)
        unread = unread_archives(folder, options.get("path"))
        if unread:
            missing.append(f"{NOT_UNPACKED}, {', '.join(unread)}; unpack it, or pack it as .zip or .tar.gz.")
        elif near := meant(folder, options.get("path")):
            wanted = f"Expected {shown(options['path'])} there, a folder or an archive that is read"
            missing.append(f"{wanted}; found {', '.join(map(shown, near))}, which may be what is meant.")
    else:
        require_same_examples(source, inputs)
    if isinstance(source, RowTable) and inputs.labels is not None and inputs.labels.ids is not None:
        return MarkedRows(source.path, source.told, source.beside, inputs.labels.ids)
    return source


def named_by_files(inputs: Inputs, source: MediaSource | None, missing: list[str]) -> Inputs:
    """The inputs with the paths of the examples' own files as keys, if nothing else names the examples.

    This makes an issue traceable to its file. If a path cannot be written, the reason goes to ``missing``.
    """
    if source is None or inputs.keys is not None or inputs.size is None:
        return inputs
    names = source.names()
    if names is None:
        return inputs
    unfit = next((name for name in names if not _is_key(name)), None)
    if unfit is not None:
        missing.append(f"The examples go by their numbers only, since the name of a file is no text: {unfit!r}.")
        return inputs
    return replace(inputs, keys=list(names))


def _is_key(name: str) -> bool:
    """Whether a name can be written on one line: file systems allow line breaks and undecodable bytes in names."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return _BREAKS.search(name) is None


def asked_for(issues: Issues, media_for: MediaFor) -> Integers:
    """The indices of the issues whose media are stored."""
    if media_for == "all":
        return issues.indices
    first = np.arange(0 if media_for == "reviewed" else min(int(media_for), len(issues)))
    return issues.indices[np.union1d(issues.reviewed, first)]


def media_sources(source: MediaSource, folder: Path) -> list[Source]:
    """The fingerprints of the files that media come from."""
    found = [(path.relative_to(folder).as_posix(), *fingerprint(path)) for path in source.sources]
    return [Source(name, "media", sha256, size) for name, sha256, size in found]


def workers_for(n_examples: int) -> int:
    """The number of processes to decode so many examples."""
    return 1 if n_examples < _FEW else min(available(), _MOST_WORKERS)


def media_rows(
    source: MediaSource,
    wanted: Wanted,
    dataset_id: int,
    shown: KeptMedia,
    on_text: Callable[[int, str], None],
) -> Iterator[Row]:
    """Rows of the table ``media``; sizes, excerpts and problems are recorded in ``shown`` as they pass."""
    yield from rows_of(source.items(wanted, workers_for(len(wanted))), dataset_id, shown, on_text)


def rows_of(
    items: Iterable[MediaItem | MediaProblem], dataset_id: int, shown: KeptMedia, on_text: Callable[[int, str], None]
) -> Iterator[Row]:
    """``media_rows`` for items that were read already."""
    for item in items:
        if isinstance(item, MediaProblem):
            shown.problems.append(item)
            continue
        shown.sizes[item.index] = _with_size(shown.sizes.get(item.index), item.kind, item.width or 0, item.height or 0)
        if item.silent:
            shown.silent.add(item.index)
        shown.spare += item.spare
        if item.text is not None:
            shown.excerpts[item.index] = excerpt(item.text)
            on_text(item.index, item.text if item.words is None else item.words)
        yield _row(item, dataset_id)


@lru_cache(maxsize=4_096)
def _with_size(known: str | None, kind: str, width: int, height: int) -> str:
    sizes = {} if known is None else json.loads(known)
    return compact({**sizes, kind: [width, height]})


def report(shown: KeptMedia, issues: Container[int], exemplars: Collection[int], n_bytes: int) -> dict[str, Any]:
    """The report on a dataset's media: how many issues have one, which could not be read, and why.

    Only issues are counted as such. Exemplars are not issues and are reported separately.
    """
    damaged = {problem.index: problem.message for problem in shown.problems if not problem.absent}
    of_issues = {index: message for index, message in damaged.items() if index in issues}
    return {
        "issues": sum(index in issues for index in shown.sizes),
        "exemplars": sum(index in shown.sizes for index in exemplars),
        "exemplars_wanted": len(exemplars),
        "bytes": n_bytes,
        "absent": sum(problem.absent and problem.index in issues for problem in shown.problems),
        "n_problems": len(of_issues),
        "problems": _named(of_issues),
        "exemplar_problems": _named({index: said for index, said in damaged.items() if index not in issues}),
        "silent": sorted(shown.silent)[:_SILENT_NAMED],
        "spare": shown.spare,
    }


def _named(damaged: Mapping[int, str]) -> list[list[Any]]:
    return [[index, message] for index, message in sorted(damaged.items())[:_PROBLEMS_NAMED]]


def not_read(error: MediaError, folder: Path | None) -> str:
    """The sentence that says why none of a dataset's media could be read; file paths are relative to the folder.

    >>> not_read(MediaError("/home/me/media/a.zip", "expected an archive, found none"), Path("/home/me/media"))
    'The media could not be read when this was built, so issues are shown by their labels (a.zip: expected an archive, \
found none).'
    """
    said = str(error) if folder is None else str(error).replace(f"{folder}{os.sep}", "")
    return f"{NOT_AS_MANY if isinstance(error, MediaCountError) else NOT_READ} ({said})."


def unread_report(n_issues: int, sentence: str) -> dict[str, Any]:
    """``report`` for a distribution that could not be read at all."""
    nothing = {"issues": 0, "exemplars": 0, "bytes": 0, "absent": 0, "problems": []}
    return {**nothing, "n_problems": n_issues, "unread": sentence}


def _row(item: MediaItem, dataset_id: int) -> Row:
    whole = item.kind in ("text", "question")
    return {
        "dataset_id": dataset_id,
        "idx": item.index,
        "kind": item.kind,
        "type": item.type,
        "width": item.width,
        "height": item.height,
        "seconds": item.seconds,
        "encoding": "gzip" if whole else None,
        "bytes": gzip.compress(item.data, 6, mtime=0) if whole else item.data,
    }
