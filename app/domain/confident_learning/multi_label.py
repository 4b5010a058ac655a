"""Label errors in multi-label datasets: each class is treated one-vs-rest.

``given`` is (n, m) of bool: which labels an example carries, any set, the empty one too. ``pred_probs`` is (n, m), each
entry the probability that the class is present, in [0, 1]; rows need not sum to 1.

The rule, after what the paper did with AudioSet:

1. A class is guessed where its probability is at least 1/2; where none is, the most probable one is (``guessed_sets``).
2. The self-confidence of a class is its probability where it is given, and one minus it where it is not.
3. The score of an example is the mean self-confidence of the classes in question, those given or guessed: the others
   are many and agree, and would drown them. Where nothing is in question the score is 1. Low is suspect.
4. Examples whose given and guessed labels overlap are no candidates: somebody heard what is there, if not all of it.
   Of the others so many of lowest score are flagged; the paper's list is the 307 lowest (``flagged_sets``).

``one_vs_rest_joints`` counts confidently, class by class, as ``confident_learning`` does for two classes. Nothing here
calls or is called by the functions for single labels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.exact_sums import least_probabilities, sums_by_class
from app.domain.confident_learning.label_quality import Probabilities

Sets = NDArray[np.bool_]


def indicators(label_sets: Sequence[Sequence[int]], m: int) -> Sets:
    """(n, m) which labels each set holds. Raises ValueError naming the example for a label that is no class.

    >>> indicators([(0, 2), ()], 3).astype(int)
    array([[1, 0, 1],
           [0, 0, 0]])
    """
    given = np.zeros((len(label_sets), m), dtype=np.bool_)
    for index, labels in enumerate(label_sets):
        for label in labels:
            if not 0 <= label < m:
                raise ValueError(f"example {index}: expected a class from 0 to {m - 1}, found {label}")
            given[index, label] = True
    return given


def guessed_sets(pred_probs: Probabilities) -> Sets:
    """(n, m) which labels are guessed: those of probability 1/2 or more, or else the most probable one.

    >>> guessed_sets(np.array([[0.9, 0.5, 0.1], [0.2, 0.3, 0.3]])).astype(int)
    array([[1, 1, 0],
           [0, 1, 0]])
    """
    guessed: Sets = pred_probs >= 0.5
    none = np.flatnonzero(~guessed.any(axis=1))
    if pred_probs.shape[1]:
        guessed[none, pred_probs[none].argmax(axis=1)] = True
    return guessed


def class_self_confidence(given: Sets, pred_probs: Probabilities) -> NDArray[np.float64]:
    """(n, m) how probable it is of each class that it is rightly given or rightly not given, in [0, 1].

    >>> class_self_confidence(np.array([[True, False]]), np.array([[0.25, 0.25]])).tolist()
    [[0.25, 0.75]]
    """
    probabilities = pred_probs.astype(np.float64)
    return np.where(given, probabilities, 1.0 - probabilities)


def set_scores(given: Sets, pred_probs: Probabilities, guessed: Sets | None = None) -> NDArray[np.float64]:
    """(n,) the mean self-confidence of the classes given or guessed, 1 where there are none, in [0, 1]; low is suspect.

    ``guessed`` is (n, m); without it ``guessed_sets`` says what is guessed.

    >>> set_scores(np.array([[True, False, False]]), np.array([[0.25, 0.75, 0.0]])).tolist()
    [0.25]
    """
    concerned = given | (guessed_sets(pred_probs) if guessed is None else guessed)
    count = concerned.sum(axis=1)
    total = np.where(concerned, class_self_confidence(given, pred_probs), 0.0).sum(axis=1)
    scores: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), 1.0)
    return scores


def disjoint(given: Sets, guessed: Sets) -> NDArray[np.bool_]:
    """(n,) whether no given label is guessed.

    >>> disjoint(np.array([[True, False], [True, False]]), np.array([[True, True], [False, True]])).tolist()
    [False, True]
    """
    return np.asarray(~(given & guessed).any(axis=1))


def flagged_sets(scores: NDArray[np.float64], apart: NDArray[np.bool_], k: int) -> NDArray[np.intp]:
    """The indices of at most k candidates (``apart``) of lowest score, lowest first; equal ones in order of index.

    >>> flagged_sets(np.array([0.1, 0.3, 0.2]), np.array([False, True, True]), 5)
    array([2, 1])
    """
    candidates = np.flatnonzero(apart)
    return candidates[np.argsort(scores[candidates], kind="stable")[: max(k, 0)]]


def one_vs_rest_thresholds(given: Sets, pred_probs: Probabilities) -> NDArray[np.float64]:
    """(m, 2) for each class the mean self-confidence of the examples without it, and of those with it; NaN for none.

    >>> one_vs_rest_thresholds(np.array([[True], [True], [False]]), np.array([[0.5], [0.75], [0.25]])).tolist()
    [[0.75, 0.625]]
    """
    confidence = class_self_confidence(given, pred_probs)
    columns = [sums_by_class(given[:, j].astype(np.intp), confidence[:, j], 2) for j in range(given.shape[1])]
    return np.array([column.thresholds for column in columns]).reshape(-1, 2)


def one_vs_rest_joints(given: Sets, pred_probs: Probabilities) -> NDArray[np.int64]:
    """(m, 2, 2) the confident joint of each class against the rest: rows not given, given; columns latently so.

    An example counts as having the class where its probability reaches the second threshold, as not having it where
    one minus it reaches the first; where both are reached the larger wins, "not" among equals.

    >>> one_vs_rest_joints(np.array([[True], [True], [False]]), np.array([[0.5], [0.75], [0.25]])).tolist()
    [[[1, 0], [0, 1]]]
    """
    thresholds = one_vs_rest_thresholds(given, pred_probs)
    least = least_probabilities(thresholds)
    present = pred_probs.astype(np.float64)
    absent = 1.0 - present
    has, lacks = present >= least[:, 1], absent >= least[:, 0]
    latent = has & (~lacks | (present > absent))
    counted = has | lacks
    joints = np.empty((given.shape[1], 2, 2), dtype=np.int64)
    for i in (0, 1):
        for j in (0, 1):
            joints[:, i, j] = (counted & (given == bool(i)) & (latent == bool(j))).sum(axis=0)
    return joints
