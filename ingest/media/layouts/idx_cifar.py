"""Distributions with all examples in one file, one record after another: MNIST and CIFAR.

Records are read one at a time, so memory does not grow with the file; only a pickle has to be read whole.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

import numpy as np

from ingest.labels.safe_pickle import PickledArraysError, load_arrays
from ingest.manifest.layouts import ARCHIVES
from ingest.media.archives.decompress import DECOMPRESSORS, Bounded, Budget, Readable
from ingest.media.archives.stores import Member, MemberError, Store, open_store
from ingest.media.images.thumbnails import Pixels, pixel_items
from ingest.media.items import MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.locate import find, read_options
from ingest.media.worker_pool import DecodeJob, decoded

_IDX_IMAGES: Final = 0x0803  # bytes, in three dimensions
_IDX_LABELS: Final = 0x0801  # bytes, in one
_MAX_SIDE: Final = 4096
_CIFAR_SIDE: Final = 32
_CIFAR_PIXELS: Final = 3 * _CIFAR_SIDE * _CIFAR_SIDE

_MNIST_FILES: Final = tuple(
    folder + name for folder in ("", "raw/") for name in ("t10k-images[-.]idx3-ubyte", "t10k-images[-.]idx3-ubyte.gz")
)
_MNIST: Final = (
    *_MNIST_FILES,
    *(name + end for name in ("mnist", "MNIST") for end in ("", *ARCHIVES)),
)
_CIFAR10: Final = (
    "test_batch.bin",
    "test_batch",
    *(
        name + end
        for name in ("cifar-10-batches-bin*", "cifar-10-binary*", "cifar-10-batches-py*", "cifar-10-python*")
        for end in ("", *ARCHIVES)
    ),
)
_LABELS_OF_MNIST: Final = re.compile(r"(?:.*/)?t10k-labels[-.]idx1-ubyte(?:\.gz)?")
# A bare "test" or "test.bin" is too unspecific to be assumed CIFAR-100's; "path" may name one.
_CIFAR100: Final = tuple(name + end for name in ("cifar-100-binary*", "cifar-100-python*") for end in ("", *ARCHIVES))


@dataclass(frozen=True, slots=True)
class Record:
    """One example: its picture, made only on request, and its label."""

    pixels: Callable[[], Pixels]
    label: int | None


Reader = Callable[[Readable, str], Iterator[Record]]


def open_mnist(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """MNIST's test images, ``t10k-images-idx3-ubyte``, plain or gzipped, and their label file. Options: path."""
    told = read_options("mnist-idx", options)
    path = find(folder, told.patterns(_MNIST))
    member = re.compile(r"(?:.*/)?t10k-images[-.]idx3-ubyte(?:\.gz)?")
    return None if path is None else IdxRecords(open_store(path), member, lambda _: idx_records)


