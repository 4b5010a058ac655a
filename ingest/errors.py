"""Errors of an ingest, with messages a person can act on.

Every message names the file, the record where there is one, what was expected and what was found. No error is caught
and hidden: the commands print the message and exit.
"""

from pathlib import Path
from typing import Final

#: How a person says what texts are, to the command and in a manifest.
HOW_CLASSES_ARE: Final = (
    "--classes-are names or --classes-are numbers of the command flag; in a manifest, classes_are under [files]; in "
    'Python, classes_are="names" or classes_are="numbers"'
)


class IngestError(Exception):
    """Something outside this program is not as it must be; the catalogue was left as it was."""


class DataError(IngestError):
    """A file that does not hold what it should.

    >>> str(DataError("votes.json", "expected a list, found an object", record="record 3"))
    'votes.json: record 3: expected a list, found an object'
    """

    def __init__(self, file: Path | str, finding: str, *, record: str | None = None) -> None:
        self.file = str(file)
        self.record = record
        self.finding = finding
        super().__init__(": ".join(part for part in (self.file, record, finding) if part))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are otherwise made anew from their message alone when they come back from another process.
        return _again, (type(self), self.file, self.finding, self.record)


def _again(kind: type[DataError], file: str, finding: str, record: str | None) -> DataError:
    return kind(file, finding, record=record)


class ArgumentError(DataError, ValueError):
    """What was passed to a function is not what it should be; ``file`` is the argument, or the file it names."""


class MissingFileError(DataError):
    """A file that must be there is not."""


class ManifestError(DataError):
    """A manifest that does not say what a manifest must say."""


class CatalogueError(IngestError):
    """The catalogue cannot be written: locked by another ingest, of another version, or on a full disk."""


def shown(value: object, limit: int = 60) -> str:
    """A value from a file as it may stand in a message: its repr, cut to a length.

    >>> shown("abc")
    "'abc'"
    """
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
