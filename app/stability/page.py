"""What the page of benchmark stability shows, gathered for its template."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from app.database import Catalogue
from app.domain.crossings import Line, crossing
from app.domain.ranking import ranks
from app.filters import IssueFilter
from app.measuring.evaluation import YOURS
from app.measuring.trading import line
from app.records import Dataset
from app.rendering import media_prefix
from app.stability.charts import Axis, Mark, Moved, prevalence_chart, slope_chart
from app.stability.choice import SCALES, TOPS, Choice
from app.stability.predictions import Disagreement, disagreements, most_repeated
from app.stability.results import SMALL, Results, key_of, keys_of, lines_of, movers, telling_models

_SIDES: Final = (("original", "original_top1"), ("corrected", "corrected_top1"))
_STRESSED: Final = 2  # movers named in each direction
_MOST_EXAMPLES: Final = 60
_MOST_REPEATED: Final = 24


class Standing(NamedTuple):
    """A model at one noise prevalence, and the ends of its two lines for the slider."""

    key: str
    original: float
    original_rank: int
    corrected: float
    corrected_rank: int
    benign: float
    original_correctable: float
    corrected_correctable: float


class Overtaking(NamedTuple):
    """A crossing as it reads in a list."""

    number: int
    kind: str
    behind: str  # better at low prevalence
    ahead: str  # better beyond the crossing
    prevalence: float
    accuracy: float
    interval: Sequence[float] | None
    share: float | None
    ends: bool  # at N = 1 they only meet


def stability_context(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice) -> dict[str, Any]:
    """The template's values for a choice."""
    shown = choice.models or telling_models(results)
    least = float(results["noise_prevalence"])
    at = min(max(choice.prevalence if choice.prevalence is not None else least, least), 1.0)
    moved = movers(results, choice.top)
    return {
        "sizes": results["sizes"],
        "least": least,
        "at": at,
        "small": results["sizes"]["C"] < SMALL,
        "moved": moved,
        "fall": moved[0] if moved and moved[0][2] > moved[0][1] else None,
        "rise": moved[-1] if moved and moved[-1][1] > moved[-1][2] else None,
        "leader": _leader(results),
        "correlations": results["agreement_of_rankings"],
        "slopes": _slopes(results, choice.top, moved),
        "models": results["models"],
        "keys": keys_of(results),
        "shown": shown,
        "sides": _sides(results, shown, choice.scale, at),
        "standings": standings(results, at),
        "links": _links(dataset, choice),
        "pair": _pair(catalogue, dataset, results, choice),
        "repeated": [
            (one.idx, dataset.labels[one.given].name, dataset.labels[one.corrected].name, one.n_models)
            for one in most_repeated(catalogue, dataset, choice.agreement, _MOST_REPEATED)
        ],
    }


def _leader(results: Results) -> Mapping[str, Any] | None:
    """Who is first on C by the original labels, with its ranks and accuracies there."""
    ranked = [m for m in results["models"] if m["ranks"]["correctable"]["original_top1"] == 1]
    return ranked[0] if ranked and results["sizes"]["C"] else None


def _slopes(results: Results, top: str, moved: Sequence[tuple[str, int, int]]) -> list[tuple[str, str, Markup]]:
    if not moved:
        return []
    named = {key: "down" for key, before, after in moved[:_STRESSED] if after > before}
    named |= {key: "up" for key, before, after in moved[-_STRESSED:] if after < before}
    everywhere = [
        Moved(key_of(m), m["ranks"]["all"][f"original_top{top}"], m["ranks"]["pruned"][f"corrected_top{top}"])
        for m in results["models"]
        if m["ranks"]["all"][f"original_top{top}"] is not None
    ]
    on_c = [Moved(*one) for one in moved]
    return [
        (
            "pruned",
            "The whole test set",
            slope_chart(
                everywhere,
                named,
                "by original labels",
                "corrected, on P",
                "Slope chart: ranks on the whole test set by original accuracy, and on the pruned set by corrected one",
            ),
        ),
        (
            "correctable",
            "The correctable set C",
            slope_chart(
                on_c,
                named,
                "by original labels",
                "by corrected labels",
                "Slope chart: ranks on the correctable set by original and by corrected accuracy",
            ),
        ),
    ]


def _sides(results: Results, shown: Sequence[str], scale: str, at: float) -> list[dict[str, Any]]:
    """The two charts of accuracy against noise prevalence, each with its crossings."""
    axis = Axis(results["noise_prevalence"], scale)
    sides = []
    for name, kind in _SIDES:
        lines = lines_of(results, kind)
        found = [one for one in overtakings(results, kind, shown) if not one.ends]
        marks = [Mark(one.number, one.prevalence, one.accuracy) for one in found]
        chosen = [(key, lines[key]) for key in shown if key in lines]
        label = f"Line chart: {name} accuracy against noise prevalence of {', '.join(key for key, _ in chosen)}"
        every = [one for one in results["crossings"] if one["kind"] == kind]
        sides.append(
            {
                "name": name,
                "chart": prevalence_chart(chosen, axis, marks, at, label),
                "crossings": found,
                "n_all": len(every),
                "ends": [(key, line.at(axis.least), line.correctable) for key, line in chosen],
            }
        )
    return sides


def overtakings(results: Results, kind: str, among: Sequence[str]) -> list[Overtaking]:
    """The crossings between some models, by prevalence, numbered."""
    found = [c for c in results["crossings"] if c["kind"] == kind and c["first"] in among and c["second"] in among]
    return [_overtaking(number, one) for number, one in enumerate(found, start=1)]


