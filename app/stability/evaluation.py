"""A visitor's predictions, from the bytes of a request to an evaluation; nothing of them is kept.

Bytes go to a file of ours in a folder that is gone with the request, no more of them than are allowed. Reading and
measuring happen in a thread, a few at a time, with a connection of their own. The work is ``measuring``'s.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

import anyio
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app import queries
from app.database import Catalogue, CatalogueReplacedError, current
from app.errors import Busy, TooLarge, Unreadable
from app.measuring.alignment import UploadError
from app.measuring.evaluation import evaluate, target_of
from app.measuring.reading import NotMeasurableError, read_subject
from app.measuring.uploads import MOST_BYTES, read_predictions
from app.records import Dataset
from app.stability.choice import agreement_of
from app.stability.results import require_known

MOST_BYTES_WORDS: Final = f"{MOST_BYTES // 1_000_000} MB"
#: What multipart adds to a file.
_ENVELOPE: Final = 100_000
#: Evaluations at a time; others wait for their turn.
_AT_A_TIME: Final = 2
_LONGEST_WAIT: Final = 60.0  # seconds


async def evaluated(request: Request, name: str) -> dict[str, Any]:
    """The evaluation of the file in a multipart request, as ``measuring.evaluation`` describes it.

    The form's fields are ``file`` and, optionally, ``agreement``. Raises SiteError for anything else.
    """
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    require_known(dataset)
    with tempfile.TemporaryDirectory(prefix="evaluation-") as folder:
        path, file_name, agreement = await _received(request, dataset, Path(folder))
        turns = _turns(request)
        try:
            with anyio.fail_after(_LONGEST_WAIT):
                await turns.acquire()
        except TimeoutError as error:
            raise Busy("Too many predictions are being evaluated at the moment; try again in a minute.") from error
        try:
            return await anyio.to_thread.run_sync(_measured, catalogue, dataset, path, file_name, agreement)
        except CatalogueReplacedError as error:
            raise Busy("The data were renewed while your predictions were read; send them once more.") from error
        finally:
            turns.release()


def _turns(request: Request) -> asyncio.Semaphore:
    state = request.app.state
    if not hasattr(state, "evaluations"):
        state.evaluations = asyncio.Semaphore(_AT_A_TIME)
    turns: asyncio.Semaphore = state.evaluations
    return turns


async def _received(request: Request, dataset: Dataset, folder: Path) -> tuple[Path, str, int]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Unreadable("Expected a form (multipart/form-data) with a field file, found something else.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES + _ENVELOPE:
        raise _too_large()
    try:
        parser = MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=4, max_part_size=1_000)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise Unreadable(f"Expected a form with a field file: {getattr(error, 'message', error)}") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Unreadable("Expected a file in the field file, found none.")
        agreement = str(form.get("agreement") or dataset.default_agreement)
        chosen = agreement_of(dataset, agreement)
        path = folder / "upload"
        async with await anyio.open_file(path, "wb") as target:
            while piece := await file.read(1 << 20):
                await target.write(piece)
        return path, file.filename[-200:], chosen
    finally:
        await form.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    received = 0
    async for piece in request.stream():
        received += len(piece)
        if received > MOST_BYTES + _ENVELOPE:
            raise _too_large()
        yield piece


def _too_large() -> TooLarge:
    return TooLarge(f"At most {MOST_BYTES_WORDS} are read. `python -m ingest evaluate` evaluates a file where it is.")


def _measured(catalogue: Catalogue, dataset: Dataset, path: Path, name: str, agreement: int) -> dict[str, Any]:
    with catalogue.open() as connection:
        try:
            subject = read_subject(connection, dataset.name)
            target = target_of(connection, subject)
            ranked = read_predictions(path, name, target)
        except (UploadError, NotMeasurableError) as error:
            detail = str(error)
            raise Unreadable(f"{detail[:1].upper()}{detail[1:]}") from error
        return evaluate(connection, subject, target, ranked, agreement)
