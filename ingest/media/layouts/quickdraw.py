"""QuickDraw's drawings: one ``.npy`` file per class, a row of 28 x 28 bytes per drawing, ink as 255.

Examples are numbered through the files of all classes, sorted by name, each file's rows in order. Unpacked files are
memory-mapped; an archive can only be read from its beginning, so one pass counts and one reads. Object arrays are never
read, so nothing is unpickled.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Final, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ingest.errors import shown
from ingest.manifest.layouts import packed
from ingest.media.archives.decompress import Readable
from ingest.media.archives.stores import Member, MemberError, Store, open_store
from ingest.media.items import MediaCountError, MediaError, MediaItem, MediaProblem, MediaSource, Runs, Wanted
from ingest.media.layouts.idx_cifar import pixels_of
from ingest.media.layouts.locate import find, read_options
from ingest.media.worker_pool import DecodeJob, decoded

_SIDE: Final = 28
_PIXELS: Final = _SIDE * _SIDE
_FILE: Final = re.compile(r"(?:.*/)?(?!\.)[^/]+\.npy")
#: The prefix of the class in the name of a file that was downloaded alone.
_PREFIX: Final = "full_numpy_bitmap_"
_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_SKIPPED_AT_A_TIME: Final = 1 << 20


def open_quickdraw(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """QuickDraw's bitmaps ``numpy_bitmap/*.npy``, one file per class. Options: path, count."""
    told = read_options("quickdraw-bitmaps", options)
    patterns = packed("numpy_bitmap", "full/numpy_bitmap", "quickdraw_dataset/full/numpy_bitmap", "quickdraw")
    path = find(folder, told.patterns(patterns))
    return None if path is None else Bitmaps(open_store(path), told.count)


@dataclass(frozen=True, slots=True)
class Bitmaps:
    """The rows of all ``.npy`` members of ``store``; ``count`` is the required number, None if unknown."""

    store: Store
    count: int | None

    @property
    def sources(self) -> Sequence[Path]:
        return [self.store.path]

    def labels(self, keyed: bool = False) -> Runs:  # noqa: ARG002 - keys or not, files stand for classes
        """The class in the name of each file."""
        starts, _ = self._numbered()
        ordered = sorted(starts.items(), key=lambda named: named[1])
        names = tuple(PurePosixPath(name).stem.removeprefix(_PREFIX) for name, _ in ordered)
        return Runs(names, tuple(end for _, (_, end) in ordered))

    def names(self) -> None:
        """None: one file holds all examples."""

    def notes(self) -> Sequence[str]:
        return ()

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), pixels_of, workers)

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        starts, total = self._numbered()
        indices = np.array(sorted(wanted), dtype=np.int64)
        for member in self._members():
            start, end = starts[member.name]
            here = indices[np.searchsorted(indices, start) : np.searchsorted(indices, end)]
            if len(here):
                yield from self._jobs_of(member, here, start)
        for index in indices[(indices < 0) | (indices >= total)]:
            finding = f"expected a drawing of this index, found only {total:,}"
            yield MediaProblem(int(index), str(self.store.path), finding, absent=True)

    def _numbered(self) -> tuple[dict[str, tuple[int, int]], int]:
        """For each file the index of its first drawing and the one after its last, and the total number."""
        counts: dict[str, int] = {}
        for member in self._members():
            with self._naming(member), member.open() as file:
                counts[member.name] = _header(file)
        if not counts:
            raise MediaError(self.store.path, "expected .npy files of drawings in it, found none")
        names = sorted(counts, key=lambda name: PurePosixPath(name).name)
        ends = list(accumulate(counts[name] for name in names))
        if self.count is not None and ends[-1] != self.count:
            finding = f"expected {self.count:,} drawings in all, found {ends[-1]:,} in {len(names)} files"
            raise MediaCountError(self.store.path, finding)
        return {name: (end - counts[name], end) for name, end in zip(names, ends, strict=True)}, ends[-1]

    def _jobs_of(self, member: Member, indices: NDArray[np.int64], start: int) -> Iterator[DecodeJob]:
        where = f"{self.store.path}: {member.name}"
        rows = (indices - start).tolist()
        with self._naming(member):
            if member.path is not None:
                drawings = _mapped(member.path)
                found: Iterator[NDArray[np.uint8]] = (np.array(drawings[row]) for row in rows)
                yield from self._drawn(indices, where, found)
                return
            with member.open() as file:
                _header(file)
                yield from self._drawn(indices, where, _rows(file, rows))

    @staticmethod
    def _drawn(indices: NDArray[np.int64], where: str, drawings: Iterator[NDArray[np.uint8]]) -> Iterator[DecodeJob]:
        for index, drawing in zip(indices.tolist(), drawings, strict=True):
            # Ink is stored as light on dark; paper is the other way round.
            yield DecodeJob(index, where, "", 255 - drawing.reshape(_SIDE, _SIDE))

    def _members(self) -> Iterator[Member]:
        return (member for member in self.store.members() if _FILE.fullmatch(member.name))

    def _naming(self, member: Member) -> "_MemberErrors":
        return _MemberErrors(f"{self.store.path}: {member.name}")


@dataclass(frozen=True, slots=True)
class _MemberErrors:
    """Turns an error in a member into an error about the whole: without one file, all numbers would shift."""

    where: str

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MemberError | OSError | EOFError) or type(error) is ValueError:
            raise MediaError(self.where, str(error)) from error


def _mapped(path: Path) -> NDArray[np.uint8]:
    return cast("NDArray[np.uint8]", np.load(path, mmap_mode="r", allow_pickle=False))


def _header(file: Readable) -> int:
    """Read the header of a ``.npy`` file and return its number of drawings. Raises MemberError for other contents."""
    try:
        version = npy.read_magic(file)  # type: ignore[arg-type]  # nothing but read is asked of it
        if version not in _HEADERS:
            raise MemberError(f"expected .npy format 1.0 or 2.0, found {version}")
        shape, by_column, dtype = _HEADERS[version](file)  # type: ignore[arg-type]
    except ValueError as error:
        raise MemberError(f"expected a .npy file ({error})") from error
    if len(shape) != 2 or shape[1] != _PIXELS or by_column or dtype != np.uint8:
        raise MemberError(f"expected rows of {_PIXELS} bytes, found {shown(shape)} of {dtype}")
    return int(shape[0])


def _rows(file: Readable, rows: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """The given rows, ascending, of a file read up to its first row."""
    at = 0
    for row in rows:
        skip = (row - at) * _PIXELS
        while skip > 0:
            passed = len(file.read(min(skip, _SKIPPED_AT_A_TIME)))
            if not passed:
                break
            skip -= passed
        data = file.read(_PIXELS)
        if len(data) < _PIXELS:
            raise MemberError(f"expected {_PIXELS} bytes of drawing {row:,} of this file, found {len(data)}: cut off")
        yield np.frombuffer(data, np.uint8)
        at = row + 1
