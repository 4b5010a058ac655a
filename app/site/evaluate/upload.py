"""Receive a visitor's predictions and evaluate them.

Nothing of them is kept.

The upload is written to a temporary folder that is removed with the request; its size and time are limited. Separate
processes read and evaluate the files, a few at a time, and are ended when they take too long. The evaluation itself is
in ``app.evaluation``.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final, Self

import anyio
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.catalogue.current import current
from app.catalogue.records import Dataset
from app.errors import Busy, RequestTimeout, TooLarge, Unreadable
from app.evaluation.prediction_files import MOST_BYTES
from app.evaluation.tables.class_spelling import CLASSES_ARE
from app.issues import queries
from app.site.evaluate.worker_pool import WorkerDiedError, Workers, WorkerTimeoutError
from app.site.stability.parameters import agreement_of
from app.site.stability.results import require_known
from app.web.server.scratch_folder import ScratchFolder

MOST_BYTES_WORDS: Final = f"{MOST_BYTES // 1_000_000} MB"
#: Bytes that multipart encoding adds to a file.
_ENVELOPE: Final = 100_000
#: Bytes of all files being uploaded or waiting at one time. A file being uploaded may exist twice.
_MOST_HELD: Final = 6 * MOST_BYTES
#: Evaluations at a time; others wait for their turn.
_AT_A_TIME: Final = 2
_LONGEST_WAIT: Final = 60.0  # seconds
_OFFLINE: Final = "`label-errors evaluate` evaluates it on your own machine."


#: The path of the file, its name, the agreement threshold, and what its classes are.
_Received = tuple[Path, str, int, str | None]


class Evaluations:
    """All evaluations of a site, with their common limits."""

    def __init__(self, upload_seconds: float, evaluation_seconds: float, folder: ScratchFolder) -> None:
        self.upload_seconds = upload_seconds
        self.evaluation_seconds = evaluation_seconds
        self.workers = Workers(evaluation_seconds, _AT_A_TIME)
        self.turns = asyncio.Semaphore(_AT_A_TIME)
        self.folder = folder
        self.running = 0
        self.held = 0  # bytes of all files, including unnamed ones of the form parser


async def evaluated(request: Request, name: str) -> dict[str, Any]:
    """The evaluation of the file in a multipart request, as ``app.evaluation.evaluate`` describes it.

    The form's fields are ``file`` and, optionally, ``agreement`` and ``classes_are``. Raises SiteError for all else.
    """
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    require_known(dataset)
    evaluations: Evaluations = request.app.state.evaluations
    within = await anyio.to_thread.run_sync(evaluations.folder.path)
    with _DiskReservation(evaluations) as held, tempfile.TemporaryDirectory(prefix="evaluation-", dir=within) as folder:
        path, file_name, agreement, classes_are = await _received(request, held, dataset, Path(folder))
        order = {
            "catalogue": str(catalogue.path.resolve()),
            "version": catalogue.file_version,
            "dataset": dataset.name,
            "file": str(path),
            "name": file_name,
            "agreement": agreement,
            "classes_are": classes_are,
        }
        return _found(await _worked(evaluations, order))


async def _worked(evaluations: Evaluations, order: dict[str, Any]) -> dict[str, Any]:
    try:
        with anyio.fail_after(_LONGEST_WAIT):
            await evaluations.turns.acquire()
    except TimeoutError as error:
        raise Busy("Too many predictions are being evaluated at the moment; try again in a minute.") from error
    evaluations.running += 1
    try:
        return await anyio.to_thread.run_sync(evaluations.workers.work, order)
    except WorkerTimeoutError as error:
        allowed = f"{evaluations.evaluation_seconds:g} seconds"
        raise TooLarge(f"Evaluating this file takes longer than the {allowed} allowed here. {_OFFLINE}") from error
    except WorkerDiedError as error:
        raise TooLarge(f"The file needs more memory than is allowed here. {_OFFLINE}") from error
    finally:
        evaluations.running -= 1
        evaluations.turns.release()


def _found(answer: dict[str, Any]) -> dict[str, Any]:
    if "refusal" in answer:
        detail = str(answer["refusal"])
        raise Unreadable(f"{detail[:1].upper()}{detail[1:]}")
    if "replaced" in answer:
        raise Busy("The data were replaced while your predictions were read; please send them again.")
    if "found" not in answer:
        raise RuntimeError("an evaluation failed; its worker has written why")
    found: dict[str, Any] = answer["found"]
    return found


class _DiskReservation:
    """The disk space reserved for one request, for as long as it is used."""

    def __init__(self, evaluations: Evaluations) -> None:
        self.evaluations = evaluations
        self.n_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.add(-self.n_bytes)

    def add(self, n_bytes: int) -> None:
        """Count bytes before they are written; a negative number after they are removed. Raises Busy without room."""
        if n_bytes > 0 and self.evaluations.held + n_bytes > _MOST_HELD:
            raise Busy("Too many files are being uploaded at the moment; try again in a minute.")
        self.n_bytes += n_bytes
        self.evaluations.held += n_bytes


async def _received(request: Request, held: _DiskReservation, dataset: Dataset, folder: Path) -> _Received:
    evaluations = held.evaluations
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unreadable("Expected a form (multipart/form-data) with a field file, found something else.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES + _ENVELOPE:
        raise _too_large()
    await anyio.to_thread.run_sync(evaluations.workers.prepare)
    arriving = _CountedUpload(request, held)
    try:
        with anyio.fail_after(evaluations.upload_seconds):
            return await _saved(request, arriving, dataset, folder)
    except TimeoutError as error:
        raise RequestTimeout(
            f"Expected all of the file within {evaluations.upload_seconds:g} seconds, found {arriving.n_bytes:,} bytes "
            f"of the request by then. {_OFFLINE}"
        ) from error


class _CountedUpload:
    """The body of a request, counted as it arrives."""

    def __init__(self, request: Request, held: _DiskReservation) -> None:
        self._request = request
        self.held = held
        self.n_bytes = 0

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        async for piece in self._request.stream():
            self.n_bytes += len(piece)
            if self.n_bytes > MOST_BYTES + _ENVELOPE:
                raise _too_large()
            self.held.add(len(piece))
            yield piece


async def _saved(request: Request, arriving: _CountedUpload, dataset: Dataset, folder: Path) -> _Received:
    try:
        parser = MultiPartParser(request.headers, arriving.pieces(), max_files=1, max_fields=4, max_part_size=1_000)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise Unreadable(f"Expected a form with a field file: {getattr(error, 'message', error)}") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Unreadable("Expected a file in the field file, found none.")
        chosen = agreement_of(dataset, str(form.get("agreement") or dataset.default_agreement))
        classes_are = str(form.get("classes_are") or "")
        if classes_are not in ("", *CLASSES_ARE):
            raise Unreadable(f"classes_are is {classes_are[:40]!r}; expected {' or '.join(CLASSES_ARE)}.")
        path = folder / "upload"
        async with await anyio.open_file(path, "wb") as target:
            while piece := await file.read(1 << 20):
                arriving.held.add(len(piece))
                await target.write(piece)
        return path, file.filename[-200:], chosen, classes_are or None
    finally:
        await form.close()
        arriving.held.add(-arriving.n_bytes)


def _too_large() -> TooLarge:
    return TooLarge(f"The limit is {MOST_BYTES_WORDS}. {_OFFLINE}")
