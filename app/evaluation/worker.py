"""Worker process that evaluates prediction files one after another, isolated from the site.

``python -m app.evaluation.worker`` reads orders from standard input and writes answers to standard output, one line of
JSON each. It limits its own memory; the parent ends it if an answer takes too long. An order is

    {"catalogue", "version", "dataset", "file", "name", "agreement"}, perhaps with "classes_are"

``version`` is that of the catalogue file, and ``name`` is the sender's name of the uploaded file. An answer is
``{"found": ...}``, ``{"refusal": SENTENCE}``, ``{"replaced": true}`` if the catalogue was replaced meanwhile, or
``{"mistake": true}`` for an internal error, with the traceback on standard error.
"""

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.exc import DatabaseError

from app.evaluation.evaluate import evaluate, target_of
from app.evaluation.prediction_files import read_predictions
from app.evaluation.prediction_rows import UploadError
from app.evaluation.predictions_store import NotMeasurableError, read_subject
from app.schema import tables
from app.schema.engine import FileState, reading_engine

#: Address space of a worker: what its libraries take, what a file may become, and what the test set itself takes.
_MOST_MEMORY: Final = 2_500_000_000
_BYTES_AN_EXAMPLE: Final = 100


def main() -> int:
    """Work until standard input ends."""
    # An interrupt is for the server, which then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _make_ready()
    for line in sys.stdin.buffer:
        try:
            answers.write(orjson.dumps(_answer(orjson.loads(line))) + b"\n")
            answers.flush()
        except BrokenPipeError:
            return 0
    return 0


def _make_ready() -> None:
    """Load what the first file would otherwise wait for."""
    import pyarrow.parquet  # noqa: F401


def _answer(order: Mapping[str, Any]) -> dict[str, Any]:
    file = Path(order["file"])
    # What is unpacked lies beside the file, and goes with it even when this process is ended at its work.
    tempfile.tempdir = str(file.parent)
    try:
        with _reading(Path(order["catalogue"])) as connection:
            if connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "version")) != order["version"]:
                return {"replaced": True}
            size = select(tables.datasets.c.size).where(tables.datasets.c.name == order["dataset"])
            _bound_memory(_MOST_MEMORY + _BYTES_AN_EXAMPLE * (connection.scalar(size) or 0))
            subject = read_subject(connection, order["dataset"])
            target = target_of(connection, subject, order.get("classes_are"))
            ranked = read_predictions(file, order["name"], target)
            return {"found": evaluate(connection, subject, target, ranked, order["agreement"])}
    except (UploadError, NotMeasurableError) as error:
        return {"refusal": str(error)}
    except (_CatalogueChangedError, DatabaseError):
        return {"replaced": True}
    except MemoryError:
        return {"refusal": "the file needs more memory than a file of predictions may"}
    except Exception:
        traceback.print_exc()
        return {"mistake": True}


def _bound_memory(n_bytes: int) -> None:
    """Refuse memory beyond a bound, where the system knows such a thing."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = n_bytes if most == resource.RLIM_INFINITY else min(n_bytes, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))


class _CatalogueChangedError(Exception):
    """Somebody wrote to the catalogue's file while it was read."""


@contextlib.contextmanager
def _reading(catalogue: Path) -> Iterator[Connection]:
    """A connection to the file. Raises _ReplacedError at the end when it was written to meanwhile."""
    before = FileState.at(catalogue)
    engine = reading_engine(catalogue)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
        after = FileState.at(catalogue)
        # One that was renamed over it leaves the open file as it was.
        if before is not None and after is not None and after[:2] == before[:2] and after != before:
            raise _CatalogueChangedError


if __name__ == "__main__":
    sys.exit(main())
