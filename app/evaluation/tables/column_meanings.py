"""Recognise from its name whether a column holds predictions, ranks, true labels or something else."""

import re
from collections.abc import Sequence
from typing import Final

_PREDICTIONS: Final = frozenset(
    [
        "prediction",
        "predictions",
        "predicted",
        "pred",
        "preds",
        "guess",
        "guessed",
        "top1",
        "top",
        "yhat",
        "ypred",
        "predictedlabel",
        "predictedclass",
        "predlabel",
        "predclass",
        "predictionlabel",
    ]
)
_TRUTHS: Final = frozenset(
    [
        "label",
        "labels",
        "given",
        "givenlabel",
        "true",
        "truth",
        "truelabel",
        "trueclass",
        "groundtruth",
        "gt",
        "target",
        "targets",
        "y",
        "ytrue",
        "actual",
        "correctlabel",
        "expected",
    ]
)
#: Without "given", beside which corrected labels stand.
_LABELS: Final = (_TRUTHS - {"given", "correctlabel", "expected", "actual", "true"}) | {"class", "classlabel"}
_MEASURES: Final = frozenset(
    ["probability", "prob", "confidence", "score", "correct", "right", "wrong", "loss", "margin", "entropy", "logit"]
)
_IDS: Final = frozenset(
    [
        "id",
        "ids",
        "key",
        "keys",
        "name",
        "file",
        "filename",
        "path",
        "image",
        "row",
        "number",
        "example",
        "exampleid",
        "imageid",
    ]
)
_RANK: Final = re.compile(
    r"(?:top|rank|ranked|prediction|predicted|pred|class|guess|choice|k)?(\d{1,3})(?:st|nd|rd|th)?"
)


def _plain(name: str) -> str:
    return re.sub(r"[\s_.:-]+", "", name.casefold())


def is_truth(name: str) -> bool:
    """Whether a column is called like true labels, which are no predictions.

    >>> is_truth("Given label"), is_truth("y"), is_truth("class")
    (True, True, False)
    """
    return _plain(name) in _TRUTHS


def is_label(name: str) -> bool:
    """Whether a column of a table of labels is called like the one that holds them.

    >>> is_label("Class"), is_label("y"), is_label("given"), is_label("text")
    (True, True, False, False)
    """
    return _plain(name) in _LABELS


def is_prediction(name: str) -> bool:
    """Whether a column is called like the most probable class."""
    return _plain(name) in _PREDICTIONS


def is_measure(name: str) -> bool:
    """Whether a column is called like a number that goes with a prediction."""
    return _plain(name) in _MEASURES


def names_rows(name: str) -> bool:
    """Whether a column is called like something that says whose a row is."""
    return _plain(name) in _IDS


def ranked_places(names: Sequence[str]) -> list[int] | None:
    """The places of the columns of predictions, most probable first; None where the names do not tell them.

    Columns called like predictions go before others, whatever these are.

    >>> ranked_places(["top 2", "top 1"]), ranked_places(["label", "prediction"]), ranked_places(["a", "b"])
    ([1, 0], [1], None)
    """
    called = [place for place, name in enumerate(names) if _plain(name) in _PREDICTIONS]
    ranks = {place: int(match[1]) for place, name in enumerate(names) if (match := _RANK.fullmatch(_plain(name)))}
    if len(called) == 1:
        ranks[called[0]] = 1
    elif called:
        return called
    ordered = sorted(ranks, key=lambda place: ranks[place])
    numbers = [ranks[place] for place in ordered]
    if numbers and numbers in (list(range(len(numbers))), list(range(1, len(numbers) + 1))):
        return ordered
    return None
