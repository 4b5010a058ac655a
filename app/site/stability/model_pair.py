"""Compare two models: where their accuracies cross, and the corrected examples on which they differ."""

from collections.abc import Mapping
from typing import Any, Final

from app.catalogue.access import may_show
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.ranking.crossings import Line, crossing
from app.issues.filter_parameters import order_words
from app.site.stability.parameters import Choice
from app.site.stability.predictions import Disagreement, disagreements, predicted_class
from app.site.stability.prevalence import SIDES, crossing_rows
from app.site.stability.results import Results, keys_of, lines_of, movers
from app.web.templates import media_prefix

_MOST_EXAMPLES: Final = 60


def pair_context(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice) -> dict[str, Any] | None:
    """The comparison of two models; by default the two whose ranks moved furthest apart."""
    keys = keys_of(results)
    moved = movers(results, "1")
    if len(keys) < 2:
        return None
    first = choice.first or (moved[0].key if moved else keys[0])
    second = choice.second or next(key for key in reversed([m.key for m in moved] or keys) if key != first)
    places = keys.index(first), keys.index(second)
    found = disagreements(catalogue, dataset, choice.agreement, places) if first != second else []
    sides = []
    for name, kind in SIDES:
        lines = lines_of(results, kind)
        one = next((o for o in crossing_rows(results, kind, (first, second))), None) if first != second else None
        a, b = lines.get(first), lines.get(second)
        sides.append({"name": name, "crossing": one, "never": _never(a, b, results)})
    return {
        "first": first,
        "second": second,
        "same": first == second,
        "models": [results["models"][place] for place in places],
        "sides": sides,
        "n": len(found),
        "order": order_words(dataset, "suspicion"),
        "examples": [_example(dataset, one) for one in found[:_MOST_EXAMPLES]],
        "right": [
            sum(one.first == one.corrected for one in found),
            sum(one.second == one.corrected for one in found),
        ],
    }


def _never(a: Line | None, b: Line | None, results: Results) -> str:
    """Why two models do not cross: which one is better throughout."""
    if a is None or b is None or crossing(a, b, results["noise_prevalence"]) is not None:
        return ""
    least = results["noise_prevalence"]
    low, high = a.at(least) - b.at(least), a.correctable - b.correctable
    if abs(low) < 1e-12 and abs(high) < 1e-12:
        return "even"
    return "first" if low + high > 0 else "second"


def picture_of(dataset: Dataset, idx: int, media: Mapping[str, Any] | None) -> str | None:
    """The address of a small picture of an example; None if there is none or none may be shown."""
    kind = next((kind for kind in ("thumbnail", "image") if media and kind in media), None)
    return f"{media_prefix(dataset)}{idx}/{kind}" if kind and may_show(dataset, kind) else None


def _example(dataset: Dataset, one: Disagreement) -> dict[str, Any]:
    return {
        "idx": one.idx,
        "given": dataset.labels[one.given].name,
        "corrected": dataset.labels[one.corrected].name,
        "first": predicted_class(dataset, one.first).name,
        "second": predicted_class(dataset, one.second).name,
        "first_right": one.first == one.corrected,
        "second_right": one.second == one.corrected,
        "picture": picture_of(dataset, one.idx, one.media),
    }
