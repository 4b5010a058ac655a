"""A linear model of the words and runs of characters in texts.

Counting happens once for all texts and learns nothing. What is learnt, which words there are and what they weigh, is
learnt from the training texts of each fold alone: a word that only a held-out text has does not exist there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: How texts are counted, by the names of views.
VIEWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "words": {},
    "phrases": {"ngram_range": (1, 2)},
    "characters": {"analyzer": "char_wb", "ngram_range": (4, 4)},
}
#: A word of fewer training texts is left out.
_LEAST_TEXTS: Final = 2


class TextModel:
    """TF-IDF of counts, with logarithms of the counts, and a linear classifier by stochastic gradient descent.

    ``strength`` is how much the texts weigh against regularisation, C as support vector machines have it: alpha is
    1 / (C n) for n texts to learn from. After ``fit``, ``vocabulary`` has the words of each view that the model knows.
    """

    def __init__(self, views: Sequence[str], strength: float, *, seed: int = 0, threads: int = 1) -> None:
        self.views = tuple(views)
        self._strength = strength
        self._seed = seed
        self._threads = threads

    def prepare(self, texts: Sequence[str]) -> "Counts":
        """Count what is in the texts."""
        return Counts.of(texts, [VIEWS[view] for view in self.views])

    def fit(self, counts: "Counts", labels: NDArray[np.int64]) -> "TextModel":
        """Learn the vocabulary, the weights of words and the classifier from these texts alone."""
        from sklearn.linear_model import SGDClassifier

        self._known = Vocabulary(counts)
        alpha = 1 / (self._strength * len(labels))
        self._classifier = SGDClassifier(
            loss="modified_huber", alpha=alpha, random_state=self._seed, n_jobs=self._threads, shuffle=True
        )
        self._classifier.fit(self._known.weighted(counts), labels)
        self.classes_: NDArray[np.int64] = self._classifier.classes_
        self.vocabulary = self._known.words
        return self

    def predict_proba(self, counts: "Counts") -> NDArray[np.float64]:
        """(k, m) probabilities."""
        found: NDArray[np.float64] = self._classifier.predict_proba(self._known.weighted(counts))
        return found


class Counts:
    """How often each text has each word: a sparse (n, v) matrix for each view, and the (v,) words of its columns.

    Columns are in alphabetical order, so they do not depend on the order of the texts.
    """

    def __init__(self, matrices: Sequence[Any], words: Sequence[NDArray[Any]]) -> None:
        self.matrices = matrices
        self.words = words

    @classmethod
    def of(cls, texts: Sequence[str], views: Iterable[Mapping[str, Any]]) -> "Counts":
        """Count the words of texts by views, which are told as in ``VIEWS``; a text without any is a row of zeros."""
        from sklearn.feature_extraction.text import CountVectorizer

        matrices, words = [], []
        for view in views:
            counter = CountVectorizer(dtype=np.int32, **view)
            try:
                matrices.append(counter.fit_transform(texts))
                words.append(counter.get_feature_names_out())
            except ValueError:  # not one word in all texts
                from scipy import sparse

                matrices.append(sparse.csr_matrix((len(texts), 1), dtype=np.int32))
                words.append(np.array([""], dtype=object))
        return cls(matrices, words)

    def __getitem__(self, rows: NDArray[np.int64]) -> "Counts":
        return Counts([matrix[rows] for matrix in self.matrices], self.words)

    def joined(self, other: "Counts") -> "Counts":
        """The texts of both, which must have been counted together."""
        from scipy import sparse

        both = zip(self.matrices, other.matrices, strict=True)
        return Counts([sparse.vstack(pair, format="csr") for pair in both], self.words)


class Vocabulary:
    """What is learnt from training texts alone: the words of each view, and what they weigh."""

    def __init__(self, counts: Counts) -> None:
        self._weights = [_Weights(matrix) for matrix in counts.matrices]
        self.words = [words[one.known] for one, words in zip(self._weights, counts.words, strict=True)]

    def weighted(self, counts: Counts) -> Any:
        """A sparse (k, v) matrix, a row a text: of length 1, of which each view has as much as the others."""
        from scipy import sparse

        parts = [one.weighted(matrix) for one, matrix in zip(self._weights, counts.matrices, strict=True)]
        return parts[0] if len(parts) == 1 else sparse.hstack(parts, format="csr") / len(parts) ** 0.5


class _Weights:
    """Which columns are known from training texts, and what they weigh."""

    def __init__(self, counts: Any) -> None:
        n = counts.shape[0]
        texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
        self.known = np.flatnonzero(texts_with >= min(_LEAST_TEXTS, n))
        if not len(self.known):
            self.known = np.flatnonzero(texts_with > 0)[:1] if texts_with.any() else np.zeros(1, np.int64)
        self._idf = np.log((1 + n) / (1 + texts_with[self.known])) + 1

    def weighted(self, counts: Any) -> Any:
        """TF-IDF rows of length 1, over the known columns alone."""
        from sklearn.preprocessing import normalize

        found = counts[:, self.known].astype(np.float64)
        found.data = (np.log(found.data) + 1) * self._idf[found.indices]
        return normalize(found, copy=False)
