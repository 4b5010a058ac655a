"""Errors of an ingest, with messages a person can act on.

Every message names the file, the record where there is one, what was expected and what was found. No error is caught
and hidden: the commands print the message and exit.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: How users state what texts are, in the command and in a manifest.
HOW_CLASSES_ARE: Final = (
    "--classes-are names or --classes-are numbers of the command flag; in a manifest, classes_are under [files]; in "
    'Python, classes_are="names" or classes_are="numbers"'
)

#: What the system says when there is no room, or no more than so much is allowed.
NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class IngestError(Exception):
    """Base class of ingest errors: something outside this program is wrong; the catalogue was left unchanged."""


class DataError(IngestError):
    """A file whose content is not what was expected.

    >>> str(DataError("votes.json", "expected a list, found an object", record="record 3"))
    'votes.json: record 3: expected a list, found an object'
    """

    def __init__(self, file: Path | str, finding: str, *, record: str | None = None) -> None:
        self.file = str(file)
        self.record = record
        self.finding = finding
        super().__init__(": ".join(part for part in (self.file, record, finding) if part))

    def __reduce__(self) -> tuple[object, ...]:
        # By default, exceptions from another process are recreated from their message alone.
        return _again, (type(self), self.file, self.finding, self.record)


def _again(kind: type[DataError], file: str, finding: str, record: str | None) -> DataError:
    return kind(file, finding, record=record)


class ArgumentError(DataError, ValueError):
    """An invalid argument of a function; ``file`` is the argument, or the file it names."""


class MissingFileError(DataError):
    """A required file that does not exist."""


class ManifestError(DataError):
    """An invalid manifest."""


class CatalogueError(IngestError):
    """The catalogue cannot be written: locked by another ingest, of another version, or on a full disk."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name a file that cannot be written: the system names only those that it cannot open. Raises DataError.

    It may be written under another name in its folder first.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and not _is_for(Path(os.fsdecode(error.filename)), path):
            raise
        said = error.strerror or str(error)
        if error.errno in NO_SPACE:
            said = f"expected room to write it, found none ({said}); make room there, or write it elsewhere"
        else:
            said = f"could not be written: {said}"
        raise DataError(path, said) from error


def _is_for(part: Path, path: Path) -> bool:
    """Whether a file is the one at a path, or what it is called until it is whole."""
    return part.parent in (path.parent, path.parent.resolve()) and path.name in part.name


def system_error(error: OSError) -> str:
    """What the system says, with the file, or where it can be if it does not say that."""
    said = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {said}"
    if error.errno in NO_SPACE:
        import tempfile  # here alone: every command imports this module

        where = f"the folder that is written to, or {tempfile.gettempdir()} for temporary files ($TMPDIR names another)"
        return f"expected room to write a file, found none ({said}); make room in {where}"
    return f"a file could not be read or written: {said}"


def shown(value: object, limit: int = 60) -> str:
    """A value for use in a message: its repr on one line, cut to a maximum length.

    >>> shown("abc")
    "'abc'"
    """
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        text = "a number of thousands of digits"
    if "\n" in text:  # that of an array or a table
        text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
