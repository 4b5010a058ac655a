"""The answer key in the logs of an evaluation harness: which option it counted as right.

A log says so in several ways that need not agree: ``target`` is the number, the letter or the wording of an option, and
a field of the question may count options from 0, from 1 or by labels of its own. So each way is tried on a whole log,
the harness's own first, and one that contradicts a score in any of the logs is none: where the harness counted an
answer as right, the key is that answer.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.evaluation_logs import MOST_OPTIONS, Sample
from ingest.errors import DataError, shown
from ingest.labels.model_answers import LETTERS, NO_ANSWER, option_of

#: Fields of a question in which harnesses keep the answer key.
_FIELDS: Final = ("answer", "answerKey", "gold", "label", "target")
_Way = Callable[[Sample], int]


def answer_key(logs: Mapping[Path, Mapping[Any, Sample]], ids: Sequence[Any]) -> list[int]:
    """The option that is the key of each question, from the logs of all models on the same questions.

    Raises DataError naming the log and the line where no key is found, or where one contradicts a score.
    """
    (file, first) = next(iter(logs.items()))
    unread: list[Sample] = []
    refused: DataError | None = None
    for way in _ways():
        key = [way(first[one]) for one in ids]
        if NO_ANSWER in key:
            unread.append(first[ids[key.index(NO_ANSWER)]])
            continue
        contradicted = _contradiction(logs, dict(zip(ids, key, strict=True)))
        if contradicted is None:
            return key
        refused = refused or contradicted
    if refused is not None:
        raise refused
    finding = f"expected the answer key, in the question or as target, found {shown(unread[0].target)}"
    raise DataError(file, finding, record=unread[0].where)


def _ways() -> list[_Way]:
    def of(field: str) -> _Way:
        return lambda sample: _field(sample, field)

    return [lambda sample: _option(sample.target), _worded, *(of(field) for field in _FIELDS)]


def _option(value: Any) -> int:
    return option_of(value, MOST_OPTIONS)


def _worded(sample: Sample) -> int:
    """The one option whose wording is the target."""
    target = str(sample.target).strip()
    return sample.wordings.index(target) if sample.wordings.count(target) == 1 else NO_ANSWER


def _field(sample: Sample, name: str) -> int:
    """The option that a field of the question names: by a label where options have some, as in ARC."""
    value, choices = sample.doc.get(name), sample.doc.get("choices")
    labels = choices.get("label") if isinstance(choices, Mapping) else None
    if isinstance(labels, list) and value in labels:
        return labels.index(value)
    return _option(value)


def _contradiction(logs: Mapping[Path, Mapping[Any, Sample]], key: Mapping[Any, int]) -> DataError | None:
    for file, log in logs.items():
        for one, sample in log.items():
            right = sample.option == key[one]
            # In a text the harness may have found no answer where we do, never another one that is right.
            if sample.right is None or sample.right == right or (sample.generated and right):
                continue
            counted = "right" if sample.right else "wrong"
            said = f"answer {_letter(sample.option)}, counted as {counted}, and the key {_letter(key[one])}"
            return DataError(
                file, f"expected scores that follow from answers and key, found {said}", record=sample.where
            )
    return None


def _letter(option: int) -> str:
    return LETTERS[option] if option != NO_ANSWER else "none"
