"""Find file names similar to the ones expected, to suggest them when nothing was found."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from ingest.errors import shown
from ingest.media.layouts.file_order import composed

_NAMED: Final = 3


class NearNames:
    """File names, to be searched by their last part, ignoring case, with or without ending."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._found = defaultdict[str, list[str]](list)
        for name in self._names:
            base = PurePosixPath(_folded(name)).name
            for word in {base, PurePosixPath(base).stem}:
                self._found[word].append(name)

    def of(self, key: str) -> Sequence[str]:
        """The files that a key may refer to."""
        base = PurePosixPath(_folded(key)).name
        return self._found.get(base) or self._found.get(PurePosixPath(base).stem) or ()

    def hint(self, key: str) -> str:
        """Similar names, in words that follow "found none"; "" if there are none.

        >>> names = NearNames(["N0.png", "a/n1.png", "b/n1.png", "c/n2.png"])
        >>> names.hint("n0"), names.hint("n3")
        (", but 'N0.png', which has other capitals", '')
        >>> names.hint("n1")
        ", but 'a/n1.png' and 'b/n1.png', 2 files in folders that the name has to say"
        >>> names.hint("n2")
        ", but 'c/n2.png', which lies in a folder that the name has to say"
        """
        found = self.of(key)
        if not found:
            return ""
        both = " and ".join(map(shown, found[:2]))
        if len(found) > 1:
            return f", but {both}, {len(found):,} files in folders that the name has to say"
        if _bare(found[0]) == _bare(key):
            return f", but {both}, which has other capitals"
        return f", but {both}, which lies in a folder that the name has to say"

    def some(self) -> str:
        """A few of the names, in words that follow "found"."""
        return ", ".join(map(shown, self._names[:_NAMED])) or "no file"


def _folded(name: str) -> str:
    return composed(name.replace("\\", "/")).casefold()


def _bare(name: str) -> str:
    return str(PurePosixPath(_folded(name)).with_suffix(""))
