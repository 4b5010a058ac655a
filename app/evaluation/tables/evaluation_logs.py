"""Read the logs of evaluation harnesses: what a language model answered to each question of a benchmark.

Two forms are known. lm-evaluation-harness writes ``samples_TASK_TIME.jsonl``, a line for each question, with the
likelihood of each option or the text that was generated. HELM writes ``display_predictions.json``, a list of
predictions. What a model wrote is an option where it is its letter; anything else is no answer, -1. Raises LogError.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.csv_table import TableError, open_text
from app.evaluation.tables.json_rows import LINES, json_lines, strict_json

NO_ANSWER: Final = -1
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: An answer that begins with a letter of its own: "B", "(B)", "B.", "B) because"; "A dog" is none.
_LEADING: Final = re.compile(r"\s*\(?([A-Za-z])(?:[.):]|\s*\Z|\s*\n)")
_WORDED: Final = re.compile(r"answer(?:\s+is)?\s*:?\s*\(?([A-Z])(?:[.):\s]|\Z)")
_MOST_BYTES: Final = 400_000_000


class LogError(ValueError):
    """A log that cannot be read: what was expected, what was found, and where."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A model's answer to one question; ``doc`` is the question as the log has it, {} where it has none."""

    where: str  # "line 3"
    id: str | int
    option: int
    doc: Mapping[str, Any]
    target: Any


def is_log(row: object) -> bool:
    """Whether a row is one of an evaluation log."""
    if not isinstance(row, dict):
        return False
    return ("doc_id" in row and ("filtered_resps" in row or "resps" in row)) or (
        "instance_id" in row and "predicted_text" in row
    )


def looks_like_log(path: Path) -> bool:
    """Whether the beginning of a file names the fields of a log; it is read in full only then."""
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    harness = b'"doc_id"' in head and (b'"filtered_resps"' in head or b'"resps"' in head)
    return harness or (b'"instance_id"' in head and b'"predicted_text"' in head)


def read_log(path: Path) -> list[Sample]:
    """All samples of a log, in its order. Raises LogError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LogError(f"expected at most {_MOST_BYTES:,} bytes, found {path.stat().st_size:,}")
        with open_text(path) as stream:
            if path.suffix.lower() in LINES:
                return samples_of(((f"line {line}", row) for line, row in json_lines(stream)))
            rows = strict_json(stream.read())
    except TableError as error:
        raise LogError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, LogError) else LogError(f"expected JSON: {str(error)[:160]}") from error
    if not isinstance(rows, list):
        raise LogError("expected a list of predictions")
    return samples_of((f"entry {place}", row) for place, row in enumerate(rows))


def samples_of(rows: Iterator[tuple[str, Any]]) -> list[Sample]:
    """The samples in rows. Raises LogError naming the row that is none, or an id that is there twice."""
    first = next(rows, None)
    if first is None:
        raise LogError("expected the answers of a model, found none")
    found: list[Sample] = []
    seen: dict[str | int, str] = {}
    for where, row in chain([first], rows):
        if not is_log(row):
            raise LogError(f"{where}: expected doc_id and filtered_resps, or instance_id and predicted_text")
        sample = _helm(where, row) if "instance_id" in row else _harness(where, row)
        if sample.id in seen:
            raise LogError(f"{where}: expected each question once, found {sample.id!r} in {seen[sample.id]} too")
        seen[sample.id] = where
        found.append(sample)
    return found


def _helm(where: str, row: Mapping[str, Any]) -> Sample:
    name = row["instance_id"]
    if not isinstance(name, str):
        raise LogError(f"{where}: expected a text in instance_id")
    text = row["predicted_text"]
    if not isinstance(text, str):
        raise LogError(f"{where}: expected a text in predicted_text")
    option = option_said(text)
    digits = re.fullmatch(r"id(\d{1,9})", name)
    return Sample(where, int(digits[1]) if digits else name, option, {}, None)


def _harness(where: str, row: Mapping[str, Any]) -> Sample:
    name = row["doc_id"]
    if isinstance(name, bool) or not isinstance(name, int | str):
        raise LogError(f"{where}: expected a number in doc_id")
    doc = row.get("doc")
    said = row.get("filtered_resps", row.get("resps"))
    return Sample(where, name, _answer(where, said), doc if isinstance(doc, dict) else {}, row.get("target"))


def _answer(where: str, said: Any) -> int:
    """The likeliest option of several, or the option that a text names."""
    values = _unwrapped(said)
    if isinstance(values, str):
        return option_said(values)
    if not isinstance(values, list) or len(values) < 2:
        raise LogError(f"{where}: expected the likelihoods of several options, or a text")
    weights = [_likelihood(where, one) for one in values]
    return max(range(len(weights)), key=weights.__getitem__)


def _unwrapped(said: Any) -> Any:
    while isinstance(said, list) and len(said) == 1:
        said = said[0]
    return said


def _likelihood(where: str, one: Any) -> float:
    one = _unwrapped(one)
    if isinstance(one, list) and one:
        one = one[0]
    try:
        number = float(one)
    except (TypeError, ValueError) as error:
        raise LogError(f"{where}: expected the likelihood of an option") from error
    if math.isnan(number):
        raise LogError(f"{where}: expected the likelihood of an option, found none")
    return number


def option_said(text: str) -> int:
    """The option that a model's words name, -1 for none.

    >>> [option_said(text) for text in ("B", " (c)", "A. Paris", "The answer is D.", "A dog", "The", "", "I")]
    [1, 2, 0, 3, -1, -1, -1, 8]
    """
    match = _LEADING.match(text) or _WORDED.search(text)
    return _LETTERS.index(match[1].upper()) if match else NO_ANSWER


def options_in_order(samples: Sequence[Sample], n: int, n_classes: int, keys: Sequence[str] | None) -> list[int]:
    """(n,) the options of all n questions, matched by number, or by key. Raises LogError where some are missing."""
    places = {key: place for place, key in enumerate(keys or ())}
    found = [NO_ANSWER] * n
    for sample in samples:
        place = places.get(str(sample.id), -1) if isinstance(sample.id, str) else sample.id
        if isinstance(sample.id, str) and place < 0 and sample.id.isdecimal() and len(sample.id) < 10:
            place = int(sample.id)
        if not 0 <= place < n:
            raise LogError(f"{sample.where}: expected a question from 0 to {n - 1:,}, found {sample.id!r:.60}")
        found[place] = sample.option if sample.option < n_classes else NO_ANSWER
    if len(samples) != n:
        raise LogError(f"expected the answers to {n:,} questions, found {len(samples):,}")
    return found
