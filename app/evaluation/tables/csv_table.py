"""The only CSV reader of the project, for delimited tables from any source.

Cells are separated by commas, semicolons or tabs, detected from the first two lines (or Excel's line ``sep=;``). The
encoding is UTF-8, or UTF-16 with a byte order mark; lines end in LF, CRLF or CR; cells may be quoted. Blank lines and
rows of empty cells are skipped. Every row has as many cells as the first line, except for

* one more in *every* row: the first column holds the row names that R and pandas write without a header;
* one more that is last and empty: a separator at the end of the line.

Any other row is refused with its line number. No cell is changed, dropped or made up. Raises TableError.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO

#: The longest line that a header may be, in characters.
_MOST_HEADER: Final = 1_000_000
#: The longest cell, in characters: labels may stand in a table beside texts.
_MOST_CELL: Final = 10_000_000
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: How files begin that are no text, whatever they are called.
_PACKED: Final = (
    (b"\x1f\x8b", "a file compressed by gzip"),
    (b"BZh91AY&SY", "a file compressed by bzip2"),
    (b"\xfd7zX", "a file compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd"),
    (b"PK\x03\x04", "a zip archive, as workbooks of Excel are too"),
)
#: The first that fits is taken: whoever separates by a semicolon or a tab may write decimal commas.
_SEPARATORS: Final = ("\t", ";", ",")
_WORDS: Final = {"\t": "tabs", ";": "semicolons", ",": "commas"}
#: Quoted cells with spaces between them. Names have spaces too, so a table separated by them is not guessed at.
_SPACED: Final = re.compile(r'"[^"]*"(?: "[^"]*"| [^\s"]+)+\s*')
_EXCELS: Final = re.compile(r"sep=(.)\s*")

#: The line on which a row ends, and its cells.
Row = tuple[int, list[Any]]


class TableError(ValueError):
    """A table that cannot be read as one: what was expected, what was found, and where ("line 3")."""

    def __init__(self, finding: str, record: str | None = None) -> None:
        super().__init__(finding if record is None else f"{record}: {finding}")
        self.finding = finding
        self.record = record


@dataclass(frozen=True)
class CsvTable:
    """The columns of a table, and its rows as they are read: once.

    ``columns`` are the names in the first line, with "" before them for row names without one; None where the first
    line is a row like others, of ``width`` cells.
    """

    columns: tuple[str, ...] | None
    width: int
    separator: str
    rows: Iterator[Row]
    first: int = 1  # the line of the first row

    @property
    def separated_by(self) -> str:
        """By what cells are separated, in a word."""
        return _WORDS.get(self.separator, repr(self.separator))


def open_text(path: Path) -> TextIO:
    """A text file in UTF-8 or, with its mark, UTF-16, without the mark. Line ends are as they are.

    Raises TableError for a file that is packed.
    """
    with path.open("rb") as stream:
        head = stream.read(10)
    packed = next((name for mark, name in _PACKED if head.startswith(mark)), None)
    if packed is not None:
        raise TableError(f"expected text, found {packed}: unpack it first")
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    return path.open(encoding=encoding, newline="")


def read_table(stream: TextIO, is_header: Callable[[Sequence[str]], bool] = lambda _: True) -> CsvTable:
    """The table in a text file that was opened by ``open_text``, or otherwise with ``newline=""``.

    ``is_header`` says of the first row, stripped, whether it names the columns.

    >>> import io
    >>> table = read_table(io.StringIO('"cat";"dog"\\n"1";0,8;0,2\\n\\n"2";0,3;0,7\\n'))
    >>> table.columns, table.separated_by, [cells for _, cells in table.rows]
    (('', 'cat', 'dog'), 'semicolons', [['1', '0,8', '0,2'], ['2', '0,3', '0,7']])
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MOST_CELL))  # Python's own is short, and one for all readers
    lines = _lines(stream)
    head = _logical_lines(lines, 1)
    if head and (told := _EXCELS.fullmatch(head[-1])):
        separator, head[-1] = told[1], "\n"  # a blank line, so that lines are counted right
    else:
        head += _logical_lines(lines, 1)
        if any(map(_SPACED.fullmatch, head)):
            raise TableError(
                'expected cells separated by tabs, semicolons or commas, found spaces; in R say sep = "\\t"'
            )
        separator = _separator(head)
    reader = csv.reader(chain(head, lines), delimiter=separator, strict=True)
    rows = _rows(reader)
    first = next(rows, None)
    if first is None:
        raise TableError("expected names of columns in the first line, found none")
    names = [cell.strip() for cell in first[1]]
    if not is_header(names):
        return CsvTable(None, len(names), separator, _held(chain([first], rows), len(names), first[0]), first[0])
    second = next(rows, None)
    rest = rows if second is None else chain([second], rows)
    cells = [] if second is None else second[1]
    if len(names) > 1 and names[-1] == "" and len(cells) == len(names) and cells[-1].strip() == "":
        names = names[:-1]  # every line ends in a separator
    setting = first[0]
    if second is not None and len(cells) == len(names) + 1 and cells[-1].strip():
        names, setting = ["", *names], second[0]
    return CsvTable(tuple(names), len(names), separator, _held(rest, len(names), setting), first[0])


