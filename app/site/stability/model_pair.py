"""Compare two models: where their accuracies cross, and the corrected examples on which they differ."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.catalogue.access import may_show
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.ranking.crossings import Line, crossing
from app.domain.ranking.evidence import enough
from app.domain.ranking.paired_difference import paired_difference
from app.evaluation.predictions_store import read_first_choices, read_partition, read_subject
from app.issues.filter_parameters import order_words
from app.site.stability.charts import Axis
from app.site.stability.parameters import SCALES, Choice
from app.site.stability.predictions import Disagreement, disagreements, predicted_class
from app.site.stability.prevalence import SIDES, crossing_rows, sides
from app.site.stability.results import Results, keys_of, lines_of, movers
from app.web.templates import media_prefix

_MOST_EXAMPLES: Final = 60
#: Of more examples, the predictions of two models are not read for a page.
_MOST_READ: Final = 1_000_000

#: How many examples only the first, and only the second, of two models has right; the difference, its 95 % interval.
Apart = tuple[int, int, float, tuple[float, float]]


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
    whole = _pruned(catalogue, dataset, choice, (first, second)) if told_apart else {}
    told = []
    for name, kind in SIDES:
        lines = lines_of(results, kind)
        one = next((o for o in crossing_rows(results, kind, (first, second))), None) if first != second else None
        a, b = lines.get(first), lines.get(second)
        never = _never(a, b, results) if enough(n) else ""
        apart = _apart(found, name, n) if told_apart and enough(n) else None
        told.append(
            {
                "name": name,
                "crossing": one,
                "never": never,
                "apart": apart,
                "whole": whole.get(name),
                "shown": _is_shown(never, apart) and _is_shown(never, whole.get(name)),
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


def _pruned(catalogue: Catalogue, dataset: Dataset, choice: Choice, pair: tuple[str, str]) -> dict[str, Apart]:
    """How far two models are apart on the pruned set, by original and by corrected labels.

    Nothing where a second opinion is named, for the pruned set is not made of what that confirms.
    """
    if choice.corrected.confirmed_by is not None or (dataset.size or 0) > _MOST_READ:
        return {}
    connection = catalogue.connection
    test = read_partition(connection, read_subject(connection, dataset.name), choice.corrected.agreement)
    inside = test.benign | test.correctable
    choices = read_first_choices(connection, dataset.id)
    found = {}
    for side, labels in (("original", test.given[inside]), ("corrected", test.corrected[inside])):
        first, second = (choices[key][inside] == labels for key in pair)
        alone = int((first & ~second).sum()), int((second & ~first).sum())
        found[side] = *alone, *paired_difference(*alone, len(labels))
    return found


def _is_shown(never: str, apart: Apart | None) -> bool:
    """Whether the one that never is behind is shown to be ahead on some examples."""
    if apart is None or never not in ("first", "second"):
        return False
    low, high = apart[-1]
    return low > 0 if never == "first" else high < 0


def _apart(found: Sequence[Disagreement], side: str, n: int) -> Apart:
    """How far two models are apart on the n corrected examples."""
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
