"""Read images, sounds, texts and rows of tables from datasets' own distributions, packed or unpacked.

``open_media("mnist-idx", folder, {})`` finds MNIST's test images in a folder, and its ``items({38: None, 947: None})``
yields the picture and the thumbnail of two of them.

Nothing is unpacked to disk, and nothing in a distribution is trusted: sizes are bounded, names are checked, and pickles
are read by ``ingest.labels.safe_pickle``. A broken file results in one ``MediaProblem``, a broken archive in a
``MediaError``.

A layout is a name that manifests use (``ingest.manifest.layouts``); ``ADAPTERS`` maps it to the code that finds and
opens it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from ingest.media.archives.stores import fingerprint
from ingest.media.items import (
    Kind,
    LabelMismatchError,
    MediaCountError,
    MediaError,
    MediaItem,
    MediaProblem,
    MediaSource,
    NoMediaError,
    Wanted,
)
from ingest.media.layouts.distributions import (
    open_20news,
    open_aclimdb,
    open_audio_folder,
    open_audioset,
    open_caltech256,
    open_image_folder,
    open_imagenet,
    open_text_folder,
)
from ingest.media.layouts.idx_cifar import open_cifar10, open_cifar100, open_mnist
from ingest.media.layouts.parquet_media import open_audio_table, open_image_table
from ingest.media.layouts.quickdraw import open_quickdraw
from ingest.media.layouts.row_table import open_row_table
from ingest.media.layouts.text_lines import open_amazon
from ingest.media.layouts.text_table import open_text_table
from ingest.media.text import excerpt

__all__ = [
    "ADAPTERS",
    "CLIPPED",
    "COUNTED",
    "Kind",
    "LabelMismatchError",
    "MediaCountError",
    "MediaError",
    "MediaItem",
    "MediaProblem",
    "MediaSource",
    "NoMediaError",
    "Wanted",
    "digest_of",
    "excerpt",
    "fingerprint",
    "open_media",
]

Adapter = Callable[[Path, Mapping[str, object]], MediaSource | None]
CachingAdapter = Callable[[Path, Mapping[str, object], Path | None], MediaSource | None]

ADAPTERS: Mapping[str, Adapter | CachingAdapter] = {
    "mnist-idx": open_mnist,
    "cifar10": open_cifar10,
    "cifar100": open_cifar100,
    "caltech256": open_caltech256,
    "imagenet-val": open_imagenet,
    "quickdraw-bitmaps": open_quickdraw,
    "20news-bydate": open_20news,
    "aclimdb": open_aclimdb,
    "amazon-lines": open_amazon,
    "audioset": open_audioset,
    "image-folder": open_image_folder,
    "text-folder": open_text_folder,
    "text-table": open_text_table,
    "audio-folder": open_audio_folder,
    "image-table": open_image_table,
    "audio-table": open_audio_table,
    "row-table": open_row_table,
}
#: Layouts of unlabelled rows, where only the number of examples can be compared.
COUNTED: Final = frozenset(
    {"quickdraw-bitmaps", "amazon-lines", "text-table", "image-table", "audio-table", "row-table"}
)
#: Layouts whose files may be whole recordings that contain the example.
CLIPPED: Final = frozenset({"audioset"})
#: Layouts that cache results which took long to compute.
_CACHING: Final = frozenset({"amazon-lines"})


def open_media(
    layout: str, folder: Path, options: Mapping[str, object], cache: Path | None = None
) -> MediaSource | None:
    """Open the distribution of that layout in ``folder`` or one level below it; None if it is not there.

    ``options`` are those in the manifest; each adapter documents its own and refuses others. ``cache`` is a folder in
    which an adapter may keep results that took long to compute; None keeps nothing.

    Raises MediaError for an unknown layout, a missing folder, an unknown option, or files that exist but cannot be
    read.
    """
    try:
        adapter = ADAPTERS[layout]
    except KeyError:
        known = ", ".join(sorted(ADAPTERS))
        raise MediaError(folder, f"media layout {layout!r} is unknown; expected one of {known}") from None
    if not folder.is_dir():
        raise MediaError(folder, "expected a folder with the datasets' distributions, found none")
    if layout in _CACHING:
        return cast("CachingAdapter", adapter)(folder, options, cache)
    source = cast("Adapter", adapter)(folder, options)
    expected = options.get("sha256")
    if source is not None and expected is not None and digest_of(source.sources) != expected:
        finding = (
            "was changed since its labels were read, so rows may have other labels than these; run label-errors init "
            "again, or take sha256 out of the manifest if each row still has its label"
        )
        raise MediaError(source.sources[0], finding)
    return source


def digest_of(sources: Sequence[Path]) -> str:
    """The SHA-256 of a file; of several, of theirs, a line each."""
    digests = [fingerprint(source)[0] for source in sources]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
