"""Accuracy against noise prevalence: charts with their crossings, who is best, and the ranking at one prevalence."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.catalogue.records import Dataset
from app.domain.ranking.evidence import enough
from app.domain.ranking.rank_correlation import ranks, tied
from app.evaluation.crossings import ends_level, line
from app.evaluation.evaluate import YOURS
from app.site.stability.charts import Axis, Mark, prevalence_chart
from app.site.stability.looks import OWN, shown_models
from app.site.stability.parameters import REACHES, SCALES, Choice
from app.site.stability.results import Results, key_of, lines_of, telling_models

#: The two measures of accuracy: the word for each, and its kind.
SIDES: Final = (("original", "original_top1"), ("corrected", "corrected_top1"))

_MOST_MARKS: Final = 12


class ModelStanding(NamedTuple):
    """A model at one noise prevalence, and the ends of its two lines for the slider."""

    key: str
    original: float
    original_rank: int
    corrected: float
    corrected_rank: int
    original_tied: bool
    corrected_tied: bool
    benign: float
    original_correctable: float
    corrected_correctable: float


class Lead(NamedTuple):
    """The model that is best from a noise prevalence on.

    ``sure`` is whether it is told apart from the others there, by pairs of examples; of the following leads instead
    the crossing has the interval, and the share of resampled test sets in which the two cross.
    """

    key: str
    since: float
    sure: bool = False
    interval: Sequence[float] | None = None
    share: float | None = None


class CrossingRow(NamedTuple):
    """A crossing as a row of a list."""

    number: int
    kind: str
    behind: str  # better at low prevalence
    ahead: str  # better beyond the crossing
    prevalence: float
    accuracy: float
    interval: Sequence[float] | None
    share: float | None
    ends: bool  # whether they meet only at N = 1


def prevalence_context(dataset: Dataset, results: Results, choice: Choice, looks: Mapping[str, str]) -> dict[str, Any]:
    """What the page about higher noise prevalence shows."""
    least = float(results["noise_prevalence"])
    at = min(max(choice.prevalence if choice.prevalence is not None else least, least), 1.0)
    axis = Axis(least, choice.scale, int(choice.reach) / 100)
    return {
        "at": at,
        "most": axis.most,
        "leads": best_by_prevalence(results, SIDES[1][1]),
        "sides": sides(results, shown_models(results, choice.models), axis, at, looks),
        "standings": standings(results, at),
        "scales": [(scale, choice.path(dataset, "prevalence", scale=scale)) for scale in SCALES],
        "reaches": [(reach, choice.path(dataset, "prevalence", reach=reach)) for reach in REACHES],
    }


def best_by_prevalence(results: Results, kind: str) -> list[Lead]:
    """The best model and the noise prevalence from which it is, beginning with that of the dataset.

    Each model is overtaken for the first time by the one that is best from there on. Ties go to the model that is
    better at higher prevalence. Empty if the accuracies are unknown or too little was corrected to rank models.
    """
    lines = lines_of(results, kind)
    if not lines or not enough(results["sizes"]["C"]):
        return []
    at = float(results["noise_prevalence"])
    best = max(lines, key=lambda key: (round(lines[key].at(at), 8), lines[key].correctable))
    found = [Lead(best, at, _is_sure(results, kind, best))]
    while True:
        over = [
            one
            for one in results["crossings"]
            if one["kind"] == kind and one["first"] == best and at < one["noise_prevalence"] < 1
            if not ends_level(one["noise_prevalence"])
        ]
        if not over:
            return found
        at = min(one["noise_prevalence"] for one in over)
        overtaking = {one["second"]: one for one in over if one["noise_prevalence"] == at}
        best = max(overtaking, key=lambda key: lines[key].correctable)
        found.append(Lead(best, at, interval=overtaking[best]["interval"], share=overtaking[best]["share"]))


def _is_sure(results: Results, kind: str, best: str) -> bool:
    """Whether the best model on the pruned set is shown to be: by pairs with the next one, and by its rank with all.

    One that is further behind can be harder to tell apart than the next, if it is right on other examples.
    """
    beside = [one for one in results.get("leaders", ()) if one["kind"] == kind and one["first"] == best]
    ranks = [m["ranks"]["pruned"]["intervals"][kind] for m in results["models"] if key_of(m) == best]
    return bool(beside) and float(beside[0]["interval"][0]) > 0 and ranks[0] is not None and ranks[0][1] == 1


def sides(
    results: Results, shown: Sequence[str], axis: Axis, at: float, looks: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The two charts of accuracy against noise prevalence, each with its crossings."""
    found_sides = []
    for name, kind in SIDES:
        lines = lines_of(results, kind)
        found = [one for one in crossing_rows(results, kind, shown) if not one.ends]
        marks = [Mark(one.number, one.prevalence, one.accuracy) for one in found]
        chosen = [(key, lines[key]) for key in shown if key in lines]
        label = f"Line chart: {name} accuracy against noise prevalence of {', '.join(key for key, _ in chosen)}"
        every = [one for one in results["crossings"] if one["kind"] == kind]
        found_sides.append(
            {
                "name": name,
                "chart": prevalence_chart(chosen, axis, marks, at, label, looks),
                "crossings": found,
                "n_all": len(every),
            }
        )
    return found_sides


