"""Learn the sample's labels by cross-validation and write the results to ``data/sample/learnt``.

Run as ``python -m ingest.sample.train``. The classifiers learn from the labels with their errors and never see the
truth, as with any real dataset. Only needed after changes to the sample, together with scikit-learn: ``pip install
'label-errors-site[train]'``.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from app.domain.ranking.accuracy import TOP
from ingest.sample import LEARNT, SAMPLES, drawn
from ingest.sample.draft import Draft
from ingest.sample.learnt import Learnt

_WORD: Final = re.compile(r"[a-z]{3,}")
_STEM: Final = 5


def stems(text: str) -> list[str]:
    """The first letters of a text's words, so that "cycling" and "cyclist" count as one.

    >>> stems("The cyclists were cycling.")
    ['cycli', 'cycli']
    """
    return [word[:_STEM] for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS]


def word_weights(classifier: Any) -> tuple[Sequence[str], NDArray[np.float64]]:
    """The word stems a fitted classifier knows, and what one occurrence adds to each class's score."""
    vectorizer, regression = classifier[0], classifier[-1]
    return list(vectorizer.get_feature_names_out()), regression.coef_ * vectorizer.idf_


@dataclass(frozen=True, slots=True)
class Learner:
    """The classifiers and the settings for learning a dataset."""

    classifier: Any  # a scikit-learn classifier with predict_proba
    folds: int  # of the cross-validation
    #: A fitted classifier -> its words and (m, v) weights, if it is linear and its features are words.
    weights: Callable[[Any], tuple[Sequence[str], NDArray[np.float64]]] | None = None
    rivals: Mapping[str, Any] = field(default_factory=dict)  # name -> other classifiers, to be ranked


LEARNERS: Final[Mapping[str, Learner]] = {
    "digits": Learner(
        LogisticRegression(C=0.03, max_iter=1_000),
        folds=5,
        rivals={
            "nearest-neighbour": KNeighborsClassifier(1),
            "nine-neighbours": KNeighborsClassifier(9, weights="distance"),
            "naive-bayes": GaussianNB(var_smoothing=1e-2),
            "decision-tree": DecisionTreeClassifier(random_state=0),
            "small-tree": DecisionTreeClassifier(max_depth=6, random_state=0),
            "random-forest": RandomForestClassifier(40, random_state=0),
        },
    ),
    "texts": Learner(
        make_pipeline(TfidfVectorizer(analyzer=stems, sublinear_tf=True), LogisticRegression(C=10, max_iter=1_000)),
        folds=20,
        weights=word_weights,
    ),
    "sounds": Learner(make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=1_000)), folds=10),
}


def learn(name: str) -> Learnt:
    """Train the classifiers of a sample dataset, a key of ``LEARNERS``."""
    _, draft, given, _ = drawn(name)
    learner, seed = LEARNERS[name], SAMPLES[name].seed
    probabilities, fitted, folds = _cross_validated(draft, given, learner.classifier, learner.folds, seed)
    rivals = {}
    for model, classifier in learner.rivals.items():
        of_rival, _, _ = _cross_validated(draft, given, classifier, learner.folds, seed)
        rivals[model] = np.argsort(-of_rival, axis=1, kind="stable")[:, :TOP].astype(np.uint8)
    return Learnt(given, probabilities, _words(learner, fitted, folds), rivals)


def _cross_validated(
    draft: Draft, given: NDArray[np.uint16], classifier: Any, n_folds: int, seed: int
) -> tuple[NDArray[np.float32], Sequence[Any], NDArray[np.uint8]]:
    """(n, m) probabilities, each row by a classifier that did not learn from it; the classifiers; (n,) which one was
    used.
    """
    splits = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(np.zeros(len(given)), given)
    probabilities = np.empty((len(given), len(draft.confusable)), np.float32)
    folds = np.empty(len(given), np.uint8)
    classifiers = []
    # One thread: sums are the same on any number of cores, and small problems are solved faster.
    with threadpool_limits(limits=1):
        for fold, (learnt, left_out) in enumerate(splits):
            fitted = clone(classifier)
            fitted.fit(_rows(draft.features, learnt), given[learnt])
            probabilities[left_out] = fitted.predict_proba(_rows(draft.features, left_out))
            folds[left_out] = fold
            classifiers.append(fitted)
    return probabilities, classifiers, folds


def _words(learner: Learner, fitted: Sequence[Any], folds: NDArray[np.uint8]) -> Mapping[str, NDArray[Any]]:
    if learner.weights is None:
        return {}
    known = [learner.weights(classifier) for classifier in fitted]
    words = sorted({word for known_words, _ in known for word in known_words})
    places = {word: place for place, word in enumerate(words)}
    weights = np.zeros((len(known), len(known[0][1]), len(words)), np.float32)
    for fold, (known_words, of_words) in enumerate(known):
        weights[fold][:, [places[word] for word in known_words]] = of_words
    return {"words": np.array(words), "weights": weights, "folds": folds}


def _rows(features: Any, places: NDArray[np.int64]) -> Any:
    """Some rows of an array or of a list."""
    return features[places] if isinstance(features, np.ndarray) else [features[place] for place in places]


def main(folder: Path = LEARNT) -> int:
    """Learn all sample datasets again."""
    folder.mkdir(exist_ok=True)
    for name in LEARNERS:
        learn(name).write(folder / f"{name}.npz")
    return 0


if __name__ == "__main__":
    sys.exit(main())
