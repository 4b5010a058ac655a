"""Out-of-sample probabilities of planted labels, and the words they come from where the model is linear.

The classifier learns from the labels with their errors and never sees the truth, as with any real dataset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.label_quality import Labels
from ingest.sample.draft import Draft


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """What a cross-validation leaves behind: k fitted classifiers, each for the examples it did not learn from."""

    probabilities: NDArray[np.float32]  # (n, m)
    classifiers: Sequence[Any]  # k
    folds: NDArray[np.uint8]  # (n,) which of them an example's probabilities come from


def cross_validated(draft: Draft, given: Labels, seed: int, classifier: Any = None) -> CrossValidated:
    """Predicted probabilities, each row by a classifier that did not learn from that example.

    The classifier is the draft's own, or the one given.
    """
    # Heavy to import, and needed by nobody who ingests something else.
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    splits = StratifiedKFold(draft.folds, shuffle=True, random_state=seed).split(np.zeros(len(given)), given)
    probabilities = np.empty((len(given), len(draft.confusable)), np.float32)
    folds = np.empty(len(given), np.uint8)
    classifiers = []
    # One thread: sums come out the same on any number of cores, and problems this small are solved sooner.
    with threadpool_limits(limits=1):
        for fold, (learnt, left_out) in enumerate(splits):
            fitted = clone(draft.classifier if classifier is None else classifier)
            fitted.fit(_rows(draft.features, learnt), given[learnt])
            probabilities[left_out] = fitted.predict_proba(_rows(draft.features, left_out))
            folds[left_out] = fold
            classifiers.append(fitted)
    return CrossValidated(probabilities, classifiers, folds)


def write_weights(path: Path, draft: Draft, learnt: CrossValidated) -> None:
    """The words of linear classifiers and their weights, for ``ingest.datasets.word_weights``; nothing for others."""
    if draft.weights is None:
        return
    known = [draft.weights(classifier) for classifier in learnt.classifiers]
    words = sorted({word for known_words, _ in known for word in known_words})
    places = {word: place for place, word in enumerate(words)}
    weights = np.zeros((len(known), len(draft.confusable), len(words)), np.float32)
    for fold, (known_words, of_words) in enumerate(known):
        weights[fold][:, [places[word] for word in known_words]] = of_words
    np.savez_compressed(path, words=np.array(words), weights=weights, folds=learnt.folds)


def _rows(features: Any, places: NDArray[np.int64]) -> Any:
    """Some rows of an array or of a list."""
    return features[places] if isinstance(features, np.ndarray) else [features[place] for place in places]
