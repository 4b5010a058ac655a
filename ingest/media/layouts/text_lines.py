"""One text per line in one large file, such as Amazon's reviews: ten million lines, a thousand of them shown.

For an unpacked file, a sparse index of line offsets is built in one pass and cached, so that the next ingest reads only
the lines it needs. A packed file is read through. The index records the size and modification time of its file, and is
not used if they differ.
"""

import io
import re
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import writing
from ingest.manifest.layouts import ARCHIVES, Options
from ingest.media.archives.decompress import Readable
from ingest.media.archives.stores import Member, MemberError, Store, open_store
from ingest.media.items import MediaCountError, MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.idx_cifar import unpacked
from ingest.media.layouts.locate import find, read_options
from ingest.media.text import MAX_TEXT_BYTES, text_items
from ingest.media.worker_pool import DecodeJob, decoded

#: One offset is kept per this many lines: 10 million lines need 300 kB, and finding one reads at most this many.
LINES_APART: Final = 256
_CHUNK: Final = 4 << 20
#: fastText writes the label of a line before its text.
_LABELS: Final = re.compile(r"(?:__label__\S+\s+)+")
_LINES: Final = re.compile(r"(?:.*/)?(?!\.)[^/]+\.(?i:txt(?:\.gz|\.bz2|\.xz)?)")
_NAMES: Final = ("amazon5core.preprocessed.txt", "amazon5core.txt")
_PATTERNS: Final = tuple(name + end for name in _NAMES for end in ("", ".gz", ".bz2", ".xz", *ARCHIVES))


def open_amazon(folder: Path, options: Mapping[str, object], cache: Path | None) -> MediaSource | None:
    """Amazon's reviews ``amazon5core.preprocessed.txt``, one example per line. Options: path, encoding, count."""
    told = read_options("amazon-lines", options)
    path = find(folder, told.patterns(_PATTERNS))
    return None if path is None else Lines(open_store(path), told, cache)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of the first ``.txt`` of ``store``. ``cache`` is a folder for the index, None keeps none."""

    store: Store
    told: Options
    cache: Path | None

    @property
    def sources(self) -> Sequence[Path]:
        return [self.store.path]

    def labels(self, keyed: bool = False) -> None:
        """None: the meaning of labels in front of the lines is unknown here."""

    def names(self) -> None:
        """None: one file holds all examples."""

    def notes(self) -> Sequence[str]:
        return ()

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), partial(_shown, encoding=self.told.encoding), workers)

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        path = self.store.path
        count = None
        for member in self.store.members():
            if count is not None or not _LINES.fullmatch(member.name):
                continue
            if path.is_file() and member.name == path.name and path.suffix.lower() == ".txt":
                count = yield from self._by_offset(path, sorted(wanted))
            else:
                count = yield from self._in_one_pass(member, wanted)
        if count is None:
            raise MediaError(path, "expected a .txt file in it, found none")
        for index in sorted(wanted):
            if not 0 <= index < count:
                yield MediaProblem(
                    index, str(path), f"expected a line of this index, found only {count:,}", absent=True
                )

    def _by_offset(self, path: Path, wanted: Sequence[int]) -> Generator[DecodeJob, None, int]:
        index = LineIndex.of(path, self.cache)
        self._require(index.count)
        with path.open("rb") as file:
            for number in wanted:
                if 0 <= number < index.count:
                    yield DecodeJob(number, str(path), "", index.line(file, number))
        return index.count

    def _in_one_pass(self, member: Member, wanted: Wanted) -> Generator[DecodeJob, None, int]:
        count = 0
        try:
            with unpacked(member, self.store.path) as file:
                for line in whole_lines(file):
                    if count in wanted:
                        yield DecodeJob(count, str(self.store.path), "", line)
                    count += 1
        except MemberError as error:
            raise MediaError(self.store.path, str(error)) from error
        self._require(count)
        return count

    def _require(self, count: int) -> None:
        if self.told.count is not None and count != self.told.count:
            raise MediaCountError(self.store.path, f"expected {self.told.count:,} lines, found {count:,}")


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Offsets of lines in a file: ``offsets`` of every LINES_APART-th line, and the number of lines."""

    count: int
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, path: Path, cache: Path | None) -> "LineIndex":
        """The index of a file, from the cache if it has one for this very file, else built and cached."""
        found = path.stat()
        made_for = np.array([1, LINES_APART, found.st_size, found.st_mtime_ns], dtype=np.int64)
        kept = (
            None if cache is None else cache / f"{path.name}-{zlib.crc32(str(path.resolve()).encode()):08x}.lines.npy"
        )
        if kept is not None and kept.is_file():
            stored = _loaded(kept)
            if stored is not None and np.array_equal(stored[:4], made_for):
                return cls(int(stored[4]), stored[5:])
        built = cls._built(path)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            with writing(kept), part.open("wb") as file:
                np.save(file, np.concatenate([made_for, [built.count], built.offsets]), allow_pickle=False)
            part.replace(kept)
        return built

    @classmethod
    def _built(cls, path: Path) -> "LineIndex":
        starts = [np.zeros(1, np.int64)]
        count, at, last = 0, 0, b"\n"
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == 0x0A)
                numbers = np.arange(count + 1, count + 1 + len(ends))
                starts.append(at + 1 + ends[numbers % LINES_APART == 0])
                count, at, last = count + len(ends), at + len(chunk), chunk[-1:]
        return cls(count + (last != b"\n"), np.concatenate(starts).astype(np.int64))

    def line(self, file: io.BufferedIOBase | io.BufferedReader, number: int) -> bytes:
        """The bytes of one line, without its end, up to the maximum length of a text."""
        file.seek(int(self.offsets[number // LINES_APART]))
        for _ in range(number % LINES_APART):
            while (passed := file.readline(_CHUNK)) and not passed.endswith(b"\n"):
                continue
        return file.readline(MAX_TEXT_BYTES + 2).rstrip(b"\r\n")


def _loaded(path: Path) -> NDArray[np.int64] | None:
    """A cached index; None if the file is not a valid one, which is then rebuilt."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return (
        array
        if isinstance(array, np.ndarray) and array.dtype == np.int64 and array.ndim == 1 and len(array) > 5
        else None
    )


def whole_lines(file: Readable) -> Iterator[bytes]:
    """The lines of a stream without line ends, holding one at a time. Raises MemberError for one that is too long."""
    rest = b""
    while chunk := file.read(1 << 20):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_TEXT_BYTES:
            raise MemberError(f"expected lines of at most {MAX_TEXT_BYTES:,} bytes, found a longer one")
        for line in lines:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest.removesuffix(b"\r")


def _shown(job: DecodeJob, encoding: str) -> Iterator[MediaItem]:
    if len(job.data) > MAX_TEXT_BYTES:
        raise MemberError(f"expected at most {MAX_TEXT_BYTES:,} bytes, found more")
    prefix = _LABELS.match(job.data[:1_000].decode("latin-1"))
    return text_items(job.index, job.data[prefix.end() :] if prefix else job.data, encoding)
