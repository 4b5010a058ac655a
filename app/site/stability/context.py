"""Template context of the benchmark stability page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues.filter import IssueFilter
from app.site.opinions.stored_results import controls_of
from app.site.stability.agreement_words import on_correctable, on_pruned
from app.site.stability.charts import Axis, slope_chart
from app.site.stability.control_context import control_context
from app.site.stability.model_pair import pair_context, picture_of
from app.site.stability.parameters import REACHES, SCALES, TOPS, Choice
from app.site.stability.predictions import most_repeated
from app.site.stability.prevalence import sides, standings
from app.site.stability.results import SMALL, RankChange, Results, key_of, keys_of, movers, telling_models

_STRESSED: Final = 2  # models named in each direction
_MOST_REPEATED: Final = 24


def stability_context(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice) -> dict[str, Any]:
    """The template context for a choice."""
    shown = choice.models or telling_models(results)
    least = float(results["noise_prevalence"])
    at = min(max(choice.prevalence if choice.prevalence is not None else least, least), 1.0)
    axis = Axis(least, choice.scale, int(choice.reach) / 100)
    moved = movers(results, choice.top)
    repeated = most_repeated(catalogue, dataset, choice.agreement, _MOST_REPEATED + 1)
    return {
        "sizes": results["sizes"],
        "leaders": results.get("leaders", ()),
        "least": least,
        "at": at,
        "small": results["sizes"]["C"] < SMALL,
        "moved": moved,
        "fall": moved[0] if moved and moved[0].after > moved[0].before else None,
        "rise": moved[-1] if moved and moved[-1].before > moved[-1].after else None,
        "leader": _leader(results),
        "correlations": results["agreement_of_rankings"],
        "movement": {
            "pruned": on_pruned(results["agreement_of_rankings"]["pruned"]["top1"]),
            "correctable": on_correctable(results["agreement_of_rankings"]["correctable"]["top1"]),
        },
        "slopes": _slopes(results, choice.top, moved),
        "models": results["models"],
        "keys": keys_of(results),
        "shown": shown,
        "most": axis.most,
        "sides": sides(results, shown, axis, at),
        "twins": _twins(results),
        "standings": standings(results, at),
        "links": _links(dataset, choice),
        "pair": pair_context(catalogue, dataset, results, choice),
        "repeated": [
            (
                one.idx,
                dataset.labels[one.given].name,
                dataset.labels[one.corrected].name,
                one.n_models,
                picture_of(dataset, one.idx, one.media),
            )
            for one in repeated[:_MOST_REPEATED]
        ],
        "more_repeated": len(repeated) > _MOST_REPEATED,
        **control_context(dataset, controls_of(catalogue, dataset, choice.agreement)),
    }


def _leader(results: Results) -> Mapping[str, Any] | None:
    """The best model on C by original labels, with its ranks and accuracies there."""
    ranked = [m for m in results["models"] if m["ranks"]["correctable"]["original_top1"] == 1]
    return ranked[0] if ranked and results["sizes"]["C"] else None


def _twins(results: Results) -> list[tuple[list[str], list[str]]]:
    """Model names that occur on several platforms, with the titles of these platforms."""
    titles: dict[str, list[str]] = {}
    for model in results["models"]:
        titles.setdefault(model["name"], []).append(model["title"])
    shared: dict[tuple[str, ...], list[str]] = {}
    for name, platforms in titles.items():
        if len(platforms) > 1:
            shared.setdefault(tuple(platforms), []).append(name)
    return [(names, list(platforms)) for platforms, names in shared.items()]


def _slopes(results: Results, top: str, moved: Sequence[RankChange]) -> list[tuple[str, str, Markup]]:
    if not moved:
        return []
    named = {m.key: "down" for m in moved[:_STRESSED] if m.after > m.before}
    named |= {m.key: "up" for m in moved[-_STRESSED:] if m.after < m.before}
    on_p = [
        RankChange(key_of(m), m["ranks"]["pruned"][f"original_top{top}"], m["ranks"]["pruned"][f"corrected_top{top}"])
        for m in results["models"]
        if m["ranks"]["pruned"][f"original_top{top}"] is not None
    ]
    return [
        (
            "pruned",
            "The pruned set P",
            slope_chart(
                on_p,
                named,
                "by original labels",
                "by corrected labels",
                "Slope chart: ranks on the pruned set by original and by corrected labels",
            ),
        ),
        (
            "correctable",
            "The correctable set C",
            slope_chart(
                moved,
                named,
                "by original labels",
                "by corrected labels",
                "Slope chart: ranks on the correctable set by original and by corrected accuracy",
            ),
        ),
    ]


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
        "reaches": [(reach, to(reach=reach)) for reach in REACHES],
        "csv": f"{api}/stability.csv{agreement}",
        "json": f"{api}/stability{agreement}",
        "crossings": f"{api}/crossings{agreement}",
        "control": f"{api}/control{agreement}",
    }
