"""Corrected test sets as text: CSV (RFC 4180) and JSON Lines, one row for each example.

CSV is UTF-8 with a header and CRLF; a set of labels is written as numbers, or names, joined by "|". Keys and names are
written unchanged: a prefix that protects spreadsheets from formulas would change the key, and joins on it would fail.
JSON Lines has the same columns, with labels as integers and label sets as lists.

A row consists of its index, its key, and an ending that depends on labels and verdict only. Each ending is built once,
so writing fifty million rows is mostly joining strings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from app.corrected.blocks import ACTIONS, CATEGORIES, KEPT, UNREVIEWED, Block, CorrectedTestSet
from app.schema.packing import NO_LABEL

COLUMNS: Final = ("index", "key", "given", "given_name", "corrected", "corrected_name", "action", "category")
#: So few that the first of them are on their way at once, and so many that handing them over costs nothing.
ROWS_PER_PIECE: Final = 8_192
_NEEDS_QUOTES: Final = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True)
class Spelling:
    """How rows are spelled: ``row`` is filled with an index, a key and an ending."""

    header: Callable[[CorrectedTestSet], bytes]
    row: str
    key: Callable[[str], str]
    no_key: str
    ending: Callable[[CorrectedTestSet, int, int, int, int, int], str]


def text_pieces(connection: Connection, corrected: CorrectedTestSet, spelling: Spelling) -> Iterator[bytes]:
    """The text of a corrected test set, in pieces."""
    yield spelling.header(corrected)
    yield from row_pieces(connection, corrected, spelling)


def row_pieces(
    connection: Connection, corrected: CorrectedTestSet, spelling: Spelling, example: int = 0
) -> Iterator[bytes]:
    """The rows in pieces, from the block on that holds an example."""
    endings = Endings(corrected, spelling)
    for block in corrected.blocks(connection, example):
        for first in range(0, len(block), ROWS_PER_PIECE):
            piece = _text(block.part(first, min(first + ROWS_PER_PIECE, len(block))), corrected, spelling, endings)
            if piece:
                yield piece.encode()


def _text(block: Block, corrected: CorrectedTestSet, spelling: Spelling, endings: "Endings") -> str:
    tails: list[str | None] = [*map(endings.kept.__getitem__, block.given.tolist())]
    for place in block.special.tolist():
        without = block.given if corrected.wanted.removed else block.corrected
        hidden = without[place] == NO_LABEL
        tails[place] = None if hidden else endings.of(block, place)
    indices = range(block.start, block.start + len(block))
    fill = spelling.row.__mod__
    if block.keys is None:
        middle = spelling.no_key
        rows = [fill((i, middle, tail)) for i, tail in zip(indices, tails, strict=True) if tail is not None]
    else:
        key = spelling.key
        cells = zip(indices, block.keys, tails, strict=True)
        rows = [fill((i, key(name), tail)) for i, name, tail in cells if tail is not None]
    return "".join(rows)


class Endings:
    """The ends of rows, each made once."""

    def __init__(self, corrected: CorrectedTestSet, spelling: Spelling) -> None:
        self._corrected = corrected
        self._spelling = spelling
        self._made: dict[tuple[int, int, int, int, int], str] = {}
        # Labels that only a policy makes are nobody's given label.
        given = range(len(corrected.test_set.members))
        self.kept = [spelling.ending(corrected, label, label, KEPT, UNREVIEWED, 0) for label in given]

    def of(self, block: Block, place: int) -> str:
        """The end of the row of an example."""
        parts = (block.given[place], block.corrected[place], block.action[place], block.category[place])
        known = (int(parts[0]), int(parts[1]), int(parts[2]), int(parts[3]), int(block.said[place]))
        if known not in self._made:
            self._made[known] = self._spelling.ending(self._corrected, *known)
        return self._made[known]


def cell(text: str) -> str:
    """Free text as a CSV cell, in quotes where it needs them.

    >>> cell("-nQ9a0P1TlY"), cell('say "hi", please')
    ('-nQ9a0P1TlY', '"say ""hi"", please"')
    """
    return '"' + text.replace('"', '""') + '"' if not _NEEDS_QUOTES.isdisjoint(text) else text


def columns_of(corrected: CorrectedTestSet) -> tuple[str, ...]:
    """The columns of its rows: those of all test sets, then what second opinions hold and how sure, where asked for."""
    return (*COLUMNS, *corrected.opinion_columns, *corrected.confidence_columns)


def _csv_header(corrected: CorrectedTestSet) -> bytes:
    return (",".join(columns_of(corrected)) + "\r\n").encode()


def _csv_ending(corrected: CorrectedTestSet, given: int, now: int, action: int, category: int, said: int) -> str:
    done = (ACTIONS[action], CATEGORIES[category], *(stance or "" for stance in corrected.stances_of(said)))
    sure = ("" if number is None else repr(number) for number in corrected.confidences_of(said))
    return ",".join((*_cells(corrected, given), *_cells(corrected, now), *done, *sure))


def _cells(corrected: CorrectedTestSet, label: int) -> tuple[str, str]:
    if label == NO_LABEL:
        return "", ""
    classes = corrected.members[label]
    names = "|".join(corrected.test_set.class_names[c] for c in classes)
    return "|".join(map(str, classes)), cell(names)


def _json_ending(corrected: CorrectedTestSet, given: int, now: int, action: int, category: int, said: int) -> str:
    return orjson.dumps(ending_values(corrected, given, now, action, category, said)).decode()[1:]


def ending_values(
    corrected: CorrectedTestSet, given: int, now: int, action: int, category: int, said: int
) -> dict[str, Any]:
    """The columns behind the key as values: integers and names, lists of them where labels are sets, None for none."""
    of_given = _values(corrected, given, corrected.test_set.multi_label)
    of_now = _values(corrected, now, corrected.sets)
    done = (
        ACTIONS[action].value,
        CATEGORIES[category].value,
        *corrected.stances_of(said),
        *corrected.confidences_of(said),
    )
    return dict(zip(columns_of(corrected)[2:], (*of_given, *of_now, *done), strict=True))


def _values(corrected: CorrectedTestSet, label: int, as_set: bool) -> tuple[Any, Any]:
    if label == NO_LABEL:
        return None, None
    classes = corrected.members[label]
    names = [corrected.test_set.class_names[c] for c in classes]
    return (list(classes), names) if as_set else (classes[0], names[0])


def _json_key(key: str) -> str:
    return orjson.dumps(key).decode()


CSV: Final = Spelling(_csv_header, "%d,%s,%s\r\n", cell, "", _csv_ending)
JSONL: Final = Spelling(lambda _: b"", '{"index":%d,"key":%s,%s\n', _json_key, "null", _json_ending)
