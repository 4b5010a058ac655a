"""Read the multiple-choice questions that a catalogue stores: each a gzipped JSON object of text and options."""

import gzip
import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from app.schema import tables

_AT_ONCE: Final = 500


def read_questions(connection: Connection, dataset_id: int, indices: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Index of an example -> its question, {"question", "options"}; those that are not stored are left out."""
    m = tables.media.c
    found = {}
    for first in range(0, len(indices), _AT_ONCE):
        part = list(indices[first : first + _AT_ONCE])
        which = (m.dataset_id == dataset_id, m.kind == "question", m.idx.in_(part))
        for row in connection.execute(select(m.idx, m.bytes).where(*which)):
            found[row.idx] = json.loads(gzip.decompress(row.bytes))
    return found
