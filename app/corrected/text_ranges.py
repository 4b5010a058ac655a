"""Byte ranges of text files without writing the rest: block lengths are computed, not written.

The length of a row is that of its index, its key and its ending, so counting fifty million rows takes less than a
second, and an interrupted download can be resumed in the middle.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.corrected.blocks import Block, CorrectedTestSet
from app.corrected.text_files import Endings, Spelling, row_pieces
from app.schema import tables

_POWERS: Final = 10 ** np.arange(1, 19)


def text_ends(connection: Connection, corrected: CorrectedTestSet, spelling: Spelling) -> NDArray[np.int64]:
    """Where the header and the rows of each block end, in bytes: (n_blocks + 1,), the last the length of the file."""
    endings = Endings(corrected, spelling)
    kept = np.array([len(ending.encode()) for ending in endings.kept], dtype=np.int64)
    lengths = [_length(block, corrected, spelling, endings, kept) for block in corrected.blocks(connection)]
    return np.cumsum([len(spelling.header(corrected)), *lengths])


def text_from(
    connection: Connection, corrected: CorrectedTestSet, spelling: Spelling, ends: NDArray[np.int64], first: int
) -> Iterator[bytes]:
    """The file from its byte ``first`` on, in pieces; ``ends`` are those of ``text_ends``."""
    header = spelling.header(corrected)
    if first < len(header):
        yield header[first:]
    block = max(int(np.searchsorted(ends, first, side="right")) - 1, 0)
    skipped = max(first - int(ends[block]), 0)
    for piece in row_pieces(connection, corrected, spelling, block * tables.EXAMPLES_PER_BLOCK):
        if skipped < len(piece):
            yield piece[skipped:]
        skipped = max(skipped - len(piece), 0)


def _length(
    block: Block, corrected: CorrectedTestSet, spelling: Spelling, endings: Endings, kept: NDArray[np.int64]
) -> int:
    listed = block.listed(corrected.wanted.removed)
    is_listed = np.zeros(len(block), dtype=np.bool_)
    is_listed[listed] = True
    tails = kept[block.given]
    for place in block.special[is_listed[block.special]].tolist():
        tails[place] = len(endings.of(block, place).encode())
    around = len((spelling.row % (0, "", "")).encode()) - 1
    digits = np.searchsorted(_POWERS, block.start + listed, side="right") + 1
    if block.keys is None:
        keys = len(spelling.no_key.encode()) * len(listed)
    else:
        names = block.keys
        keys = len("".join([spelling.key(names[place]) for place in listed.tolist()]).encode())
    return around * len(listed) + int(digits.sum()) + keys + int(tails[listed].sum())