def crossing_rows(results: Results, kind: str, among: Sequence[str]) -> list[CrossingRow]:
    """The numbered crossings between some models, by prevalence."""
    found = [c for c in results["crossings"] if c["kind"] == kind and c["first"] in among and c["second"] in among]
    return [_overtaking(number, one) for number, one in enumerate(found, start=1)]


def _overtaking(number: int, one: Mapping[str, Any]) -> CrossingRow:
    return CrossingRow(
        number=number,
        kind=one["kind"].partition("_")[0],
        behind=one["first"],
        ahead=one["second"],
        prevalence=one["noise_prevalence"],
        accuracy=one["accuracy"],
        interval=one.get("interval"),
        share=one.get("share"),
        ends=ends_level(one["noise_prevalence"]),
    )


def standings(results: Results, at: float) -> list[ModelStanding]:
    """All models at a noise prevalence, best corrected accuracy first."""
    original, corrected = (lines_of(results, kind) for _, kind in SIDES)
    keys = [key for key in corrected if key in original]
    # Values equal to eight digits count as equal: further digits are rounding errors.
    before = [round(original[key].at(at), 8) for key in keys]
    after = [round(corrected[key].at(at), 8) for key in keys]
    columns = [column.tolist() for values in (ranks(before), ranks(after)) for column in (values, tied(values))]
    found = [
        ModelStanding(
            key,
            original=a,
            original_rank=rank_a,
            corrected=b,
            corrected_rank=rank_b,
            original_tied=tied_a,
            corrected_tied=tied_b,
            benign=corrected[key].benign,
            original_correctable=original[key].correctable,
            corrected_correctable=corrected[key].correctable,
        )
        for key, a, b, rank_a, tied_a, rank_b, tied_b in zip(keys, before, after, *columns, strict=True)
    ]
    return sorted(found, key=lambda s: (s.corrected_rank, s.key))


def evaluation_charts(results: Results, found: Mapping[str, Any], looks: Mapping[str, str]) -> list[dict[str, Any]]:
    """A visitor's line among those of some stored models, with its crossings with all of them."""
    least = float(results["noise_prevalence"])
    axis = Axis(least, SCALES[0])
    looks = {**looks, YOURS: OWN}
    charts = []
    for name, kind in SIDES:
        own = line(found["accuracy"], kind)
        if own is None or not enough(results["sizes"]["C"]):
            continue
        lines = lines_of(results, kind)
        chosen = [(YOURS, own), *((key, lines[key]) for key in telling_models(results) if key in lines)]
        crossings = [c for c in found["crossings"] if c["kind"] == kind]
        # Every crossing is on the visitor's own line; more than a dozen numbers would overlap.
        marks = [Mark(n, c["noise_prevalence"], c["accuracy"]) for n, c in enumerate(crossings[:_MOST_MARKS], start=1)]
        label = f"Line chart: {name} accuracy against noise prevalence of your model and {len(chosen) - 1} others"
        charts.append(
            {
                "name": name,
                "chart": prevalence_chart(chosen, axis, marks, least, label, looks),
                "crossings": crossings,
            }
        )
    return charts
