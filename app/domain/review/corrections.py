"""Apply a policy: what happens to each example, and how large the sets of section 5 then are.

``decision`` is the only place where this is decided; all files, pages, look-ups and counts call it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from app.domain.review.verdicts import Category


class Action(StrEnum):
    """What a corrected test set does with an example."""

    KEPT = "kept"  # with its given label
    CORRECTED = "corrected"  # with another label, or another set of labels
    REMOVED = "removed"  # no label is known to be right


class Treatment(StrEnum):
    """What a policy does with the examples of a category."""

    DROP = "drop"  # leave them out
    GIVEN = "given"  # let them keep their given label
    BOTH = "both"  # give them the labels that reviewers agreed on, as a set
    CORRECTED = "corrected"  # give them the corrected label


class Rule(StrEnum):
    """What makes the verdict on an example."""

    VOTES = "votes"  # so many reviewers who give one answer, as in the paper
    DAWID_SKENE = "dawid_skene"  # the most probable answer, by how often each reviewer seems to err


class LabelSource(StrEnum):
    """Which label an example has in the corrected test set."""

    GIVEN = "given"
    CORRECTED = "corrected"
    BOTH = "both"
    NONE = "none"


#: What a policy may say of each category that it can say something of; the first is what the paper does (section 5).
TREATMENTS: Mapping[Category, tuple[Treatment, ...]] = {
    Category.MULTI_LABEL: (Treatment.DROP, Treatment.GIVEN, Treatment.BOTH),
    Category.NEITHER: (Treatment.DROP, Treatment.GIVEN),
    Category.NON_AGREEMENT: (Treatment.DROP, Treatment.GIVEN),
    Category.UNREVIEWED: (Treatment.GIVEN, Treatment.DROP),
}
#: What a policy may say of corrections that second opinions oppose; without a word of it they are as others.
OPPOSED: tuple[Treatment, ...] = (Treatment.GIVEN, Treatment.DROP, Treatment.CORRECTED)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a test set is corrected. The defaults are the paper's (section 5).

    ``agreement`` is how many reviewers must agree, where ``rule`` counts votes; the others say what happens to examples
    of a category.
    ``non_agreement`` also speaks of errors whose category was not asked: of both no label is known to be right.
    ``unreviewed`` speaks of examples that confident learning flagged and nobody checked; an example that is neither
    flagged nor checked always keeps its given label.

    ``confirmed_by`` names a second opinion: only corrections that it confirms are made, and examples with others are
    left out, for no label is then known to be right. ``opposed`` says what becomes of corrections that it opposes, or,
    where no opinion is named, that an independent one opposes and none confirms.

    ``confidence`` is the least probability, in hundredths, that a majority of raters would make a correction: examples
    with less probable ones are left out in the same way.

    Raises ValueError for a treatment that ``TREATMENTS``, or ``OPPOSED``, does not offer, and for another confidence.
    """

    agreement: int = 3
    multi_label: Treatment = Treatment.DROP
    neither: Treatment = Treatment.DROP
    non_agreement: Treatment = Treatment.DROP
    unreviewed: Treatment = Treatment.GIVEN
    rule: Rule = Rule.VOTES
    confirmed_by: str | None = None
    opposed: Treatment | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and not (
            0 <= self.confidence <= 1 and round(self.confidence, 2) == self.confidence
        ):
            raise ValueError(f"confidence is {self.confidence!r}; expected hundredths from 0 to 1")
        if self.opposed not in (None, *OPPOSED):
            raise ValueError(f"opposed is {self.opposed!r}; expected one of {', '.join(OPPOSED)}")
        for category, offered in TREATMENTS.items():
            if self.treatment(category) not in offered:
                words = ", ".join(offered)
                raise ValueError(f"{category} is {self.treatment(category)!r}; expected one of {words}")

    @property
    def weighs_corrections(self) -> bool:
        """Whether some corrections are treated otherwise than others: second opinions or their confidence decide."""
        return self.opposed is not None or self.asks_support

    @property
    def asks_support(self) -> bool:
        """Whether a correction needs more than the votes of the agreement threshold to be made."""
        return self.confirmed_by is not None or self.confidence is not None

    def treatment(self, category: Category) -> Treatment:
        """What happens to the examples of one of the categories in ``TREATMENTS``, or of errors without a category.

        >>> Policy(non_agreement=Treatment.GIVEN).treatment(Category.NOT_ASKED)
        <Treatment.GIVEN: 'given'>
        """
        asked = Category.NON_AGREEMENT if category is Category.NOT_ASKED else category
        treatment: Treatment = getattr(self, asked.value)
        return treatment


