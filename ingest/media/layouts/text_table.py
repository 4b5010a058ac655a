"""Texts in a column of CSV, JSON Lines or Parquet files; the first two may be packed.

Blank lines are not rows. Rows are read one at a time or a group at a time, so memory does not grow with the file. An
example is a row by number, or by the key in a column of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO, cast

from app.evaluation.tables.csv_table import TableError, read_table
from ingest.errors import shown
from ingest.manifest.layouts import Options
from ingest.media.archives.stores import Member, MemberError, Store, open_store
from ingest.media.encodings import text_lines
from ingest.media.items import MediaCountError, MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.idx_cifar import unpacked
from ingest.media.layouts.locate import find_table, others, read_options, taken
from ingest.media.layouts.parquet_files import batches, parquet_parts, require_row_order
from ingest.media.layouts.row_numbers import RowNumbers, numbers_rows, require_order
from ingest.media.text import MAX_TEXT_BYTES, text_items
from ingest.media.worker_pool import DecodeJob, decoded

_FILE: Final = re.compile(r"(?:.*/)?(?!\.)[^/]+\.(?i:(csv|tsv|jsonl|ndjson|parquet))(?i:\.gz|\.bz2|\.xz)?")
_PATTERNS: Final = tuple(
    f"*.{kind}{end}" for kind in ("csv", "tsv", "jsonl", "ndjson", "parquet") for end in ("", ".gz", ".bz2", ".xz")
)

#: (key or None, text) of each row.
Rows = Iterator[tuple[str | None, str | None]]


def open_text_table(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """A text column of a CSV, TSV, JSON Lines or Parquet file.

    Options: path, order, column (default "text"), key_column, encoding, count.
    """
    told = read_options("text-table", options)
    patterns = told.patterns(_PATTERNS)
    path = find_table(folder, told.path, patterns)
    return None if path is None else TextTable(open_store(path), told, others(folder, patterns, path))


@dataclass(frozen=True, slots=True)
class TextTable:
    """The rows of the first table of ``store``."""

    store: Store
    told: Options
    beside: Sequence[str] = ()  # other files that could be meant

    @property
    def sources(self) -> Sequence[Path]:
        path = self.store.path
        return parquet_parts(path) if path.suffix.lower() == ".parquet" else [path]

    @property
    def own(self) -> bool:
        """Whether these are a user's own media, named by the user."""
        return True

    def labels(self, keyed: bool = False) -> None:
        """None: label columns are read by ``ingest.labels``."""

    def names(self) -> None:
        """None: one file holds all examples."""

    def notes(self) -> Sequence[str]:
        parts = {part.name for part in self.sources}
        return taken(self.store.path, [name for name in self.beside if name not in parts])

    def unpaired(self, keys: Sequence[str]) -> str:
        """Like ``Members.unpaired``."""
        some = ", ".join(shown(key) for key, _ in islice(self._rows(), len(keys)))
        return f" in column {shown(self.told.key_column)}, which begins with {some}" if self.told.key_column else ""

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), _shown, workers)

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        where = str(self.store.path)
        by_key = {key: index for index, key in wanted.items() if key is not None} if self.told.key_column else {}
        missing = set(wanted)
        count = 0
        texts: dict[int, int] = {}  # hashes of the keys in the rows
        for row, (key, value) in enumerate(self._rows()):
            count += 1
            index = by_key.get(key or "") if self.told.key_column else row
            if index is None or index not in wanted:
                continue
            if texts.setdefault(index, hash(value)) != hash(value):
                raise MediaError(where, f"expected one text of key {shown(key)}, found another in row {row:,}")
            if index not in missing:
                continue
            missing.discard(index)
            if value is None:
                yield MediaProblem(index, where, f"expected a text in column {shown(self.told.column)}, found none")
            else:
                yield DecodeJob(index, where, "", value.encode("utf-8", "replace"))
        if self.told.count is not None and count != self.told.count:
            raise MediaCountError(self.store.path, f"expected {self.told.count:,} rows, found {count:,}")
        for index in sorted(missing):
            row_or_key = f"of key {shown(wanted[index])}" if self.told.key_column else "of this index"
            yield MediaProblem(index, where, f"expected a row {row_or_key}, found none among {count:,}", absent=True)

    def _rows(self) -> Rows:
        for member in self.store.members():
            match = _FILE.fullmatch(member.name)
            if match:
                yield from self._rows_of(member, match[1].lower())
                return
        raise MediaError(self.store.path, "expected a .csv, .tsv, .jsonl or .parquet file in it, found none")

    def _rows_of(self, member: Member, kind: str) -> Rows:
        if kind == "parquet":
            if member.path is None:
                raise MediaError(
                    self.store.path, "expected a .parquet file that is not packed, found one in an archive"
                )
            parts = parquet_parts(self.store.path if self.store.path.is_dir() else member.path)
            if not self.told.key_column and not self.told.order:
                require_row_order(parts, self.told.column)
            yield from _parquet(parts, self.told)
            return
        numbers = dict[str, RowNumbers]()
        try:
            with unpacked(member, self.store.path) as file:
                lines = (f"{line}\n" for line in text_lines(file, self.told.encoding, MAX_TEXT_BYTES))
                if kind in ("csv", "tsv"):
                    yield from _separated(lines, self.told, numbers)
                else:
                    yield from _objects(lines, self.told, numbers)
        except (MemberError, TableError) as error:
            raise MediaError(f"{self.store.path}: {member.name}", str(error)) from error
        if not self.told.key_column and not self.told.order:
            require_order(numbers.values(), self.store.path)