def _overtaking(number: int, one: Mapping[str, Any]) -> Overtaking:
    return Overtaking(
        number=number,
        kind=one["kind"].partition("_")[0],
        behind=one["first"],
        ahead=one["second"],
        prevalence=one["noise_prevalence"],
        accuracy=one["accuracy"],
        interval=one.get("interval"),
        share=one.get("share"),
        ends=one["noise_prevalence"] >= 1 - 1e-12,
    )


def standings(results: Results, at: float) -> list[Standing]:
    """All models at a noise prevalence, best corrected accuracy first."""
    original, corrected = (lines_of(results, kind) for _, kind in _SIDES)
    keys = [key for key in corrected if key in original]
    # Equal to eight digits is equal: what differs behind them is rounding.
    before = [round(original[key].at(at), 8) for key in keys]
    after = [round(corrected[key].at(at), 8) for key in keys]
    found = [
        Standing(
            key, a, rank_a, b, rank_b, corrected[key].benign, original[key].correctable, corrected[key].correctable
        )
        for key, a, rank_a, b, rank_b in zip(
            keys, before, ranks(before).tolist(), after, ranks(after).tolist(), strict=True
        )
    ]
    return sorted(found, key=lambda s: (s.corrected_rank, s.key))


def _links(dataset: Dataset, choice: Choice) -> dict[str, Any]:
    here = f"/{dataset.name}/stability"

    def to(**changes: Any) -> str:
        query = choice.query(dataset, **changes)
        return f"{here}?{query}" if query else here

    agreement = f"?agreement={choice.agreement}"
    api = f"/api/v1/datasets/{dataset.name}"
    repeated = IssueFilter(agreement=choice.agreement, models=1)
    return {
        "repeated": repeated.query(dataset),
        "repeated_most": repeated.query(dataset, models=dataset.n_models // 2 + 1),
        "agreements": [(a, to(agreement=a)) for a in dataset.agreements],
        "tops": [(top, to(top=top)) for top in TOPS],
        "scales": [(scale, to(scale=scale)) for scale in SCALES],
        "csv": f"{api}/stability.csv{agreement}",
        "json": f"{api}/stability{agreement}",
        "crossings": f"{api}/crossings{agreement}",
    }


def _pair(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice) -> dict[str, Any] | None:
    """Two models beside each other; those that moved most apart where the visitor has not chosen."""
    keys = keys_of(results)
    moved = movers(results, "1")
    if len(keys) < 2:
        return None
    first = choice.first or (moved[0][0] if moved else keys[0])
    second = choice.second or next(key for key, _, _ in reversed(moved or [(k, 0, 0) for k in keys]) if key != first)
    places = keys.index(first), keys.index(second)
    found = disagreements(catalogue, dataset, choice.agreement, places) if first != second else []
    sides = []
    for name, kind in _SIDES:
        lines = lines_of(results, kind)
        one = next((o for o in overtakings(results, kind, (first, second))), None) if first != second else None
        a, b = lines.get(first), lines.get(second)
        sides.append({"name": name, "crossing": one, "never": _never(a, b, results)})
    return {
        "first": first,
        "second": second,
        "same": first == second,
        "models": [results["models"][place] for place in places],
        "sides": sides,
        "n": len(found),
        "examples": [_example(dataset, one) for one in found[:_MOST_EXAMPLES]],
        "right": [
            sum(one.first == one.corrected for one in found),
            sum(one.second == one.corrected for one in found),
        ],
    }


def _never(a: Line | None, b: Line | None, results: Results) -> str:
    """Why two models do not cross: who is ahead all the way."""
    if a is None or b is None or crossing(a, b, results["noise_prevalence"]) is not None:
        return ""
    least = results["noise_prevalence"]
    low, high = a.at(least) - b.at(least), a.correctable - b.correctable
    if abs(low) < 1e-12 and abs(high) < 1e-12:
        return "even"
    return "first" if low + high > 0 else "second"


def evaluation_charts(results: Results, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A visitor's line among those of telling models, with its crossings of all of them."""
    least = float(results["noise_prevalence"])
    axis = Axis(least, SCALES[0])
    charts = []
    for name, kind in _SIDES:
        own = line(found["accuracy"], kind)
        if own is None or not results["sizes"]["C"]:
            continue
        lines = lines_of(results, kind)
        chosen = [(YOURS, own), *((key, lines[key]) for key in telling_models(results) if key in lines)]
        crossings = [c for c in found["crossings"] if c["kind"] == kind]
        label = f"Line chart: {name} accuracy against noise prevalence of your model and {len(chosen) - 1} others"
        charts.append({"name": name, "chart": prevalence_chart(chosen, axis, [], least, label), "crossings": crossings})
    return charts


def _example(dataset: Dataset, one: Disagreement) -> dict[str, Any]:
    names = dataset.classes
    thumbnail = next((k for k in ("thumbnail", "image") if one.media and k in one.media), None)
    return {
        "idx": one.idx,
        "given": dataset.labels[one.given].name,
        "corrected": dataset.labels[one.corrected].name,
        "first": names[one.first].name,
        "second": names[one.second].name,
        "first_right": one.first == one.corrected,
        "second_right": one.second == one.corrected,
        "picture": f"{media_prefix(dataset)}{one.idx}/{thumbnail}" if thumbnail else None,
    }
