"""What the owner's page shows of a round's figures, in the words and numbers of a page."""

from typing import Any, Final

from app.domain.review.agreement.rater_signs import RARE
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.reviews.owner.rater_figures import RaterFigures, signed
from app.reviews.owner.round_figures import RoundFigures
from app.site.components.charts import share_bar
from app.site.gallery.vote_agreement import alpha_in_words, alpha_means

_MINUTE: Final = 60
_HOUR: Final = 3600
#: Raters up to whom agreement is shown pair by pair.
_MOST_IN_TABLE: Final = 12


def figures_context(found: RoundFigures) -> dict[str, Any]:
    """What the template needs."""
    names = {one.code: one.name for one in found.raters}
    return {
        "round": found.round,
        "now": found.standing,
        "figures": found,
        "done_bar": share_bar(round(1000 * found.standing.done / max(found.standing.examples, 1)), "guessed-fill"),
        "time_left": None if found.seconds_left is None else duration(found.seconds_left),
        "stops_early": found.round.settings.stop is not StoppingRule.NEVER,
        "categories": _categories(found),
        "alpha": None if found.alpha.value is None else alpha_in_words(found.alpha.value, found.alpha.interval),
        "alpha_means": None if found.alpha.value is None else alpha_means(found.alpha.value),
        "raters": [_rater(one) for one in found.raters],
        "between": _between(found),
        "names": names,
    }


def duration(seconds: float) -> str:
    """A time in the largest unit that says enough.

    >>> duration(50), duration(600), duration(9000)
    ('1 minute', '10 minutes', '2.5 hours')
    """
    if seconds < 2 * _HOUR:
        minutes = max(1, round(seconds / _MINUTE))
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    return f"{seconds / _HOUR:.1f} hours"


def _categories(found: RoundFigures) -> list[tuple[Category, list[int]]]:
    """Category -> examples at each threshold of the round."""
    stops_at_error = found.round.settings.stop is StoppingRule.ERROR
    errors = [kind for kind in ERROR_CATEGORIES if (kind is Category.NOT_ASKED) is stops_at_error]
    kinds = (Category.NON_ERROR, *errors)
    return [(kind, [counts.get(kind, 0) for counts in found.categories.values()]) for kind in kinds]


def _rater(one: RaterFigures) -> dict[str, Any]:
    counts, beside = one.counts, one.with_others
    chosen = counts.n_a + counts.n_b
    facts = [("Votes", f"{one.votes:,}")]
    if one.seconds is not None:
        facts.append(("Median time", f"{one.seconds:.1f} s"))
    if beside.share is not None:
        beyond = "" if beside.kappa is None else f" ({signed(beside.kappa)} beyond chance)"
        facts.append(("Agrees with others", f"{100 * beside.share:.0f}\N{NO-BREAK SPACE}%{beyond}"))
    if one.right is not None:
        facts.append(("Right, by Dawid-Skene", f"{100 * one.right:.0f}\N{NO-BREAK SPACE}%"))
    if chosen:
        chance = "< 0.001" if one.side_bias < RARE else f"{one.side_bias:.2f}"
        facts.append(("Side (a)", f"{counts.n_a:,} of {chosen:,} (p {chance if '<' in chance else '= ' + chance})"))
    if counts.n_fast:
        facts.append(("Too fast", f"{counts.n_fast:,}"))
    if one.cannot_tell:
        facts.append(("Cannot tell", f"{one.cannot_tell:,}"))
    if counts.gold:
        facts.append(("Known answers", f"{counts.gold_right:,} of {counts.gold:,}"))
    if counts.repeats:
        facts.append(("Repeats", f"{counts.repeats_same:,} of {counts.repeats:,} the same"))
    return {"figures": one, "facts": facts}


def _between(found: RoundFigures) -> list[tuple[str, list[str]]] | None:
    """How often each two raters agree, as a table; None for too few or too many raters to read."""
    codes = [one.code for one in found.raters if any(one.code in pair[:2] for pair in found.between)]
    if not 2 <= len(codes) <= _MOST_IN_TABLE:
        return None
    cells = {}
    for rater, other, n, same in found.between:
        cells[(rater, other)] = cells[(other, rater)] = f"{100 * same / n:.0f}\N{NO-BREAK SPACE}%"
    return [(code, ["" if code == other else cells.get((code, other), "–") for other in codes]) for code in codes]
