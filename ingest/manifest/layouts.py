"""Layouts: the known arrangements of media files on disk, by the names manifests use, and their options.

Nothing is opened here, so a manifest can be checked before any long work. Options are read strictly, because a misspelt
one would otherwise be ignored silently.
"""

import codecs
import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Final, cast

from ingest.errors import shown

#: Supported encodings, which a manifest may also call by their other names; all are built into Python.
ENCODINGS: Final = ("utf-8", "latin-1", "ascii", "cp1252", "mac-roman", "utf-16", "utf-16-le", "utf-16-be", "gb18030")
#: Encodings that are subsets of another one.
_WITHIN: Final = {"gbk": "gb18030", "gb2312": "gb18030"}
#: Endings of archives.
ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tb2", ".tar.xz", ".txz", ".zip")
#: Options that are lists.
_LISTS: Final = ("shuffle_seeds", "endings", "columns", "categories", "choices")
#: Orders of files by their names.
ORDERS: Final = ("sorted", "numbers", "text")


class LayoutError(ValueError):
    """An unknown layout, or an option it does not take; ``option`` is None for the layout itself."""

    def __init__(self, finding: str, option: str | None = None) -> None:
        super().__init__(finding)
        self.option = option


@dataclass(frozen=True, slots=True)
class Layout:
    """The media of a layout and its options; ``encoding`` and ``column`` are those of its texts."""

    modality: str
    options: tuple[str, ...]
    encoding: str = "utf-8"
    column: str = "text"


LAYOUTS: Final[Mapping[str, Layout]] = {
    "mnist-idx": Layout("image", ("path",)),
    "cifar10": Layout("image", ("path",)),
    "cifar100": Layout("image", ("path",)),
    "caltech256": Layout("image", ("path", "order")),
    "imagenet-val": Layout("image", ("path",)),
    "quickdraw-bitmaps": Layout("image", ("path", "count")),
    "20news-bydate": Layout("text", ("path", "order", "shuffle_seeds", "encoding"), "latin-1"),
    "aclimdb": Layout("text", ("path", "order", "encoding")),
    "amazon-lines": Layout("text", ("path", "encoding", "count")),
    "audioset": Layout("audio", ("path", "seconds", "clips")),
    "image-folder": Layout("image", ("path", "order", "shuffle_seeds", "endings")),
    "text-folder": Layout("text", ("path", "order", "shuffle_seeds", "encoding", "endings")),
    "text-table": Layout("text", ("path", "order", "column", "key_column", "encoding", "count", "sha256")),
    "audio-folder": Layout("audio", ("path", "order", "shuffle_seeds", "seconds", "endings")),
    "image-table": Layout("image", ("path", "order", "column", "key_column", "count", "sha256"), column="image"),
    "audio-table": Layout(
        "audio", ("path", "order", "column", "key_column", "count", "seconds", "sha256"), column="audio"
    ),
    "row-table": Layout("tabular", ("path", "order", "columns", "categories", "count", "sha256")),
    "choices": Layout(
        "question",
        ("path", "column", "choices", "answer", "key_column", "file_column", "other_encoding", "count"),
        column="question",
    ),
}
#: Options that a layout cannot do without.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {"row-table": ("columns",)}


@dataclass(frozen=True, slots=True)
class Options:
    """All options of adapters; each adapter takes some of them.

    path: where the distribution is, as a glob relative to the folder, instead of the layout's own patterns.

    order: examples are numbered by their files, sorted by folder, then by name: as "text" (by the code points of their
    letters, so capitals come first), by the "numbers" in them, or "sorted" if both orders are the same; published
    distributions are sorted as text. Without it, files are matched by key. Of a table, "rows" says that labels are in
    the order of its rows, whatever a column of it numbers them by.

    shuffle_seeds: the sorted files are then shuffled as ``numpy.random.RandomState(seed)`` does, once for each seed.

    encoding: of texts. endings: of the names of files, "" for names without one. seconds: the length of sound snippets.

    column: the column of a table, or the field of a JSON object, that holds the text or the file. key_column: the one
    that holds the example's key; without it rows are numbered. count: the required number of examples, if only their
    number identifies them and a missing file would shift all that follow.

    columns: those of a table that describe an example, without the label. categories: the ones among them whose values
    are words; the others hold numbers.

    choices: the column that holds a question's list of options, or a column for each option. answer: the column of the
    answer key; by default the first of "answer", "answerKey", "label" and "target". file_column: what the star in
    ``path`` stands for in the name of a question's file becomes a column of this name. other_encoding: what files are
    written in that are not UTF-8; without it they are refused.

    clips: the example's key -> where in the whole recording of that name its clip begins and ends, in seconds; not
    needed if the addresses say so.
    """

    path: str | None = None
    order: str | None = None
    shuffle_seeds: tuple[int, ...] = ()
    encoding: str = "utf-8"
    endings: tuple[str, ...] | None = None
    seconds: float = 10.0
    column: str = "text"
    key_column: str | None = None
    count: int | None = None
    sha256: str | None = None
    columns: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    choices: tuple[str, ...] = ("choices",)
    answer: str | None = None
    file_column: str | None = None
    other_encoding: str | None = None
    clips: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def patterns(self, usual: Sequence[str]) -> Sequence[str]:
        """The patterns to search: ``path``, unpacked or packed, if given, else the usual names."""
        return packed(glob.escape(self.path)) if self.path else usual


