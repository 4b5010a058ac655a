"""What a train set teaches is learnt once, and each fold begins with it."""

from pathlib import Path
from typing import Any

import numpy as np

from ingest.predicting.cross_validation import cross_validated
from ingest.predicting.examples import Examples
from ingest.predicting.folds import Plan
from ingest.predicting.models import Model
from ingest.progress import Lines


class Recording:
    """Knows the rows it was pretrained on, and says of every example that it is of their commonest class."""

    pretrained: list[int] = []  # noqa: RUF012  # one list for all estimators, to count in

    def __init__(self) -> None:
        self.begun_with = -1
        self.fits = 0

    def pretrain(self, rows: Any, labels: Any) -> None:
        self.begun_with = int(np.bincount(labels).argmax())
        Recording.pretrained.append(len(rows))

    def fit(self, rows: Any, labels: Any) -> None:
        self.fits += 1
        assert self.fits == 1, "a fold goes on from another fold"
        assert len(rows) == 8, "rows of the train set join those of the fold"
        self.classes_ = np.unique(labels)

    def predict_proba(self, rows: Any) -> Any:
        return np.tile(self.classes_ == self.begun_with, (len(rows), 1)).astype(float)


def examples(labels: Any) -> Examples:
    features = np.arange(len(labels), dtype=np.float32)[:, None]
    return Examples("features", features, labels, [bytes([i]) for i in range(len(labels))])


def test_a_train_set_is_learnt_from_once_and_each_fold_begins_with_it(tmp_path: Path) -> None:
    Recording.pretrained.clear()
    train = examples(np.array([1, 1, 0, 1, 1, 1]))
    plan = Plan(examples(np.arange(10) % 2), 2, np.repeat(np.arange(5), 2), seed=0, threads=2, train=train)
    model = Model("recording", "a test", ("features",), lambda seed, threads: Recording(), side_by_side=False)
    found = cross_validated(model, [plan], tmp_path, Lines(), "test")
    assert Recording.pretrained == [6]
    assert [found.rows(fold).tolist() for fold in range(5)] == [[[0.0, 1.0]] * 2] * 5
