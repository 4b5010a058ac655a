"""Datasets' own distributions, packed or unpacked -> images, sounds and texts to show.

>>> for found in open_media("mnist-idx", folder, {}).items({38: None, 947: None}):  # doctest: +SKIP
...     print(found.index, found.kind)

Nothing is ever unpacked to disk, and nothing in a distribution is trusted: sizes are bounded, names are checked, and
pickles are read by ``ingest.pickles``. One broken file becomes one ``MediaProblem``; a broken archive a ``MediaError``.

A layout is a name that manifests use; ``LAYOUTS`` maps it to the function that finds and opens it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.media.items import Kind, MediaError, MediaItem, MediaProblem, MediaSource, Wanted

__all__ = ["LAYOUTS", "Kind", "MediaError", "MediaItem", "MediaProblem", "MediaSource", "Wanted", "open_media"]

Adapter = Callable[[Path, Mapping[str, object]], MediaSource | None]

LAYOUTS: dict[str, Adapter] = {}


def open_media(layout: str, folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """The distribution of that layout in ``folder`` or one level below it; None when it is not there.

    ``options`` are what the manifest says about it; each adapter documents its own and refuses others.

    Raises MediaError for a layout nobody reads, a folder that is none, an option without meaning, or files that
    are there and cannot be read.
    """
    try:
        adapter = LAYOUTS[layout]
    except KeyError:
        known = ", ".join(sorted(LAYOUTS))
        raise MediaError(f"media layout {layout!r} is unknown; expected one of {known}") from None
    if not folder.is_dir():
        raise MediaError(f"{folder}: expected a folder with the datasets' distributions, found none")
    return adapter(folder, options)
