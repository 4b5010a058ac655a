"""The values that reading media yields, and the interface that every source of media offers.

Plain values and one protocol: no file is opened here.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, overload

from ingest.errors import DataError

Kind = Literal["image", "thumbnail", "text", "audio", "waveform", "spectrogram"]

#: The examples to read: index in the test set -> the dataset's own key of it, or None where it has none.
Wanted = Mapping[int, str | None]


class MediaError(DataError):
    """A distribution cannot be read at all: damaged, hostile, or not what its name says."""


class MediaCountError(MediaError):
    """Media that can be read and are not as many as the labels, so that none can be told which label is its own."""


class UnorderedFilesError(DataError):
    """Files that are found by their place, and whose names do not say in which order they are."""


class UnpairedFilesError(MediaError):
    """Media that go by name, of which not one has a name that is looked for."""


class NoMediaError(MediaError):
    """There are none where they were looked for, and there were some before."""


class LabelMismatchError(MediaError):
    """Media whose own labels are others than those given: nobody can say which of the two are the wrong ones."""


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One thing to show of one example, ready to be stored and served as it is.

    ``width`` and ``height`` are pixels, ``seconds`` is the length of a sound; each is None where it does not apply.
    ``text`` is the decoded text for kind "text", so that nobody has to decode ``data`` again.
    """

    index: int
    kind: Kind
    type: str  # media type, as served: "image/png"
    width: int | None
    height: int | None
    seconds: float | None
    data: bytes
    text: str | None = None
    silent: bool = False  # a sound in which nothing is heard from its beginning to its end
    spare: int = 0  # other files of the same example, which are no better and were left aside


@dataclass(frozen=True, slots=True)
class MediaProblem:
    """One example that cannot be shown, and why. The others go on."""

    index: int
    where: str  # the file, and the member within it
    message: str  # what was expected and what was found
    absent: bool = False  # the distribution does not hold it, so nothing is wrong with what is there

    def __str__(self) -> str:
        return f"{self.where}: example {self.index}: {self.message}"


@dataclass(frozen=True)
class Runs(Sequence[str]):
    """Labels of which each holds for a run of examples: the name of run i for those before ``ends[i]``.

    >>> runs = Runs(("ant", "bee"), (2, 5))
    >>> list(runs), runs.lengths
    (['ant', 'ant', 'bee', 'bee', 'bee'], [2, 3])
    """

    names: tuple[str, ...]
    ends: tuple[int, ...]

    @property
    def lengths(self) -> list[int]:
        """How many examples each run has."""
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
    """A dataset's own distribution, found and open for reading."""

    @property
    def sources(self) -> Sequence[Path]:
        """The files it reads; an unpacked distribution is the folder it lies in (see ``archives.fingerprint``)."""

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        """Everything to show of the wanted examples, in the order in which they lie in the distribution.

        An image yields an "image" and a "thumbnail", a text a "text", a sound an "audio", a "waveform" and a
        "spectrogram". Each wanted example yields its items or one problem; examples that the distribution does not
        hold come last. More than one worker decodes in as many processes; the result is the same.

        Raises MediaError when the distribution as a whole cannot be read, be it half-way through.
        """

    def labels(self, keyed: bool = False) -> Sequence[int | str | None] | None:
        """The label that the distribution itself ships with each of its examples, in the order of their indices.

        A class id, the name of a class's folder, or None for an example that it ships none with; the length says how
        many examples there are. None altogether where keys and not an order name examples, or where ``Options.count``
        says all that can be compared. ``keyed`` says that the dataset has keys. Whoever joins these media to labels
        from elsewhere can hold both against each other.
        """

    def names(self) -> Sequence[str] | None:
        """What each example is called by its own file, in the order of their indices; None where one file holds many.

        Raises MediaError, or UnorderedError where names do not say in which order the files are.
        """

    def notes(self) -> Sequence[str]:
        """What whoever pairs these media with labels should know, as what was passed over; none as a rule."""
