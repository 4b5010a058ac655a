"""Flag questions by the votes of several models: read what they answered, from a table or from evaluation logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.flag_choice import FlagChoice
from app.evaluation.tables.evaluation_logs import LogError, Sample, read_log
from app.evaluation.tables.json_rows import LINES
from ingest.errors import DataError, MissingFileError, shown
from ingest.flagging.engine import FlagResult, flag
from ingest.labels.model_answers import option_of
from ingest.matrices.array import open_votes
from ingest.matrices.matrix import matrix_of

#: Fields of a question in which harnesses keep the answer key.
_KEYS: Final = ("answer", "answerKey", "gold", "label", "target")


@dataclass(frozen=True)
class Committee:
    """What several models answered to the same questions, and the answer key."""

    models: tuple[str, ...]
    options: NDArray[np.int32]  # (n, k), -1 for no answer
    given: NDArray[np.int64]  # (n,)
    ids: tuple[str | int, ...]
    texts: tuple[str, ...]  # of the questions; "" where logs do not have them

    @property
    def n_classes(self) -> int:
        """The number of options: as many as any answer names."""
        return max(2, 1 + int(max(self.given.max(initial=0), self.options.max(initial=0))))


def flagged(found: Committee, rule: FlagChoice, source: Path) -> FlagResult:
    """Confident learning on the votes of a committee."""
    matrix = matrix_of([open_votes(source, found.options, found.n_classes)], len(found.given), found.n_classes)
    return flag(found.given, matrix, rule, lambda _: None)


def read_logs(place: Path) -> Committee:
    """The logs of several models in a folder and below it: of one task, a file for each model.

    Raises MissingFileError or DataError naming the file.
    """
    if not place.is_dir():
        raise MissingFileError(place, "expected a folder of evaluation logs, found " + _what(place))
    files = sorted(file for file in place.rglob("*") if _is_samples(file))
    if not files:
        raise MissingFileError(
            place, "expected files like samples_TASK_TIME.jsonl, as --log_samples writes, found none"
        )
    logs = {name: _read(file) for name, file in _named(place, files).items()}
    first = next(iter(logs.values()))
    for log, file in zip(logs.values(), files, strict=True):
        _require_same(file, files[0], first, log)
    ids = sorted(first, key=lambda one: (isinstance(one, str), one))
    given = [_given(files[0], first[one]) for one in ids]
    options = np.array([[log[one].option for log in logs.values()] for one in ids], np.int32)
    texts = tuple(_text(first[one].doc) for one in ids)
    return Committee(tuple(logs), options, np.array(given, np.int64), tuple(ids), texts)


def _what(place: Path) -> str:
    return "a file" if place.exists() else "nothing"


def _is_samples(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in LINES and file.name.startswith("samples_")


def _named(place: Path, files: Sequence[Path]) -> dict[str, Path]:
    """Model -> its file: models go by the folders that harnesses make for them, and else by their files."""
    found: dict[str, Path] = {}
    for file in files:
        inside = file.parent.relative_to(place).as_posix()
        name = file.stem if inside == "." else inside
        if name in found:
            finding = f"expected one task, a file for each model, found {found[name].name} of {name} beside it"
            raise DataError(file, f"{finding}: give the folder of one task")
        found[name] = file
    return found


def _read(file: Path) -> dict[str | int, Sample]:
    try:
        return {sample.id: sample for sample in read_log(file)}
    except LogError as error:
        raise DataError(file, str(error)) from error


def _require_same(
    file: Path, first_file: Path, first: Mapping[str | int, Sample], log: Mapping[str | int, Sample]
) -> None:
    lacking = next((one for one in first if one not in log), next((one for one in log if one not in first), None))
    if lacking is not None:
        raise DataError(file, f"expected the questions of {first_file}, found {shown(lacking)} in one of the two alone")
    for one, sample in log.items():
        if sample.doc and first[one].doc and sample.doc != first[one].doc:
            raise DataError(file, f"expected the question that {first_file} has, found another", record=sample.where)


def _given(file: Path, sample: Sample) -> int:
    candidates = [sample.doc[key] for key in _KEYS if key in sample.doc]
    for value in [*candidates, sample.target]:
        labels = sample.doc.get("choices", {}).get("label") if isinstance(sample.doc.get("choices"), dict) else None
        if isinstance(labels, list) and value in labels:
            return int(labels.index(value))
        option = option_of(value, 26)
        if option >= 0:
            return option
    raise DataError(
        file,
        f"expected the answer key, in the question or as target, found {shown(sample.target)}",
        record=sample.where,
    )


def _text(doc: Mapping[str, Any]) -> str:
    value = next((doc[key] for key in ("question", "input", "query", "ctx") if isinstance(doc.get(key), str)), "")
    return " ".join(str(value).split())
