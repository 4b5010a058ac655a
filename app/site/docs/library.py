"""All pages of the documentation, read once when the server starts."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from app.package_files import DOCS
from app.site.docs.markdown import INDEX, Document, read


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
    found = {name: _read(file, files) for name, file in files.items()}
    return {name: found[name] for name in dict.fromkeys((INDEX, *found[INDEX].leads_to, *found))}


def _read(file: Path, names: Mapping[str, Path]) -> Document:
    try:
        return read(file.read_text(encoding="utf-8"), names)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
