"""Which models of texts find label errors: planted ones, in texts whose known errors are not looked at.

    python -m benchmarks.planted_text_errors FOLDER

FOLDER holds the test sets (``media``) and MMLU-Redux (``mmlu-redux``). Of three datasets 3 % of the labels are made
wrong, half of them as a nearest-centroid model mistakes the class, half at random. Models learn from these labels, in
three folds, and examples are ranked by normalized margin. *Found* is the mean of the shares of planted errors among as
many and twice as many of lowest margin as were planted. All settings are compared with two seeds. Loss and alpha are
those that find most on average over the views; then each view has common words or not. What ``auto`` could do with
these models is compared with three other seeds. docs/predicting.md says what was chosen.
"""

import argparse
import itertools
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.domain.confident_learning.probability_quality import best_temperature, quality, tempered
from benchmarks.networks import margins
from benchmarks.networks import texts_of as archived

SHARE = 0.03
FOLDS = 3
FIRST_SEEDS, SECOND_SEEDS = (0, 1), (2, 3, 4)
VIEWS = ("words", "phrases+characters")
RARER = "rarer "
LOSSES = ("modified_huber", "log_loss")
ALPHAS = (5e-5, 1e-4, 4e-4)
#: Of how many examples one is taken.
EVERY = {"20news": 2, "imdb": 4, "mmlu": 2}


class Setting(NamedTuple):
    """A model of texts."""

    views: str
    common_words: bool
    loss: str
    alpha: float

    @property
    def counted(self) -> tuple[str, ...]:
        """The views as ``TextModel`` names them, and whether English's most common words are left out."""
        rarer = "" if self.common_words else RARER
        return tuple(view if view == "characters" else rarer + view for view in self.views.split("+"))

    def __str__(self) -> str:
        return f"{self.views}, {'all' if self.common_words else 'rarer'} words, {self.loss}, {self.alpha:g}"


SETTINGS = tuple(itertools.starmap(Setting, itertools.product(VIEWS, (True, False), LOSSES, ALPHAS)))
BEFORE = (
    Setting("words", True, "modified_huber", 4e-4),
    Setting("phrases+characters", True, "modified_huber", 4e-4),
)


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
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return confusion_matrix(labels, cross_val_predict(NearestCentroid(), rows, labels, cv=folds))


def predicted(
    texts: Sequence[str], labels: Any, settings: Iterable[Setting], seed: int
) -> Iterator[tuple[Setting, Any]]:
    """Each setting and its (n, m) probabilities, each row by a model that did not learn from it."""
    from sklearn.linear_model import SGDClassifier

    from ingest.predicting.text_model import VIEWS, Counts, Vocabulary

    for views, alike in itertools.groupby(sorted(settings, key=lambda one: one.counted), lambda one: one.counted):
        probs = {setting: np.zeros((len(labels), labels.max() + 1), np.float32) for setting in alike}
        rarer = [{"stop_words": "english"} if view.startswith(RARER) else {} for view in views]
        hows = [VIEWS[view.removeprefix(RARER)] for view in views]
        counts = Counts.of(texts, [{**how, **more} for how, more in zip(hows, rarer, strict=True)])
        for known, held_out in dealt(labels, seed):
            vocabulary = Vocabulary(counts[known])
            learnt, asked = vocabulary.weighted(counts[known]), vocabulary.weighted(counts[held_out])
            for setting, rows in probs.items():
                model = SGDClassifier(loss=setting.loss, alpha=setting.alpha, random_state=seed)
                rows[held_out] = model.fit(learnt, labels[known]).predict_proba(asked)
        yield from probs.items()


def dealt(labels: Any, seed: int) -> Iterator[tuple[Any, Any]]:
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)


def score(probs: Any, labels: Any, wrong: Any) -> Score:
    from sklearn.metrics import average_precision_score

    order = np.random.default_rng(0).permutation(len(labels))  # of equal margins
    order = order[np.argsort(margins(probs, labels)[order], kind="stable")]
    hit = np.isin(order, wrong)
    found = (hit[: len(wrong)].sum() + hit[: 2 * len(wrong)].sum()) / (2 * len(wrong))
    told = quality(probs, labels)
    return Score(found, average_precision_score(hit, -np.arange(len(hit))), told.accuracy, told.log_loss)


def first(folder: Path, name: str, seed: int) -> dict[str, Score]:
    """The scores of all settings."""
    texts, truth = texts_of(folder, name)
    labels, wrong = planted(texts, truth, seed)
    return {str(one): score(probs, labels, wrong) for one, probs in predicted(texts, labels, SETTINGS, seed)}