def policies(agreement: int) -> Iterator[Policy]:
    """Every policy there is at an agreement threshold by counting votes, the paper's first.

    >>> len(list(policies(3)))
    24
    """
    for treatments in product(*TREATMENTS.values()):
        multi_label, neither, non_agreement, unreviewed = treatments
        yield Policy(agreement, multi_label, neither, non_agreement, unreviewed)


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to an example: what is done with it, and which label it carries afterwards."""

    action: Action
    carries: LabelSource


_BY_TREATMENT: Mapping[Treatment, Decision] = {
    Treatment.DROP: Decision(Action.REMOVED, LabelSource.NONE),
    Treatment.GIVEN: Decision(Action.KEPT, LabelSource.GIVEN),
    Treatment.BOTH: Decision(Action.CORRECTED, LabelSource.BOTH),
    Treatment.CORRECTED: Decision(Action.CORRECTED, LabelSource.CORRECTED),
}
_CONFIRMED = Decision(Action.KEPT, LabelSource.GIVEN)


def correction(policy: Policy, *, confirmed: bool, opposed: bool) -> Decision:
    """What a policy does with a correction, from what is known of it besides.

    ``confirmed`` is whether it has what the policy asks for: the opinion that it names confirms it, and the confidence
    is high enough. ``opposed`` is whether that opinion opposes it, or all opinions together where it names none.

    >>> correction(Policy(confirmed_by="real"), confirmed=False, opposed=True).action
    <Action.REMOVED: 'removed'>
    >>> correction(Policy(opposed=Treatment.GIVEN), confirmed=False, opposed=True).carries
    <LabelSource.GIVEN: 'given'>
    """
    if opposed and policy.opposed is not None:
        return _BY_TREATMENT[policy.opposed]
    if policy.asks_support and not confirmed:
        return _BY_TREATMENT[Treatment.DROP]
    return _BY_TREATMENT[Treatment.CORRECTED]


def decision(
    category: Category, policy: Policy = Policy(), *, issue: bool = True, confirmed: bool = True, opposed: bool = False
) -> Decision:
    """What a policy does with an example of a category (section 5 for the default policy).

    ``issue`` is false for an example that was neither flagged nor reviewed: it keeps its label under every policy.
    Confirmed examples keep their given label, whatever the policy says. Correctable ones get the corrected label, if
    second opinions have nothing against it that the policy minds: see ``correction``.

    >>> decision(Category.MULTI_LABEL).action
    <Action.REMOVED: 'removed'>
    >>> decision(Category.MULTI_LABEL, Policy(multi_label=Treatment.BOTH)).carries
    <LabelSource.BOTH: 'both'>
    """
    if category is Category.CORRECTABLE:
        return correction(policy, confirmed=confirmed, opposed=opposed)
    if category is Category.NON_ERROR or not issue:
        return _CONFIRMED
    return _BY_TREATMENT[policy.treatment(category)]


def action(category: Category, policy: Policy = Policy()) -> Action:
    """The action of ``decision`` for an issue.

    >>> action(Category.MULTI_LABEL)
    <Action.REMOVED: 'removed'>
    """
    return decision(category, policy).action


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the sets of section 5: all, benign, correctable, unknown-label and pruned.

    Under another policy than the paper's, the benign set is what keeps its given label, the correctable set what gets
    another one, and the unknown-label set what is left out.
    """

    all: int  # |D|
    benign: int  # |B|
    correctable: int  # |C|
    unknown: int  # |U|
    pruned: int  # |P|

    @property
    def noise_prevalence(self) -> float:
        """N = |C| / |P| (Definition 6); 0 for an empty pruned set.

        >>> round(sizes(50_000, {Category.CORRECTABLE: 1_428, Category.NEITHER: 1_488}).noise_prevalence, 4)
        0.0294
        """
        return self.correctable / self.pruned if self.pruned else 0.0


def sizes(
    n_examples: int,
    categories: Mapping[Category, int],
    policy: Policy = Policy(),
    corrections: Mapping[Action, int] | None = None,
) -> Sizes:
    """Sizes of D, B, C, U and P from the number of issues of each category (section 5), under a policy.

    ``categories`` may leave out categories that the policy keeps. ``corrections`` says what becomes of the correctable
    ones where second opinions decide. Raises ValueError when more examples were corrected
    and removed than there are.

    >>> sizes(10, {Category.CORRECTABLE: 2, Category.NEITHER: 1, Category.NON_ERROR: 4})
    Sizes(all=10, benign=7, correctable=2, unknown=1, pruned=9)
    >>> sizes(10, {Category.CORRECTABLE: 2, Category.NEITHER: 1}, Policy(neither=Treatment.GIVEN)).unknown
    0
    """
    by_action = dict.fromkeys(Action, 0)
    for done, n in (corrections or {}).items():
        by_action[done] += n
    for kind, n in categories.items():
        if kind is Category.CORRECTABLE and corrections is not None:
            continue
        by_action[action(kind, policy)] += n
    corrected, removed = by_action[Action.CORRECTED], by_action[Action.REMOVED]
    if corrected + removed > n_examples:
        raise ValueError(f"{corrected} corrected and {removed} removed examples in a test set of {n_examples}")
    return Sizes(
        all=n_examples,
        benign=n_examples - corrected - removed,
        correctable=corrected,
        unknown=removed,
        pruned=n_examples - removed,
    )
