"""What a dataset's second opinions say at one agreement threshold, as a JSON object.

    {"sources": [{"name", "title", "licence", "independent", "covered", "agreeing",
                  "table": {category: {"given", "guessed", "both", "other", "silent"}},
                  "by_votes": [{"votes", "n", "share"}],
                  "missed": {"n", "of", "examples": [{"index", "given", "held", "share"}]}}]}

``table`` counts the reviewed examples. ``by_votes`` says, of reviewed examples by how many reviewers named the given
label, how far the opinion agrees with it: the mean share of its raters who chose it, or how often it is among its
labels. ``missed`` are examples that nobody flagged or reviewed and whose given label the opinion rejects, of those that
it covers; the surest ones come first.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.opinions.stances import STANCES, cross_table
from app.domain.ranking.accuracy import Labels
from app.evaluation.opinions.opinions_store import OpinionSource, Reviewed, stances_on

#: Examples listed that were not flagged.
_LISTED: Final = 24


def opinion_report(
    sources: Sequence[OpinionSource], reviewed: Reviewed, given: Labels, issues: Sequence[int]
) -> dict[str, Any]:
    """The object described above; ``issues`` are the indices of all issues."""
    indices = np.array(issues, np.int64)
    return {"sources": [_of_source(source, reviewed, given, indices) for source in sources]}


def _of_source(source: OpinionSource, reviewed: Reviewed, given: Labels, issues: NDArray[np.int64]) -> dict[str, Any]:
    said = [STANCES[place] for place in stances_on(source, reviewed)]
    table = cross_table(list(zip(reviewed.categories, said, strict=True)))
    return {
        "name": source.name,
        "title": source.title,
        "licence": source.about["licence"],
        "independent": source.independent,
        "covered": source.covered,
        "agreeing": source.agreeing,
        "table": {category.value: dict(row) for category, row in table.items()},
        "by_votes": _by_votes(source, reviewed),
        "missed": _missed(source, given, issues),
    }


def _by_votes(source: OpinionSource, reviewed: Reviewed) -> list[dict[str, Any]]:
    covered = source.opinion.speaks[reviewed.indices]
    agreeing = _agreement(source, reviewed.indices, reviewed.given)
    found = []
    for votes in np.unique(reviewed.votes_given).tolist():
        inside = covered & (reviewed.votes_given == votes)
        share = float(agreeing[inside].mean()) if inside.any() else None
        found.append({"votes": votes, "n": int(inside.sum()), "share": share})
    return found


def _agreement(source: OpinionSource, indices: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k,) how far an opinion agrees with labels: the share of its raters, or 0 and 1 where it counts none."""
    opinion = source.opinion
    return opinion.share(indices, labels) if opinion.counted else opinion.holds(indices, labels).astype(np.float64)


def _missed(source: OpinionSource, given: Labels, issues: NDArray[np.int64]) -> dict[str, Any]:
    opinion = source.opinion
    others = opinion.speaks.copy()
    others[issues] = False
    indices = np.flatnonzero(others)
    rejected = indices[~opinion.holds(indices, given[indices])]
    held = opinion.held
    # What it holds most surely comes first; where it counts nobody, a single label before several.
    first = held.classes[held.offsets[rejected]]
    sureness = opinion.share(rejected, first)
    order = np.lexsort((rejected, -sureness))[:_LISTED]
    examples = [
        {
            "index": int(rejected[place]),
            "given": int(given[rejected[place]]),
            "held": list(held.members(int(rejected[place]))),
            "share": float(sureness[place]) if opinion.counted else None,
        }
        for place in order
    ]
    return {"n": len(rejected), "of": len(indices), "examples": examples}
