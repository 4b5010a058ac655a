"""Count the issues of a built dataset by the values of every facet: the rows of ``facets`` and ``unreviewed``.

Unreviewed issues are counted as numbers, a block at a time; they are the same at every agreement threshold. Reviewed
ones are counted one by one.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.schema.facet_tables import pack_unreviewed
from ingest.catalogue.columns import Columns
from ingest.datasets.build import Build
from ingest.datasets.suspects.issues import Issues

_NAMES = ("dataset_id", "agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged", "n")

#: Issues whose combinations of values are sorted at a time.
_BLOCK: Final = 1 << 20


def facet_columns(build: Build, dataset_id: int) -> Iterator[Columns]:
    """A row for each combination of values that any reviewed issue has, with the number of issues that have it."""
    for agreement in build.inputs.manifest.agreements:
        rows = [(dataset_id, agreement, *cell, n) for cell, n in _reviewed(build, agreement).items()]
        if rows:
            yield dict(zip(_NAMES, zip(*rows, strict=True), strict=True))


def unreviewed_rows(issues: Issues, dataset_id: int) -> Iterator[dict[str, Any]]:
    """The row that counts the issues that nobody reviewed; none if all were."""
    if len(issues.reviewed) < len(issues):
        yield {"dataset_id": dataset_id, **pack_unreviewed(_unreviewed(issues))}


def _unreviewed(issues: Issues) -> dict[str, NDArray[np.int64]]:
    """(c,) given label, guess, whether flagged, and the number of issues that nobody reviewed, in this order."""
    spread = int(issues.guessed.max(initial=0)) + 1
    parts = [np.unique(codes, return_counts=True) for codes in _codes(issues, spread)]
    found, at = np.unique(np.concatenate([codes for codes, _ in parts]), return_inverse=True)
    counts = np.zeros(len(found), np.int64)
    np.add.at(counts, at, np.concatenate([n for _, n in parts]))
    labels, flagged = np.divmod(found, 2)
    given, guessed = np.divmod(labels, spread)
    return {"given": given, "guessed": guessed, "flagged": flagged, "n": counts}


def _codes(issues: Issues, spread: int) -> Iterator[NDArray[np.int64]]:
    """The unreviewed issues, block by block, as one number each: given label, guess below ``spread``, flag."""
    for start in range(0, len(issues), _BLOCK):
        here = slice(start, start + _BLOCK)
        codes = (issues.given[here].astype(np.int64) * spread + issues.guessed[here]) * 2 + issues.flagged[here]
        low, high = np.searchsorted(issues.reviewed, [start, start + len(codes)])
        yield np.delete(codes, issues.reviewed[low:high] - start)


def _reviewed(build: Build, agreement: int) -> Counter[tuple[Any, ...]]:
    counted: Counter[tuple[Any, ...]] = Counter()
    issues = build.issues
    for position, review in zip(issues.reviewed.tolist(), issues.reviews, strict=True):
        verdict = build.verdicts[review.index][agreement]
        corrected = None if verdict.corrected is None else build.label_ids[verdict.corrected]
        labels = (int(issues.given[position]), int(issues.guessed[position]), corrected)
        counted[verdict.category.value, *labels, review.ballot.pattern, int(issues.flagged[position])] += 1
    return counted
