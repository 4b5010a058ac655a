"""The values that reading media yields, and the interface that every source of media offers.

Plain values and one protocol: no file is opened here.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, overload

from ingest.errors import DataError

Kind = Literal["image", "thumbnail", "text", "audio", "waveform", "spectrogram", "row", "question"]

#: The examples to read: index in the test set -> the dataset's own key, or None without one.
Wanted = Mapping[int, str | None]


class MediaError(DataError):
    """A distribution that cannot be read at all: damaged, hostile, or not what its name says."""


class MediaCountError(MediaError):
    """A different number of media and labels, so that they cannot be matched."""


class UnorderedFilesError(DataError):
    """Files found by position, with names that do not determine their order."""


class UnpairedFilesError(MediaError):
    """Media matched by name, if none has an expected name."""


class NoMediaError(MediaError):
    """No media were found, although there were some before."""


class LabelMismatchError(MediaError):
    """Media with labels of their own that differ from those given; either may be wrong."""


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One thing to show of one example, ready to be stored and served unchanged.

    ``width`` and ``height`` are pixels, ``seconds`` is the length of a sound; each is None if it does not apply.
    ``text`` is the decoded text for kind "text", so that ``data`` need not be decoded again, and for kind "row", whose
    ``data`` is a JSON list of [column, value, what is unusual about it or null], the same in a line. ``words`` is what
    can be searched of it, if not the text.
    """

    index: int
    kind: Kind
    type: str  # media type, as served: "image/png"
    width: int | None
    height: int | None
    seconds: float | None
    data: bytes
    text: str | None = None
    words: str | None = None
    silent: bool = False  # a sound that is silent from beginning to end
    spare: int = 0  # other files of the same example, which are no better and were not used


@dataclass(frozen=True, slots=True)
class MediaProblem:
    """One example that cannot be shown, and why. It does not affect the others."""

    index: int
    where: str  # the file, and the member within it
    message: str  # what was expected and what was found
    absent: bool = False  # missing from the distribution, so no file is damaged

    def __str__(self) -> str:
        return f"{self.where}: example {self.index}: {self.message}"


@dataclass(frozen=True)
class Runs(Sequence[str]):
    """Labels that each apply to a run of examples: label i applies to those before ``ends[i]``.

    >>> runs = Runs(("ant", "bee"), (2, 5))
    >>> list(runs), runs.lengths
    (['ant', 'ant', 'bee', 'bee', 'bee'], [2, 3])
    """

    names: tuple[str, ...]
    ends: tuple[int, ...]

    @property
    def lengths(self) -> list[int]:
        """The number of examples in each run."""
        return [end - start for start, end in zip((0, *self.ends), self.ends, strict=False)]

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.names[bisect_right(self.ends, index)]


class MediaSource(Protocol):
    """A dataset's own distribution, open for reading."""

    @property
    def sources(self) -> Sequence[Path]:
        """The files it reads; for an unpacked distribution, its folder (see ``archives.stores.fingerprint``)."""

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        """Everything to show of the wanted examples, in stored order.

        An image yields an "image" and a "thumbnail", a text a "text", a row a "row", a question a "question", a sound
        an "audio", a "waveform" and a "spectrogram". Each wanted example yields its items or one problem; examples
        missing from the distribution come last. More than one worker decodes in as many processes; the result is the
        same.

        Raises MediaError if the distribution as a whole cannot be read, even after some items.
        """

    def labels(self, keyed: bool = False) -> Sequence[int | str | None] | None:
        """The labels that the distribution itself contains, in the order of the examples' indices.

        Each is a class id, the name of a class's folder, or None for an example without one; the length is the number
        of examples. None altogether if examples are identified by keys and not by order, or if ``Options.count`` is all
        that can be compared. ``keyed`` says that the dataset has keys. The caller can compare these labels with those
        from elsewhere.
        """

    def names(self) -> Sequence[str] | None:
        """The name of each example's own file, in the order of their indices; None if one file holds many examples.

        Raises MediaError, or UnorderedFilesError if names do not determine the order of the files.
        """

    def notes(self) -> Sequence[str]:
        """Remarks for whoever pairs these media with labels, such as skipped files; usually none."""