def options_of(layout: str, given: Mapping[str, object]) -> Options:
    """The options of a layout, as a manifest gives them.

    Raises LayoutError for an unknown layout, an option that it does not take, or a wrong value.
    """
    if layout not in LAYOUTS:
        raise LayoutError(f"{layout!r} is unknown; expected one of {', '.join(sorted(LAYOUTS))}")
    known = LAYOUTS[layout].options
    for name, value in given.items():
        if name not in known:
            raise LayoutError(f"is unknown; expected one of {', '.join(known)}", name)
        finding = _finding(name, value, ("rows",) if layout.endswith("-table") else ORDERS)
        if finding is not None:
            raise LayoutError(finding, name)
    lacking = next((name for name in _NEEDED.get(layout, ()) if name not in given), None)
    if lacking is not None:
        raise LayoutError(f"expected a list, needed by {layout}, found none", lacking)
    values = {"encoding": LAYOUTS[layout].encoding, "column": LAYOUTS[layout].column, **given}
    values["encoding"] = encoding_of(values["encoding"])
    if isinstance(values.get("choices"), str):
        values["choices"] = [values["choices"]]
    if "other_encoding" in values:
        values["other_encoding"] = encoding_of(values["other_encoding"])
    if layout == "amazon-lines" and str(values["encoding"]).startswith("utf-16"):
        raise LayoutError("expected an encoding in which a line ends with one byte, found utf-16", "encoding")
    if "shuffle_seeds" in values and "order" not in values:
        raise LayoutError('needs order = "sorted", which it shuffles', "shuffle_seeds")
    strange = set(cast("Sequence[str]", values.get("categories", ()))) - set(
        cast("Sequence[str]", values.get("columns", ()))
    )
    if strange:
        raise LayoutError(f"expected names of columns, found {shown(min(strange))}", "categories")
    values.update({name: tuple(cast("Sequence[object]", values[name])) for name in _LISTS if name in values})
    return Options(**{one.name: values[one.name] for one in fields(Options) if one.name in values})  # type: ignore[arg-type]


def encoding_of(value: object) -> str | None:
    """The canonical name of an encoding, by any of its names; None for an unsupported one.

    >>> encoding_of("UTF8"), encoding_of("ISO-8859-1"), encoding_of("gbk"), encoding_of("idna")
    ('utf-8', 'latin-1', 'gb18030', None)
    """
    if not isinstance(value, str) or "\0" in value:
        return None
    try:
        name = codecs.lookup(value).name
    except LookupError:
        return None
    known = {codecs.lookup(encoding).name: encoding for encoding in ENCODINGS}
    return known.get(name, _WITHIN.get(name))


def _finding(name: str, value: object, orders: Sequence[str]) -> str | None:
    """What is wrong with the value of an option, or None; ``orders`` are those of the layout."""
    match name:
        case "path":
            valid = isinstance(value, str) and _is_inside(value)
            expected = "a path inside the folder, with '/' and without '..'"
        case "order":
            valid, expected = value in orders, " or ".join(_quoted(orders))
        case "shuffle_seeds":
            valid = isinstance(value, list | tuple) and all(type(n) is int and 0 <= n < 2**32 for n in value)
            expected = "a list of whole numbers below 2^32"
        case "endings":
            valid = isinstance(value, list | tuple) and value != [] and all(map(_is_ending, value))
            expected = 'a list of endings, such as ".txt", or "" for names without one'
        case "encoding" | "other_encoding":
            valid, expected = encoding_of(value) is not None, f"one of {', '.join(ENCODINGS)}"
        case "column" | "key_column" | "answer" | "file_column":
            valid, expected = isinstance(value, str) and value != "", "the name of a column"
        case "columns" | "categories":
            valid = _is_list_of_names(value, empty=name == "categories")
            expected = "a list of names of columns, each once"
        case "choices":
            valid = (isinstance(value, str) and value != "") or (_is_list_of_names(value, empty=False))
            expected = "the column of the list of options, or a list of columns, one for each option"
        case "clips":
            valid = isinstance(value, Mapping) and all(map(_is_part, value.values()))
            expected = "a table with [begin, end], in seconds, for each key"
        case "sha256":
            valid = isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
            expected = "64 of the digits 0 to 9 and a to f"
        case "count":
            valid, expected = type(value) is int and value > 0, "a whole number above 0"
        case _:
            valid, expected = type(value) in (int, float) and 0 < cast("float", value) <= 60, "a number up to 60"
    return None if valid else f"expected {expected}, found {shown(value)}"


def _quoted(words: Sequence[str]) -> list[str]:
    """The words in quotation marks, all but the last one in one text, to be joined by "or"."""
    *others, last = (f'"{word}"' for word in words)
    return [", ".join(others), last] if others else [last]


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and "\0" not in path


def _is_ending(value: object) -> bool:
    return isinstance(value, str) and (value == "" or (value[0] == "." and PurePosixPath(f"a{value}").suffix == value))


def _is_list_of_names(value: object, *, empty: bool) -> bool:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        return False
    return len(set(value)) == len(value) and (empty or bool(value))


def _is_part(value: object) -> bool:
    """Whether a value is a pair of seconds, in ascending order."""
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(type(n) in (int, float) for n in value):
        return False
    return bool(0 <= value[0] < value[1] < float("inf"))


def packed(*names: str) -> list[str]:
    """Patterns for a distribution of these names, unpacked or packed; some systems write endings in capitals."""
    return [name + ending for name in names for ending in ("", *ARCHIVES, *map(str.upper, ARCHIVES))]
