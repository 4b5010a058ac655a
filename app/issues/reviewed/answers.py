"""The answers that reviewers gave, with the classes that each answer names."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import ClassInfo, Dataset, Issue, VoteFor
from app.schema.prediction_report import labels_beside
from app.schema.votes import votes

#: What votes for classes other than the given and the guessed one are counted as.
_OTHER: Final = "other"


def answers(catalogue: Catalogue, dataset: Dataset, issue_id: int) -> tuple[VoteFor, ...]:
    """Every answer that reviewers of an issue could give, in display order."""
    c = votes.c
    rows = catalogue.connection.execute(
        select(c.option, c.word, c.classes, c.n).where(c.issue_id == issue_id).order_by(c.position)
    )
    return tuple(VoteFor(row.option, row.word, _classes(dataset, row.classes), row.n) for row in rows)


def as_reviewed(catalogue: Catalogue, dataset: Dataset, issues: Sequence[Issue]) -> Sequence[Issue]:
    """The issues as reviewers saw and answered them: with named votes, and where a near-duplicate's label was shown."""
    issues = _with_named_votes(catalogue, dataset, issues)
    if dataset.prediction_report is None or not any(issue.guess_not_shown for issue in issues):
        return issues
    beside = labels_beside(dataset.prediction_report)
    return [
        issue._replace(shown_beside=True)
        if issue.guess_not_shown and issue.shown is not None and issue.shown.id in beside.get(issue.idx, ())
        else issue
        for issue in issues
    ]


def _with_named_votes(catalogue: Catalogue, dataset: Dataset, issues: Sequence[Issue]) -> Sequence[Issue]:
    """The issues, with votes counted as "other" listed under the classes they are for."""
    if _OTHER not in dataset.vote_options:
        return issues
    c = votes.c
    asked = [issue.id for issue in issues if issue.votes and issue.votes.get(_OTHER)]
    rows = catalogue.connection.execute(
        select(c.issue_id, c.word, c.classes, c.n)
        .where(c.issue_id.in_(asked), c.option == _OTHER, c.classes.is_not(None), c.n > 0)
        .order_by(c.issue_id, c.position)
    )
    named: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        name = " · ".join(one.name for one in _classes(dataset, row.classes) or ())
        named[row.issue_id][name or row.word] = row.n  # the word, if none of the classes was meant
    return [_named(issue, named[issue.id]) if issue.id in named else issue for issue in issues]


def _named(issue: Issue, named: Mapping[str, int]) -> Issue:
    counted = dict(issue.votes or {})
    # A class named like an option, or two classes of one name, cannot be told apart by name.
    if sum(named.values()) != counted[_OTHER] or (counted.keys() - {_OTHER}) & named.keys():
        return issue
    spelled: dict[str, int] = {}
    for option, n in counted.items():
        spelled |= named if option == _OTHER else {option: n}
    return issue._replace(votes=spelled)


def _classes(dataset: Dataset, text: str | None) -> tuple[ClassInfo, ...] | None:
    return None if text is None else tuple(dataset.classes[class_id] for class_id in json.loads(text))
