"""Captions of media: the labels, category and votes of an issue, as HTML and as text.

All names from a dataset are escaped. A page shows dozens of captions, so repeated parts are cached: names, categories,
and the votes of reviewed examples.
"""

from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from app.catalogue.records import Label
from app.domain.review.verdicts import Category
from app.site.components.charts import vote_bar
from app.web.templates import CATEGORY_TITLES

#: What the label beside the given one is called (Figure 1 of the paper), by category.
SECOND_LABEL: Final = {
    Category.CORRECTABLE: "corrected",
    Category.MULTI_LABEL: "also",
    Category.NEITHER: "alternative",
    Category.NON_AGREEMENT: "alternative",
    Category.NOT_ASKED: "alternative",
    Category.NON_ERROR: "guessed",
    Category.UNREVIEWED: "guessed",
}
#: The same for a label that the model no longer guesses.
_ONCE_GUESSED: Final = {Category.NON_ERROR: "alternative"}


def label_name(label: Label) -> str:
    """The name of a label; several class names are separated by dots, because some contain commas."""
    members = label.classes
    return members[0].name if len(members) == 1 else label.name


def caption(
    category: Category,
    given: str,
    alternative: str | None,
    corrected: str | None,
    votes: tuple[tuple[str, int], ...] | None,
    consensus: str | None,
    raters_a_name: int | None = None,
    now_guessed: str | None = None,
) -> Markup:
    """Labels, category and votes, as under the pictures of the paper's Figure 1.

    A given label that reviewers agree is wrong has a wavy underline. ``alternative`` is the guess that reviewers were
    shown, or would be; ``now_guessed`` is the model's present guess, if it differs. ``raters_a_name`` is how many
    raters voted on every name of ``votes``, None if each rater chose one option.
    """
    wrong = "given wrong" if category in (Category.CORRECTABLE, Category.NEITHER) else "given"
    second = corrected if corrected is not None else alternative
    other = ""
    if second is not None:
        word = SECOND_LABEL[category] if now_guessed is None else _ONCE_GUESSED.get(category, SECOND_LABEL[category])
        other = f'<div><dt>{word}</dt><dd class="{word}">{_escaped(second)}</dd></div>'
    if now_guessed is not None:
        other += f'<div><dt>now guessed</dt><dd class="guessed">{_escaped(now_guessed)}</dd></div>'
    said = "" if votes is None else _ballot(votes, given, alternative, raters_a_name)
    return Markup(  # noqa: S704 - every part is escaped
        f'<dl class="labels"><div><dt>given</dt><dd class="{wrong}">{_escaped(given)}</dd></div>{other}</dl>'
        f"{_badge(category, consensus)}{said}"
    )


@lru_cache(maxsize=8192)
def _escaped(name: str) -> str:
    return str(escape(name))


def badge(category: Category, consensus: str | None = None, word: str | None = None) -> Markup:
    """The category as an icon and a word, followed by the majority's choice if that supports no category."""
    return Markup(_badge(category, consensus, word))  # noqa: S704 - the name in it is escaped


@lru_cache(maxsize=512)
def _badge(category: Category, consensus: str | None, word: str | None = None) -> str:
    aside = ""
    if category is Category.NON_AGREEMENT and consensus not in (None, "given", "guessed", "both", "neither"):
        aside = f' <span class="aside">(most said {escape(consensus)})</span>'
    return (
        f'<p class="badge is-{category.value}"><svg class="sign" width="14" height="14" aria-hidden="true">'
        f'<use href="#sign-{category.value}"/></svg>{word or CATEGORY_TITLES[category]}{aside}</p>'
    )


@lru_cache(maxsize=8192)
def _ballot(votes: tuple[tuple[str, int], ...], given: str, alternative: str | None, raters_a_name: int | None) -> str:
    """Votes as a small bar with words; without the bar if the raters voted on every name."""
    if raters_a_name is not None:
        return f'<p class="votes"><span>{escape(name_votes(votes, raters_a_name))}</span></p>'
    return f'<p class="votes">{vote_bar(votes)}<span>{escape(vote_sentence(votes, given, alternative))}</span></p>'


def name_votes(votes: tuple[tuple[str, int], ...], raters: int) -> str:
    """Votes on each of several names in words, most votes first.

    >>> name_votes((("Speech", 1), ("Cheering", 4)), 5)
    '4 of 5 heard Cheering, 1 Speech'
    """
    heard = sorted(((n, name) for name, n in votes if n), key=lambda vote: -vote[0])
    if not heard:
        return f"none of {raters} heard any of the labels"
    (most, first), rest = heard[0], heard[1:]
    return ", ".join([f"{most} of {raters} heard {first}", *(f"{n} {name}" for n, name in rest)])


def vote_sentence(votes: tuple[tuple[str, int], ...], given: str, alternative: str | None) -> str:
    """Votes in words, most votes first; ``alternative`` is the guess that reviewers were shown.

    >>> vote_sentence((("given", 1), ("guessed", 3), ("neither", 1)), "cat", "frog")
    '3 of 5 said frog, 1 cat, 1 neither'
    """
    total = sum(n for _, n in votes)
    cast = sorted(((n, option) for option, n in votes if n), key=lambda vote: -vote[0])
    if not cast:
        return "no votes"
    names = {"given": given, "guessed": alternative or "the guess"}
    said = [(n, names.get(option, option)) for n, option in cast]
    (most, first), rest = said[0], said[1:]
    # If the names are digits, "2 5" would be read as one number.
    others = (f"{n} said {name}" if name[:1].isdigit() else f"{n} {name}" for n, name in rest)
    return ", ".join([f"{most} of {total} said {first}", *others])
