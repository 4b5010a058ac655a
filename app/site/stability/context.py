"""Template contexts of the pages of benchmark stability: what all have in common, and the ranking."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.ranking.evidence import FEWEST, SMALL, enough, turns
from app.site.opinions.stored_results import controls_of
from app.site.stability.agreement_words import on_correctable, on_pruned, turns_where_right, usual_by_chance
from app.site.stability.control_context import control_context
from app.site.stability.looks import looks_of, model_filter, shown_models, swatches
from app.site.stability.model_pair import pair_context, pair_of
from app.site.stability.parameters import PAGES, TOPS, Choice
from app.site.stability.predictions import count_repeated
from app.site.stability.prevalence import SIDES, best_by_prevalence, prevalence_context
from app.site.stability.repeated import repeated_context
from app.site.stability.results import (
    RankChange,
    Results,
    key_of,
    keys_of,
    models_by_name,
    movers,
    results_of,
    sure_movers,
)
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
    api, here = f"/api/v1/datasets/{dataset.name}", f"?{choice.api_query}"
    return {
        "page": page,
        "views": [(one, title, choice.path(dataset, one)) for one, title in PAGES.items()],
        "own_path": f"/{dataset.name}/stability{'/' if page else ''}{page}",
        "agreements": [(a, choice.path(dataset, page, agreement=a)) for a in dataset.agreements],
        "confirming": _confirming(dataset, choice, page),
        "which": _which(dataset, choice),
        "few": not enough(results["sizes"]["C"]),
        "fewest": FEWEST,
        "unchosen": choice.path(dataset, page, models=()) if choice.models else None,
        "sizes": results["sizes"],
        "least": float(results["noise_prevalence"]),
        "models": results["models"],
        "keys": keys,
        "picker": model_filter(keys, shown, choice.find, pieces),
        "swatches": pieces,
        "links": {
            "csv": f"{api}/stability.csv{here}",
            "json": f"{api}/stability{here}",
            "crossings": f"{api}/crossings{here}",
            "control": f"{api}/control?agreement={choice.agreement}",
        },
    }


def _confirming(dataset: Dataset, choice: Choice, page: str) -> list[tuple[str, str, bool]]:
    """The corrections to choose from, as words, address, and whether chosen: all, or those that a source confirms."""
    sources = [(one.name, f"Confirmed by {one.title}") for one in dataset.opinions.sources]
    return [
        (words, choice.path(dataset, page, confirmed_by=name), name == choice.confirmed_by)
        for name, words in [(None, "All corrections"), *sources]
    ]


def _which(dataset: Dataset, choice: Choice) -> str:
    """Whose corrections count, after "examples": "whose label reviewers corrected"."""
    judge = "the expert" if dataset.raters == 1 else "reviewers"
    titles = {one.name: one.title for one in dataset.opinions.sources}
    confirmed = "" if choice.confirmed_by is None else f", as {titles[choice.confirmed_by]} confirms"
    return f"whose label {judge} corrected{confirmed}"


def _ranking(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice, looks: Looks) -> dict[str, Any]:
    correlations, sizes = results["agreement_of_rankings"], results["sizes"]
    # Controls are of all corrections: where only some count, they are beside the point.
    control = controls_of(catalogue, dataset, choice.agreement) if choice.confirmed_by is None else None
    moved = sure_movers(results)
    return {
        "leaders": results.get("leaders", ()),
        "small": sizes["C"] < SMALL,
        "moved": moved[:1] + moved[1:][-1:],
        "correlations": correlations,
        "movement": {
            "pruned": on_pruned(sizes["P"], correlations["pruned"]["top1"]),
            "correctable": on_correctable(sizes["C"], correlations["correctable"]["top1"]),
            "turned": turns(sizes["C"], correlations["correctable"]["top1"]["intervals"]["kendall"]),
            "where_right": turns_where_right(control),
            "by_chance": usual_by_chance(control),
        },
        "twins": models_by_name(results),
        "slopes": _slopes(results, choice, looks),
        "tops": [(top, choice.path(dataset, "", top=top)) for top in TOPS],
        "leads": best_by_prevalence(results, SIDES[1][1]),
        "pair": pair_of(results, choice) if len(results["models"]) > 1 else None,
        **_repeated(catalogue, dataset, results, choice),
        **control_context(dataset, control),
    }


def _repeated(catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice) -> dict[str, int]:
    """How many wrong labels models repeat; nothing while some examples are held back, which all else here contains."""
    least = {"n_corrected": 0, "n_repeated": 1, "n_by_most": len(results["models"]) // 2 + 1}
    if dataset.held_back is not None:
        return dict.fromkeys(least, 0)
    return {name: count_repeated(catalogue, dataset, choice.corrected, n) for name, n in least.items()}


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
