"""Find the files of a distribution in a folder, by the options of its manifest.

Patterns are globs relative to the folder; none leads out of it. ``ingest.manifest.layouts`` defines the options.
"""

import difflib
import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ingest.errors import shown
from ingest.manifest.layouts import LayoutError, Options, options_of
from ingest.media.items import MediaError

_PACKED: Final = re.compile(r"(?i:\.gz|\.bz2|\.xz)$")
_PART: Final = re.compile(r"-\d+-of-\d+(?:-[0-9a-f]{8,64})?(?=\.[^.]*$)")
#: Endings of unsupported archives.
_UNREAD: Final = (".7z", ".rar", ".zst", ".tzst", ".lz4", ".lzma", ".lz", ".z", ".cab", ".dmg", ".iso", ".h5", ".lmdb")

#: The similarity from which names are suggested, and how many are.
_CLOSE: Final = 0.75
_NAMED: Final = 3


def read_options(layout: str, given: Mapping[str, object]) -> Options:
    """The options of a layout. Raises MediaError for an unknown option or a wrong value."""
    try:
        return options_of(layout, given)
    except LayoutError as error:
        raise MediaError(f"media layout {layout}", str(error), record=f"option {error.option!r}") from error


def find(folder: Path, patterns: Sequence[str]) -> Path | None:
    """The first match of the first pattern with any, in the folder or else one level below it; None without.

    Matches of a pattern are sorted by name. Raises MediaError if the folder cannot be read.
    """
    try:
        below = sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError as error:
        raise MediaError(folder, f"expected a folder that can be read ({error.strerror})") from error
    for base in (folder, *below):
        match = next(_matches(base, patterns), None)
        if match is not None:
            return match
    return None


def others(folder: Path, patterns: Sequence[str], found: Path) -> list[str]:
    """The names of other matches, such as an archive beside a folder of the same name."""
    return [] if found == folder else sorted({match.name for match in _matches(found.parent, patterns)} - {found.name})


def taken(path: Path, beside: Sequence[str]) -> list[str]:
    """A sentence that says which of several matches was used, if there are several."""
    return [f"read {shown(path.name)} and not {', '.join(map(shown, beside))}, which lies beside it"] if beside else []


def _matches(base: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        # A glob would spell the folder itself "".
        yield from [base] if pattern == "." else sorted(base.glob(pattern))


def find_table(folder: Path, path: str | None, patterns: Sequence[str]) -> Path | None:
    """``find`` for a table without a ``path``: if there are several tables, none is chosen.

    A table and its packed copy count as one, and so do the parts of one in Parquet. Raises MediaError for several.
    """
    found = find(folder, patterns)
    if found is None or path is not None:
        return found
    names = sorted({match.name for match in _matches(found.parent, patterns)})
    tables = {_PART.sub("", _PACKED.sub("", name)): name for name in reversed(names)}
    if len(tables) > 1:
        both = " and ".join(map(shown, sorted(tables.values())[:2]))
        raise MediaError(found.parent, f"expected one table, found {both}; path in [media] says which one")
    return found


def unread_archives(folder: Path, path: object) -> list[str]:
    """Names of archives at ``path`` in unsupported formats."""
    if not isinstance(path, str):
        return []
    return sorted(
        found.name
        for base in (folder, *(child for child in folder.iterdir() if child.is_dir()))
        for found in base.glob(f"{glob.escape(path)}.*")
        if found.name.lower().endswith(_UNREAD)
    )


def meant(folder: Path, path: object) -> list[str]:
    """Similar names to suggest if nothing is called ``path``.

    They include archives in unknown formats and folders with other capitals.
    """
    if not isinstance(path, str):
        return []
    place = folder / path
    if not place.parent.is_dir():
        return []
    names = {entry.name.casefold(): entry.name for entry in place.parent.iterdir() if entry.name[0] != "."}
    stems = {name: name.partition(".")[0] for name in names}
    word = place.name.casefold()
    close = set(difflib.get_close_matches(word.partition(".")[0], stems.values(), n=_NAMED, cutoff=_CLOSE))
    return sorted(names[name] for name, stem in stems.items() if stem in close)


def shuffled(count: int, seeds: Sequence[int]) -> list[int]:
    """0 to ``count`` - 1, shuffled once for each seed: the index of the sorted file at each position.

    >>> shuffled(4, [])
    [0, 1, 2, 3]
    """
    places = np.arange(count)
    for seed in seeds:
        np.random.RandomState(seed).shuffle(places)
    return [int(place) for place in places]
