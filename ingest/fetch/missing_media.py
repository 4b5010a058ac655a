"""Fetch media that are missing from a catalogue, by address, and store them in it.

Only issues without a medium are fetched, and only if the dataset's terms allow storing its media. The files stay in a
cache beside the catalogue, so a second run, or one after a new ingest, downloads nothing twice.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, text, true, update

from app.schema import tables
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.open import open_catalogue
from ingest.datasets.facts import compact
from ingest.datasets.media import (
    NOT_AS_MANY,
    NOT_AT_HAND,
    NOT_FOUND,
    NOT_READ,
    NOT_UNPACKED,
    KeptMedia,
    MediaFor,
    rows_of,
)
from ingest.errors import CatalogueError, DataError, MissingFileError
from ingest.fetch.downloader import FetchPolicy, FetchResult, FetchTask, fetch
from ingest.fetch.failure_messages import spoken
from ingest.media import MediaItem, MediaProblem
from ingest.media import text as texts
from ingest.media.audio import snippets as sounds
from ingest.media.images import thumbnails as pictures
from ingest.media.layouts.distributions import picture
from ingest.media.worker_pool import DecodeJob, Decoder, decoded
from ingest.progress import Lines, Progress

PUBLISHED: Final = "published"
#: A page that plays a clip is not a media file.
_PAGES: Final = ("youtu.be", "youtube.com", "www.youtube.com")
_A_PAGE: Final = "expected a file, found the address of a page that plays it"
_NO_ADDRESS: Final = "its record names no address"
#: Reasons for not sending a request, reported once and not for each example.
NOT_ASKED: Final = (_A_PAGE, _NO_ADDRESS)
_SECONDS: Final = 10.0
_SAY_EVERY: Final = 20.0
_HOSTS_NAMED: Final = 3
_PARTLY = "Some media could not be fetched, so these issues are shown by their labels."

# Full-text tables have no construct in SQLAlchemy; the values are bound.
_DELETE_SEARCH = text("DELETE FROM issue_search WHERE rowid = :rowid")
_INSERT_SEARCH = text("INSERT INTO issue_search (rowid, body) VALUES (:rowid, :body)")


@dataclass(frozen=True)
class Modality:
    """The properties of a kind of media file, and how it is decoded."""

    types: tuple[str, ...]
    suffixes: tuple[str, ...]
    most_bytes: int
    decode: Decoder


def _sound(job: DecodeJob) -> Iterator[MediaItem]:
    return sounds.audio_items(job.index, job.data, Path(job.name).suffix[1:].lower() or "wav", _SECONDS)


def _text(job: DecodeJob) -> Iterator[MediaItem]:
    try:
        job.data.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1"
    return texts.text_items(job.index, job.data, encoding, breaks=True)


MODALITIES: Final[Mapping[str, Modality]] = {
    "image": Modality(("image/",), pictures.SUFFIXES, 32 << 20, picture),
    "audio": Modality(("audio/", "video/mp4", "application/ogg"), sounds.SUFFIXES, 64 << 20, _sound),
    "text": Modality(("text/plain",), ("txt",), texts.MAX_TEXT_BYTES, _text),
}


@dataclass(frozen=True)
class Report:
    """The result of a run. ``failed`` are the examples without a medium, with the reasons."""

    dataset: str
    asked: int
    stored: int
    known: int  # of those stored, the number fetched earlier
    failed: tuple[tuple[int, str], ...]
    addresses: Mapping[int, str]  # of those that failed, if they have one
    unlisted: int = 0  # issues without a medium that are not in the file of addresses
    needless: int = 0  # addresses in it for issues that already have a medium


def fetch_media(
    name: str,
    source: str,
    catalogue: Path,
    manners: FetchPolicy,
    *,
    media_for: MediaFor = "all",
    wait: float,
    progress: Progress,
) -> Report:
    """Fetch the missing media of a dataset, by the address of each record ("published") or from a file of addresses.

    Raises MissingFileError without the catalogue or the file, CatalogueError if the dataset is not in it or its terms
    do not allow storing media, DataError for a file that is not a list of addresses.
    """
    dataset, lacking = _lacking(catalogue, name, media_for)
    kind = MODALITIES[dataset["modality"]]
    urls = _published(lacking) if source == PUBLISHED else _listed(Path(source))
    errands = [FetchTask(index, urls[index]) for index in lacking if index in urls]
    pages = [e for e in errands if urlsplit(e.url).hostname in _PAGES]
    errands = [e for e in errands if e not in set(pages)]
    failed = {e.index: _A_PAGE for e in pages}
    nowhere = [index for index in lacking if index not in urls]
    if source == PUBLISHED:
        failed |= dict.fromkeys(nowhere, _NO_ADDRESS)
    folder = catalogue.resolve().parent / "media-cache" / name
    found = _fetched(name, errands, folder, kind, manners, progress)
    failed |= {one.errand.index: one.reason or "" for one in found if one.path is None}
    files = {one.errand.index: one for one in found if one.path is not None}
    if files:
        with replacing_catalogue(catalogue, [], wait=wait, say=progress.say) as connection:
            failed |= _MediaWriter(connection, name, kind, progress).store(files)
    stored = [index for index in files if index not in failed]
    known = sum(files[index].known for index in stored)
    addresses = {index: urls[index] for index in failed if index in urls}
    report = Report(name, len(lacking), len(stored), known, tuple(sorted(failed.items())), addresses)
    if source == PUBLISHED:
        return report
    return replace(report, unlisted=len(nowhere), needless=sum(index not in lacking for index in urls))


def _lacking(catalogue: Path, name: str, media_for: MediaFor) -> tuple[RowMapping, dict[int, str | None]]:
    """The dataset's row, and the address of each of its issues that lacks a medium it should have."""
    i, d = tables.issues.c, tables.datasets.c
    with open_catalogue(catalogue) as connection:
        dataset = connection.execute(select(tables.datasets).where(d.name == name)).mappings().one_or_none()
        if dataset is None:
            known = ", ".join(connection.scalars(select(d.name).order_by(d.position)))
            raise CatalogueError(f"{catalogue}: expected a dataset named {name}, found {known or 'none'}")
        terms = json.loads(dataset["about"])["licence"]
        if terms["media"] == "none":
            raise CatalogueError(f"{name}: its media may not be kept: {terms['name']}")
        first = tables.issue_id(dataset["id"], media_for if isinstance(media_for, int) else 0)
        chosen = true() if media_for == "all" else or_(i.votes.is_not(None), i.id < first)
        here = (i.dataset_id == dataset["id"], i.media.is_(None), chosen)
        rows = connection.execute(select(i.idx, i.url).where(*here).order_by(i.id))
        return dataset, {row.idx: row.url for row in rows}


