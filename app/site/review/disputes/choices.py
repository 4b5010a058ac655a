"""What can be claimed of an issue, and the classes that a claim can name."""

from typing import Final, NamedTuple

from app.catalogue.records import Dataset, Issue
from app.domain.review.dispute_outcome import Claim, says_already
from app.errors import near_names
from app.reviews.disputes.visitor_words import WordsError
from app.site.components.question_cards import cut, option_name

#: Classes up to which all are offered in a list to choose from, and up to which they are suggested while one types.
_MOST_LISTED: Final = 60
_MOST_SUGGESTED: Final = 1_000
_LONGEST: Final = 80
_THINGS: Final = {"image": "picture", "text": "text", "audio": "clip", "tabular": "row", "question": "question"}


class Choice(NamedTuple):
    """A claim that can be chosen, and what the form says."""

    claim: Claim
    words: str


class ClassChoices(NamedTuple):
    """The classes that a claim can name, as (value, words). ``listed`` are all there are; others are typed."""

    listed: bool
    options: tuple[tuple[str, str], ...]


def claims_on(dataset: Dataset, issue: Issue) -> list[Choice]:
    """What can be claimed: all but what is said of the issue now."""
    corrected = None if issue.corrected is None else frozenset(one.name for one in issue.corrected.classes)
    guessed = frozenset(one.name for one in issue.guessed.classes) if issue.guessed else frozenset[str]()
    return [
        one
        for one in _all_claims(dataset, issue)
        if not says_already(
            one.claim, guessed if one.claim is Claim.GUESSED else frozenset(), issue.category, corrected
        )
    ]


def _all_claims(dataset: Dataset, issue: Issue) -> list[Choice]:
    question = issue.question
    given = option_name(question, issue.given)
    guessed = option_name(question, issue.guessed) if issue.guessed and issue.guessed != issue.given else None
    thing = _THINGS.get(dataset.modality, "example")
    unfit = Choice(Claim.UNFIT, f"The {thing} should not be in the test set: it is broken, unclear or out of place")
    if question is not None:
        of_guess = [Choice(Claim.GUESSED, f"The guessed answer is right: {guessed}")] if guessed else []
        return [
            Choice(Claim.GIVEN, f"The answer key is right: {given}"),
            *of_guess,
            Choice(Claim.OTHER, "Another answer is right:"),
            Choice(Claim.BOTH, "Several answers are right"),
            Choice(Claim.NEITHER, "No answer is right"),
            unfit,
        ]
    if dataset.multi_label:
        of_guess = [Choice(Claim.GUESSED, f"The guessed labels are right: {guessed}")] if guessed else []
        return [
            Choice(Claim.GIVEN, f"The given labels are right: {given}"),
            *of_guess,
            Choice(Claim.OTHER, "Another class belongs to it:"),
            unfit,
        ]
    of_guess = [Choice(Claim.GUESSED, f"The guessed label is right: {guessed}")] if guessed else []
    return [
        Choice(Claim.GIVEN, f"The given label is right: {given}"),
        *of_guess,
        Choice(Claim.OTHER, "Another class is right:"),
        Choice(Claim.BOTH, "Both labels fit" if guessed else "More than one label fits"),
        Choice(Claim.NEITHER, "Neither label fits" if guessed else "No label fits"),
        unfit,
    ]


def claimed(dataset: Dataset, issue: Issue, value: str, class_name: str) -> Claim:
    """The claim that a visitor chose. Raises WordsError for none, and for one beside which a class is named."""
    offered = {one.claim.value: one for one in claims_on(dataset, issue)}
    chosen = offered.get(value)
    if chosen is None:
        raise WordsError("claim", "Choose what is right instead.")
    if class_name.strip() and chosen.claim is not Claim.OTHER:
        other = offered[Claim.OTHER.value].words.rstrip(":")
        named = f"“{class_name.strip()[:_LONGEST]}” is named, but “{chosen.words}” is chosen"
        raise WordsError("class", f"{named}: choose “{other}”, or name none.")
    return chosen.claim


def classes_to_name(dataset: Dataset, issue: Issue) -> ClassChoices:
    """The classes that are neither given nor guessed."""
    named = {one.id for label in (issue.given, issue.guessed) if label for one in label.classes}
    others = [one for one in dataset.classes if one.id not in named]
    if issue.question is not None:
        n = len(issue.question.options)
        shown = [(one.name, cut(issue.question.option(one.id), _LONGEST)) for one in others if one.id < n]
        return ClassChoices(True, tuple(shown))
    options = tuple((one.name, one.name) for one in others)
    if len(options) <= _MOST_LISTED:
        return ClassChoices(True, options)
    return ClassChoices(False, options if len(options) <= _MOST_SUGGESTED else ())


def named_class(dataset: Dataset, issue: Issue, text: str) -> str:
    """The name of the class that a visitor wrote. Raises WordsError for none, and for what is given or guessed."""
    wanted = text.strip()
    if not wanted:
        raise WordsError("class", "Name the class that is right.")
    known = {one.name for one in dataset.classes}
    folded = {name for name in known if name.casefold() == wanted.casefold()}
    found = wanted if wanted in known else folded.pop() if len(folded) == 1 else None
    if found is None:
        # Of many, names are not compared: it would take seconds.
        near = near_names(wanted, known, most=3) if len(known) <= _MOST_SUGGESTED else []
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise WordsError("class", f"{dataset.title} has no class {wanted[:_LONGEST]!r}.{hint}")
    _require_other(dataset, issue, found)
    return found


def _require_other(dataset: Dataset, issue: Issue, name: str) -> None:
    """Raise WordsError for a class that is said already, or that another choice stands for."""
    if issue.corrected is not None and name in {one.name for one in issue.corrected.classes}:
        raise WordsError("class", f"{name} is the corrected label already; choose what is right instead of it.")
    offered = {one.claim: one.words for one in claims_on(dataset, issue)}
    for claim, label in ((Claim.GIVEN, issue.given), (Claim.GUESSED, issue.guessed)):
        if label is None or name not in {one.name for one in label.classes}:
            continue
        which = f"{name} is the {claim.value} label"
        if claim in offered:
            raise WordsError("class", f"{which}; choose “{offered[claim]}”.")
        raise WordsError("class", f"{which}, which counts as right already; choose what is right instead of it.")
