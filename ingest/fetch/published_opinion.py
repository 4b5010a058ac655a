"""Fetch the file of a published second opinion, where its licence lets anyone pass it on.

The file that arrives is the one its manifest names, by SHA-256, or there is none: it is fetched beside its place and
renamed when it is whole.
"""

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ingest.errors import DataError, IngestError
from ingest.fetch.downloader import FetchPolicy, FetchResult, FetchTask, fetch
from ingest.manifest.opinion import OpinionManifest
from ingest.progress import Progress

#: An opinion on fifty million examples is smaller than this.
MOST_BYTES: Final = 512 << 20
_POLICY: Final = FetchPolicy(connections=1, attempts=3, whole=600, total=900, most_bytes=MOST_BYTES)
#: Prefixes of media types; a page that says "not found" with status 200 fails by its SHA-256.
_TYPES: Final = ("application/", "binary/", "text/plain", "text/csv")


def may_fetch(opinion: OpinionManifest) -> bool:
    """Whether the licence lets anyone pass the file on, and it is known where it is and what is in it."""
    return opinion.redistributable and opinion.url is not None and opinion.sha256 is not None


def file_name(opinion: OpinionManifest) -> str:
    """The name of the published file, without folders."""
    name = urlsplit(opinion.url or "").path.rsplit("/", 1)[-1]
    return name if name.strip(".") else opinion.name


def fetch_opinion(
    opinion: OpinionManifest, folder: Path, progress: Progress, address: str | None = None
) -> tuple[Path, bool]:
    """Fetch an opinion into a folder; its path, and whether it was there already.

    ``address`` is another place to fetch it from, which may be on a private machine, for who named it is at the
    keyboard. Raises IngestError where there is no folder or no answer, and DataError for a file that is not the
    published one; an unfinished one is never left behind, and a file that is there is never written over.
    """
    if not may_fetch(opinion):
        raise IngestError(f"{opinion.title}: its terms ({opinion.licence}) do not let it be fetched here")
    if not folder.is_dir():
        raise IngestError(f"{folder}: expected a folder to put {opinion.title} in, found none")
    target, url = folder / file_name(opinion), address or opinion.url or ""
    if target.exists() or target.is_symlink():
        _require_published(target, opinion, "it is not touched; name another folder with --to")
        return target, True
    host = urlsplit(url).hostname
    policy = _POLICY if address is None or host is None else replace(_POLICY, allowed_hosts=frozenset({host}))
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=folder) as aside:
        (found,) = _fetched(url, Path(aside), policy, progress, opinion.title)
        if found.path is None:
            raise IngestError(f"{url}: {found.reason}")
        _require_published(found.path, opinion, f"from {url}; nothing is kept")
        found.path.chmod(0o666 & ~_mask())
        _rename_into_free_place(found.path, target)
    return target, False


def _fetched(url: str, aside: Path, policy: FetchPolicy, progress: Progress, title: str) -> list[FetchResult]:
    with progress.task(f"{title}: {url}", 1, "file") as advance:
        return fetch([FetchTask(0, url)], aside, _TYPES, (), policy, lambda _: advance(1), progress.say)


def _require_published(path: Path, opinion: OpinionManifest, otherwise: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != opinion.sha256:
        finding = f"expected {opinion.title} with SHA-256 {opinion.sha256}, found {digest}, {otherwise}"
        raise DataError(path.name, finding)


def _rename_into_free_place(path: Path, target: Path) -> None:
    """Rename a file, unless somebody has put one there meanwhile."""
    try:
        os.link(path, target)
    except FileExistsError as error:
        raise IngestError(f"{target}: another file has come here meanwhile; it is not touched") from error
    except OSError:  # a file system without hard links
        path.replace(target)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
