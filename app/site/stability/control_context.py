"""What the stability page shows of controls: where the same measurement should find nothing, or chance decides."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from app.catalogue.records import Dataset
from app.domain.controls.random_relabelling import draws_at_most
from app.evaluation.opinions.capacity_claim import CONFIRMED, CORRECTED, KEPT, capacity_claim
from app.site.opinions.stored_results import Object

#: What the sets are called, by their keys in the stored object.
_SETS: Final = {
    "corrected": "Corrected examples (C)",
    "non_errors": "Flagged labels that {} kept",
}
_PARTS: Final = {"confirmed": "C, as far as {} confirms it", "opposed": "C, as far as {} opposes it"}


def control_context(dataset: Dataset, found: Object | None) -> dict[str, Any]:
    """The context of the section; without controls nothing of it is shown."""
    if found is None:
        return {"control": None}
    judge = "the expert" if dataset.raters == 1 else "reviewers"
    sets = {name: words.format(judge) for name, words in _SETS.items()}
    titles = {source.name: source.title for source in dataset.opinions.sources}
    flagger = found["flagger"] or ()
    return {
        "control": found,
        "chance": _chance(found["random"]),
        "judge": judge,
        "turnovers": _turnovers(found, sets, titles),
        "arithmetic": [_shares(found, name, words) for name, words in sets.items() if found[name]["models"]],
        "marked": [_key(one) for one in flagger if one["marked"]],
        "flaggers": sorted(flagger, key=lambda one: -one["agreement"]),
        "capacities": _capacities(found["capacity"], sets, titles),
        **_lower_capacity(found, judge, titles),
        "confused": [
            (dataset.classes[one["given"]].name, dataset.classes[one["corrected"]].name, one["n"])
            for one in (found["systematic"] or {"most": ()})["most"]
        ],
    }


def _chance(found: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """How many random relabellings turn the ranking as far as the corrected labels, and of how many."""
    return None if found is None or found["at_most"] is None else draws_at_most(found["at_most"], found["draws"])


def _turnovers(
    found: Object, sets: Mapping[str, str], titles: Mapping[str, str]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Each set in words, with how its two rankings agree."""
    rows = [(words, found[name]) for name, words in sets.items()]
    for part, words in _PARTS.items():
        rows += [(words.format(titles.get(name, name)), one) for name, one in found[part].items()]
    return rows


def _shares(found: Object, name: str, words: str) -> tuple[str, list[tuple[str, Markup, tuple[int, ...]]]]:
    """Of each model the three shares, most by the given label first."""
    n, models = found[name]["n"], found[name]["models"]
    ordered: Sequence[Mapping[str, Any]] = sorted(models, key=lambda one: (-one["given"], _key(one)))
    rows = [(_key(one), (one["given"], one["guessed"], one["neither"])) for one in ordered]
    return words, [(key, shares_bar(counts), tuple(round(100 * c / n) for c in counts)) for key, counts in rows]


def shares_bar(counts: tuple[int, int, int]) -> Markup:
    """Predictions that are the given label, the other one, and neither, in one bar.

    >>> shares_bar((1, 1, 2)).count("<rect")
    3
    """
    total = max(1, sum(counts))
    given, other, neither = (round(1000 * n / total) for n in counts)
    return Markup(
        '<svg class="thirds" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="third-given" width="%d" height="10"/>'
        '<rect class="third-other" x="%d" width="%d" height="10"/>'
        '<rect class="third-neither" x="%d" width="%d" height="10"/></svg>'
    ) % (given, given, other, given + other, neither)


def _capacities(
    found: Mapping[str, Any] | None, sets: Mapping[str, str], titles: Mapping[str, str]
) -> list[tuple[str, Mapping[str, Any] | None]]:
    if found is None:
        return []
    words = {**sets, **{f"confirmed by {name}": _PARTS["confirmed"].format(title) for name, title in titles.items()}}
    return [(words.get(name, name), one) for name, one in found["sets"].items()]


def _lower_capacity(found: Object, judge: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """What becomes of "lower capacity is better", and of each set which examples it has and what models do there."""
    claim = capacity_claim(found)
    if claim is None:
        return {}
    right = "are right by the corrected label more often"
    words = {
        CORRECTED: (f"whose label {judge} corrected", right),
        KEPT: (f"whose flagged label {judge} kept, where none was found wrong", "predict the guess more often"),
        **{f"{CONFIRMED}{name}": (f"whose correction {title} confirms", right) for name, title in titles.items()},
    }
    return {
        "lower_capacity": claim.standing.value,
        "lower_capacity_on": [(*words.get(one.name, (one.name, right)), one) for one in claim.sets],
    }


def _key(model: Mapping[str, Any]) -> str:
    return f"{model['platform']}/{model['name']}"
