"""How stable the ranking of a dataset's models is at one agreement threshold, as one JSON object.

    {"sizes": {"D", "B", "C", "U", "P"}, "noise_prevalence",
     "models": [{"platform", "name", "title", "parameters", "source",
                 "all", "pruned", "benign", "correctable": {kind: accuracy, "intervals": {kind: [low, high]}},
                 "ranks": {set: {kind: rank}}}],
     "agreement_of_rankings": {set: {"top1", "top5": {"kendall", "spearman"}}},
     "crossings": [{"first", "second", "kind", "noise_prevalence", "accuracy", "interval", "share"}]}

Kinds are ``original_top1`` and so on; accuracies are fractions, null where they cannot be told. Crossings are listed by
kind and prevalence; ``first`` is the better one at low prevalence. Ingest stores the object, the site reads it.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.bootstrap import accuracy_interval, crossing_intervals
from app.domain.crossings import Line, crossing
from app.domain.ranking import kendall_tau, ranks, spearman
from app.domain.stability import KINDS, SETS, Marks, Partition, Tally, joint_counts, marks_by_kind, tally
from app.measuring.reading import Model

#: Crossings are looked for by first choices: the paper's Figures 4, 5 and S2.
CROSSING_KINDS: Final = ("original_top1", "corrected_top1")


def results(test: Partition, models: Sequence[Model], n_classes: int) -> dict[str, Any]:
    """The object described above, for models in the order given."""
    marks = [marks_by_kind(test, model.ranked, n_classes) for model in models]
    tallies = [tally(test, of_model) for of_model in marks]
    table = rank_table(tallies)
    return {
        "sizes": sizes_object(test),
        "noise_prevalence": test.sizes.noise_prevalence,
        "models": [
            {
                "platform": model.platform,
                "name": model.name,
                "title": model.title,
                "parameters": model.parameters,
                "source": model.source,
                **accuracies(found),
                "ranks": {part: {kind: table[part][kind][place] for kind in KINDS} for part in SETS},
            }
            for place, (model, found) in enumerate(zip(models, tallies, strict=True))
        ],
        "agreement_of_rankings": _correlations(tallies),
        "crossings": _crossings(test, models, marks, tallies),
    }


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
        intervals[kind] = None if right is None else accuracy_interval(right, found.n(part, kind))
    return {**{kind: found.accuracy(part, kind) for kind in KINDS}, "intervals": intervals}


def rank_table(tallies: Sequence[Tally]) -> dict[str, dict[str, list[int | None]]]:
    """Set -> kind -> rank of each model among those whose accuracy is known, ties sharing the best rank."""
    table: dict[str, dict[str, list[int | None]]] = {}
    for part in SETS:
        table[part] = {kind: _ranks([found.right[part][kind] for found in tallies]) for kind in KINDS}
    return table


def _ranks(counts: Sequence[int | None]) -> list[int | None]:
    # Counts of right answers, not quotients: equal ones are equal.
    known = {place: count for place, count in enumerate(counts) if count is not None}
    found: list[int | None] = [None] * len(counts)
    for place, rank in zip(known, ranks(list(known.values())).tolist(), strict=True):
        found[place] = rank
    return found


def _correlations(tallies: Sequence[Tally]) -> dict[str, dict[str, dict[str, float | None]]]:
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for part in ("all", "pruned", "correctable"):
        found[part] = {}
        for top in ("top1", "top5"):
            original = [t.right[part][f"original_{top}"] for t in tallies]
            corrected = [t.right[part][f"corrected_{top}"] for t in tallies]
            both = [(a, b) for a, b in zip(original, corrected, strict=True) if a is not None and b is not None]
            a, b = [pair[0] for pair in both], [pair[1] for pair in both]
            found[part][top] = {"kendall": kendall_tau(a, b), "spearman": spearman(a, b)}
    return found


def line(found: Mapping[str, Mapping[str, Any]], kind: str) -> Line | None:
    """A model's line of one kind, from its accuracies; None where one end is unknown.

    The benign end is the same for both kinds, since nothing there was corrected.
    """
    benign, correctable = found["benign"][kind], found["correctable"][kind]
    return None if benign is None or correctable is None else Line(benign, correctable)


def _crossings(
    test: Partition, models: Sequence[Model], marks: Sequence[Mapping[str, Marks | None]], tallies: Sequence[Tally]
) -> list[dict[str, Any]]:
    least, pairs = test.sizes.noise_prevalence, list(combinations(range(len(models)), 2))
    if not pairs or not test.sizes.correctable or not test.sizes.benign:
        return []
    found = []
    for kind in CROSSING_KINDS:
        of_kind = [m for each in marks if (m := each[kind]) is not None]
        intervals, shares = crossing_intervals(
            _pair_counts(of_kind, pairs, test.benign), _pair_counts(of_kind, pairs, test.correctable), least
        )
        objects = [accuracies_only(t) for t in tallies]
        for (i, j), interval, share in zip(pairs, intervals.tolist(), shares.tolist(), strict=True):
            one = crossing_object(objects[i], objects[j], (models[i].key, models[j].key), kind, least)
            if one is not None:
                found.append(one | {"interval": interval if interval[0] == interval[0] else None, "share": share})
    return sorted(found, key=lambda c: (c["kind"], c["noise_prevalence"], c["first"], c["second"]))


def accuracies_only(found: Tally) -> dict[str, dict[str, float | None]]:
    """Set -> kind -> accuracy, without intervals."""
    return {part: {kind: found.accuracy(part, kind) for kind in KINDS} for part in SETS}


def crossing_object(
    first: Mapping[str, Any], second: Mapping[str, Any], keys: tuple[str, str], kind: str, least: float
) -> dict[str, Any] | None:
    """Where two models cross, the one that is better at low prevalence named first; None where they do not."""
    a, b = line(first, kind), line(second, kind)
    at = crossing(a, b, least) if a is not None and b is not None else None
    if a is None or b is None or at is None:
        return None
    ahead, behind = keys if a.benign > b.benign else keys[::-1]
    return {
        "first": ahead,
        "second": behind,
        "kind": kind,
        "noise_prevalence": at.prevalence,
        "accuracy": at.accuracy,
    }


def _pair_counts(
    of_kind: Sequence[Marks], pairs: Sequence[tuple[int, int]], members: NDArray[np.bool_]
) -> NDArray[np.int64]:
    inside = [marks[members] for marks in of_kind]
    every = np.ones(int(members.sum()), np.bool_)
    return np.array([joint_counts(inside[i], inside[j], every) for i, j in pairs], np.int64)
