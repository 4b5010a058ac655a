"""Folders, tar and zip archives and single files, each as a sequence of members to read in one pass.

Nothing is unpacked to disk; names of members are only compared. An archive with a name that would leave its folder was
still not made by an honest tool and is refused as a whole. Links, devices and sparse files are never read. The expanded
size of a file is bounded by its packed size, that of a member by what its reader requests.
"""

import hashlib
import io
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol, Self, cast

from app.evaluation.tables.git_pointers import MOST as MOST_OF_A_POINTER
from app.evaluation.tables.git_pointers import pointer
from ingest.errors import shown
from ingest.git_pointers import refuse_pointers
from ingest.media.archives.decompress import DAMAGE, TAIL, Bounded, Budget, Readable, inflated
from ingest.media.items import MediaError

#: tar's own headers of long names and attributes; tarfile reads them whole.
MAX_TAR_HEADER: Final = 1 << 20

_TAR = re.compile(r".*\.(tar|tar\.gz|tgz|tar\.bz2|tbz2?|tb2|tar\.xz|txz)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_TAR_HEADERS: Final = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class MemberError(Exception):
    """One member that cannot be read; the message says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file within a store, to be opened before the next member is requested."""

    name: str  # relative, "/" between folders, also where the archive has backslashes
    size: int  # bytes, as declared
    refused: str | None  # why it is not read, or None
    opened: Callable[[], AbstractContextManager[Readable]]
    path: Path | None = None  # the path of its own file, or None in an archive

    def open(self) -> AbstractContextManager[Readable]:
        """Open the member. Raises MemberError if it is refused, cannot be opened, or is a Git pointer file."""
        if self.refused:
            raise MemberError(self.refused)
        if self.size >= MOST_OF_A_POINTER:
            return self.opened()
        with self.opened() as file:
            data = file.read(MOST_OF_A_POINTER)
        if found := pointer(data):
            raise MemberError(f"expected a file, found {found}")
        return nullcontext(io.BytesIO(data))

    def read(self, limit: int) -> bytes:
        """Read all of it. Raises MemberError if it is refused, damaged or larger than ``limit`` bytes."""
        if not self.refused and self.size > limit:
            raise MemberError(f"expected at most {limit:,} bytes, found {self.size:,}")
        with self.open() as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise MemberError(f"expected at most {limit:,} bytes, found more")
        return data


class Store(Protocol):
    """A folder, archive or file that contains members."""

    @property
    def path(self) -> Path:
        """The path of the file or folder."""

    def members(self) -> Iterator[Member]:
        """All files in it, in stored order; folders themselves are left out.

        Raises MediaError if it is damaged, truncated, a bomb, or contains a name that leads out of it.
        """


def open_store(path: Path) -> Store:
    """Open the store at ``path``: a folder, a .tar (.gz, .bz2, .xz) or .zip, or a single file as its only member."""
    if path.is_dir():
        return _Folder(path)
    if _TAR.fullmatch(path.name):
        return _Tar(path)
    if path.suffix.lower() == ".zip":
        return _Zip(path)
    return _File(path)


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file, or of all files of a folder.

    A folder's SHA-256 is that of the lines "sha256  name" of its files, sorted by name, as ``sha256sum`` prints them.
    Raises MediaError if one cannot be read.
    """
    try:
        return _fingerprint(path)
    except (MemberError, OSError) as error:
        raise MediaError(path, str(error)) from error


def _fingerprint(path: Path) -> tuple[str, int]:
    if not path.is_dir():
        return _sha256(_open_file(path)), path.stat().st_size
    whole, size = hashlib.sha256(), 0
    for member in sorted(_Folder(path).members(), key=lambda member: member.name):
        if not member.refused:
            whole.update(f"{_sha256(member.open())}  {member.name}\n".encode("utf-8", "surrogateescape"))
            size += member.size
    return whole.hexdigest(), size


def _sha256(opened: AbstractContextManager[Readable]) -> str:
    digest = hashlib.sha256()
    with opened as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _open_archive(path: Path) -> BinaryIO:
    try:
        refuse_pointers([path], MediaError)
        return path.open("rb")
    except OSError as error:
        raise MediaError(path, f"expected a file that can be read ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class _File:
    path: Path

    def members(self) -> Iterator[Member]:
        with _open_archive(self.path) as file:
            size = file.seek(0, os.SEEK_END)
        yield Member(self.path.name, size, None, lambda: _open_file(self.path), self.path)


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def members(self) -> Iterator[Member]:
        root = self.path.resolve()
        for folder, folders, files in os.walk(root):
            folders.sort()
            for file in sorted(files):
                yield self._member(root, Path(folder, file))

    @staticmethod
    def _member(root: Path, path: Path) -> Member:
        name = _slashed(path.relative_to(root).as_posix())
        refused, size = None, 0
        try:
            if not path.resolve().is_relative_to(root):
                refused = "expected a file, found a link that leads out of the folder"
            elif not stat.S_ISREG(path.stat().st_mode):
                refused = "expected a file, found a device or pipe"
            else:
                size = path.stat().st_size
        except (OSError, RuntimeError) as error:  # a link to nowhere, or to itself
            refused = f"expected a file, found none that can be read ({error})"
        return Member(name, size, refused, lambda: _open_file(path), path)


@contextmanager
def _open_file(path: Path) -> Iterator[Readable]:
    def fail(error: Exception) -> MemberError:
        return MemberError(f"expected a file that can be read ({error})")

    try:
        file = path.open("rb")
    except OSError as error:
        raise fail(error) from error
    with file:
        yield Bounded(file, None, fail)


class _CheckedTarInfo(tarfile.TarInfo):
    """Refuses headers with a size that would exhaust memory or turn the reader backwards."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _TAR_HEADERS and header.size > MAX_TAR_HEADER):
            raise OSError(f"refused a header of {header.size:,} bytes")
        return header


@dataclass(frozen=True, slots=True)
class _Tar:
    path: Path

    def members(self) -> Iterator[Member]:
        with _open_archive(self.path) as packed:
            stream = inflated(packed, self.path)
            try:
                tar = tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|", tarinfo=_CheckedTarInfo)  # noqa: SIM115
            except DAMAGE as error:
                raise _damaged(self.path, error) from error
            while (info := self._next(tar)) is not None:
                if not info.isdir():
                    yield self._member(tar, info)
            stream.drain()  # the checksum of the whole is only checked at its end
            # tarfile takes a truncated header for the end of the archive, which is a block of zeros.
            if stream.tail != bytes(TAIL):
                raise _damaged(self.path, EOFError("no end is marked"))

    def _next(self, tar: tarfile.TarFile) -> tarfile.TarInfo | None:
        # tarfile keeps all members, which a pass over a million of them does not need.
        tar.members = []  # type: ignore[attr-defined]
        try:
            return tar.next()
        except DAMAGE as error:
            raise _damaged(self.path, error) from error

    def _member(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
        def opened() -> AbstractContextManager[Readable]:
            file = tar.extractfile(info)
            if file is None:
                raise MemberError("expected a file, found none")
            return nullcontext(Bounded(file, None, lambda error: _damaged(self.path, error)))

        refused = None
        if not info.isreg() or info.issparse():
            kind = "link" if info.issym() or info.islnk() else "device or special file"
            refused = f"expected a file, found a {kind}"
        return Member(_checked_name(self.path, info.name), info.size, refused, opened)


@dataclass(frozen=True, slots=True)
class _Zip:
    path: Path

    def members(self) -> Iterator[Member]:
        with _open_archive(self.path) as packed:
            try:
                archive = zipfile.ZipFile(packed)
            except DAMAGE as error:
                raise _damaged(self.path, error) from error
            budget = Budget(self.path, self.path.stat().st_size)
            for info in archive.infolist():
                if not info.is_dir() and not info.filename.endswith("\\"):
                    yield self._member(archive, info, budget)

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Member:
        @contextmanager
        def opened() -> Iterator[Readable]:
            try:
                file = archive.open(info)
            except DAMAGE as error:
                raise _damaged_member(error) from error
            with file:
                yield Bounded(file, budget, _damaged_member)

        refused = None
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            refused = "expected a file, found a link or special file"
        elif info.flag_bits & 1:
            refused = "expected a file that anyone can read, found one that is encrypted with a password"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refused = f"expected it stored or deflated, found compression method {info.compress_type}"
        return Member(_checked_name(self.path, info.filename), info.file_size, refused, opened)


def _checked_name(archive: Path, name: str) -> str:
    parts = _slashed(name).split("/")
    if ".." in parts or parts[0] == "" or _DRIVE.match(name) or "\0" in name:
        raise MediaError(archive, "refused the archive: this name leads out of it", record=f"member {shown(name)}")
    return PurePosixPath(*parts).as_posix()


def _slashed(name: str) -> str:
    """A name with "/" between folders.

    Some Windows tools write backslashes into archives; unpacking these elsewhere gives files with the whole path as
    name, all in one folder.
    """
    return name.replace("\\", "/")


def _damaged(archive: Path, error: Exception) -> MediaError:
    return MediaError(archive, f"expected a whole archive, found one that cannot be read to its end: {error}")


def _damaged_member(error: Exception) -> MemberError:
    return MemberError(f"expected a whole file, found one that cannot be unpacked: {error}")
