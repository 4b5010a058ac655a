"""The models at the top of a ranking, each beside the next, and whether the two can be told apart.

    [{"set", "kind", "first", "second", "only_first", "only_second", "n", "difference", "interval"}]

for the first few by original labels on D, and by corrected labels on P. ``interval`` is that of the paired difference.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from app.domain.ranking.accuracy import Marks, Partition, Tally, joint_counts
from app.domain.ranking.paired_difference import paired_difference
from app.evaluation.predictions_store import Model

#: How many models are compared with the one below them.
_COMPARED: Final = 3
_RANKINGS: Final = (("all", "original_top1"), ("pruned", "corrected_top1"))


def leaders(
    test: Partition, models: Sequence[Model], marks: Sequence[Mapping[str, Marks | None]], tallies: Sequence[Tally]
) -> list[dict[str, Any]]:
    """The list described above; ``marks`` and ``tallies`` are those of the models, in their order."""
    found = []
    for part, kind in _RANKINGS:
        known = [place for place, tally in enumerate(tallies) if tally.accuracy(part, kind) is not None]
        order = sorted(known, key=lambda place: (-(tallies[place].right[part][kind] or 0), place))
        members = test.pruned if part == "pruned" else test.pruned | test.unknown
        for first, second in list(pairwise(order))[:_COMPARED]:
            one, other = marks[first][kind], marks[second][kind]
            if one is None or other is None or not members.any():
                continue
            _, only_first, only_second, _ = joint_counts(one, other, members)
            n = int(members.sum())
            difference, interval = paired_difference(only_first, only_second, n)
            found.append(
                {
                    "set": part,
                    "kind": kind,
                    "first": models[first].key,
                    "second": models[second].key,
                    "only_first": only_first,
                    "only_second": only_second,
                    "n": n,
                    "difference": difference,
                    "interval": interval,
                }
            )
    return found
