"""Evaluate predictions on original and corrected labels, and compare them with the stored models.

    {"agreement", "sizes", "noise_prevalence", "no_answer",
     "accuracy": {set: {kind: fraction, "intervals": {kind: [low, high]}}},
     "effects": {"leaving_out", "correcting"},
     "ranks": {set: {kind: {"rank", "of", "tied_with", "interval"}}},
     "crossings": [see ``app.evaluation.crossings``, with YOURS as one of the two],
     "changes": {"gained", "lost", "neither",
                 "examples": [{"index", "key", "given", "corrected", "predicted", "change"}]}}

``no_answer`` counts the examples of D to which the model gave no answer, which is wrong by every label.

``effects`` is by how much top-1 accuracy rises, first from leaving out U (from D to P, by given labels), then from
correcting labels (on P, from given to corrected labels): each step changes one thing only.

Nothing is stored. The site and the command line give the same answer for a file.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from app.domain.ranking.accuracy import KINDS, Partition, Ranked, Tally, marks_by_kind, tally
from app.domain.ranking.bootstrap import many_right_counts, rank_intervals, right_counts
from app.domain.ranking.evidence import enough
from app.evaluation.crossings import CORRECTED, ORIGINAL, First, crossings
from app.evaluation.prediction_rows import NO_ANSWER, Target
from app.evaluation.predictions_store import MeasurableDataset, read_first_choices, read_keys, read_partition
from app.evaluation.ranks import PARTS
from app.evaluation.stability import accuracies, sizes_object, told
from app.evaluation.tables.class_spelling import ClassesAre
from app.schema import tables
from app.schema.opinions import confirmed_stability
from app.schema.stored_questions import read_questions

#: What the model that was sent is called among the others; no stored model can have this name.
YOURS: Final = "yours"
_RANKED_SETS: Final = ("all", "pruned", "correctable")
#: Of more examples, those that a model predicts right in test sets drawn anew are counted without drawing each.
_FEW: Final = 4_000


def target_of(connection: Connection, subject: MeasurableDataset, classes_are: ClassesAre | None = None) -> Target:
    """What predictions for a dataset must look like; ``classes_are`` is what is said of classes in them."""
    keys = read_keys(connection, subject)
    n, names = len(subject.given), subject.class_names
    if not subject.questions:
        return Target(subject.title, n, names, keys, classes_are)

    def texts(indices: Sequence[int]) -> dict[int, str]:
        found = read_questions(connection, subject.id, indices)
        return {index: question["question"] for index, question in found.items()}

    return Target(subject.title, n, names, keys, classes_are, may_be_empty=True, texts=texts)


def evaluate(
    connection: Connection, subject: MeasurableDataset, target: Target, ranked: Ranked, agreement: int
) -> dict[str, Any]:
    """The object described above, for (n, k) predictions in the order of the test set."""
    test = read_partition(connection, subject, agreement)
    marks = marks_by_kind(test, ranked, target.n_classes)
    found = tally(test, marks)
    others: Sequence[Mapping[str, Any]] = (read_results(connection, subject.id, agreement) or {"models": []})["models"]
    firsts = {YOURS: ranked[:, 0], **read_first_choices(connection, subject.id)}
    ranks = {part: {kind: _rank(found, others, part, kind) for kind in KINDS} for part in _RANKED_SETS}
    for part, sure in _rank_intervals(test, list(firsts.values())).items():
        for kind, interval in sure.items():
            if (rank := ranks[part][kind]) is not None:
                rank["interval"] = interval
    return {
        "agreement": agreement,
        "sizes": sizes_object(test),
        "noise_prevalence": test.sizes.noise_prevalence,
        "no_answer": int((ranked[:, 0] == NO_ANSWER).sum()),
        "accuracy": accuracies(found),
        "effects": {
            "leaving_out": _difference(found.accuracy("all", ORIGINAL), found.accuracy("pruned", ORIGINAL)),
            "correcting": _difference(found.accuracy("pruned", ORIGINAL), found.accuracy("pruned", CORRECTED)),
        },
        "ranks": ranks,
        "crossings": crossings(test, list(firsts), list(firsts.values()), [(0, n) for n in range(1, len(firsts))]),
        "changes": _changes(test, target, ranked),
    }


def read_results(
    connection: Connection, dataset_id: int, agreement: int, confirmed_by: str | None = None
) -> dict[str, Any] | None:
    """What ingest found of a dataset's models at a threshold (see ``results``); None for a dataset without models.

    With the name of an opinion, C holds only what that one confirms.
    """
    s = (tables.stability if confirmed_by is None else confirmed_stability).c
    of_source = [] if confirmed_by is None else [s.source == confirmed_by]
    where = (s.dataset_id == dataset_id, s.agreement == agreement, *of_source)
    text = connection.scalar(select(s.results).where(*where))
    return None if text is None else told(json.loads(text))


def _rank(found: Tally, others: Sequence[Mapping[str, Any]], part: str, kind: str) -> dict[str, Any] | None:
    """The place among the stored models, ties sharing the best; None where it cannot be told, or n is too small."""
    own, n = found.accuracy(part, kind), found.n(part)
    if not enough(n):
        return None
    known = [(_key(m), m[part][kind]) for m in others if m[part][kind] is not None]
    if own is None or not known:
        return None
    # Fractions of one set differ by 1/n or are equal.
    ahead = sum(accuracy > own + 0.5 / n for _, accuracy in known)
    tied = [key for key, accuracy in known if abs(accuracy - own) < 0.5 / n]
    return {"rank": ahead + 1, "of": len(known) + 1, "tied_with": tied, "interval": None}


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _rank_intervals(test: Partition, firsts: Sequence[First]) -> dict[str, dict[str, list[int]]]:
    """Set -> kind -> how sure the first model's rank is; by both kinds of labels from the same draws."""
    marks = {
        name: np.stack(
            [first[inside] == labels[inside] for labels in (test.given, test.corrected) for first in firsts], 1
        )
        for name, inside in (("benign", test.benign), ("correctable", test.correctable), ("unknown", test.unknown))
    }
    found = {}
    for part in _RANKED_SETS:
        sets = [marks[name] for name in PARTS[part]]
        n = sum(map(len, sets))
        if n:
            counts = sum(map(right_counts, sets[1:]), right_counts(sets[0])) if n <= _FEW else many_right_counts(sets)
            both = np.split(counts, 2, axis=1)
            found[part] = {k: rank_intervals(of)[0].tolist() for k, of in zip((ORIGINAL, CORRECTED), both, strict=True)}
    return found


def _key(model: Mapping[str, Any]) -> str:
    return f"{model['platform']}/{model['name']}"


def _changes(test: Partition, target: Target, ranked: Ranked) -> dict[str, Any]:
    """The examples of C, where correction can change a score: which it gives, which it takes."""
    indices = np.flatnonzero(test.correctable)
    predicted = ranked[indices, 0]
    gained = predicted == test.corrected[indices]
    lost = predicted == test.given[indices]
    names = target.class_names
    examples = [
        {
            "index": index,
            "key": target.keys[index] if target.keys else None,
            "given": {"id": int(test.given[index]), "name": names[test.given[index]]},
            "corrected": {"id": int(test.corrected[index]), "name": names[test.corrected[index]]},
            "predicted": {"id": int(class_id), "name": names[class_id]},
            "change": "gained" if gain else "lost",
        }
        for index, class_id, gain, loss in zip(
            indices.tolist(), predicted.tolist(), gained.tolist(), lost.tolist(), strict=True
        )
        if gain or loss
    ]
    n_gained, n_lost = int(gained.sum()), int(lost.sum())
    return {
        "gained": n_gained,
        "lost": n_lost,
        "neither": len(indices) - n_gained - n_lost,
        "examples": examples,
    }