def _published(lacking: Mapping[int, str | None]) -> dict[int, str]:
    return {index: url for index, url in lacking.items() if url is not None}


def _listed(path: Path) -> dict[int, str]:
    """The addresses in a file, one per line: the index of the example, white space, the address."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise MissingFileError(path, 'expected a file of addresses, or the word "published", found neither') from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        index, _, url = line.strip().partition(" " if "\t" not in line else "\t")
        if not (index.isascii() and index.isdecimal() and len(index) < 16 and url.strip()):
            raise DataError(path, f"expected an index and an address, found {line[:60]!r}", record=f"line {number}")
        found[int(index)] = url.strip()
    return found


def _fetched(
    name: str, errands: Sequence[FetchTask], folder: Path, kind: Modality, manners: FetchPolicy, progress: Progress
) -> list[FetchResult]:
    if errands:
        hosts = sorted({urlsplit(errand.url).hostname or "no host" for errand in errands})
        others = len(hosts) - _HOSTS_NAMED
        named = ", ".join(hosts[:_HOSTS_NAMED]) + (f" and {others:,} more" if others > 0 else "")
        pace = f"at most {manners.per_second:g} requests a second, {manners.connections} at a time"
        progress.say(f"{name}: {len(errands):,} addresses to ask at {named}; {pace}")
    with progress.task(f"{name}: asking", len(errands), "addresses") as advance:
        telling = _telling(len(errands), advance, progress)
        return fetch(errands, folder, kind.types, kind.suffixes, manners, telling, progress.say)


def _telling(total: int, advance: Callable[[int], None], progress: Progress) -> Callable[[FetchResult], None]:
    """The callback that reports progress: bars show the remaining time themselves, lines have to state it."""
    start = said = time.monotonic()
    done = asked = failed = 0

    def tell(one: FetchResult) -> None:
        nonlocal said, done, asked, failed
        done, asked, failed = done + 1, asked + (not one.known), failed + (one.path is None)
        advance(1)
        now = time.monotonic()
        if isinstance(progress, Lines) and now - said >= _SAY_EVERY and asked:
            said = now
            left = (total - done) * (now - start) / asked
            progress.say(f"{done:,} of {total:,} addresses, {failed:,} failed, about {spoken(math.ceil(left))} left")

    return tell


class _MediaWriter:
    """Writes fetched files into the open catalogue as if they had been ingested with the dataset."""

    def __init__(self, connection: Connection, name: str, kind: Modality, progress: Progress) -> None:
        self._connection = connection
        self._name = name
        self._kind = kind
        self._progress = progress
        this = select(tables.datasets).where(tables.datasets.c.name == name)
        self._dataset = connection.execute(this).mappings().one()
        self._id: int = self._dataset["id"]

    def store(self, files: Mapping[int, FetchResult]) -> dict[int, str]:
        """Decode and write the files; returns the reason for each that cannot be shown. Damaged files are deleted."""
        i = tables.issues.c
        rows = self._connection.execute(select(i.idx, i.id, i.key).where(i.dataset_id == self._id, i.media.is_(None)))
        issues = {row.idx: row for row in rows}
        shown, bodies = KeptMedia(), dict[int, str]()
        jobs = (_job(one) for index, one in files.items() if index in issues)
        items = decoded(jobs, self._kind.decode)
        with self._progress.task(f"{self._name}: storing", len(files), "files") as advance:
            for row in rows_of(items, self._id, shown, bodies.__setitem__):
                self._connection.execute(insert(tables.media), row)
                advance(row["kind"] in ("image", "text", "audio"))
        for index, sizes in shown.sizes.items():
            values = {"media": sizes, "excerpt": shown.excerpts.get(index)}
            self._connection.execute(update(tables.issues).where(i.id == issues[index].id).values(**values))
        for index, body in bodies.items():
            row = {"rowid": issues[index].id, "body": f"{body} {issues[index].key or ''}".strip()}
            self._connection.execute(_DELETE_SEARCH, row)
            self._connection.execute(_INSERT_SEARCH, row)
        self._sign(shown, files)
        for problem in shown.problems:
            path = files[problem.index].path
            if path is not None:
                path.unlink(missing_ok=True)
        return {problem.index: problem.message for problem in shown.problems}

    def _sign(self, shown: KeptMedia, files: Mapping[int, FetchResult]) -> None:
        """Record where the media come from, and give their addresses a version of their own."""
        digest = hashlib.sha256(self._dataset["version"].encode())
        for index in sorted(shown.sizes):
            digest.update(f"{index} {files[index].errand.url}\n".encode("utf-8", "replace"))
        superseded = (NOT_AT_HAND, NOT_FOUND, NOT_UNPACKED, NOT_READ, NOT_AS_MANY, _PARTLY)
        missing = [s for s in json.loads(self._dataset["missing"]) if not s.startswith(superseded)]
        this, medium = tables.issues.c.dataset_id == self._id, tables.issues.c.media
        n_lacking = self._connection.scalar(select(func.count()).where(this, medium.is_(None))) or 0
        if n_lacking:
            missing.append(_PARTLY)
        report = _still_wrong(json.loads(self._dataset["media_report"] or "{}"), shown, n_lacking)
        hosts = {urlsplit(files[index].errand.url).hostname or "" for index in shown.sizes}
        n_bytes = select(func.sum(func.length(tables.media.c.bytes))).where(tables.media.c.dataset_id == self._id)
        report |= {
            "issues": self._connection.scalar(select(func.count()).where(this, medium.is_not(None))),
            "bytes": self._connection.scalar(n_bytes) or 0,
            "silent": sorted({*report.get("silent", ()), *shown.silent}),
            "fetched_from": sorted({*report.get("fetched_from", ()), *hosts}),
        }
        values = {
            "version": digest.hexdigest()[:16],
            "missing": compact(missing),
            "media_report": compact({"exemplars": 0, "absent": 0, "n_problems": 0, "problems": [], **report}),
        }
        self._connection.execute(update(tables.datasets).where(tables.datasets.c.id == self._id).values(**values))


def _still_wrong(report: Mapping[str, Any], shown: KeptMedia, n_lacking: int) -> dict[str, Any]:
    """The report of media read from a distribution, without those fetched since."""
    was_unread = "unread" in report
    found = {key: value for key, value in report.items() if key != "unread"}
    if was_unread:
        return {**found, "n_problems": 0}
    named = found.get("problems", [])
    left = [problem for problem in named if problem[0] not in shown.sizes]
    n_problems = min(found.get("n_problems", 0) - len(named) + len(left), n_lacking)
    absent = min(found.get("absent", 0), n_lacking - n_problems)
    return {**found, "problems": left, "n_problems": n_problems, "absent": absent}


def _job(one: FetchResult) -> DecodeJob | MediaProblem:
    path = one.path or Path()
    try:
        return DecodeJob(one.errand.index, one.errand.url, path.name, path.read_bytes())
    except OSError as error:
        return MediaProblem(one.errand.index, one.errand.url, f"expected the fetched file, found none ({error})")
