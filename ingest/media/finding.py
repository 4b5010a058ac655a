"""What a manifest may tell an adapter, and where in a folder a distribution lies.

Options are read strictly: a misspelt one would otherwise change nothing, silently. Patterns are globs relative to the
folder; none leads out of it.
"""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Final, cast

import numpy as np

from ingest.errors import shown
from ingest.media.items import MediaError

#: Encodings that a manifest may name: each decodes without help from outside.
ENCODINGS: Final = ("utf-8", "latin-1", "ascii", "cp1252")


_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".zip")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything an adapter may be told; each adapter takes some of it.

    path: where the distribution lies, as a glob relative to the folder, instead of the layout's own patterns.
    order: "sorted" numbers examples by their files, sorted by folder, then by name. Without it they go by key.
    shuffle_seeds: the sorted files are then shuffled as ``numpy.random.RandomState(seed)`` does, once for each seed.
    encoding: of texts. seconds: the length of sound snippets.
    column: the column of a table, or the field of a JSON object, that holds the text. key_column: the one that holds
    the example's key; without it rows are numbered. count: how many examples there must be, where a number alone says
    which is which and a file too few would shift all that follow.
    """

    path: str | None = None
    order: str | None = None
    shuffle_seeds: tuple[int, ...] = ()
    encoding: str = "utf-8"
    seconds: float = 10.0
    column: str = "text"
    key_column: str | None = None
    count: int | None = None

    def patterns(self, usual: Sequence[str]) -> Sequence[str]:
        """Where to look: at ``path``, unpacked or packed, where there is one, else under the usual names."""
        return packed(glob.escape(self.path)) if self.path else usual


def read_options(layout: str, given: Mapping[str, object], known: Sequence[str], **defaults: object) -> Options:
    """The options of a layout that takes those ``known``. Raises MediaError for another, or a wrong value."""
    for name, value in given.items():
        if name not in known:
            raise _wrong(layout, name, f"is unknown; expected one of {', '.join(known)}")
        finding = _finding(name, value)
        if finding is not None:
            raise _wrong(layout, name, finding)
    values = {**defaults, **given}
    if "shuffle_seeds" in values:
        if values.get("order") != "sorted":
            raise _wrong(layout, "shuffle_seeds", 'needs order = "sorted", which it shuffles')
        values["shuffle_seeds"] = tuple(cast("Sequence[int]", values["shuffle_seeds"]))
    return Options(**{field.name: values[field.name] for field in fields(Options) if field.name in values})  # type: ignore[arg-type]


def _wrong(layout: str, name: str, finding: str) -> MediaError:
    return MediaError(f"media layout {layout}", finding, record=f"option {name!r}")


def _finding(name: str, value: object) -> str | None:
    """What is wrong with the value of an option, or None."""
    match name:
        case "path":
            valid = isinstance(value, str) and _is_inside(value)
            expected = "a path inside the folder, with '/' and without '..'"
        case "order":
            valid, expected = value == "sorted", '"sorted"'
        case "shuffle_seeds":
            valid = isinstance(value, list | tuple) and all(type(n) is int and 0 <= n < 2**32 for n in value)
            expected = "a list of whole numbers below 2^32"
        case "encoding":
            valid, expected = value in ENCODINGS, f"one of {', '.join(ENCODINGS)}"
        case "column" | "key_column":
            valid, expected = isinstance(value, str) and value != "", "the name of a column"
        case "count":
            valid, expected = type(value) is int and value > 0, "a whole number above 0"
        case _:
            valid, expected = type(value) in (int, float) and 0 < cast("float", value) <= 60, "a number up to 60"
    return None if valid else f"expected {expected}, found {shown(value)}"


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and "\0" not in path


def packed(*names: str) -> list[str]:
    """The patterns of a distribution of these names, unpacked or packed."""
    return [name + ending for name in names for ending in ("", *_ARCHIVES)]


def find(folder: Path, patterns: Sequence[str]) -> Path | None:
    """What matches the first pattern that anything matches, in the folder or else one level below it; None without.

    Among several matches of a pattern the first by name is taken. Raises MediaError when the folder cannot be read.
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


def _matches(base: Path, patterns: Sequence[str]) -> Iterator[Path]:
    for pattern in patterns:
        # A glob would spell the folder itself "".
        yield from [base] if pattern == "." else sorted(base.glob(pattern))


def shuffled(count: int, seeds: Sequence[int]) -> list[int]:
    """0 to ``count`` - 1, shuffled once for each seed: which of the sorted files stands at each place.

    >>> shuffled(4, [])
    [0, 1, 2, 3]
    """
    places = np.arange(count)
    for seed in seeds:
        np.random.RandomState(seed).shuffle(places)
    return [int(place) for place in places]
