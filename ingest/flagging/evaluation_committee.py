"""Flag questions by the votes of several models: read what they answered, from a table or from evaluation logs."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.flag_choice import FlagChoice
from app.evaluation.tables.evaluation_logs import NO_ANSWER, LogError, Sample, looks_like_log, read_log
from app.evaluation.tables.json_rows import LINES
from ingest.errors import DataError, MissingFileError, shown
from ingest.flagging.answer_keys import answer_key
from ingest.flagging.engine import FlagResult, flag
from ingest.matrices.array import open_votes
from ingest.matrices.matrix import matrix_of

#: samples_TASK_TIME.jsonl, as lm-evaluation-harness calls its logs.
_NAME: Final = re.compile(r"samples_(.+)_\d{4}-\d\d-\d\d.*")
_TASKS_SHOWN: Final = 5
_Log = dict[str | int, Sample]


@dataclass(frozen=True)
class Committee:
    """What several models answered to the same questions, and the answer key."""

    models: tuple[str, ...]
    options: NDArray[np.int32]  # (n, k), -1 for no answer
    given: NDArray[np.int64]  # (n,)
    ids: tuple[str | int, ...]  # with the task in front where there are several
    texts: tuple[str, ...]  # of the questions; "" where logs do not have them
    tasks: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """The number of options: as many as any answer names."""
        return max(2, 1 + int(max(self.given.max(initial=0), self.options.max(initial=0))))


def flagged(found: Committee, rule: FlagChoice, source: Path) -> FlagResult:
    """Confident learning on the votes of a committee."""
    matrix = matrix_of([open_votes(source, found.options, found.n_classes)], len(found.given), found.n_classes)
    return flag(found.given, matrix, rule, lambda _: None)


def read_logs(place: Path, wanted: str | None = None, only: str | None = None) -> Committee:
    """The logs of several models in a folder and below it: a file for each model and task.

    ``wanted`` is a task, or several by a pattern with stars; ``only`` the filter whose answers count, where logs have
    those of several. Raises MissingFileError or DataError naming the file.
    """
    if not place.is_dir():
        raise MissingFileError(place, "expected a folder of evaluation logs, found " + _what(place))
    files = sorted(file for file in place.rglob("*") if _is_log(file))
    if not files:
        finding = "expected files like samples_TASK_TIME.jsonl, as --log_samples writes, found none"
        raise MissingFileError(place, finding)
    tasks = _chosen(place, _by_task(place, files), wanted)
    _require_all(place, tasks)
    parts = [_of_task(task, models, only) for task, models in tasks.items()]
    return parts[0] if len(parts) == 1 else _together(parts)


def _what(place: Path) -> str:
    return "a file" if place.exists() else "nothing"


def _is_log(file: Path) -> bool:
    """Whether a file is a log, by its name as harnesses write it or by what is in it."""
    if not file.is_file() or file.suffix.lower() not in LINES:
        return False
    return file.name.startswith("samples_") or looks_like_log(file)


def _by_task(place: Path, files: Sequence[Path]) -> dict[str, dict[str, Path]]:
    """Task -> model -> its file: models go by the folders that harnesses make for them, and else by their files."""
    found: dict[str, dict[str, Path]] = {}
    for file in files:
        inside, match = file.parent.relative_to(place).as_posix(), _NAME.fullmatch(file.stem)
        task = match[1] if match else file.stem.removeprefix("samples_")
        model, task = (file.stem, "") if inside == "." else (inside, task)
        models = found.setdefault(task, {})
        if model in models:
            raise DataError(file, f"expected one file of a model and a task, found {models[model].name} beside it")
        models[model] = file
    return dict(sorted(found.items()))


def _chosen(place: Path, tasks: dict[str, dict[str, Path]], wanted: str | None) -> dict[str, dict[str, Path]]:
    chosen = {task: models for task, models in tasks.items() if wanted is None or fnmatch.fnmatchcase(task, wanted)}
    if chosen and (wanted is not None or len(chosen) == 1):
        return chosen
    more = f" and {len(tasks) - _TASKS_SHOWN:,} more" if len(tasks) > _TASKS_SHOWN else ""
    finding = f"expected one task, or --task with a name or pattern such as 'mmlu_*', found {len(tasks):,}"
    raise DataError(place, f"{finding}: {', '.join([*tasks][:_TASKS_SHOWN])}{more}")


def _require_all(place: Path, tasks: Mapping[str, Mapping[str, Path]]) -> None:
    for model in sorted({*chain(*tasks.values())}):
        lacking = next((task for task, models in tasks.items() if model not in models), None)
        if lacking is not None:
            raise DataError(
                place, f"expected the answers of each model to each task, found none of {model} to {lacking}"
            )


def _of_task(task: str, models: Mapping[str, Path], only: str | None) -> Committee:
    logs = {file: _read(file, only) for file in models.values()}
    (first_file, first), *_ = logs.items()
    for file, log in logs.items():
        _require_same(file, first_file, first, log)
    ids = sorted(first, key=lambda one: (isinstance(one, str), one))
    given = answer_key(logs, ids)
    most = 1 + max(given)
    options = [[_within(log[one], most) for log in logs.values()] for one in ids]
    texts = tuple(_text(first[one].doc) for one in ids)
    return Committee(tuple(models), np.array(options, np.int32), np.array(given, np.int64), tuple(ids), texts, (task,))


def _within(sample: Sample, most: int) -> int:
    """The option that an answer names, none where the question does not have it: "I" of four."""
    return sample.option if sample.option < (sample.n_options or most) else NO_ANSWER


def _together(parts: Sequence[Committee]) -> Committee:
    """Several tasks as one, whose models are the same in another order or not."""
    models = parts[0].models
    ordered = [part.options[:, [part.models.index(model) for model in models]] for part in parts]
    return Committee(
        models,
        np.concatenate(ordered),
        np.concatenate([part.given for part in parts]),
        tuple(f"{part.tasks[0]}/{one}" for part in parts for one in part.ids),
        tuple(chain(*(part.texts for part in parts))),
        tuple(part.tasks[0] for part in parts),
    )


def _read(file: Path, only: str | None) -> _Log:
    try:
        found = {sample.id: sample for sample in read_log(file, only)}
    except LogError as error:
        raise DataError(file, str(error)) from error
    if all(sample.option == NO_ANSWER for sample in found.values()):
        raise DataError(file, f"expected answers that name options, found none in {len(found):,}")
    return found


def _require_same(file: Path, first_file: Path, first: _Log, log: _Log) -> None:
    lacking = next((one for one in first if one not in log), next((one for one in log if one not in first), None))
    if lacking is not None:
        raise DataError(file, f"expected the questions of {first_file}, found {shown(lacking)} in one of the two alone")
    for one, sample in log.items():
        other = first[one]
        if sample.doc and other.doc and sample.doc != other.doc:
            raise DataError(file, f"expected the question that {first_file} has, found another", record=sample.where)
        targets = (sample.target, other.target)
        if None not in targets and str(targets[0]) != str(targets[1]):
            finding = f"expected {shown(other.target)} as target, as {first_file} has, found {shown(sample.target)}"
            raise DataError(file, finding, record=sample.where)


def _text(doc: Mapping[str, Any]) -> str:
    value = next((doc[key] for key in ("question", "input", "query", "ctx") if isinstance(doc.get(key), str)), "")
    return " ".join(str(value).split())
