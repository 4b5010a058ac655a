"""Models of tables: gradient boosting with categories, and a linear one.

What categories there are, and how numbers are scaled, is learnt from the training rows of each fold alone.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: The most categories of a column that gradient boosting tells apart; the rarest others count as unknown.
_MOST_CATEGORIES: Final = 254


class TableModel:
    """A classifier of DataFrames: numbers as they are, all else as categories; what is missing stays missing."""

    def __init__(self, classifier: Any, *, one_hot: bool = False) -> None:
        self._classifier = classifier
        self._one_hot = one_hot

    def fit(self, table: Any, labels: NDArray[np.int64]) -> "TableModel":
        """Learn from the rows of a table."""
        self._categories = {name: _categories(table[name]) for name in table.columns if not _is_number(table[name])}
        self._known: NDArray[np.bool_] = np.ones(len(table.columns), np.bool_)
        columns = self._encoded(table)
        # Gradient boosting cannot take a column of which no training row has a value.
        self._known = np.asarray(np.isfinite(columns).any(axis=0))
        columns[:, ~self._known] = 0
        if self._one_hot:
            numbers = columns[:, self._numbers(table)]
            with np.errstate(all="ignore"):
                known = np.isfinite(numbers)
                count = np.maximum(known.sum(axis=0), 1)
                self._means = np.where(known, numbers, 0).sum(axis=0) / count
                spread = np.sqrt(np.where(known, numbers - self._means, 0).__pow__(2).sum(axis=0) / count)
            self._spreads = np.where(spread > 0, spread, 1.0)
            self._classifier.fit(self._widened(table, columns), labels)
        else:
            mask = [name in self._categories and known for name, known in zip(table.columns, self._known, strict=True)]
            self._classifier.set_params(categorical_features=mask if any(mask) else None)
            self._classifier.fit(columns, labels)
        self.classes_: NDArray[np.int64] = self._classifier.classes_
        return self

    def predict_proba(self, table: Any) -> NDArray[np.float64]:
        """(k, m) probabilities."""
        columns = self._encoded(table)
        found: NDArray[np.float64] = self._classifier.predict_proba(
            self._widened(table, columns) if self._one_hot else columns
        )
        return found

    def _numbers(self, table: Any) -> list[int]:
        return [place for place, name in enumerate(table.columns) if name not in self._categories]

    def _encoded(self, table: Any) -> NDArray[np.float64]:
        """(k, c) numbers, with the number of its category for a category, and NaN for what is missing or unknown."""
        columns = np.empty((len(table), len(table.columns)))
        for place, name in enumerate(table.columns):
            known = self._categories.get(name)
            if known is None:
                columns[:, place] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
            else:
                columns[:, place] = [known.get(_word(value), np.nan) for value in table[name]]
        columns[~np.isfinite(columns)] = np.nan
        columns[:, ~self._known] = 0
        return columns

    def _widened(self, table: Any, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scaled numbers, those missing at their mean, and a column of 0 and 1 for each category."""
        scaled = (columns[:, self._numbers(table)] - self._means) / self._spreads
        parts = [np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)]
        for place, name in enumerate(table.columns):
            if name in self._categories:
                parts.append((columns[:, [place]] == np.arange(len(self._categories[name]))).astype(np.float64))
        return np.concatenate(parts, axis=1)


def boosting(seed: int) -> TableModel:
    """Gradient-boosted trees; columns that are not numbers are categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return TableModel(HistGradientBoostingClassifier(random_state=seed, early_stopping=False))


def linear(seed: int) -> TableModel:
    """Logistic regression on scaled numbers, with one column for each category."""
    from sklearn.linear_model import LogisticRegression

    return TableModel(LogisticRegression(max_iter=1000, random_state=seed), one_hot=True)


def _is_number(column: Any) -> bool:
    return bool(column.dtype.kind in "iuf")


def _word(value: Any) -> str | None:
    return None if value is None or value != value else str(value)


def _categories(column: Any) -> dict[str | None, int]:
    """The most frequent values of a column, with numbers in alphabetical order."""
    counted: dict[str, int] = {}
    for value in column:
        word = _word(value)
        if word is not None:
            counted[word] = counted.get(word, 0) + 1
    frequent = sorted(counted, key=lambda word: (-counted[word], word))[:_MOST_CATEGORIES]
    return {word: number for number, word in enumerate(sorted(frequent))}
