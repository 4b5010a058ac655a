"""Read prediction files (CSV, .npy, .npz, Parquet, JSON) within size limits and without unpickling.

Claimed sizes are compared with the file size before memory is allocated, and tables are read in blocks, so a huge shape
in a header or a zip bomb is refused cheaply. All errors are UploadError.
"""

import math
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Ranked
from app.evaluation.archive_errors import PACKED_DAMAGE
from app.evaluation.prediction_rows import PredictionRows, Target, UploadError
from app.evaluation.tables.evaluation_logs import LogError, looks_like_log, read_log
from app.evaluation.tables.git_pointers import MOST as MOST_OF_A_POINTER
from app.evaluation.tables.git_pointers import pointer
from app.evaluation.tables.json_rows import LINES
from app.evaluation.tables.logged_answers import options_in_order
from app.evaluation.tables.prediction_arrays import of_array
from app.evaluation.tables.prediction_columns import Layout, layout
from app.evaluation.tables.prediction_csv import read_csv
from app.evaluation.tables.prediction_json import read_json, read_json_lines
from app.evaluation.tables.row_names import stored_index

#: The largest file that is read, and the most an archive may unpack to.
MOST_BYTES: Final = 200_000_000
_MOST_MEMBERS: Final = 8
_CELLS: Final = 2_000_000  # numbers in a block


def read_predictions(path: Path, name: str, target: Target) -> Ranked:
    """(n, k) predictions, most probable class first, in the order of the test set.

    ``name`` is what the file is called by whoever made it; its ending tells the format. Raises UploadError.
    """
    suffix = Path(name).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        found = f"found {suffix[:20]!r}" if suffix else "found a name without one"
        raise UploadError(f"expected a name ending in {', '.join(_READERS)}; {found}")
    size = path.stat().st_size
    if size == 0:
        raise UploadError("expected predictions, found an empty file")
    if size > MOST_BYTES:
        raise UploadError(f"expected at most {MOST_BYTES:,} bytes, found {size:,}")
    if size < MOST_OF_A_POINTER and (told := pointer(path.read_bytes())):
        raise UploadError(f"expected predictions, found {told}")
    try:
        answers = _logged(path, suffix, target)
        return reader(path, target) if answers is None else answers
    except (MemoryError, RecursionError) as error:
        raise UploadError("the file needs more memory than a file of predictions may") from error


def _logged(path: Path, suffix: str, target: Target) -> Ranked | None:
    """(n, 1) the answers in a log of an evaluation harness; None where the file is no such log."""
    if suffix not in (".json", *LINES) or not looks_like_log(path):
        return None
    try:
        found = options_in_order(read_log(path), target)
    except LogError as error:
        raise UploadError(str(error)) from error
    return np.array(found, np.int32).reshape(-1, 1)


def _read_npy(path: Path, target: Target) -> Ranked:
    return of_array(open_npy(path), None, None, target)


def open_npy(path: Path) -> NDArray[Any]:
    """The plain array of a .npy file, memory-mapped: its header is believed only as far as the file is long."""
    try:
        with path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(stream, max_header_size=10_000)
            start = stream.tell()
    except (ValueError, EOFError, SyntaxError, TypeError, TokenError, OverflowError) as error:
        raise UploadError(f"expected a .npy file, found another or a damaged one ({str(error)[:120]})") from error
    if dtype.kind not in "biufU":
        raise UploadError(f"expected an array of numbers or texts, found {str(dtype)[:40]}; nothing is unpickled here")
    if not 1 <= len(shape) <= 2 or any(length < 1 for length in shape):
        raise UploadError(f"expected an array of shape (n,) or (n, k), found {str(shape)[:60]}")
    expected, found = start + math.prod(shape) * dtype.itemsize, path.stat().st_size
    if found != expected:
        raise UploadError(f"expected {expected:,} bytes for shape {shape} of {dtype}, found {found:,}")
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape, order="F" if fortran else "C")


