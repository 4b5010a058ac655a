"""What reviewers found out about an issue, in one sentence, as HTML and as text."""

from typing import Final

from markupsafe import Markup, escape

from app.catalogue.records import Dataset, Issue
from app.domain.review.verdicts import Category
from app.site.components.question_cards import option_name

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: What people do to say which label is right, by modality; they see the others.
_SAYS: Final = {"audio": "hear"}


def finding(dataset: Dataset, issue: Issue, who: str | None = None) -> Markup:
    """The given label and what reviewers, or the model, say instead.

    "Labelled cat. Reviewers say frog." A given label that is wrong has a wavy underline. ``who`` says it in place of
    "Reviewers".
    """
    question = issue.question
    category, given = issue.category, option_name(question, issue.given)
    wrong = category in (Category.CORRECTABLE, Category.NEITHER)
    labelled = Markup('<span class="wrong">{}</span>').format(given) if wrong else escape(given)
    other = issue.corrected or issue.alternative
    named = None if other is None else option_name(question, other)
    if question is not None and question.judge is not None:
        return Markup("Answer key: {}{}").format(labelled, _judged(issue, named))
    return Markup("Labelled {}{}").format(labelled, _rest(dataset, category, given, named, who))


def finding_text(dataset: Dataset, issue: Issue) -> str:
    """The same without markup."""
    return finding(dataset, issue).striptags()


def _judged(issue: Issue, other: str | None) -> Markup:
    """What one expert found of a question."""
    match issue.category:
        case Category.CORRECTABLE:
            return Markup(". One expert says <b>{}</b>.").format(other)
        case Category.MULTI_LABEL:
            return Markup(". One expert finds several correct answers.")
        case Category.NEITHER:
            return Markup(". One expert finds no correct answer.")
        case Category.NON_ERROR:
            return Markup(", and one expert keeps it.")
        case _:
            return Markup(". One expert: {}.").format(issue.consensus or "not judged")


def _rest(dataset: Dataset, category: Category, given: str, other: str | None, who: str | None) -> Markup:
    says = _SAYS.get(dataset.modality, "say") + ("s" if dataset.raters == 1 else "")
    who = who or ("Reviewers" if dataset.raters > 1 else "The reviewer")
    named = Markup("<b>{}</b>").format(other if other is not None else "another label")
    if category is Category.CORRECTABLE:
        return Markup(". {} {} {}.").format(who, says, named)
    if category is Category.MULTI_LABEL:
        return Markup(". {} {} {} as well.").format(who, says, named)
    if category is Category.NEITHER:
        neither = Markup("neither that nor {}").format(named) if other is not None else "that this is wrong"
        return Markup(". {} {} {}.").format(who, says, neither)
    if category is Category.NON_AGREEMENT:
        return Markup(". Reviewers disagree about what it is.")
    if category is Category.NON_ERROR:
        return Markup(", and reviewers keep it.")
    if other is None or other == given:
        return Markup(". Nobody has reviewed it.")
    return Markup(". The model says {}.").format(named)


def unanimity(issue: Issue) -> str | None:
    """How many reviewers chose the corrected label: "Five of five people"; None if the votes do not tell.

    >>> words(5), words(11)
    ('five', '11')
    """
    votes = issue.votes or {}
    total = sum(votes.values())
    chosen = votes.get("guessed")
    if issue.category is not Category.CORRECTABLE or chosen is None or issue.corrected != issue.alternative:
        return None
    return f"{words(chosen).capitalize()} of {words(total)} people"


def words(number: int) -> str:
    """A small number as a word."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
