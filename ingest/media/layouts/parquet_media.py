"""Pictures and sounds in a column of a Parquet table, as Hugging Face publishes datasets.

The column holds ``{bytes, path}``, or bytes alone, each the bytes of a file. An example is a row by number, or by the
key in a column of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.git_pointers import pointer
from ingest.errors import shown
from ingest.manifest.layouts import Options
from ingest.media.audio import snippets
from ingest.media.images import thumbnails
from ingest.media.items import MediaCountError, MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.audio_jobs import sound
from ingest.media.layouts.distributions import picture
from ingest.media.layouts.locate import find_table, read_options
from ingest.media.layouts.parquet_files import batches, parquet_parts, require_row_order
from ingest.media.worker_pool import DecodeJob, Decoder, decoded

#: Few, since each may be a photograph.
_ROWS: Final = 64
_PATTERNS: Final = ("*.parquet",)


def open_image_table(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Pictures in a Parquet table. Options: path, order, column (default "image"), key_column, count."""
    told = read_options("image-table", options)
    return _open(folder, told, thumbnails.MAX_IMAGE_BYTES, picture)


def open_audio_table(folder: Path, options: Mapping[str, object]) -> MediaSource | None:
    """Recordings in a Parquet table. Options: path, order, column (default "audio"), key_column, count, seconds."""
    told = read_options("audio-table", options)
    return _open(folder, told, snippets.MAX_AUDIO_BYTES, partial(sound, seconds=told.seconds))


def _open(folder: Path, told: Options, limit: int, decode: Decoder) -> MediaSource | None:
    path = find_table(folder, told.path, told.patterns(_PATTERNS))
    return None if path is None else FileTable(parquet_parts(path), told, limit, decode)


@dataclass(frozen=True, slots=True)
class FileTable:
    """The rows of a table; no file in it may have more bytes than ``limit``."""

    parts: Sequence[Path]
    told: Options
    limit: int
    decode: Decoder

    @property
    def sources(self) -> Sequence[Path]:
        return self.parts

    @property
    def own(self) -> bool:
        """Whether these are a user's own media, named by the user."""
        return True

    def labels(self, keyed: bool = False) -> None:
        """None: label columns are read by ``ingest.labels``."""

    def names(self) -> Sequence[str] | None:
        """The paths beside the bytes, if each row has a distinct one."""
        found = list[str]()
        for batch in batches(self.parts, [self.told.column], _ROWS):
            files = batch.column(self.told.column)
            if "path" not in _fields(files.type):
                return None
            found += [path or "" for path in files.field("path").to_pylist()]
        return found if all(found) and len(set(found)) == len(found) else None

    def notes(self) -> Sequence[str]:
        return ()

    def unpaired(self, keys: Sequence[str]) -> str:
        """Like ``Members.unpaired``."""
        column = self.told.key_column
        if not column:
            return ""
        first = next(batches(self.parts, [column], len(keys)), None)
        some = "" if first is None else ", ".join(shown(str(key)) for key in first.column(column).to_pylist())
        return f" in column {shown(column)}, which begins with {some}"

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        return decoded(self._jobs(wanted), self.decode, workers)

    def _jobs(self, wanted: Wanted) -> Iterator[DecodeJob | MediaProblem]:
        key_column = self.told.key_column
        if not key_column and not self.told.order:
            require_row_order(self.parts, self.told.column)
        by_key = {key: index for index, key in wanted.items()} if key_column else {}
        columns = [self.told.column, *([key_column] if key_column else [])]
        found: dict[int, int] = {}
        row = 0
        for batch in batches(self.parts, columns, _ROWS):
            files = batch.column(self.told.column)
            self._require_files(files.type)
            keys = batch.column(key_column).to_pylist() if key_column else ()
            for place in range(batch.num_rows):
                index = by_key.get(str(keys[place])) if key_column else row
                if index is not None and index in wanted:
                    if index in found:
                        twice = f"found it in rows {found[index]:,} and {row:,}"
                        raise MediaError(self.parts[0], f"expected key {shown(wanted[index])} once, {twice}")
                    found[index] = row
                    yield self._job(index, row, files[place].as_py())
                row += 1
        if self.told.count is not None and row != self.told.count:
            raise MediaCountError(self.parts[0], f"expected {self.told.count:,} rows, found {row:,}")
        for index in sorted(set(wanted) - set(found)):
            what = f"of key {shown(wanted[index])}" if key_column else "of this index"
            finding = f"expected a row {what}, found none among {row:,}"
            yield MediaProblem(index, str(self.parts[0]), finding, absent=True)

    def _job(self, index: int, row: int, value: Any) -> DecodeJob | MediaProblem:
        data, path = (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, None)
        where = f"{self.parts[0]}: row {row:,}" + (f": {path}" if path else "")
        if data is None:
            finding = "found only the path of one, which lies elsewhere" if path else "found none"
            return MediaProblem(index, where, f"expected the bytes of a file, {finding}")
        if len(data) > self.limit:
            return MediaProblem(index, where, f"expected at most {self.limit:,} bytes, found {len(data):,}")
        if found := pointer(data):
            return MediaProblem(index, where, f"expected a file, found {found}")
        return DecodeJob(index, where, path or "", data)

    def _require_files(self, kind: Any) -> None:
        if "bytes" not in _fields(kind) and str(kind) not in ("binary", "large_binary"):
            finding = f"found {str(kind)[:200]}"
            column = f"column {shown(self.told.column)}"
            raise MediaError(self.parts[0], f"expected files, as {{bytes, path}} or bytes, in {column}, {finding}")


def _fields(kind: Any) -> Sequence[str]:
    """The field names of a struct; none for another type."""
    return [kind.field(place).name for place in range(kind.num_fields)] if str(kind).startswith("struct") else []
