"""How many planted label errors each rule finds, and how much of what it flags is one, beside cleanlab.

    python -m benchmarks.planted_noise

scikit-learn's 1,797 handwritten digits; 20 and 40 % of the labels flipped, class-conditionally: every class is mistaken
for two fixed others. Probabilities are five-fold cross-validated, by logistic regression that learns from the noisy
labels. Medians of five seeds.
"""

import statistics
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.confident_learning.joint import FlagRule
from ingest.flagging.engine import flag
from ingest.matrices.matrix import open_matrix

SEEDS = range(5)
PEERS = {
    FlagRule.CALIBRATED: "low_normalized_margin",
    FlagRule.PRUNE_BY_CLASS: "prune_by_class",
    FlagRule.PRUNE_BY_NOISE_RATE: "prune_by_noise_rate",
    FlagRule.BOTH: "both",
    FlagRule.CONFIDENT_JOINT: "confident_learning",
    FlagRule.ARGMAX: "predicted_neq_given",
}


def planted(share: float, seed: int) -> tuple[Any, Any, Any]:
    """Noisy labels, which of them are wrong, and cross-validated probabilities."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    others = np.array([rng.choice([j for j in range(10) if j != i], 2, replace=False) for i in range(10)])
    wrong = rng.random(len(truth)) < share
    labels = np.where(wrong, others[truth, rng.integers(0, 2, len(truth))], truth)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return labels, wrong, cross_val_predict(model, features, labels, cv=folds, method="predict_proba")


def ours(labels: Any, probs: Any, rule: FlagRule) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "probs.npy", probs)
        matrix = open_matrix([Path(folder) / "probs.npy"], *probs.shape)
        return flag(labels, matrix, rule, lambda _: None).flagged


def theirs(labels: Any, probs: Any, rule: FlagRule) -> Any:
    from cleanlab.filter import find_label_issues

    return np.flatnonzero(find_label_issues(labels, probs, filter_by=PEERS[rule], n_jobs=1))


def scores(found: Any, wrong: Any) -> tuple[float, float]:
    hits = wrong[found].sum()
    return hits / max(1, len(found)), hits / wrong.sum()


def main() -> None:
    warnings.simplefilter("ignore")
    print("noise  rule                  ours: precision recall   cleanlab: precision recall")
    for share in (0.2, 0.4):
        cases = [planted(share, seed) for seed in SEEDS]
        for rule in FlagRule:
            line = f"{100 * share:3.0f} %  {rule.value:20} "
            for find in (ours, theirs):
                if find is theirs and rule not in PEERS:
                    line += "          (no such rule)"
                    continue
                measured = [scores(find(labels, probs, rule), wrong) for labels, wrong, probs in cases]
                precision, recall = (statistics.median(values) for values in zip(*measured, strict=True))
                line += f"          {precision:8.3f} {recall:8.3f}"
            print(line)


if __name__ == "__main__":
    main()
