"""Rows of the table of changed examples: the label before, the label after, and a link to the issue."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection

from app.catalogue.records import Dataset
from app.catalogue.version_log import ExampleState, VersionStep, changed, issues_among
from app.domain.review.changes import Change
from app.domain.review.corrections import Policy
from app.web.templates import CATEGORY_TITLES

WORDS: Final = {
    Change.ADDED: "added",
    Change.REMOVED: "removed",
    Change.RELABELLED: "relabelled",
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A row of the table: a changed example."""

    index: int
    key: str | None
    href: str | None  # of its issue; None if it is no longer one
    change: Change
    before: str
    after: str


def change_rows(
    connection: Connection,
    dataset: Dataset,
    step: VersionStep,
    policy: Policy,
    first: int,
    kind: Change | None,
    limit: int,
) -> tuple[list[ChangeRow], int | None]:
    """At most ``limit`` rows starting at index ``first``, and the index of the last one if there are more."""
    some = list(islice(changed(connection, dataset, step, policy, first, kind), limit + 1))
    issues = issues_among(connection, dataset, [one.index for one in some])
    query = "" if policy.agreement == dataset.default_agreement else f"?agreement={policy.agreement}"
    rows = [
        ChangeRow(
            index=one.index,
            key=one.key,
            href=f"/{dataset.name}/issues/{one.index}{query}" if one.index in issues else None,
            change=one.change,
            before=_words(one.before, step.former_classes),
            after=_words(one.after, step.classes),
        )
        for one in some[:limit]
    ]
    return rows, some[limit - 1].index if len(some) > limit else None


def _words(seen: ExampleState | None, classes: tuple[str, ...]) -> str:
    if seen is None:
        return "not in the test set"
    if seen.corrected is None:
        return f"left out: {CATEGORY_TITLES[seen.category]}"
    return " · ".join(class_name(c, classes) for c in seen.corrected) or "(no label)"


def class_name(class_id: int, classes: tuple[str, ...]) -> str:
    """The name of a class in a version; its number if that version did not have it."""
    return classes[class_id] if class_id < len(classes) else str(class_id)


def sentence(step: VersionStep) -> str:
    """How much changed, as text.

    >>> from app.domain.review.changes import ChangeCounts
    >>> sentence(VersionStep((1,), "a", "b", "", None, ChangeCounts(2, 0, 1), None, (), ()))
    '2 examples added, 1 relabelled'
    """
    if step.counts is None:
        return "First version" if step.former is None else "Changes unknown"
    counted = [(getattr(step.counts, change.value), words) for change, words in WORDS.items()]
    told = [f"{n:,} {words}" for n, words in counted if n]
    if not told:
        return "No label changed"
    first, _, rest = told[0].partition(" ")
    return ", ".join([f"{first} example{'' if first == '1' else 's'} {rest}", *told[1:]])
