"""Multiple-choice questions as HTML: short on a card, and whole with all options on the page of an issue.

All text is escaped, formulas in TeX are shown as they are written, and each text has a direction of its own, since a
question may be in a script that is read from the right.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup, escape

from app.catalogue.possible_categories import ILL_POSED
from app.catalogue.records import Issue, Label
from app.catalogue.table_row import LETTERS, Question
from app.domain.review.verdicts import Category
from app.site.components.captions import SECOND_LABEL, badge, caption, label_name
from app.site.components.charts import share_bar

#: The longest question, and the longest option, on a card, in characters.
_SHORT: Final = 320
_SHORT_OPTION: Final = 100
#: The longest text that a card shows unfolded, about four of its lines.
_UNFOLDED: Final = 180
#: What stands for an option without any letter.
_EMPTY: Final = "(empty)"


def option_name(question: Question | None, label: Label) -> str:
    """The label of an issue as its option, cut; its name where examples are no questions."""
    if question is None or len(label.classes) != 1:
        return label_name(label)
    return cut(question.option(label.classes[0].id), _SHORT_OPTION)


def cut(text: str, most: int) -> str:
    """A text in one line of at most so many characters.

    >>> cut("one  two\\nthree", 9)
    'one two…'
    """
    line = " ".join(text[: 4 * most].split())
    if len(line) <= most and len(text) <= 4 * most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0].rstrip() + "…"


def short_question(question: Question) -> Markup:
    """The question as a card shows it."""
    return folded_text(cut(question.text, _SHORT), attributes=' dir="auto"')


def folded_text(text: str, more: str = "", attributes: str = "") -> Markup:
    """A text of which a card shows the first lines; it opens in place, with ``more`` below it.

    ``more`` and ``attributes`` are HTML. A short text without more stands as it is.
    """
    if len(text) <= _UNFOLDED and not more:
        return Markup(f'<p class="quote"{attributes}>{escape(text)}</p>')  # noqa: S704 - the text is escaped
    return Markup(  # noqa: S704 - the text is escaped
        f'<details class="excerpt"><summary><span class="clamp"{attributes}>{escape(text)}</span></summary>'
        f"{more}</details>"
    )


def question_caption(issue: Issue, question: Question) -> Markup:
    """The given option, the one beside it, and what the judge said; without a judge, the votes as everywhere."""
    given = option_name(question, issue.given)
    corrected = None if issue.corrected is None else option_name(question, issue.corrected)
    alternative = None if issue.alternative is None else option_name(question, issue.alternative)
    if question.judge is None:
        votes = None if issue.votes is None else tuple(issue.votes.items())
        return caption(issue.category, given, alternative, corrected, votes, issue.consensus)
    beside = corrected or (alternative if issue.alternative != issue.given else None)
    word = "corrected" if corrected else "models"
    ill_posed = ILL_POSED if issue.category is Category.NON_AGREEMENT else None
    wrong = "given wrong" if issue.category in (Category.CORRECTABLE, Category.NEITHER) else "given"
    other = "" if beside is None else _entry(word, word if corrected else SECOND_LABEL[Category.NON_AGREEMENT], beside)
    return Markup(  # noqa: S704 - every part is escaped
        f'<dl class="labels">{_entry("given", wrong, given)}{other}</dl>{badge(issue.category, word=ill_posed)}'
        f'<p class="votes"><span>One expert: {escape(issue.consensus or "not judged")}</span></p>'
    )


def _entry(word: str, kind: str, text: str) -> str:
    return f'<div><dt>{word}</dt><dd class="{kind}" dir="auto">{escape(text)}</dd></div>'


def whole_question(question: Question, issue: Issue, choices: Sequence[tuple[str, int]]) -> Markup:
    """The question with its options: which is given, which corrected, and how many models chose each.

    ``choices`` are the models' options, -1 for no answer.
    """
    given = {one.id for one in issue.given.classes}
    corrected = set() if issue.corrected is None else {one.id for one in issue.corrected.classes}
    votes = votes_by_option(choices)
    lines = []
    for number, option in enumerate(question.options):
        kinds = [word for word, of in (("given", given), ("corrected", corrected)) if number in of]
        marks = "".join(f' <span class="role">{word}</span>' for word in kinds)
        classes = " ".join(["option", *(f"is-{kind}" for kind in kinds)])
        lines.append(
            f'<li class="{classes}"><span class="letter">{LETTERS[number]}</span> '
            f'<span class="wording" dir="auto">{escape(option.strip() or _EMPTY)}</span> '
            f'<span class="option-marks">{marks}</span> {_votes(votes.get(number, 0), len(choices))}</li>'
        )
    silent, none = votes.get(-1, 0), ""
    if silent:
        none = f'<p class="aside">{silent} of {len(choices)} models gave no answer, which counts as wrong.</p>'
    region = 'role="region" aria-label="Question" tabindex="0"'
    return Markup(  # noqa: S704 - all text of the question is escaped
        f'<div class="reading" dir="auto" {region}>{escape(question.text)}</div>'
        f'<ol class="options">{"".join(lines)}</ol>{none}'
    )


def votes_by_option(choices: Sequence[tuple[str, int]]) -> Mapping[int, int]:
    """Option -> how many models chose it; -1 -> how many gave no answer."""
    found: dict[int, int] = {}
    for _, option in choices:
        found[option] = found.get(option, 0) + 1
    return found


def _votes(n: int, of: int) -> str:
    if not of:
        return ""
    words = f"{n} of {of} models" if of > 1 else ("the model" if n else "not the model")
    bar = share_bar(round(1000 * n / of), "votes-fill")
    return f'<span class="option-votes">{bar}<span class="aside">{words}</span></span>'
