"""The forms a corrected test set can be taken in, and one way to write each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from app.corrected.blocks import CorrectedTestSet
from app.corrected.numpy_files import npy_length, npy_pieces, npz_pieces
from app.corrected.parquet_files import parquet_pieces
from app.corrected.text_files import csv_pieces, jsonl_pieces

Pieces = Callable[[Connection, CorrectedTestSet], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """One form: how its files end, what they are called on the web, what they are to a reader."""

    suffix: str
    media_type: str
    title: str
    says: str
    pieces: Pieces
    lists_rows: bool  # one row an example, so removed ones can be left out; else every example has its place
    binary: bool  # is compressed already, or is read in ranges


FORMS: Final[Mapping[str, Form]] = {
    form.suffix: form
    for form in (
        Form("csv", "text/csv; charset=utf-8; header=present", "CSV", "one row an example", csv_pieces, True, False),
        Form("jsonl", "application/x-ndjson", "JSON Lines", "the same rows with real types", jsonl_pieces, True, False),
        Form(
            "parquet",
            "application/vnd.apache.parquet",
            "Parquet",
            "the same rows as columns, with policy, version, sources and licence in its metadata",
            parquet_pieces,
            True,
            True,
        ),
        Form(
            "npy",
            "application/x-npy",
            "NumPy array",
            "one integer for every example of the original test set, -1 where it is removed",
            npy_pieces,
            False,
            True,
        ),
        Form(
            "npz",
            "application/x-npz",
            "NumPy, sets of labels",
            "a sparse matrix of examples and classes in CSR form, and which examples are kept",
            npz_pieces,
            False,
            True,
        ),
    )
}


def offered(corrected: CorrectedTestSet) -> list[Form]:
    """The forms that this corrected test set fits into."""
    return [form for form in FORMS.values() if form.suffix != "npy" or not corrected.sets]


def write(form: Form, connection: Connection, corrected: CorrectedTestSet) -> Iterator[bytes]:
    """The file in pieces. Raises what makes it impossible now, before the first of them."""
    if form.suffix == "npy":
        npy_length(corrected)
    return form.pieces(connection, corrected)
