"""The formats a corrected test set can be taken in.

One more is one entry more in ``FORMATS``.

Nothing else has to know of it: the page, the addresses, negotiation, documentation, checksums and the command
``export`` go through this list.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.corrected import benchmark_files
from app.corrected.blocks import CorrectedTestSet
from app.corrected.numpy_files import not_one_label, npy_length, npy_pieces, npz_pieces
from app.corrected.parquet_files import parquet_pieces
from app.corrected.text_files import CSV, JSONL, Spelling, text_pieces
from app.corrected.text_ranges import text_ends, text_from

Pieces = Callable[[Connection, CorrectedTestSet], Iterator[bytes]]
_Ends = NDArray[np.int64]

_COLUMN_WORDS: Final = (
    "Columns: index, key, given, given_name, corrected, corrected_name, action (kept, corrected, removed), category."
)


_BENCHMARK_WORDS: Final = (
    "Of datasets of questions with options. Columns: index, key, the slice, question, choices (a list), answer (the "
    "number of an option, from 0; none of a removed question)."
)


class DoesNotFitError(ValueError):
    """A corrected test set does not fit into a format; the message says why, and what to take instead."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How any part of a file is written without the rest of it."""

    ends: Callable[[Connection, CorrectedTestSet], _Ends]  # where its blocks end, in bytes; the last is its length
    pieces: Callable[[Connection, CorrectedTestSet, _Ends, int], Iterator[bytes]]  # the file from a byte on
    counted: bool  # whether its examples have to be read to know where blocks end


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A file format: how its files end, what they are on the web and to a reader, and how they are written."""

    suffix: str
    media_type: str
    title: str
    says: str  # what is in it, as a page says it
    about: str  # what else the documentation says
    pieces: Pieces
    lists_rows: bool  # one row an example, so removed ones can be left out; else every example has its place
    binary: bool  # is compressed already, or is read in ranges
    refusal: Callable[[CorrectedTestSet], str | None] = lambda _: (
        None
    )  # why a corrected test set does not fit, in words
    parts: Parts | None = None  # None where the file has to be written from its beginning
    croissant: str | None = None  # its media type in Croissant, where that can describe its columns
    holds_media: bool = False  # whether examples themselves stand in it, which a licence may forbid to pass on

    @property
    def bare_type(self) -> str:
        """Its media type without parameters."""
        return self.media_type.partition(";")[0]

    def require_fit(self, corrected: CorrectedTestSet) -> None:
        """Raises DoesNotFitError for a corrected test set that cannot be written so."""
        why = self.refusal(corrected)
        if why is not None:
            raise DoesNotFitError(why)


def _of_rows(spelling: Spelling) -> tuple[Pieces, Parts]:
    """How a text of one row an example is written."""

    def part(connection: Connection, corrected: CorrectedTestSet, ends: _Ends, first: int) -> Iterator[bytes]:
        return text_from(connection, corrected, spelling, ends, first)

    return partial(text_pieces, spelling=spelling), Parts(partial(text_ends, spelling=spelling), part, counted=True)


def _npy_ends(_: Connection, corrected: CorrectedTestSet) -> _Ends:
    return np.array([npy_length(corrected)])


def _npy_from(connection: Connection, corrected: CorrectedTestSet, _: _Ends, first: int) -> Iterator[bytes]:
    return npy_pieces(connection, corrected, first)


_CSV_PIECES, _CSV_PARTS = _of_rows(CSV)
_JSONL_PIECES, _JSONL_PARTS = _of_rows(JSONL)

#: Suffix -> format, in the order to show.
FORMATS: Final = {
    one.suffix: one
    for one in (
        Format(
            suffix="csv",
            media_type="text/csv; charset=utf-8; header=present",
            title="CSV",
            says="one row an example",
            about=f"{_COLUMN_WORDS} A set of labels is joined by a vertical bar. Keys and names stand as they are, "
            "so one may begin with ``=``, ``+``, ``-`` or ``@``: into a spreadsheet, import them as text.",
            pieces=_CSV_PIECES,
            parts=_CSV_PARTS,
            lists_rows=True,
            binary=False,
            croissant="text/csv",
        ),
        Format(
            suffix="jsonl",
            media_type="application/x-ndjson",
            title="JSON Lines",
            says="the same rows with real types",
            about=f"{_COLUMN_WORDS} Labels are integers; where they are sets, lists of them.",
            pieces=_JSONL_PIECES,
            parts=_JSONL_PARTS,
            lists_rows=True,
            binary=False,
        ),
        Format(
            suffix="parquet",
            media_type="application/vnd.apache.parquet",
            title="Parquet",
            says="the same rows as columns, with policy, version, sources and licence in its metadata",
            about=f"{_COLUMN_WORDS} Read it whole or in ranges.",
            pieces=parquet_pieces,
            lists_rows=True,
            binary=True,
            croissant="application/x-parquet",
        ),
        Format(
            suffix="npy",
            media_type="application/x-npy",
            title="NumPy array",
            says="one integer for every example of the original test set, -1 where it is removed",
            about="Where labels are sets, ask for ``.npz``. Can be read in ranges.",
            pieces=npy_pieces,
            parts=Parts(_npy_ends, _npy_from, counted=False),
            refusal=not_one_label,
            lists_rows=False,
            binary=True,
        ),
        Format(
            suffix="npz",
            media_type="application/x-npz",
            title="NumPy, sets of labels",
            says="a sparse matrix of examples and classes in CSR form, and which examples are kept",
            about="``scipy.sparse.load_npz`` reads it. Can be read in ranges.",
            pieces=npz_pieces,
            lists_rows=False,
            binary=True,
        ),
        Format(
            suffix="benchmark.parquet",
            media_type="application/vnd.apache.parquet",
            title="Benchmark as Parquet",
            says="question, choices and answer, as evaluation harnesses read them",
            about=_BENCHMARK_WORDS,
            pieces=benchmark_files.parquet_pieces,
            refusal=benchmark_files.no_questions,
            lists_rows=True,
            binary=True,
            croissant="application/x-parquet",
            holds_media=True,
        ),
        Format(
            suffix="benchmark.jsonl",
            media_type="application/x-ndjson",
            title="Benchmark as JSON Lines",
            says="question, choices and answer, a question a line",
            about=_BENCHMARK_WORDS,
            pieces=benchmark_files.jsonl_pieces,
            refusal=benchmark_files.no_questions,
            lists_rows=True,
            binary=False,
            holds_media=True,
        ),
    )
}


def by_media_type() -> dict[str, Format]:
    """Media type -> the format that it asks for: of several the first."""
    found: dict[str, Format] = {}
    for one in FORMATS.values():
        found.setdefault(one.bare_type, one)
    return found


def by_name(name: str) -> Format | None:
    """The format that the name of a file asks for by its ending; of two that fit the longer one."""
    fitting = [one for suffix, one in FORMATS.items() if name.endswith(f".{suffix}")]
    return max(fitting, key=lambda one: len(one.suffix), default=None)


def offered(corrected: CorrectedTestSet) -> list[Format]:
    """The formats that this corrected test set fits into; those of rows first."""
    found = [one for one in FORMATS.values() if one.refusal(corrected) is None]
    return sorted(found, key=lambda one: not one.lists_rows)


def write(form: Format, connection: Connection, corrected: CorrectedTestSet) -> Iterator[bytes]:
    """The file in pieces. Raises what makes it impossible now, before the first of them."""
    form.require_fit(corrected)
    return form.pieces(connection, corrected)
