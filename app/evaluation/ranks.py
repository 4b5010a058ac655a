"""Ranks of models on the sets D, P, B and C, correlations of rankings, and intervals of both.

Intervals come from resampling: each of B, C and U is resampled separately, with the same draw for all models and both
kinds of labels, and the results for D and P are combined from these.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from app.domain.ranking.accuracy import KINDS, SETS, Marks, Partition, Tally
from app.domain.ranking.bootstrap import Counts, correlation_intervals, rank_intervals, right_counts
from app.domain.ranking.rank_correlation import kendall_tau, ranks, spearman

#: Sets on which an original and a corrected ranking are compared.
COMPARED: Final = ("all", "pruned", "correctable")
#: What is said of two rankings that cannot be compared.
NO_CORRELATION: Final[dict[str, Any]] = {
    "kendall": None,
    "spearman": None,
    "intervals": {"kendall": None, "spearman": None},
}
#: Set -> the disjoint sets it consists of.
PARTS: Final = {
    "all": ("benign", "correctable", "unknown"),
    "pruned": ("benign", "correctable"),
    "benign": ("benign",),
    "correctable": ("correctable",),
}
MarksByKind = Mapping[str, Marks | None]
#: Set -> kind -> (replicates, models) right answers, of the models whose marks of the kind are known.
Resampled = Mapping[str, Mapping[str, Counts]]


def rank_objects(tallies: Sequence[Tally], resampled: Resampled) -> list[dict[str, dict[str, Any]]]:
    """For each model: set -> kind -> its rank, None where unknown, with "intervals" by kind beside them."""
    found: list[dict[str, dict[str, Any]]] = [{part: {"intervals": {}} for part in SETS} for _ in tallies]
    for part in SETS:
        for kind in KINDS:
            counts = [tally.right[part][kind] for tally in tallies]
            # Counts of right answers, not quotients: equal ones are equal.
            known = {model: count for model, count in enumerate(counts) if count is not None}
            place = dict(zip(known, ranks(list(known.values())).tolist(), strict=True)) if known else {}
            sure = dict(zip(known, rank_intervals(resampled[part][kind]).tolist(), strict=True)) if known else {}
            for model, objects in enumerate(found):
                objects[part][kind] = place.get(model)
                objects[part]["intervals"][kind] = sure.get(model)
    return found


def correlation_objects(tallies: Sequence[Tally], resampled: Resampled) -> dict[str, dict[str, dict[str, Any]]]:
    """Set -> "top1", "top5" -> Kendall's tau and Spearman's rho of original with corrected ranks, and intervals."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for part in COMPARED:
        found[part] = {}
        for top in ("top1", "top5"):
            kinds = f"original_{top}", f"corrected_{top}"
            before, after = ([n for tally in tallies if (n := tally.right[part][kind]) is not None] for kind in kinds)
            if len(after) < len(before):
                # By corrected labels D has no ranking where some examples have none; that on P is another one's.
                found[part][top] = NO_CORRELATION
                continue
            intervals = correlation_intervals(*(resampled[part][kind] for kind in kinds))
            found[part][top] = {
                "kendall": kendall_tau(before, after),
                "spearman": spearman(before, after),
                "intervals": dict(zip(("kendall", "spearman"), intervals, strict=True)),
            }
    return found


def resample(test: Partition, marks: Sequence[MarksByKind]) -> Resampled:
    """Right answers of all models on test sets drawn anew."""
    known = {kind: [of_kind for of_model in marks if (of_kind := of_model[kind]) is not None] for kind in KINDS}
    members = {"benign": test.benign, "correctable": test.correctable, "unknown": test.unknown}
    drawn = {name: _drawn(known, inside) for name, inside in members.items()}
    found: dict[str, dict[str, Counts]] = {}
    for part in SETS:
        found[part] = {}
        for kind in KINDS:
            of = PARTS[part]
            found[part][kind] = sum((drawn[name][kind] for name in of[1:]), drawn[of[0]][kind])
    return found


def _drawn(known: Mapping[str, Sequence[Marks]], inside: Marks) -> dict[str, Counts]:
    """Kind -> (replicates, models) right answers on redrawn examples of one set, one draw for all of them."""
    columns = [of_model[inside] for of_kind in known.values() for of_model in of_kind]
    n = int(inside.sum())
    counts = right_counts(np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.bool_))
    ends = np.cumsum([len(of_kind) for of_kind in known.values()])[:-1]
    return dict(zip(known, np.split(counts, ends, axis=1), strict=True))
