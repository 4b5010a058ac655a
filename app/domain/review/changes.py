"""What changed in a corrected test set between two versions, under any policy.

Examples are identified by their index, as in every file of a corrected test set. Only the label used for scoring
counts: an example with another verdict but the same label has not changed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.review.corrections import LabelSource, Policy, decision
from app.domain.review.verdicts import Category

LabelSet = tuple[int, ...]


class Change(StrEnum):
    """What became of an example of the corrected test set."""

    ADDED = "added"  # it was left out, or was not there, and is scored now
    REMOVED = "removed"  # it was scored, and is left out now or not there any more
    RELABELLED = "relabelled"  # it was scored with another label


@dataclass(frozen=True, slots=True)
class Standing:
    """How an example stands in one version. Labels are class ids, ascending.

    ``issue`` is false for an example that was neither flagged nor reviewed; ``verdicts`` holds, by agreement threshold,
    the category and, for correctable and multi-label examples, the classes that reviewers agreed on, and is empty where
    nobody looked.
    """

    given: LabelSet
    issue: bool = False
    verdicts: Mapping[int, tuple[Category, LabelSet | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many examples of a corrected test set changed."""

    added: int = 0
    removed: int = 0
    relabelled: int = 0

    @property
    def all(self) -> int:
        return self.added + self.removed + self.relabelled


def carried(standing: Standing, policy: Policy) -> LabelSet | None:
    """The label under which a policy scores an example, None where it leaves it out.

    >>> neither = Standing((3,), True, {3: (Category.NEITHER, None)})
    >>> carried(neither, Policy()) is None, carried(Standing((3,)), Policy())
    (True, (3,))
    """
    label: LabelSet | None = _label(_side(standing, policy.agreement), policy)
    return label


def change(before: Standing | None, after: Standing | None, policy: Policy) -> Change | None:
    """What became of an example between two versions, None where its label is as it was; None for one not there.

    >>> cat, frog = Standing((3,)), Standing((3,), True, {3: (Category.CORRECTABLE, (6,))})
    >>> change(cat, frog, Policy()), change(None, cat, Policy()), change(cat, cat, Policy())
    (<Change.RELABELLED: 'relabelled'>, <Change.ADDED: 'added'>, None)
    """
    return _change(
        None if before is None else _side(before, policy.agreement),
        None if after is None else _side(after, policy.agreement),
        policy,
    )


class ChangeTally:
    """Counts changes under many policies at once.

    Examples that stand alike - same categories, same labels equal to each other - are counted together, and each such
    kind is decided once, so millions of examples cost little more than a few.

    >>> tally = ChangeTally([Policy()])
    >>> tally.add(None, Standing((1,)), n=7), tally.add(Standing((1,)), Standing((1,)))
    (True, False)
    >>> tally.counts(Policy())
    ChangeCounts(added=7, removed=0, relabelled=0)
    """

    def __init__(self, policies: Collection[Policy]) -> None:
        self.policies = tuple(policies)
        self._agreements = sorted({policy.agreement for policy in policies})
        self._kinds: Counter[tuple[int, _Side | None, _Side | None]] = Counter()
        self._telling: dict[tuple[int, _Side | None, _Side | None], bool] = {}

    def add(self, before: Standing | None, after: Standing | None, n: int = 1) -> bool:
        """Count ``n`` examples that stand so. True if that is a change under any of the policies."""
        telling = False
        for agreement in self._agreements:
            kind = (agreement, *_alike(before, after, agreement))
            if kind not in self._telling:
                self._telling[kind] = any(_change(*kind[1:], policy) for policy in self._at(agreement))
            if self._telling[kind]:
                self._kinds[kind] += n
                telling = True
        return telling

    def counts(self, policy: Policy) -> ChangeCounts:
        """How many of the examples counted changed under a policy."""
        found = dict.fromkeys(Change, 0)
        for (agreement, before, after), n in self._kinds.items():
            if agreement == policy.agreement and (what := _change(before, after, policy)) is not None:
                found[what] += n
        return ChangeCounts(found[Change.ADDED], found[Change.REMOVED], found[Change.RELABELLED])

    def _at(self, agreement: int) -> Iterable[Policy]:
        return (policy for policy in self.policies if policy.agreement == agreement)


#: Category, whether it is an issue, and the labels it may carry: the given one, and the one agreed on.
_Side = tuple[Category, bool, tuple[Any, Any]]
_AGREED = (Category.CORRECTABLE, Category.MULTI_LABEL)


def _side(standing: Standing, agreement: int) -> _Side:
    category, agreed = standing.verdicts.get(agreement, (Category.UNREVIEWED, None))
    if category in _AGREED and agreed is None:
        raise ValueError(f"a {category} example of label {standing.given} has no label that reviewers agreed on")
    # What a category never carries must not tell kinds apart.
    return category, standing.issue, (standing.given, agreed if category in _AGREED else None)


def _alike(before: Standing | None, after: Standing | None, agreement: int) -> tuple[_Side | None, _Side | None]:
    """The two sides with labels numbered in the order in which they appear: only which of them are equal is left."""
    numbers: dict[LabelSet | None, int] = {}

    def numbered(standing: Standing | None) -> _Side | None:
        if standing is None:
            return None
        category, issue, labels = _side(standing, agreement)
        given, agreed = (None if s is None else numbers.setdefault(s, len(numbers)) for s in labels)
        return category, issue, (given, agreed)

    return numbered(before), numbered(after)


def _change(before: _Side | None, after: _Side | None, policy: Policy) -> Change | None:
    was = None if before is None else _label(before, policy)
    now = None if after is None else _label(after, policy)
    if was == now:
        return None
    if was is None:
        return Change.ADDED
    return Change.REMOVED if now is None else Change.RELABELLED


def _label(side: _Side, policy: Policy) -> Any:
    category, issue, (given, agreed) = side
    carries = decision(category, policy, issue=issue).carries
    return {LabelSource.GIVEN: given, LabelSource.CORRECTED: agreed, LabelSource.BOTH: agreed, LabelSource.NONE: None}[
        carries
    ]
