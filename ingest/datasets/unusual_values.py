"""Mark in the rows of a table what is unusual for their given labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.domain.typical_values import rare_categories, usual_range
from ingest.media.items import MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.row_table import RowTable, row_item

_DIGITS: Final = 4


@dataclass
class MarkedRows(MediaSource):
    """The rows of a table, in which values that are unusual for the label of their row are marked.

    ``labels`` is (n,), the class id of each row.
    """

    table: RowTable
    labels_of_rows: NDArray[np.int64]
    _usual: dict[tuple[int, str], "tuple[float, float] | dict[str | None, float]"] = field(default_factory=dict)

    @property
    def sources(self) -> Sequence[Path]:
        return self.table.sources

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:
        for item in self.table.items(wanted, workers):
            if isinstance(item, MediaProblem):
                yield item
            else:
                cells = [
                    (name, value, self.unusual(item.index, name)) for name, value, _ in self.table.cells(item.index)
                ]
                yield row_item(item.index, cells)

    def labels(self, keyed: bool = False) -> None:
        return self.table.labels(keyed)

    def names(self) -> None:
        return self.table.names()

    def notes(self) -> Sequence[str]:
        return self.table.notes()

    def unusual(self, index: int, column: str) -> str | None:
        """What is unusual about a value, in words, or None."""
        class_id, value = int(self.labels_of_rows[index]), self.table.frame[column].iloc[index]
        usual = self._usual_of(class_id, column)
        if isinstance(usual, dict):
            share = usual.get(value)
            return None if share is None else f"{100 * share:.1f} % of this class"
        low, high = usual
        if np.isnan(value) or low <= value <= high:
            return None
        return f"usually {_between(low, high)}"

    def _usual_of(self, class_id: int, column: str) -> "tuple[float, float] | dict[str | None, float]":
        key = class_id, column
        if key not in self._usual:
            values: pd.Series = self.table.frame[column][self.labels_of_rows == class_id]
            is_category = column in self.table.told.categories
            self._usual[key] = rare_categories(values.tolist()) if is_category else usual_range(values.to_numpy())
        return self._usual[key]


def _between(low: float, high: float) -> str:
    """A range in words.

    >>> _between(18.04, 65.5), _between(-np.inf, 1234567.0), _between(0.5, np.inf)
    ('18.04 to 65.5', 'at most 1.235e+06', 'at least 0.5')
    """
    if np.isinf(low):
        return f"at most {high:.{_DIGITS}g}"
    return f"at least {low:.{_DIGITS}g}" if np.isinf(high) else f"{low:.{_DIGITS}g} to {high:.{_DIGITS}g}"
