"""Out-of-sample probabilities of planted labels.

The classifier learns from the labels with their errors and never sees the truth, as with any real dataset.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.label_quality import Labels
from ingest.sample.draft import Draft


def cross_validated(draft: Draft, given: Labels, seed: int, classifier: Any = None) -> NDArray[np.float32]:
    """(n, m) predicted probabilities, each row by a classifier that did not learn from that example.

    The classifier is the draft's own, or the one given.
    """
    # Heavy to import, and needed by nobody who ingests something else.
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    folds = StratifiedKFold(draft.folds, shuffle=True, random_state=seed)
    # One thread: sums come out the same on any number of cores, and problems this small are solved sooner.
    with threadpool_limits(limits=1):
        chosen = draft.classifier if classifier is None else classifier
        probabilities = cross_val_predict(chosen, draft.features, given, cv=folds, method="predict_proba")
    single: NDArray[np.float32] = probabilities.astype(np.float32)
    return single
