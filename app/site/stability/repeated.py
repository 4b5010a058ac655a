"""The page of wrong labels that models repeat: how many each model does, and the examples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.issues.filter import IssueFilter
from app.site.components.charts import share_bar
from app.site.stability.looks import shown_models
from app.site.stability.model_pair import picture_of
from app.site.stability.parameters import Choice
from app.site.stability.predictions import Repeated, count_repeated, repeated_labels
from app.site.stability.results import Results, keys_of

_MOST_EXAMPLES: Final = 24


def repeated_context(
    catalogue: Catalogue, dataset: Dataset, results: Results, choice: Choice, looks: Mapping[str, str]
) -> dict[str, Any]:
    """What the page shows. If models were chosen, examples are those that one of them repeats, most of them first."""
    keys = keys_of(results)
    shown = shown_models(results, choice.models)
    places = {keys.index(key) for key in shown}
    found = repeated_labels(catalogue, dataset, choice.corrected)
    n_corrected = count_repeated(catalogue, dataset, choice.corrected, 0)
    listed = found
    if choice.models:
        by_chosen = [(len(places.intersection(one.models)), one) for one in found]
        listed = [one for n, one in sorted(by_chosen, key=lambda pair: -pair[0]) if n]
    opinion = () if choice.confirmed_by is None else (f"confirmed:{choice.confirmed_by}",)
    issues = IssueFilter(agreement=choice.agreement, models=1, opinion=opinion)
    return {
        "n_corrected": n_corrected,
        "n_repeated": len(found),
        "n_by_most": sum(2 * len(one.models) > len(keys) for one in found),
        "n_listed": len(listed),
        "repeated": [
            {
                "idx": one.idx,
                "given": dataset.labels[one.given].name,
                "corrected": dataset.labels[one.corrected].name,
                "n": len(one.models),
                "shown": [keys[place] for place in one.models if place in places],
                "picture": picture_of(dataset, one.idx, one.media),
            }
            for one in listed[:_MOST_EXAMPLES]
        ],
        "by_model": _by_model(found, keys, n_corrected, shown, looks),
        "all_repeated": issues.query(dataset),
        "repeated_by_most": issues.query(dataset, models=dataset.n_models // 2 + 1),
        "repeated_by": {key: issues.query(dataset, models=None, model=key) for key in keys},
    }


def _by_model(
    found: Sequence[Repeated], keys: Sequence[str], n_corrected: int, shown: tuple[str, ...], looks: Mapping[str, str]
) -> list[tuple[str, int, float, Any]]:
    """Each model with how many wrong labels it repeats, as a number, a share of all and a bar; most first.

    They are counted from the list, not from the stored accuracies: these contain what open rounds hold back.
    """
    counts = Counter(place for one in found for place in one.models)
    shares = [(key, counts[place], counts[place] / n_corrected) for place, key in enumerate(keys)] if found else []
    return [
        (key, n, share, share_bar(round(1000 * share), looks[key] if key in shown else ""))
        for key, n, share in sorted(shares, key=lambda one: (-one[1], one[0]))
    ]
