"""Template contexts of the pages of benchmark stability: what all have in common, and the ranking."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.site.opinions.stored_results import controls_of
from app.site.stability.agreement_words import on_correctable, on_pruned
from app.site.stability.control_context import control_context
from app.site.stability.looks import looks_of, model_filter, shown_models, swatches
from app.site.stability.model_pair import pair_context, pair_of
from app.site.stability.parameters import PAGES, TOPS, Choice
from app.site.stability.predictions import count_repeated
from app.site.stability.prevalence import SIDES, best_by_prevalence, prevalence_context
from app.site.stability.repeated import repeated_context
from app.site.stability.results import SMALL, RankChange, Results, key_of, keys_of, models_by_name, movers, results_of
from app.site.stability.slope_chart import slope_chart

#: Model -> the classes of its line.
Looks = Mapping[str, str]
_SETS: Final = {"pruned": "The pruned set P", "correctable": "The correctable set C"}


def stability_context(
    catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice, page: str
) -> dict[str, Any]:
    """The template context of one of ``PAGES`` for a choice."""
    looks = looks_of(results_of(catalogue, dataset, dataset.default_agreement))
    common = _common(dataset, results, choice, page, looks)
    if page == "prevalence":
        return common | prevalence_context(dataset, results, choice, looks)
    if page == "pair":
        return common | pair_context(catalogue, dataset, results, choice, looks)
    if page == "repeated":
        return common | repeated_context(catalogue, dataset, results, choice, looks)
    return common | _ranking(catalogue, dataset, results, choice, looks)


def _common(dataset: Dataset, results: Results, choice: Choice, page: str, looks: Looks) -> dict[str, Any]:
    keys = keys_of(results)
    shown = pair_of(results, choice) if page == "pair" and len(keys) > 1 else shown_models(results, choice.models)
    pieces = swatches(looks)
    api, agreement = f"/api/v1/datasets/{dataset.name}", f"?agreement={choice.agreement}"
    return {
        "page": page,
        "views": [(one, title, choice.path(dataset, one)) for one, title in PAGES.items()],
        "own_path": f"/{dataset.name}/stability{'/' if page else ''}{page}",
        "agreements": [(a, choice.path(dataset, page, agreement=a)) for a in dataset.agreements],
        "unchosen": choice.path(dataset, page, models=()) if choice.models else None,
        "sizes": results["sizes"],
        "least": float(results["noise_prevalence"]),
        "models": results["models"],
        "keys": keys,
        "picker": model_filter(keys, shown, choice.find, pieces),
        "swatches": pieces,
        "links": {
            "csv": f"{api}/stability.csv{agreement}",
            "json": f"{api}/stability{agreement}",
            "crossings": f"{api}/crossings{agreement}",
            "control": f"{api}/control{agreement}",
        },
    }


def _ranking(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice, looks: Looks) -> dict[str, Any]:
    moved = movers(results, choice.top)
    correlations = results["agreement_of_rankings"]
    return {
        "leaders": results.get("leaders", ()),
        "small": results["sizes"]["C"] < SMALL,
        "fall": moved[0] if moved and moved[0].after > moved[0].before else None,
        "rise": moved[-1] if moved and moved[-1].before > moved[-1].after else None,
        "leader": _leader(results),
        "correlations": correlations,
        "movement": {
            "pruned": on_pruned(correlations["pruned"]["top1"]),
            "correctable": on_correctable(correlations["correctable"]["top1"]),
        },
        "twins": models_by_name(results),
        "slopes": _slopes(results, choice, looks),
        "tops": [(top, choice.path(dataset, "", top=top)) for top in TOPS],
        "leads": best_by_prevalence(results, SIDES[1][1]),
        "pair": pair_of(results, choice) if len(results["models"]) > 1 else None,
        "n_repeated": count_repeated(catalogue, dataset, choice.agreement, 1),
        "n_by_most": count_repeated(catalogue, dataset, choice.agreement, len(results["models"]) // 2 + 1),
        **control_context(dataset, controls_of(catalogue, dataset, choice.agreement)),
    }


def _leader(results: Results) -> Mapping[str, Any] | None:
    """The best model on C by original labels, with its ranks and accuracies there."""
    ranked = [m for m in results["models"] if m["ranks"]["correctable"]["original_top1"] == 1]
    return ranked[0] if ranked and results["sizes"]["C"] else None


def _slopes(results: Results, choice: Choice, every: Looks) -> list[tuple[str, str, Markup]]:
    looks = {key: every[key] for key in shown_models(results, choice.models)}
    found = []
    for part, words in _SETS.items():
        moved = _changes(results, part, choice.top)
        if moved:
            label = f"Slope chart: ranks on {words[0].lower()}{words[1:]} by original and by corrected labels"
            found.append((part, words, slope_chart(moved, looks, "by original labels", "by corrected labels", label)))
    return found


def _changes(results: Results, part: str, top: str) -> Sequence[RankChange]:
    if part == "correctable":
        return movers(results, top)
    ranks = [(key_of(m), m["ranks"][part]) for m in results["models"]]
    return [
        RankChange(key, of[f"original_top{top}"], of[f"corrected_top{top}"])
        for key, of in ranks
        if of[f"original_top{top}"] is not None
    ]
