"""The stability of a dataset's model ranking at one agreement threshold, as a JSON object.

    {"sizes": {"D", "B", "C", "U", "P"}, "noise_prevalence",
     "leaders": [see ``app.evaluation.leaders``],
     "models": [{"platform", "name", "title", "parameters", "source",
                 "all", "pruned", "benign", "correctable": {kind: accuracy, "intervals": {kind: [low, high]}},
                 "ranks": {set: {kind: rank, "intervals": {kind: [low, high]}}}}],
     "agreement_of_rankings": {set: {"top1", "top5": {"kendall", "spearman", "intervals": {...}}}},
     "crossings": [see ``app.evaluation.crossings``]}

Kinds are ``original_top1`` and so on; accuracies are fractions, null where they are undefined, as by corrected labels
on D if some examples have none. Ingest stores the object, the site reads it.

Where C has too few examples to rank models, ``told`` leaves out what would be a ranking on it: ranks, the agreement of
rankings, and crossings.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from app.domain.ranking.accuracy import KINDS, SETS, Partition, Tally, marks_by_kind, tally
from app.domain.ranking.bootstrap import accuracy_interval
from app.domain.ranking.evidence import FEWEST, enough
from app.evaluation.crossings import crossings
from app.evaluation.leaders import leaders
from app.evaluation.predictions_store import Model
from app.evaluation.ranks import NO_CORRELATION, correlation_objects, rank_objects, resample


def results(test: Partition, models: Sequence[Model], n_classes: int) -> dict[str, Any]:
    """The object described above, for models in the order given."""
    marks = [marks_by_kind(test, model.ranked, n_classes) for model in models]
    tallies = [tally(test, of_model) for of_model in marks]
    resampled = resample(test, marks)
    ranked = rank_objects(tallies, resampled)
    pairs = list(combinations(range(len(models)), 2))
    return {
        "sizes": sizes_object(test),
        "noise_prevalence": test.sizes.noise_prevalence,
        "leaders": leaders(test, models, marks, tallies),
        "models": [
            {
                "platform": model.platform,
                "name": model.name,
                "title": model.title,
                "parameters": model.parameters,
                "source": model.source,
                **accuracies(found),
                "ranks": of_model,
            }
            for model, found, of_model in zip(models, tallies, ranked, strict=True)
        ],
        "agreement_of_rankings": correlation_objects(tallies, resampled),
        "crossings": crossings(test, [m.key for m in models], [m.ranked[:, 0] for m in models], pairs),
    }


def told(found: Mapping[str, Any]) -> dict[str, Any]:
    """The results as anybody may be told them, without a ranking on C where that is too small for one.

    It is applied where results are read, so it holds for all who tell them.
    """
    if enough(found["sizes"]["C"]):
        return dict(found)
    models = [{**one, "ranks": {**one["ranks"], "correctable": _NO_RANKS}} for one in found["models"]]
    correlations = {**found["agreement_of_rankings"], "correctable": dict.fromkeys(("top1", "top5"), NO_CORRELATION)}
    return {**found, "models": models, "agreement_of_rankings": correlations, "crossings": []}


def too_few(n: int) -> str | None:
    """Why n examples get no ranking, in words; None for enough of them.

    >>> too_few(4), too_few(5)
    ('too few: 4 examples say nothing of a ranking, which takes at least 5', None)
    """
    if enough(n):
        return None
    examples = "1 example says" if n == 1 else f"{n} examples say"
    return f"too few: {examples} nothing of a ranking, which takes at least {FEWEST}"


_NO_RANKS: Final[Mapping[str, Any]] = {**dict.fromkeys(KINDS), "intervals": dict.fromkeys(KINDS)}


def sizes_object(test: Partition) -> dict[str, int]:
    """|D|, |B|, |C|, |U| and |P| by their letters."""
    sizes = test.sizes
    return {"D": sizes.all, "B": sizes.benign, "C": sizes.correctable, "U": sizes.unknown, "P": sizes.pruned}


def accuracies(found: Tally) -> dict[str, dict[str, Any]]:
    """Set -> kind -> accuracy, with the intervals beside them."""
    return {part: _accuracies_on(found, part) for part in SETS}


def _accuracies_on(found: Tally, part: str) -> dict[str, Any]:
    intervals = {}
    for kind in KINDS:
        right = found.right[part][kind]
        intervals[kind] = None if right is None else accuracy_interval(right, found.n(part))
    return {**{kind: found.accuracy(part, kind) for kind in KINDS}, "intervals": intervals}
