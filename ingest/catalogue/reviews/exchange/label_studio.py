"""Label Studio's JSON: votes out of its export, and tasks with votes for its import."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from app.domain.review.verdicts import Answer
from app.reviews.elsewhere.vote_import import ImportedVote
from app.reviews.owner.given_answers import RoundAnswers, Voted, options_of_question
from app.reviews.questions import CANNOT_TELL, Meaning, named
from ingest.catalogue.reviews.exchange.vote_tables import ExampleIndex, ReadVotes
from ingest.errors import DataError, shown
from ingest.labels.files import read_json

_EXAMPLE: Final = ("example", "index", "key")
#: Where a result keeps who answered: Label Studio takes nobody in "completed_by" who has no account there, and refuses
#: the whole file, but keeps what stands in a result's "meta".
_META: Final = "meta"
_RATER: Final = "rater"


def read_label_studio(path: Path, index_of: ExampleIndex) -> ReadVotes:
    """The votes of an export in the form JSON: a list of tasks with annotations. Raises DataError naming the task."""
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise DataError(path, f"expected a list of tasks, as Label Studio exports as JSON, found {shown(tasks)}")
    votes: list[ImportedVote] = []
    cancelled = 0
    for place, task in enumerate(tasks):
        where = f"task {place}"
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise DataError(path, f'expected a task with "data", found {shown(task)}', record=where)
        idx = _index(path, where, task["data"], index_of)
        for number, annotation in enumerate(_annotations(path, where, task)):
            here = f"{where}, annotation {number}"
            if annotation.get("was_cancelled"):
                cancelled += 1
                continue
            seconds = annotation.get("lead_time")
            votes.append(
                ImportedVote(
                    idx,
                    _rater(path, here, annotation),
                    _answer(path, here, annotation),
                    here,
                    float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else None,
                )
            )
    return ReadVotes(
        votes, "an export of Label Studio", [f"{cancelled:,} skipped annotations left out"] if cancelled else []
    )


def _index(path: Path, where: str, data: Mapping[str, Any], index_of: ExampleIndex) -> int:
    name = next((data[key] for key in _EXAMPLE if key in data), None)
    found = None if name is None else index_of(name)
    if found is None:
        keys = ", ".join(f"data.{key}" for key in _EXAMPLE)
        raise DataError(path, f"expected the index or key of an example in {keys}, found {shown(name)}", record=where)
    return found


def _annotations(path: Path, where: str, task: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = task.get("annotations", task.get("completions"))
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError(path, f'expected a list "annotations", found {shown(found)}', record=where)
    yield from found


def _rater(path: Path, where: str, annotation: Mapping[str, Any]) -> str:
    found = _rater_of_result(annotation) or annotation.get("completed_by")
    if isinstance(found, dict):
        found = found.get("email", found.get("id"))
    if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
        raise DataError(path, f'expected who annotated in "completed_by", found {shown(found)}', record=where)
    return str(found)


def _rater_of_result(annotation: Mapping[str, Any]) -> object:
    """Who answered what this program wrote; None for an annotation that was made in Label Studio."""
    result = annotation.get("result")
    metas = [one.get(_META) for one in result if isinstance(one, dict)] if isinstance(result, list) else []
    return next((meta[_RATER] for meta in metas if isinstance(meta, dict) and _RATER in meta), None)


def _answer(path: Path, where: str, annotation: Mapping[str, Any]) -> str | tuple[str, ...]:
    result = annotation.get("result")
    found = [one for one in result if isinstance(one, dict)] if isinstance(result, list) else []
    chosen = [
        one["value"]["choices"] for one in found if isinstance(one.get("value"), dict) and "choices" in one["value"]
    ]
    if len(chosen) != 1 or not isinstance(chosen[0], list) or not all(isinstance(one, str) for one in chosen[0]):
        raise DataError(path, f"expected one result with choices, found {shown(result)}", record=where)
    return chosen[0][0] if len(chosen[0]) == 1 else tuple(chosen[0])


def label_studio_tasks(answers: RoundAnswers, base: str) -> list[dict[str, Any]]:
    """A task an example with votes, for Label Studio's import: its page on the site, and who answered what.

    What was given and guessed is not in it, so that people can go on blind.
    """
    tasks = []
    for one in answers.voted():
        names = [answers.names[each] for each in one.question.classes]
        options = {} if one.question.kind == "set" else options_of_question(one.question, answers.names)
        spelled = {answer: word for word, answer in options.items() if word not in ("given", "guessed")}
        annotations = []
        for rater, meaning in one.votes:
            choices = _choices(one, meaning, answers.names, spelled)
            value = {"type": "choices", "from_name": "answer", "to_name": "example", "value": {"choices": choices}}
            annotations.append({"result": [{**value, _META: {_RATER: rater}}]})
        page = f"{base.rstrip('/')}/{answers.round.dataset}/issues/{one.idx}"
        data = {"example": one.idx, "page": page, "choices": [*names, *one.question.words, CANNOT_TELL]}
        tasks.append({"data": data, "annotations": annotations})
    return tasks


def _choices(one: Voted, meaning: Meaning, names: Mapping[int, str], spelled: Mapping[Answer, str]) -> list[str]:
    """What a vote ticks: names of classes, or a word."""
    if one.question.kind == "set":
        return [names[each] for each in meaning["heard"]]
    answer = named(meaning)
    if isinstance(answer, frozenset) and len(answer) == 1:
        return [names[each] for each in answer]
    return [spelled[answer]]
