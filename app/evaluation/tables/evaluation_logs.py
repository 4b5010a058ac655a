"""Read the logs of evaluation harnesses: what a language model answered to each question of a benchmark.

Two forms are known. lm-evaluation-harness writes ``samples_TASK_TIME.jsonl``, a line for each question, with the
likelihood of each option or the text that was generated; until 0.4.2 that file was one JSON list. HELM writes
``display_predictions.json``, a list of predictions. What a model wrote is an option where it is its letter; anything
else is no answer, -1. Raises LogError.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


#: The most options of a question: as many as there are letters.
MOST_OPTIONS: Final = len(_LETTERS)


@dataclass(frozen=True, slots=True)
class Sample:
    """A model's answer to one question; ``doc`` is the question as the log has it, {} where it has none."""

    where: str  # "line 3"
    id: str | int
    option: int
    doc: Mapping[str, Any]
    target: Any
    wordings: tuple[str, ...] = ()  # the options whose likelihoods were told, as the model was given them
    right: bool | None = None  # whether the harness counted the answer as right; None where it does not say
    generated: bool = False  # whether the answer is a text, in which a harness may look for it otherwise than we do

    @property
    def n_options(self) -> int | None:
        """How many options the question has; None where the log does not say."""
        for name in ("choices", "options", "endings"):
            listed = self.doc.get(name)
            listed = listed.get("text") if isinstance(listed, Mapping) else listed
            if isinstance(listed, list) and listed:
                return len(listed)
        return len(self.wordings) or None


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


def read_log(path: Path, only: str | None = None) -> list[Sample]:
    """All samples of a log, in its order; ``only`` is the one filter whose answers count. Raises LogError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LogError(f"expected at most {_MOST_BYTES:,} bytes, found {path.stat().st_size:,}")
        with open_text(path) as stream:
            if path.suffix.lower() in LINES and not _is_list(path):
                return samples_of(((f"line {line}", row) for line, row in json_lines(stream)), only)
            rows = strict_json(stream.read())
    except TableError as error:
        raise LogError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, LogError) else LogError(f"expected JSON: {str(error)[:160]}") from error
    if not isinstance(rows, list):
        raise LogError("expected a list of predictions")
    return samples_of(((f"entry {place}", row) for place, row in enumerate(rows)), only)


def _is_list(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def samples_of(rows: Iterable[tuple[str, Any]], only: str | None = None) -> list[Sample]:
    """The samples in rows. Raises LogError naming the row that is none, or an id that is there twice.

    A harness may filter one answer in several ways and write a row for each; ``only`` says whose rows count.
    """
    found: list[Sample] = []
    seen: dict[str | int, str] = {}
    filters: set[str] = set()
    for where, row in rows:
        if not is_log(row):
            raise LogError(f"{where}: expected doc_id and filtered_resps, or instance_id and predicted_text")
        filters.add(str(row.get("filter", "none")))
        if only is not None and str(row.get("filter", "none")) != only:
            continue
        sample = _helm(where, row) if "instance_id" in row else _harness(where, row)
        if sample.id in seen and len(filters) > 1 and only is None:
            raise LogError(f"{where}: expected the answers of one filter, found {', '.join(sorted(filters))}: keep one")
        if sample.id in seen:
            raise LogError(f"{where}: expected each question once, found {sample.id!r} in {seen[sample.id]} too")
        seen[sample.id] = where
        found.append(sample)
    if not found:
        told = f" of the filter {only!r:.60}, but of {', '.join(sorted(filters))}" if filters else ""
        raise LogError(f"expected the answers of a model, found none{told}")
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
    doc, target = doc if isinstance(doc, dict) else {}, row.get("target")
    values = _unwrapped(row.get("filtered_resps", row.get("resps")))
    if isinstance(values, str):
        return Sample(where, name, option_said(values), doc, target, (), _score(row, "exact_match"), True)
    # An option alone is [likelihood, whether it is what the model would have said]: no choice of two.
    if not isinstance(values, list) or len(values) < 2 or any(isinstance(one, bool | str) for one in values):
        raise LogError(f"{where}: expected the likelihoods of several options, or a text")
    if "acc_mutual_info" in row:
        values = values[: len(values) // 2]  # behind them are the likelihoods of the options without their question
    if len(values) > MOST_OPTIONS:
        raise LogError(f"{where}: expected at most {MOST_OPTIONS} options, found {len(values):,}")
    weights = [_likelihood(where, one) for one in values]
    option = max(range(len(weights)), key=weights.__getitem__)
    return Sample(where, name, option, doc, target, _wordings(row, len(values)), _score(row, "acc"))


def _score(row: Mapping[str, Any], metric: str) -> bool | None:
    value = row.get(metric)
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def _wordings(row: Mapping[str, Any], n: int) -> tuple[str, ...]:
    """The options as the model was given them: the second argument of each request; () where the log lacks them."""
    asked = row.get("arguments")
    if isinstance(asked, Mapping):
        asked = [asked.get(f"gen_args_{place}") for place in range(n)]
    if not isinstance(asked, list) or len(asked) < n:
        return ()
    told = [one.get("arg_1") if isinstance(one, Mapping) else _second(one) for one in asked[:n]]
    return tuple(text.strip() for text in told if isinstance(text, str)) if all(told) else ()


def _second(pair: Any) -> Any:
    return pair[1] if isinstance(pair, list) and len(pair) == 2 else None


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