def open_cifar10(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """CIFAR-10's test batch, of the binary or the Python version. Options: path."""
    return _open(
        "cifar10",
        folder,
        options,
        _CIFAR10,
        r"test_batch(?:\.bin)?",
        lambda name: cifar_binary_records if name.endswith(".bin") else cifar_python_records,
    )


def open_cifar100(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """CIFAR-100's test file, of the binary or the Python version, with its fine labels. Options: path."""
    return _open(
        "cifar100",
        folder,
        options,
        _CIFAR100,
        r"test(?:\.bin)?",
        lambda name: partial(cifar_binary_records, n_labels=2) if name.endswith(".bin") else cifar_python_records,
    )


def _open(
    layout: str,
    folder: Path,
    options: Mapping[str, object],
    patterns: Sequence[str],
    member: str,
    reader: Callable[[str], Reader],
) -> MediaSource | None:
    told = read_options(layout, options)
    path = find(folder, told.patterns(patterns))
    return None if path is None else Records(open_store(path), re.compile(rf"(?:.*/)?{member}"), reader)


def pixels_of(job: DecodeJob) -> Iterator[MediaItem]:
    """The items of an array of pixels."""
    return pixel_items(job.index, job.data)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of the first member of ``store`` with a matching name."""

    store: Store
    member: re.Pattern[str]
    reader: Callable[[str], Reader]

    @property
    def sources(self) -> Sequence[Path]:
        return [self.store.path]

    def names(self) -> None:
        """None: one file holds all examples."""

    def notes(self) -> Sequence[str]:
        return ()

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), pixels_of, workers)

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        count, where = 0, str(self.store.path)
        for index, record in enumerate(self._records()):
            count += 1
            if index in wanted:
                yield DecodeJob(index, where, "", record.pixels())
        for index in sorted(wanted):
            if not 0 <= index < count:
                yield MediaProblem(index, where, f"expected an image of this index, found only {count:,}", absent=True)

    def labels(self, keyed: bool = False) -> Sequence[int | None]:  # noqa: ARG002  # records never have keys
        return [record.label for record in self._records()]

    def _records(self) -> Iterator[Record]:
        found = False
        for member in self.store.members():
            if not found and self.member.fullmatch(member.name):
                found = True
                yield from self._records_of(member)
        if not found:
            wanted = self.member.pattern.removeprefix("(?:.*/)?")
            raise MediaError(self.store.path, f"expected a file named like {wanted} in it, found none")

    def _records_of(self, member: Member) -> Iterator[Record]:
        with _read(member, self.store.path) as (file, where):
            yield from self.reader(member.name)(file, where)


class IdxRecords(Records):
    """Pictures with labels in a separate file, if it exists."""

    __slots__ = ()

    def labels(self, keyed: bool = False) -> Sequence[int | None]:  # noqa: ARG002  # records never have keys
        count = sum(1 for _ in self._records())
        for store in self._stores_of_labels():
            for member in store.members():
                if _LABELS_OF_MNIST.fullmatch(member.name):
                    with _read(member, store.path) as (file, where):
                        return _idx_labels(file, where, count)
        return [None] * count

    def _stores_of_labels(self) -> Sequence[Store]:
        """The files beside a file of images, or the archive or folder that contains it."""
        path = self.store.path
        if not self.member.fullmatch(path.name):
            return [self.store]
        return [
            open_store(beside) for beside in sorted(path.parent.iterdir()) if _LABELS_OF_MNIST.fullmatch(beside.name)
        ]


@contextmanager
def _read(member: Member, path: Path) -> Iterator[tuple[Readable, str]]:
    """The bytes of a member of the store at ``path``, and its name in errors."""
    where = str(path) if member.name == path.name else f"{path}: {member.name}"
    try:
        with unpacked(member, path) as file:
            yield file, where
    except MemberError as error:
        raise MediaError(where, str(error)) from error


@contextmanager
def unpacked(member: Member, path: Path) -> Iterator[Readable]:
    """The bytes of a member, decompressed if the member itself is compressed."""
    ending = PurePosixPath(member.name).suffix.lower()
    with member.open() as file:
        if ending not in DECOMPRESSORS:
            yield file
            return

        def fail(error: Exception) -> MemberError:
            return MemberError(f"expected a whole {ending} file, found one that cannot be read to its end: {error}")

        yield Bounded(DECOMPRESSORS[ending](file), Budget(path, member.size), fail)


def idx_records(file: Readable, where: str) -> Iterator[Record]:
    """Greys from an IDX file: four big-endian numbers (type, count, height, width), then the pixels."""
    header = file.read(16)
    if len(header) < 16 or header[:4] != struct.pack(">I", _IDX_IMAGES):
        raise MediaError(
            where, f"expected an IDX file of images (it begins 00 00 08 03), found {header[:4].hex(' ')!r}"
        )
    count, height, width = struct.unpack(">III", header[4:])
    if not (0 < height <= _MAX_SIDE and 0 < width <= _MAX_SIDE):
        raise MediaError(where, f"expected images of at most {_MAX_SIDE} pixels a side, found {width:,} x {height:,}")
    for index in range(count):
        data = _whole(file.read(height * width), height * width, where, index)
        yield Record(lambda data=data: np.frombuffer(data, np.uint8).reshape(height, width), None)  # type: ignore[misc]
    if file.read(1):
        raise MediaError(where, f"expected {count:,} images as the header says, found more bytes after them")


def _idx_labels(file: Readable, where: str, count: int) -> list[int | None]:
    """This many class ids from an IDX file: two big-endian numbers (type, count), then one byte each."""
    header = file.read(8)
    if len(header) < 8 or header[:4] != struct.pack(">I", _IDX_LABELS):
        found = header[:4].hex(" ")
        raise MediaError(where, f"expected an IDX file of labels (it begins 00 00 08 01), found {found!r}")
    (promised,) = struct.unpack(">I", header[4:])
    if promised != count:
        raise MediaError(where, f"expected {count:,} labels, one an image, found {promised:,}")
    labels = file.read(count)
    if len(labels) != count or file.read(1):
        raise MediaError(where, f"expected {count:,} labels as the header says, found another number")
    return list(labels)


def cifar_binary_records(file: Readable, where: str, n_labels: int = 1) -> Iterator[Record]:
    """Records of label bytes and 3 x 1024 bytes: the red, green and blue planes of 32 x 32 pixels.

    The last label byte counts: CIFAR-10 has one, CIFAR-100 a coarse one before the fine one.
    """
    size = n_labels + _CIFAR_PIXELS
    index = 0
    while data := file.read(size):
        record = _whole(data, size, where, index)
        yield Record(
            lambda record=record: _colours(np.frombuffer(record, np.uint8)[n_labels:]),  # type: ignore[misc]
            record[n_labels - 1],
        )
        index += 1
    if index == 0:
        raise MediaError(where, "expected images, found an empty file")


def cifar_python_records(file: Readable, where: str) -> Iterator[Record]:
    """The rows of the array "data" of a pickled dictionary, and its list "labels" or, in CIFAR-100, "fine_labels"."""
    try:
        batch = load_arrays(cast("BinaryIO", file), where)
    except PickledArraysError as error:
        raise MediaError(error.file, error.finding) from error
    if not isinstance(batch, dict):
        raise MediaError(where, f"expected a dictionary with data and labels, found {type(batch).__name__}")
    named = {key.decode("latin-1") if isinstance(key, bytes) else key: value for key, value in batch.items()}
    data, labels = named.get("data"), named.get("labels", named.get("fine_labels"))
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (_CIFAR_PIXELS,):
        raise MediaError(where, f'expected "data" to be an (n, {_CIFAR_PIXELS}) array of bytes, found something else')
    if not isinstance(labels, list) or len(labels) != len(data) or not all(type(label) is int for label in labels):
        raise MediaError(where, f'expected "labels" to be a list of {len(data):,} whole numbers, found something else')
    for row, label in zip(data, labels, strict=True):
        yield Record(lambda row=row: _colours(row), label)  # type: ignore[misc]


def _colours(planes: Pixels) -> Pixels:
    return np.ascontiguousarray(planes.reshape(3, _CIFAR_SIDE, _CIFAR_SIDE).transpose(1, 2, 0))


def _whole(data: bytes, size: int, where: str, index: int) -> bytes:
    if len(data) < size:
        raise MediaError(where, f"expected {size:,} bytes, found {len(data):,}: cut off", record=f"image {index}")
    return data
