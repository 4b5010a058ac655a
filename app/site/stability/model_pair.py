"""Compare two models: where their accuracies cross, and the corrected examples on which they differ."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.catalogue.access import may_show
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.ranking.crossings import Line, crossing
from app.domain.ranking.evidence import enough
from app.domain.ranking.paired_difference import paired_difference
from app.issues.filter_parameters import order_words
from app.site.stability.charts import Axis
from app.site.stability.parameters import SCALES, Choice
from app.site.stability.predictions import Disagreement, disagreements, predicted_class
from app.site.stability.prevalence import SIDES, crossing_rows, sides
from app.site.stability.results import Results, keys_of, lines_of, movers
from app.web.templates import media_prefix

_MOST_EXAMPLES: Final = 60


def pair_context(
    catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice, looks: Mapping[str, str]
) -> dict[str, Any]:
    """The comparison of two models; ``pair`` is None if there is only one.

    Results contain what open rounds hold back, and lists do not: while there is any, nothing is told of which examples
    the two differ on, not even how many, for the difference to their accuracies would be the hidden verdicts.
    """
    keys = keys_of(results)
    if len(keys) < 2:
        return {"pair": None}
    first, second = pair_of(results, choice)
    places = keys.index(first), keys.index(second)
    told_apart = first != second and dataset.held_back is None
    found = disagreements(catalogue, dataset, choice.corrected, places) if told_apart else []
    least, n = float(results["noise_prevalence"]), results["sizes"]["C"]
    drawn = sides(results, (first, second), Axis(least, SCALES[0]), least, looks) if enough(n) else []
    charts = {side["name"]: side["chart"] for side in drawn}
    told = []
    for name, kind in SIDES:
        lines = lines_of(results, kind)
        one = next((o for o in crossing_rows(results, kind, (first, second))), None) if first != second else None
        a, b = lines.get(first), lines.get(second)
        told.append(
            {
                "name": name,
                "crossing": one,
                "never": _never(a, b, results) if enough(n) else "",
                "apart": _apart(found, name, n) if told_apart and enough(n) else None,
                "chart": charts.get(name) if a or b else None,
            }
        )
    pair = {
        "first": first,
        "second": second,
        "same": first == second,
        "models": [results["models"][place] for place in places],
        "sides": told,
        "n": len(found),
        "order": order_words(dataset, "suspicion"),
        "examples": [_example(dataset, one) for one in found[:_MOST_EXAMPLES]],
        "right": [
            sum(one.first == one.corrected for one in found),
            sum(one.second == one.corrected for one in found),
        ],
    }
    return {"pair": pair}


def pair_of(results: Results, choice: Choice) -> tuple[str, str]:
    """The two models to compare: those named, else the first chosen, else those whose ranks moved furthest apart."""
    moved = [m.key for m in movers(results, "1")] or keys_of(results)
    wanted = [*choice.models[:2], moved[0], *reversed(moved)]
    first = choice.first or next(key for key in wanted if key != choice.second)
    return first, choice.second or next(key for key in wanted if key != first)


def _apart(found: Sequence[Disagreement], side: str, n: int) -> tuple[int, int, float, tuple[float, float]]:
    """How many of the n corrected examples only the first, and only the second, has right; the difference, its ends."""
    labels = [one.given if side == "original" else one.corrected for one in found]
    only_first = sum(one.first == label for one, label in zip(found, labels, strict=True))
    only_second = sum(one.second == label for one, label in zip(found, labels, strict=True))
    return only_first, only_second, *paired_difference(only_first, only_second, n)


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
