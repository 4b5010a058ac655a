"""Count the issues of a built dataset by the values of every facet: the rows of ``facets`` as columns.

Unreviewed issues are counted at once, as numbers; they are the same at every agreement threshold. Reviewed ones are
counted one by one.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.domain.review.verdicts import Category
from ingest.catalogue.columns import Columns
from ingest.datasets.build import Build
from ingest.datasets.suspects.issues import Issues

_NAMES = ("dataset_id", "agreement", "category", "given", "guessed", "corrected", "vote_pattern", "flagged", "n")


def facet_columns(build: Build, dataset_id: int) -> Iterator[Columns]:
    """A row for each combination of values that any issue has, with the number of issues that have it."""
    cells = _unreviewed(build.issues)
    n = len(cells["n"] or ())
    for agreement in build.inputs.manifest.agreements:
        category = Category.UNREVIEWED.value
        yield {"dataset_id": [dataset_id] * n, "agreement": [agreement] * n, "category": [category] * n, **cells}
        rows = [(dataset_id, agreement, *cell, n) for cell, n in _reviewed(build, agreement).items()]
        if rows:
            yield dict(zip(_NAMES, zip(*rows, strict=True), strict=True))


def _unreviewed(issues: Issues) -> Columns:
    """Given label, guess, whether flagged, and the number of issues that nobody reviewed."""
    unreviewed = np.ones(len(issues), np.bool_)
    unreviewed[issues.reviewed] = False
    codes = issues.given[unreviewed].astype(np.int64)
    spread = int(issues.guessed.max(initial=0)) + 1
    codes *= spread
    codes += issues.guessed[unreviewed]
    codes *= 2
    codes += issues.flagged[unreviewed]
    found, counts = np.unique(codes, return_counts=True)
    labels, flagged = np.divmod(found, 2)
    given, guessed = np.divmod(labels, spread)
    return {
        "given": given.tolist(),
        "guessed": guessed.tolist(),
        "flagged": flagged.tolist(),
        "n": counts.tolist(),
    }


def _reviewed(build: Build, agreement: int) -> Counter[tuple[Any, ...]]:
    counted: Counter[tuple[Any, ...]] = Counter()
    issues = build.issues
    for position, review in zip(issues.reviewed.tolist(), issues.reviews, strict=True):
        verdict = build.verdicts[review.index][agreement]
        corrected = None if verdict.corrected is None else build.label_ids[verdict.corrected]
        labels = (int(issues.given[position]), int(issues.guessed[position]), corrected)
        counted[verdict.category.value, *labels, review.ballot.pattern, int(issues.flagged[position])] += 1
    return counted
