"""All pages of the documentation and the files they link, read once when the server starts."""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.package_files import DOCS
from app.site.docs.markdown import INDEX, Document, Size, read

_PLAIN: Final = "text/plain; charset=utf-8"
#: The files that are served beside the pages, by their endings. A browser runs none of these types.
_TYPES: Final = {".ipynb": "application/x-ipynb+json", ".conf": _PLAIN, ".service": _PLAIN, ".yaml": _PLAIN}
#: The folder of the pictures that pages show, all of them PNG.
_PICTURES: Final = "pictures"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class LinkedFile:
    """A file of the documentation that is no page: an example of a configuration, a notebook, or a picture."""

    content: bytes
    media_type: str


@lru_cache(maxsize=1)
def linked_files() -> Mapping[str, LinkedFile]:
    """The files of the folder ``docs`` by their paths in it: ``operating/nginx.conf``."""
    found = {name: LinkedFile((DOCS / name).read_bytes(), _TYPES[Path(name).suffix]) for name in _names(DOCS)}
    return found | {name: LinkedFile((DOCS / name).read_bytes(), "image/png") for name in _pictures(DOCS)}


def _names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.suffix in _TYPES)


def _pictures(folder: Path) -> dict[str, Size]:
    """The pictures that pages may show, by their paths, with their sizes. Raises ValueError for one that is no PNG."""
    found = {}
    for file in sorted((folder / _PICTURES).glob("*.png")):
        head = file.read_bytes()[:24]
        if not head.startswith(_PNG) or len(head) < 24:
            raise ValueError(f"{file}: expected a picture in PNG")
        width, height = struct.unpack(">II", head[16:])
        found[f"{_PICTURES}/{file.name}"] = (width, height)
    return found


@lru_cache(maxsize=1)
def library() -> Mapping[str, Document]:
    """The pages of the folder ``docs`` by name: see ``pages_of``."""
    return pages_of(DOCS)


def pages_of(folder: Path) -> Mapping[str, Document]:
    """The pages made of the Markdown files of a folder, by name: the index, then the others in the order it links them.

    A file that the index does not link comes last. Raises ValueError naming a file that cannot be shown, or if there is
    no index.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.md"))}
    if INDEX not in files:
        raise ValueError(f"{folder} has no {INDEX}.md, where the documentation begins")
    linked, pictures = _names(folder), _pictures(folder)
    found = {name: _read(file, files, linked, pictures) for name, file in files.items()}
    return {name: found[name] for name in dict.fromkeys((INDEX, *found[INDEX].leads_to, *found))}


def _read(file: Path, names: Collection[str], linked: Collection[str], pictures: Mapping[str, Size]) -> Document:
    try:
        return read(file.read_text(encoding="utf-8"), names, linked, pictures)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
