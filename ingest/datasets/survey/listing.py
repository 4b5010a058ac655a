"""The files below a folder, each with what it is, and those that are passed over."""

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from ingest.datasets.survey.file_kinds import Content, look
from ingest.datasets.survey.remarks import Remarks
from ingest.errors import DataError
from ingest.media.archives.system_files import is_of_the_system
from ingest.progress import Progress

#: The kinds of files that can be examples.
MEDIA: Final = ("image", "audio", "text")


@dataclass(frozen=True)
class Listing:
    """The files below ``folder`` by path, with "/" between folders, in the order of their paths as text."""

    folder: Path
    contents: Mapping[str, Content]
    folders: Sequence[str] = ()  # all folders, also empty ones

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """The folders in each folder that has any; the folder itself is ""."""
        found = defaultdict[str, list[str]](list)
        for path in self.folders:
            found[parent(path)].append(path)
        return found

    @cached_property
    def holding(self) -> Mapping[str, Collection[str]]:
        """Each folder with pictures, sounds or texts somewhere below it, and the folders in which they lie."""
        found = defaultdict[str, set[str]](set)
        for path, content in self.contents.items():
            here = above = parent(path)
            while content.kind in MEDIA and here not in found[above]:
                found[above].add(here)
                above = parent(above)
        return found

    def below(self, base: str) -> list[str]:
        """The files below a folder."""
        within = f"{base}/" if base else ""
        return [path for path in self.contents if path.startswith(within)]

    def of_kind(self, kind: str, base: str = "") -> list[str]:
        """The files of a kind below a folder."""
        return [path for path in self.below(base) if self.contents[path].kind == kind]

    def main_kind(self, paths: Sequence[str]) -> str | None:
        """The kind of which most of the files are, if they are pictures, sounds or texts."""
        kinds = Counter(self.contents[path].kind for path in paths)
        likely = [(kinds[kind], kind) for kind in MEDIA if kinds[kind]]
        return max(likely)[1] if likely else None


def list_files(folder: Path, progress: Progress, remarks: Remarks) -> Listing:
    """Look at every file below a folder. Links that lead out of it, hidden and system files are passed over."""
    root = folder.resolve()
    paths, folders = [], []
    for here, below, files in os.walk(root, onerror=_fail):
        for name in sorted(below):
            path = _relative(root, Path(here, name))
            if is_of_the_system(path):
                remarks.leave_out("hidden and system folders", path)
            elif Path(here, name).is_symlink():
                remarks.leave_out("links to folders", path)
            else:
                folders.append(path)
        below[:] = [name for name in below if not is_of_the_system(_relative(root, Path(here, name)))]
        for name in files:
            path = _relative(root, Path(here, name))
            reason = _passed_over(root, Path(here, name), path)
            if reason is None:
                paths.append(path)
            else:
                remarks.leave_out(reason, path)
    contents = {}
    with progress.task(f"looking at {folder.name or folder}", len(paths), "files") as advance:
        for path in sorted(paths):
            contents[path] = look(root / path)
            advance(1)
    return Listing(root, contents, sorted(folders))


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _passed_over(root: Path, path: Path, relative: str) -> str | None:
    """Why a file is no example, or None."""
    if is_of_the_system(relative):
        return "hidden and system files"
    try:
        relative.encode()
    except UnicodeEncodeError:
        return "files with names that are no text"
    if any(mark in relative for mark in "\n\r\\"):
        return "files with a line break or a backslash in their names"
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            return "links that lead out of the folder"
        return None if path.is_file() else "devices and pipes"
    except (OSError, RuntimeError):
        return "links to nowhere"


def _fail(error: OSError) -> None:
    raise DataError(error.filename or "a folder", f"expected a folder that can be read ({error.strerror})")


def parent(path: str) -> str:
    """The folder of a file or folder; "" for those in the folder itself, and for that one.

    >>> parent("a/b.png"), parent("a"), parent("")
    ('a', '', '')
    """
    return path.rpartition("/")[0]


def ending(path: str) -> str:
    """The ending of a file's name, in lower case; "" without one."""
    return PurePosixPath(path).suffix.casefold()