def _read_npz(path: Path, target: Target) -> Ranked:
    with tempfile.TemporaryDirectory(prefix="predictions-") as folder:
        arrays = {name: open_npy(file) for name, file in _unpacked(path, Path(folder)).items()}
        ids = [name for name in arrays if name in ("index", "key")]
        others = [name for name in arrays if name not in ids]
        if len(ids) > 1 or (len(others) != 1 and "predictions" not in arrays):
            raise UploadError(
                "expected an array named predictions, or one array only, and index or key beside it; found "
                + (", ".join(sorted(arrays)) or "none")
            )
        values = arrays["predictions"] if "predictions" in arrays else arrays[others[0]]
        if not ids:
            return of_array(values, None, None, target)
        return of_array(values, arrays[ids[0]].tolist(), "key" if ids[0] == "key" else "index", target)


def _unpacked(path: Path, folder: Path) -> dict[str, Path]:
    """The members of a .npz, each in a file named by us, never more bytes than are allowed."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise UploadError(f"expected at most {_MOST_MEMBERS} arrays, found {len(members):,}")
            left, found = MOST_BYTES, {}
            for place, member in enumerate(members):
                file = folder / f"{place}.npy"
                with archive.open(member) as packed, file.open("wb") as unpacked:
                    left -= _copy(packed, unpacked, left)
                found[member.filename.removesuffix(".npy")[:100]] = file
            return found
    except (*PACKED_DAMAGE, OSError, ValueError) as error:
        # Damaged bzip2 is an OSError without the number that those of disks have.
        if isinstance(error, UploadError) or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise UploadError(f"expected a .npz file, found another or a damaged one ({str(error)[:120]})") from error


def _copy(packed: Any, unpacked: Any, most: int) -> int:
    copied = 0
    while piece := packed.read(1 << 20):
        copied += len(piece)
        if copied > most:
            raise UploadError(f"the archive unpacks to more than {MOST_BYTES:,} bytes")
        unpacked.write(piece)
    return copied


def _read_parquet(path: Path, target: Target) -> Ranked:
    # Slow to import, and needed for this alone.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            facts = file.metadata
            if facts.num_columns > target.n_classes + 22:
                raise UploadError(f"expected at most {target.n_classes + 1} columns, found {facts.num_columns:,}")
            if facts.num_rows > target.n:
                raise UploadError(f"expected {target.n:,} rows, found {facts.num_rows:,}")
            weight = sum(facts.row_group(place).total_byte_size for place in range(facts.num_row_groups))
            if weight > 4 * MOST_BYTES:
                raise UploadError(f"the table unpacks to {weight:,} bytes, more than {4 * MOST_BYTES:,}")
            shape = layout(file.schema_arrow.names, target)
            steps = stored_index(file.schema_arrow.metadata).steps
            if shape.by is None and steps not in (None, range(facts.num_rows)):
                shape = replace(shape, by="row names")  # of pandas, which keeps a range beside the columns
            gathered = PredictionRows(target, shape.by)
            for batch in file.iter_batches(batch_size=max(1, _CELLS // facts.num_columns)):
                _add_batch(batch, shape, gathered, steps)
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise UploadError(f"expected a Parquet file, found another or a damaged one ({str(error)[:120]})") from error
    return gathered.aligned()


def _add_batch(batch: Any, shape: Layout, gathered: PredictionRows, steps: range | None) -> None:
    columns = [batch.column(place) for place in shape.values]
    if any(column.null_count for column in columns):
        raise UploadError(f"expected a value in every cell, found empty ones behind row {gathered.n_rows:,}")
    arrays = [column.to_numpy(zero_copy_only=False) for column in columns]
    if shape.scores and any(array.dtype.kind not in "iuf" for array in arrays):
        raise UploadError("expected numbers in the columns of scores, found something else")
    ids = None if shape.id_column is None else batch.column(shape.id_column).to_pylist()
    if ids is None and shape.by is not None and steps is not None:
        ids = list(steps[gathered.n_rows : gathered.n_rows + batch.num_rows])
    gathered.add(np.stack(arrays, axis=1), ids, shape.scores)


_READERS: Final[Mapping[str, Callable[[Path, Target], Ranked]]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".parquet": _read_parquet,
    ".json": read_json,
    **dict.fromkeys(sorted(LINES), read_json_lines),
}
