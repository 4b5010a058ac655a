"""What the command ``flag`` writes and prints: tables of examples, and a summary for people.

A file appears whole or not at all: it is written beside its place and renamed. Its ending says its form.
"""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning import COUNTING_RULES, FlagRule, off_diagonal
from ingest.engine import Flagging
from ingest.errors import DataError

ENDINGS: Final = (".parquet", ".csv", ".json")

#: Examples written at a time.
_ROWS: Final = 1 << 16

_CELLS: Final = 10

#: What a spreadsheet would take for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def require_place(path: Path, inputs: Sequence[Path | None]) -> None:
    """See, before any long work, that a file can be written there, and that it is none of those to be read.

    Raises DataError.
    """
    if path.is_dir():
        raise DataError(path, "expected a file to write, found a folder")
    for read in inputs:
        if read is not None and path.exists() and read.exists() and path.samefile(read):
            raise DataError(path, "expected another file to write than those that are read")
    try:
        tempfile.TemporaryFile(dir=path.resolve().parent).close()
    except OSError as error:
        raise DataError(path, f"expected a folder that can be written to: {error.strerror}") from error


def write_examples(
    path: Path, flagging: Flagging, names: Sequence[str] | None, *, every: bool, advance: Callable[[int], None]
) -> None:
    """Write the flagged examples, lowest normalized margin first, or every example in order.

    Columns: index, given, guessed (class ids, and with ``names`` their names), self_confidence, normalized_margin,
    rank (by margin among those written, from 1), flagged. ``advance`` is told of every rows written.
    """
    n = len(flagging.labels)
    indices = np.arange(n) if every else flagging.flagged
    ranks = np.arange(1, len(indices) + 1)
    flagged = np.zeros(n, np.bool_)
    flagged[flagging.flagged] = True
    if every:
        ranks[flagging.order] = np.arange(1, n + 1)
    empty = _columns(flagging, indices[:0], ranks[:0], flagged, names)

    def tables() -> Iterator[dict[str, Any]]:
        for start in range(0, len(indices), _ROWS):
            here = slice(start, start + _ROWS)
            yield _columns(flagging, indices[here], ranks[here], flagged, names)
            advance(len(indices[here]))

    write = {".parquet": _write_parquet, ".csv": _write_csv, ".json": _write_json}[path.suffix.lower()]
    try:
        with _replaced(path.resolve()) as part:
            write(part, empty, tables())
    except OSError as error:
        raise DataError(path, f"could not be written: {error.strerror or error}") from error


def summary(flagging: Flagging, names: Sequence[str] | None) -> str:
    """n, m, rho by rule, what was flagged, and the joint's largest cells off the diagonal."""
    n, m = len(flagging.labels), len(flagging.thresholds)
    facts: Any = flagging.facts()
    lines = [f"examples {n:,}, classes {m:,}" + (", softmax applied to logits" if flagging.softmax else "")]
    empty = int((flagging.label_counts == 0).sum())
    if empty:
        lines.append(f"classes without an example, which have no threshold: {empty:,}")
    lines += [
        f"rho {rule.value}: {facts['rho'][rule.value]:.6f} ({facts['number_flagged'][rule.value]:,} examples)"
        for rule in COUNTING_RULES
    ]
    lines.append(f"confident joint: {int(flagging.counts.sum()):,} counted, {facts['off_diagonal']:,} off the diagonal")
    rule = flagging.rule.value if isinstance(flagging.rule, FlagRule) else f"the {flagging.rule:,} lowest margins"
    lines.append(f"flagged by {rule}: {flagging.n_flagged:,} ({100 * flagging.n_flagged / n:.2f} %)")
    cells = list(_largest_cells(flagging))
    if cells:
        lines.append("largest cells of the joint off the diagonal (given -> latent, share, counted):")
    for given, latent, share, count in cells:
        lines.append(f"  {_name(given, names)} -> {_name(latent, names)}  {100 * share:.4f} %  {count:,}")
    return "\n".join(lines)


def _largest_cells(flagging: Flagging) -> Iterator[tuple[int, int, float, int]]:
    given, latent, shares = off_diagonal(flagging.counts, flagging.label_counts)
    for place in np.argsort(-shares, kind="stable")[:_CELLS]:
        i, j = int(given[place]), int(latent[place])
        yield i, j, float(shares[place]), int(flagging.counts[i, j])


def _name(class_id: int, names: Sequence[str] | None) -> str:
    return str(class_id) if names is None else names[class_id]


def _columns(
    flagging: Flagging,
    indices: NDArray[np.intp],
    ranks: NDArray[np.intp],
    flagged: NDArray[np.bool_],
    names: Sequence[str] | None,
) -> dict[str, Any]:
    labels, scores = flagging.labels[indices].astype(np.int64), flagging.scores[indices]
    guessed = scores.guessed(labels)
    columns: dict[str, Any] = {"index": indices.astype(np.int64), "given": labels, "guessed": guessed}
    if names is not None:
        columns["given_name"] = [names[label] for label in labels.tolist()]
        columns["guessed_name"] = [names[label] for label in guessed.tolist()]
    return columns | {
        "self_confidence": scores.own.astype(np.float64),
        "normalized_margin": scores.margins(),
        "rank": ranks.astype(np.int64),
        "flagged": flagged[indices],
    }


def _write_parquet(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {name: pa.string() for name in empty if name.endswith("_name")}
    schema = pa.schema([(name, types.get(name) or pa.array(values).type) for name, values in empty.items()])
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(pa.table(table, schema))


def _write_csv(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(empty)
        for table in tables:
            writer.writerows(zip(*(_cells(name, values) for name, values in table.items()), strict=True))


def _cells(name: str, values: Any) -> list[Any]:
    if not name.endswith("_name"):
        return values.astype(np.int64).tolist() if values.dtype == np.bool_ else values.tolist()  # type: ignore[no-any-return]
    return ["'" + value if value.startswith(_FORMULA) else value for value in values]


def _write_json(path: Path, empty: dict[str, Any], tables: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        before = "["
        for table in tables:
            columns = [values if isinstance(values, list) else values.tolist() for values in table.values()]
            for row in zip(*columns, strict=True):
                stream.write(f"{before}\n{json.dumps(dict(zip(empty, row, strict=True)), ensure_ascii=False)}")
                before = ","
        stream.write("[]\n" if before == "[" else "\n]\n")


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
