"""How far a dataset's reviewers agree, in words for its page and as the API gives it."""

from typing import Any, Final

from app.issues.reviewed.rater_agreement import RaterAgreement, WeighedVerdict

#: Krippendorff's own bounds (Content Analysis, 2004, p. 241): for conclusions, and for tentative ones.
_RELIABLE: Final = 0.8
_TENTATIVE: Final = 0.667


def agreement_json(found: RaterAgreement | None) -> dict[str, Any] | None:
    """The agreement as the API gives it."""
    if found is None:
        return None
    return {
        "alpha": found.alpha,
        "interval": found.interval,
        "examples": found.examples,
        "votes": found.votes,
        "measured": found.measured,
        "raters_known": found.weighed,
    }


def weighed_json(found: WeighedVerdict | None) -> dict[str, Any] | None:
    """The estimate for an example as the API gives it."""
    return None if found is None else {"category": found.category.value, "shares": found.shares}


def alpha_in_words(value: float, interval: tuple[float, float] | None) -> str:
    """Alpha with its interval: three decimals, as it is usually given.

    >>> alpha_in_words(0.3754, (0.2912, 0.456))
    '0.375 (95\\xa0% interval 0.291 to 0.456)'
    """
    shown = _decimal(value)
    return (
        shown
        if interval is None
        else f"{shown} (95\N{NO-BREAK SPACE}% interval {_decimal(interval[0])} to {_decimal(interval[1])})"
    )


def agreement_sentences(found: RaterAgreement | None) -> tuple[str, str] | None:
    """What alpha is, and what such an alpha means; None where there is nothing to say."""
    if found is None or found.alpha is None:
        return None
    what = {
        "options": "which answer they chose",
        "classes": "whether each class is there",
    }[found.measured]
    first = (
        f"Krippendorff’s alpha of the {found.votes:,} votes ({what}) is {alpha_in_words(found.alpha, found.interval)}."
    )
    return first, alpha_means(found.alpha)


def alpha_means(value: float) -> str:
    """What an alpha means, in a sentence or two."""
    scale = "1 would be perfect agreement, 0 is what answering by chance gives"
    if value >= _RELIABLE:
        return f"{scale}; from 0.8 on, answers are usually called reliable."
    if value >= _TENTATIVE:
        return f"{scale}; from 0.667 to 0.8, answers are usually called good enough for tentative conclusions."
    doubt = (
        "These examples were chosen because a model doubted their labels, so they are harder than others and a low "
        "alpha is expected. A single vote is worth little here: rely on agreement of several"
    )
    if value <= 0.1:
        return f"{scale}, and this is hardly more. {doubt}, and on few of the close verdicts."
    return f"{scale}; below 0.667, answers are usually called unreliable one by one. {doubt}."


def _decimal(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