def separated_hint(text: str, is_cell: Callable[[str], bool]) -> str:
    """What to say of a text that is no cell where it seems to be a row of them, by marks that are not taken for such.

    >>> separated_hint("0|cat", {"0", "cat"}.__contains__)[:59]
    '; it looks like cells separated by bars: expected tabs, sem'
    >>> separated_hint("eel", {"cat"}.__contains__)
    ''
    """
    for mark, word in (("|", "bars"), ("\t", "tabs"), (";", "semicolons"), (",", "commas"), (None, "spaces")):
        cells = text.split(mark)
        if len(cells) > 1 and any(is_cell(cell.strip()) for cell in cells):
            return (
                f"; it looks like cells separated by {word}: expected tabs, semicolons or commas, and a first line "
                "that names the columns, in a file that ends in .csv or .tsv"
            )
    return ""


def _lines(stream: TextIO) -> Iterator[str]:
    """Lines that are text, and no more of the first than a header may be."""
    try:
        first = stream.readline(_MOST_HEADER)
        if len(first) >= _MOST_HEADER:
            raise TableError(f"expected a first line of less than {_MOST_HEADER:,} characters, found a longer one")
        for line in chain([first] if first else [], stream):
            if "\0" in line:
                raise TableError("expected CSV in UTF-8, or in UTF-16 that begins with its mark; found zero bytes")
            yield line
    except UnicodeError as error:
        raise TableError(
            f"expected CSV in UTF-8, found other text ({error}): save it in UTF-8, in Excel as CSV UTF-8"
        ) from error


def _logical_lines(lines: Iterator[str], n: int) -> list[str]:
    """The next lines until there are so many that are not blank; a quoted cell may go on over several."""
    found, open_quote, size = [], False, 0
    for line in lines:
        found.append(line)
        size += len(line)
        open_quote ^= line.count('"') % 2 == 1
        n -= not open_quote and bool(line.strip())
        if n == 0 or size > _MOST_HEADER:
            break
    return found


def _separator(head: list[str]) -> str:
    """What separates the cells of the first two rows: as many in both, or one more in the second."""
    likely = []
    for separator in _SEPARATORS:
        try:
            rows = [row for row in csv.reader(head, delimiter=separator, strict=True) if row]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        if widths and widths[0] > 1:
            likely.append((widths[-1] not in (widths[0], widths[0] + 1), separator))
        elif widths[1:] == [2] and rows[1][0].strip().isdecimal():
            likely.append((True, separator))  # numbers of rows beside one column, or a name with a semicolon in it
    return min(likely, key=lambda found: found[0], default=(False, ","))[1]


def _rows(reader: Any) -> Iterator[Row]:
    try:
        for cells in reader:
            if cells and (len(cells) == 1 or any(cell.strip() for cell in cells)):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TableError(f"expected CSV, found that it breaks there: {error}", f"line {reader.line_num}") from error


def _held(rows: Iterator[Row], width: int, setting: int) -> Iterator[Row]:
    """Rows of so many cells, as on the line ``setting``."""
    for line, cells in rows:
        if len(cells) != width:
            if len(cells) != width + 1 or cells[-1].strip():
                finding = (
                    f"expected {width:,} cell{'s' if width > 1 else ''} as in line {setting}, found {len(cells):,}"
                )
                raise TableError(finding, f"line {line}")
            del cells[-1]
        yield line, cells
