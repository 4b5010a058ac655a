"""How many label errors models of texts find: planted ones, in texts whose known errors are not looked at.

    python -m benchmarks.planted_text_errors FOLDER [--strengths 1 4 .25] [--seeds 25 26]

FOLDER holds the test sets (``media``) and MMLU-Redux (``mmlu-redux``). Of three datasets 3 % of the labels are made
wrong, half of them as a nearest-centroid model mistakes the class, half at random. Models learn from these labels, in
ten folds that are dealt once for each strength (see ``TextModel``), and the mean of the deals ranks examples by
normalized margin. *Found* is the mean of the shares of planted errors among as many and twice as many of lowest margin
as were planted. Told are both models of ``predict``, their mean, and ``auto``: the one that is more accurate by the
labels that a user has. docs/measurements.md says what was chosen by it.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.domain.confident_learning.probability_quality import quality
from benchmarks.networks import margins
from benchmarks.networks import texts_of as archived

SHARE = 0.03
FOLDS = 10
MODELS = ("words", "phrases+characters")
#: Of how many examples one is taken.
EVERY = {"20news": 2, "imdb": 4, "mmlu": 2}


class Score(NamedTuple):
    """How good probabilities are at finding what was planted, and by the labels that a user has."""

    found: float
    precision: float  # average precision
    accuracy: float
    log_loss: float


@cache
def texts_of(folder: Path, name: str) -> tuple[list[str], Any]:
    """The texts of a dataset and their labels, (n,)."""
    if name != "mmlu":
        return archived(folder, name, EVERY[name])
    import csv

    with (folder / "mmlu-redux/outputs/multi_expert_helm/all.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["question"] for row in csv.DictReader(stream)]
    labels = np.arange(len(texts)) // 100  # a hundred questions of each subject
    return texts[:: EVERY[name]], labels[:: EVERY[name]]


def planted(texts: Sequence[str], labels: Any, seed: int) -> tuple[Any, Any]:
    """Labels of which some are wrong, and the indices of these."""
    rng = np.random.default_rng(seed)
    n, m = len(labels), labels.max() + 1
    wrong = rng.choice(n, round(SHARE * n), replace=False)
    mistaken = _confusions(texts, labels)
    noisy = labels.copy()
    for index in wrong:
        others = np.ones(m) if rng.random() < 0.5 else mistaken[labels[index]].copy()
        others[labels[index]] = 0
        weights = others if others.any() else np.arange(m) != labels[index]
        noisy[index] = rng.choice(m, p=weights / weights.sum())
    return noisy, wrong


def _confusions(texts: Sequence[str], labels: Any) -> Any:
    """(m, m) how often a model unlike those compared takes a class for another."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import NearestCentroid

    rows = HashingVectorizer(n_features=2**16).transform(texts)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return confusion_matrix(labels, cross_val_predict(NearestCentroid(), rows, labels, cv=folds))


def predicted(texts: Sequence[str], labels: Any, model: str, strengths: Sequence[float], seed: int) -> Any:
    """(n, m) probabilities, each row by models that did not learn from it: the mean of a deal for each strength."""
    from sklearn.model_selection import StratifiedKFold

    from ingest.predicting.estimators.text_model import TextModel

    total = np.zeros((len(labels), labels.max() + 1))
    counts = TextModel(model.split("+"), strengths[0]).prepare(texts)
    for deal, strength in enumerate(strengths):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1000 * seed + deal)
        for known, held_out in folds.split(labels, labels):
            learnt = TextModel(model.split("+"), strength, seed=deal).fit(counts[known], labels[known])
            total[np.ix_(held_out, learnt.classes_)] += learnt.predict_proba(counts[held_out])
    return total / len(strengths)


def score(probs: Any, labels: Any, wrong: Any) -> Score:
    from sklearn.metrics import average_precision_score

    order = np.random.default_rng(0).permutation(len(labels))  # of equal margins
    order = order[np.argsort(margins(probs, labels)[order], kind="stable")]
    hit = np.isin(order, wrong)
    found = (hit[: len(wrong)].sum() + hit[: 2 * len(wrong)].sum()) / (2 * len(wrong))
    told = quality(probs, labels)
    return Score(found, average_precision_score(hit, -np.arange(len(hit))), told.accuracy, told.log_loss)


def scores(folder: Path, name: str, seed: int, strengths: Sequence[float]) -> dict[str, Score]:
    """The scores of each model, of their mean, and of the one that ``auto`` takes."""
    texts, truth = texts_of(folder, name)
    labels, wrong = planted(texts, truth, seed)
    both = [predicted(texts, labels, model, strengths, seed) for model in MODELS]
    of_models = [score(probs, labels, wrong) for probs in both]
    found = dict(zip(MODELS, of_models, strict=True))
    auto = max(of_models, key=lambda one: one.accuracy)
    return found | {"auto": auto, "mean of both": score(sum(both) / len(both), labels, wrong)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--strengths", type=float, nargs="+", default=[1, 4, 0.25], help="one for each deal")
    parser.add_argument("--seeds", type=int, nargs="+", default=[25, 26], help="of what is planted and how folds fall")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        waiting = {
            name: [pool.submit(scores, options.folder, name, seed, options.strengths) for seed in options.seeds]
            for name in EVERY
        }
        found = {name: [one.result() for one in runs] for name, runs in waiting.items()}
    print("found  " + "  ".join(f"{name:>6}" for name in EVERY) + "  average precision  accuracy  log-loss")
    for candidate in (*MODELS, "auto", "mean of both"):
        of_datasets = [np.mean([run[candidate] for run in runs], axis=0) for runs in found.values()]
        mean = Score(*np.mean(of_datasets, axis=0))
        each = "  ".join(f"{told.found:6.3f}" for told in starmap(Score, of_datasets))
        more = f"{mean.precision:17.3f}  {mean.accuracy:8.3f}  {mean.log_loss:8.3f}"
        print(f"{mean.found:5.3f}  {each}  {more}  {candidate}")


if __name__ == "__main__":
    main()
