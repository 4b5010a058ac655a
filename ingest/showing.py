"""Media of a dataset's issues: found by the manifest's layout, streamed into the catalogue, one at a time.

What cannot be read of one example is noted and the others go on. Whether media may be kept at all is the manifest's to
say. The reading itself is ``ingest.media``'s.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.manifest import Manifest
from ingest.media import MediaItem, MediaProblem, MediaSource, excerpt, fingerprint, open_media
from ingest.sources import Source

#: Media stay on the site's host under these terms; under the others only links do.
_KEPT = ("host", "local")

Row = dict[str, Any]


@dataclass
class Shown:
    """What was kept of a dataset's media, and what could not be."""

    sizes: dict[int, dict[str, list[int]]] = field(default_factory=dict)  # index -> kind -> [width, height]
    excerpts: dict[int, str] = field(default_factory=dict)
    problems: list[MediaProblem] = field(default_factory=list)


def find_media(manifest: Manifest, folder: Path | None, missing: list[str]) -> MediaSource | None:
    """The dataset's media in a folder; None, and a sentence why in ``missing``, where there are none to show."""
    terms = manifest.about.licence
    if terms.media not in _KEPT:
        missing.append(f"The media stay where they are published, because of their terms: {terms.name}.")
        return None
    if manifest.media is None:
        missing.append("The media of this dataset are not read, so issues are shown by their labels.")
        return None
    if folder is None:
        missing.append("The media were not at hand when this was built, so issues are shown by their labels.")
        return None
    source = open_media(manifest.media.layout, folder, manifest.media.options)
    if source is None:
        missing.append("The media were not found when this was built, so issues are shown by their labels.")
    return source


def media_sources(source: MediaSource, folder: Path) -> list[Source]:
    """The fingerprints of the files that media come from."""
    found = [(path.relative_to(folder).as_posix(), *fingerprint(path)) for path in source.sources]
    return [Source(name, "media", sha256, size) for name, sha256, size in found]


def media_rows(
    source: MediaSource,
    wanted: dict[int, str | None],
    dataset_id: int,
    shown: Shown,
    on_text: Callable[[int, str], None],
) -> Iterator[Row]:
    """Rows of the table ``media``, noting sizes, excerpts and problems in ``shown`` as they pass."""
    for item in source.items(wanted):
        if isinstance(item, MediaProblem):
            shown.problems.append(item)
            continue
        shown.sizes.setdefault(item.index, {})[item.kind] = [item.width or 0, item.height or 0]
        if item.text is not None:
            shown.excerpts[item.index] = excerpt(item.text)
            on_text(item.index, item.text)
        yield _row(item, dataset_id)


def _row(item: MediaItem, dataset_id: int) -> Row:
    return {
        "dataset_id": dataset_id,
        "idx": item.index,
        "kind": item.kind,
        "type": item.type,
        "width": item.width,
        "height": item.height,
        "seconds": item.seconds,
        "bytes": item.data,
    }
