"""Signs in the result of confident learning that the probabilities would mislead, as sentences for the user.

They are seen from given and guessed labels and the two probabilities kept of each row, so they cost no further pass and
work for a matrix from anywhere.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.joint import FlagRule
from app.domain.confident_learning.label_quality import Labels
from app.domain.confident_learning.probability_quality import calibration_error
from ingest.flagging.engine import FlagResult

#: An accuracy that no model reaches on labels with errors, unless it has seen them.
_SEEN: Final = 0.995
#: A mean distance between confidence and accuracy that shifts what is flagged.
_OFF: Final = 0.1
#: A class of fewer examples may well never be guessed.
_MANY: Final = 10
#: Classes above this many are not looked at for another order.
_MOST_CLASSES: Final = 500
#: Of more examples, evenly spaced ones are looked at.
_LOOKED_AT: Final = 200_000
#: By how much another order of the columns must be more accurate.
_CLEARLY: Final = 0.2
#: Where so many are flagged by a model that is right no more often, it is too weak. The paper has nowhere half as many.
_MOST_FLAGGED: Final = 0.3
_WEAK: Final = 0.6
_NAMED: Final = 5
_TRAINED_ON: Final = (
    ": it has probably been trained on these very examples, and would repeat a wrong label. Probabilities must come "
    "from cross-validation; label-errors predict makes them so."
)
_TOLD: Final = (
    ", though it has not seen these examples. Either nearly all labels are right, or something tells the label: a "
    "mark in the files or a column that goes with the class, examples that belong together (--groups), or features of "
    "a network that was trained on these labels."
)


def cautions(
    flagging: FlagResult, names: Sequence[str] | None = None, *, unseen: bool = False, ours: bool = False
) -> list[str]:
    """What should be known before the flagged examples are believed; usually nothing.

    ``unseen`` says that each example was judged by a model that was not trained on it, ``ours`` that it is one of those
    whose columns are in the order of the classes.
    """
    every = slice(None, None, 1 + len(flagging.labels) // _LOOKED_AT)
    labels, scores = np.asarray(flagging.labels)[every], flagging.scores[every]
    if not len(labels):
        return []
    guesses = scores.guessed(labels)
    right = guesses == labels
    accuracy = float(right.mean())
    found = []
    if accuracy > _SEEN and not flagging.n_flagged:
        why = _TOLD if unseen else _TRAINED_ON
        found.append(f"The model agrees with {100 * accuracy:.2f} % of the labels and nothing is flagged{why}")
    confidence = np.maximum(scores.own, scores.other).astype(np.float64)
    error = calibration_error(np.clip(confidence, 0, 1), right)
    if error > _OFF:
        found.append(
            f"The probabilities of guessed labels differ from the share of guesses that agree with the label by "
            f"{100 * error:.0f} percentage points on average (ECE); the number of flagged examples is then off, "
            "their order less so. Temperature scaling (label-errors predict --calibrate) corrects it."
        )
    share = flagging.n_flagged / len(flagging.labels)
    if share > _MOST_FLAGGED and accuracy < _WEAK and type(flagging.rule) is FlagRule:
        found.append(
            f"{100 * share:.0f} % of the examples are flagged, and the model guesses the given label of "
            f"{100 * accuracy:.0f} %: most of what is flagged is probably a mistake of the model. A better model "
            "(--features of a trained network) flags fewer."
        )
    counts = np.bincount(labels, minlength=len(flagging.thresholds))
    never = np.flatnonzero((counts >= _MANY) & (np.bincount(guesses, minlength=len(counts)) == 0))
    found += _drawn_to_small_classes(flagging, names)
    found += _unlike_the_others(flagging, names)
    other = None if ours else _in_another_order(labels, guesses, len(counts), accuracy)
    if other is not None:
        example = next(place for place, guess in enumerate(other) if guess != place)
        found.append(
            "The columns are probably in another order than the classes: examples of class "
            f"{_name(example, names)} are mostly guessed to be {_name(int(other[example]), names)}, and so on around."
        )
    elif len(never):
        some = ", ".join(_name(int(label), names) for label in never[:_NAMED])
        more = f" and {len(never) - _NAMED:,} more" if len(never) > _NAMED else ""
        found.append(f"The model never guesses {some}{more}, so no example is suspected of belonging there.")
    return found


def _drawn_to_small_classes(flagging: FlagResult, names: Sequence[str] | None) -> Iterator[str]:
    """Classes so small that hardly a model learnt them, and so with a threshold that nearly everything reaches."""
    cells = flagging.counted.off_diagonal
    drawn = np.bincount(cells.cell % cells.m, cells.value, cells.m)
    few = flagging.label_counts < _MANY
    for label in np.flatnonzero(few & (drawn > _MANY) & (drawn > flagging.label_counts)).tolist():
        n = int(flagging.label_counts[label])
        yield (
            f"{int(drawn[label]):,} examples of other classes are counted to {_name(label, names)}, which has {n:,} of "
            "its own: too few for a threshold, so far too many examples are flagged. Leave the class out, or say how "
            'many to flag, such as flag = "top 100".'
        )


def _unlike_the_others(flagging: FlagResult, names: Sequence[str] | None) -> Iterator[str]:
    """Of several models whose mean was taken, those whose columns or rows are probably in another order."""
    if flagging.sampled is None:
        return
    rows, guesses = flagging.sampled
    labels = np.asarray(flagging.labels)[rows].astype(np.int64)
    accuracies = (guesses == labels).mean(axis=1)
    best = float(accuracies.max())
    for model, guessed, accuracy in zip(flagging.models, guesses, accuracies.tolist(), strict=True):
        other = _in_another_order(labels, guessed, len(flagging.thresholds), accuracy)
        if other is not None:
            place = int(np.flatnonzero(other != np.arange(len(other)))[0])
            what = f"examples of class {_name(place, names)} are mostly guessed to be {_name(int(other[place]), names)}"
            yield f"{model}: the columns are probably in another order than the classes: {what}, and so on around."
        elif accuracy < best - _CLEARLY:
            yield (
                f"{model} guesses the given label of {100 * accuracy:.0f} %, another one of {100 * best:.0f} %: are "
                "its rows in the order of the labels? Their mean flags what only one of them doubts."
            )


def _in_another_order(labels: Labels, guesses: NDArray[np.int64], m: int, accuracy: float) -> NDArray[np.int64] | None:
    """(m,) the class that each class is mostly guessed to be, if this is a permutation that fits much better."""
    if m > _MOST_CLASSES:
        return None
    counted = np.bincount(labels * m + guesses, minlength=m * m).reshape(m, m)
    mostly = np.where(counted.sum(axis=1) > 0, counted.argmax(axis=1), np.arange(m))
    moved = mostly != np.arange(m)
    if not moved.any() or len(np.unique(mostly)) < m:
        return None
    better = counted[np.arange(m), mostly].sum() / max(1, len(labels))
    return mostly if better > accuracy + _CLEARLY else None


def _name(label: int, names: Sequence[str] | None) -> str:
    return str(label) if names is None else names[label]