def second(folder: Path, name: str, seed: int, best: Sequence[Setting]) -> dict[str, Score]:
    """The scores of the best settings and of those before, and of what ``auto`` could do with them."""
    texts, truth = texts_of(folder, name)
    labels, wrong = planted(texts, truth, seed)
    probs = dict(predicted(texts, labels, {*best, *BEFORE}, seed))
    scores = {str(one): score(found, labels, wrong) for one, found in probs.items()}
    for told, pair in (("chosen", best), ("before", BEFORE)):
        for rule, found in _rules([probs[one] for one in pair], labels).items():
            scores[f"{told}: {rule}"] = score(found, labels, wrong)
            scores[f"{told}: {rule}, tempered"] = score(_tempered(found, labels, seed), labels, wrong)
    return scores


def _rules(pair: Sequence[Any], labels: Any) -> Mapping[str, Any]:
    told = [quality(probs, labels) for probs in pair]
    return {
        "highest accuracy": pair[int(np.argmax([one.accuracy for one in told]))],
        "lowest log-loss": pair[int(np.argmin([one.log_loss for one in told]))],
        "mean": (pair[0] + pair[1]) / 2,
        "always the first": pair[0],
        "always the second": pair[1],
    }


def _tempered(probs: Any, labels: Any, seed: int) -> Any:
    scaled = np.empty(probs.shape)
    for others, held_out in dealt(labels, seed):
        scaled[held_out] = tempered(probs[held_out], best_temperature(probs[others], labels[others]))
    return scaled


def means(runs: Mapping[str, Sequence[dict[str, Score]]]) -> dict[str, dict[str, Score]]:
    """By candidate the mean over seeds for each dataset, and under "mean" that of the datasets."""
    found: dict[str, dict[str, Score]] = defaultdict(dict)
    for name, of_seeds in runs.items():
        for candidate in of_seeds[0]:
            found[candidate][name] = Score(*np.mean([one[candidate] for one in of_seeds], axis=0))
    return {one: {**told, "mean": Score(*np.mean(list(told.values()), axis=0))} for one, told in found.items()}


def table(found: Mapping[str, Mapping[str, Score]]) -> None:
    print("found  " + "  ".join(f"{name:>6}" for name in EVERY) + "  average precision  accuracy  log-loss")
    for candidate, told in sorted(found.items(), key=lambda one: -one[1]["mean"].found):
        mean = told["mean"]
        each = "  ".join(f"{told[name].found:6.3f}" for name in EVERY)
        more = f"{mean.precision:17.3f}  {mean.accuracy:8.3f}  {mean.log_loss:8.3f}"
        print(f"{mean.found:5.3f}  {each}  {more}  {candidate}")
    print(flush=True)


def best_of(found: Mapping[str, Mapping[str, Score]], datasets: Sequence[str]) -> list[Setting]:
    """The setting of each view: loss and alpha by the mean over all, common words left out where that finds more."""

    def mean(settings: Iterable[Setting]) -> float:
        return float(np.mean([found[str(one)][name].found for one in settings for name in datasets]))

    pairs = itertools.product(LOSSES, ALPHAS)
    learning = max(pairs, key=lambda pair: mean(one for one in SETTINGS if one[2:] == pair))
    both = [(Setting(views, True, *learning), Setting(views, False, *learning)) for views in VIEWS]
    return [rarer if mean([rarer]) > mean([common]) + 0.005 else common for common, rarer in both]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="a file for all scores, as JSON")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:

        def all_of(seeds: Sequence[int], what: Any, *more: Any) -> dict[str, list[dict[str, Score]]]:
            waiting = {name: [pool.submit(what, options.folder, name, seed, *more) for seed in seeds] for name in EVERY}
            return {name: [one.result() for one in these] for name, these in waiting.items()}

        tried = means(all_of(FIRST_SEEDS, first))
        table(tried)
        best = best_of(tried, list(EVERY))
        for left_out in EVERY:
            others = [name for name in EVERY if name != left_out]
            print(f"without {left_out}: " + "; ".join(map(str, best_of(tried, others))))
        print("chosen: " + "; ".join(map(str, best)) + "\n", flush=True)
        rules = means(all_of(SECOND_SEEDS, second, best))
        table(rules)
    if options.out:
        options.out.write_text(json.dumps([tried, rules]))


if __name__ == "__main__":
    main()