class _Lines:
    """Lines as the file of text that a reader of tables expects."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def readline(self, _most: int) -> str:
        return next(self._lines, "")


def _separated(lines: Iterator[str], told: Options, numbers: dict[str, RowNumbers]) -> Rows:
    table = read_table(cast("TextIO", _Lines(lines)))
    head = list(table.columns or ())
    places = []
    for name in (told.key_column, told.column):
        if name is not None and name not in head:
            raise MemberError(f"expected a column {shown(name)}, found {shown(head, 200)}")
        if name is not None and head.count(name) > 1:
            raise MemberError(f"expected one column {shown(name)}, found {head.count(name)} of {shown(head, 200)}")
        places.append(None if name is None else head.index(name))
    key_at, text_at = places
    numbered = {name: at for at, name in enumerate(head) if numbers_rows(name) and name != told.column}
    numbers.update({name: RowNumbers(name) for name in numbered})
    for _, row in table.rows:
        for name, at in numbered.items():
            numbers[name].add([row[at]])
        yield None if key_at is None else row[key_at], None if text_at is None else row[text_at]


def _objects(lines: Iterator[str], told: Options, numbers: dict[str, RowNumbers]) -> Rows:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise MemberError(f"line {number}: expected a JSON object ({error})") from error
        if not isinstance(value, dict):
            raise MemberError(f"line {number}: expected a JSON object, found {type(value).__name__}")
        if not numbers:
            names = [name for name in value if numbers_rows(name) and name != told.column]
            numbers.update({name: RowNumbers(name) for name in names})
        for name, column in numbers.items():
            column.add([value.get(name)])
        yield _word(value.get(told.key_column)) if told.key_column else None, _text(value.get(told.column))


def _parquet(parts: Sequence[Path], told: Options) -> Rows:
    for batch in batches(parts, [name for name in (told.key_column, told.column) if name], 1_024):
        texts = batch.column(told.column).to_pylist()
        keys = batch.column(told.key_column).to_pylist() if told.key_column else [None] * len(texts)
        yield from ((_word(key), _text(text)) for key, text in zip(keys, texts, strict=True))


def _shown(job: DecodeJob) -> Iterator[MediaItem]:
    if len(job.data) > MAX_TEXT_BYTES:
        raise MemberError(f"expected at most {MAX_TEXT_BYTES:,} bytes, found {len(job.data):,}")
    return text_items(job.index, job.data)


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
