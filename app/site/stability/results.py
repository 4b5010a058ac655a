"""How stable the ranking of a dataset's models is, as ingest computed it.

Nothing is computed here: accuracies, ranks and crossings are read as ``app.evaluation.stability`` wrote them.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.domain.ranking.crossings import Line
from app.domain.ranking.evidence import moves, told
from app.errors import InReview, NotFound, NotInCatalogue
from app.evaluation.crossings import CORRECTED, ORIGINAL, line
from app.evaluation.evaluate import read_results

#: By given and by corrected labels, first choices.
_KINDS: Final = (ORIGINAL, CORRECTED)

Results = Mapping[str, Any]


class RankChange(NamedTuple):
    """A model's ranks by original and by corrected accuracy."""

    key: str
    before: int
    after: int


def results_of(catalogue: Catalogue, dataset: Dataset, agreement: int, confirmed_by: str | None = None) -> Results:
    """The results that ingest computed for the models at an agreement threshold.

    With the name of an opinion, C holds the corrections that it confirms; the others have no known label.

    Raises NotInCatalogue, with the reason, for a dataset without models.
    """

    def read() -> Results | None:
        require_reader()
        return read_results(catalogue.connection, dataset.id, agreement, confirmed_by)

    found = catalogue.pages.get(("stability", dataset.id, agreement, confirmed_by), read)
    if found is None:
        raise NotInCatalogue(why_not(dataset))
    return found


def why_not(dataset: Dataset) -> str:
    """Why a dataset has no stability page, in a sentence or two."""
    if dataset.multi_label:
        return (
            f"The examples of {dataset.title} have several labels at once, and the paper's accuracies are defined for "
            "one label each. So there is no ranking of models here."
        )
    return (
        f"No model's predictions for {dataset.title} are in this catalogue. "
        "Add some with `label-errors benchmarks DIR`."
    )


def key_of(model: Mapping[str, Any]) -> str:
    """A model's name with its platform: "pytorch/resnet18"."""
    return f"{model['platform']}/{model['name']}"


def keys_of(results: Results) -> list[str]:
    """The keys of all models, in their order."""
    return [key_of(model) for model in results["models"]]


def lines_of(results: Results, kind: str) -> dict[str, Line]:
    """Key -> line of accuracy against noise prevalence, for models whose accuracy of this kind is known."""
    return {key_of(m): found for m in results["models"] if (found := line(m, kind)) is not None}


def movers(results: Results, top: str) -> list[RankChange]:
    """The models' rank changes on C, from the steepest fall to the steepest rise."""
    moved = []
    for model in results["models"]:
        ranks = model["ranks"]["correctable"]
        before, after = ranks[f"original_top{top}"], ranks[f"corrected_top{top}"]
        if before is not None and after is not None:
            moved.append(RankChange(key_of(model), before, after))
    return sorted(moved, key=lambda m: (m.before - m.after, m.key))


class SureChange(NamedTuple):
    """A model whose rank on C is shown to change: before and after, with the ends of both intervals."""

    key: str
    before: int
    before_ends: tuple[int, int]
    after: int
    after_ends: tuple[int, int]


def sure_movers(results: Results) -> list[SureChange]:
    """The models whose intervals of the two ranks on C, by first choices, lie apart: steepest falls first.

    None where it is not even told whether the ranking changes.
    """
    n, overall = results["sizes"]["C"], results["agreement_of_rankings"]["correctable"]["top1"]["intervals"]["kendall"]
    if told(n, overall) is None:
        return []
    found = []
    for model in results["models"]:
        ranks = model["ranks"]["correctable"]
        first, second = (ranks["intervals"][kind] for kind in _KINDS)
        if moves(n, first, second):
            before, after = (ranks[kind] for kind in _KINDS)
            found.append(SureChange(key_of(model), before, tuple(first), after, tuple(second)))
    return sorted(found, key=lambda one: (one.before - one.after, one.key))


def models_by_name(results: Results) -> list[tuple[list[str], list[str]]]:
    """Model names that occur on several platforms, with the titles of these platforms."""
    titles: dict[str, list[str]] = {}
    for model in results["models"]:
        titles.setdefault(model["name"], []).append(model["title"])
    shared: dict[tuple[str, ...], list[str]] = {}
    for name, platforms in titles.items():
        if len(platforms) > 1:
            shared.setdefault(tuple(platforms), []).append(name)
    return [(names, list(platforms)) for platforms, names in shared.items()]


def telling_models(results: Results, most: int = 5) -> tuple[str, ...]:
    """The models a chart shows by default: steepest falls and rises on C, and the best on the whole test set."""
    moved = [m.key for m in movers(results, "1")]
    leaders = sorted(results["models"], key=lambda m: (m["ranks"]["all"]["original_top1"], key_of(m)))
    ordered = [*moved[:1], *moved[-1:], *(key_of(m) for m in leaders[:1]), *moved[1:2], *moved[-2:-1]]
    return tuple(dict.fromkeys(ordered))[:most]


def require_known(dataset: Dataset) -> None:
    """Raise NotFound, NotInCatalogue or InReview unless predictions for a dataset can be evaluated."""
    if dataset.multi_label:
        raise NotInCatalogue(why_not(dataset))
    if not dataset.labels_known:
        raise NotInCatalogue(
            f"The given labels of {dataset.title} are not in this catalogue, so accuracy cannot be measured."
        )
    if dataset.held_back is not None:
        raise InReview(
            f"Predictions for {dataset.title} are not evaluated until {dataset.held_back.until}: a score would tell "
            "what is held back. `label-errors evaluate` evaluates them on a machine of your own.",
            [(f"Issues of {dataset.title}", f"/{dataset.name}")],
        )
    if not dataset.categories.get(dataset.default_agreement):
        raise NotFound(f"Nobody has reviewed {dataset.title}, so there is nothing to correct.", [])
