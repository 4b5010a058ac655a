"""Packs made-up files in each of the ways in which datasets are published."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

Files = Mapping[str, bytes]


def tar_bytes(files: Files, *extra: tarfile.TarInfo) -> bytes:
    """A tar of the files, in their order, and of members without content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra:
            tar.addfile(info)
    return raw.getvalue()


def zip_bytes(files: Files) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw.getvalue()


def unpacked(folder: Path, name: str, files: Files) -> Path:
    """The files themselves; ``name`` is where they lie, as their own names say already."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder / name


def _written(ending: str, pack: Callable[[Files], bytes]) -> Callable[[Path, str, Files], Path]:
    def write(folder: Path, name: str, files: Files) -> Path:
        path = folder / f"{name}{ending}"
        path.write_bytes(pack(files))
        return path

    return write


#: way -> function of (folder, name without ending, files) that writes the files in that way.
WAYS: Mapping[str, Callable[[Path, str, Files], Path]] = {
    "unpacked": unpacked,
    "tar": _written(".tar", tar_bytes),
    "tar.gz": _written(".tar.gz", lambda files: gzip.compress(tar_bytes(files))),
    "tar.bz2": _written(".tar.bz2", lambda files: bz2.compress(tar_bytes(files))),
    "tar.xz": _written(".tar.xz", lambda files: lzma.compress(tar_bytes(files))),
    "zip": _written(".zip", zip_bytes),
}
