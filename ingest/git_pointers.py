"""Refuse Git LFS and git-annex pointer files before anything reads them as data."""

from collections.abc import Iterable
from pathlib import Path

from app.evaluation.tables.git_pointers import MOST, pointer
from ingest.errors import DataError


def refuse_pointers(paths: Iterable[Path | None], kind: type[DataError] = DataError) -> None:
    """Raise an error of ``kind`` for the first file that is a pointer. Missing files are left to their readers."""
    for path in paths:
        if path is not None and path.is_file() and path.stat().st_size < MOST and (found := pointer(path.read_bytes())):
            raise kind(path, f"expected a file, found {found}")
