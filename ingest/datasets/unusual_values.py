"""Mark in the rows of a table what is unusual for their given labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.domain.typical_values import rare_categories, usual_range
from ingest.media.layouts.row_table import Cell, RowTable

#: Significant digits of a range.
_DIGITS: Final = 4
#: From here on numbers are written with a power of ten.
_LARGEST: Final = 1e15
#: A category is unusual if it has less than this part of what each would have if all were equally frequent.
_RARER: Final = 0.5

#: The lowest and the highest usual number, or rare categories with their shares.
_Usual: TypeAlias = tuple[float, float] | dict[str | None, float]


@dataclass(frozen=True, eq=False)
class MarkedRows(RowTable):
    """The rows of a table, in which values are marked that are unusual for the label of their row.

    ``given`` is (n,), the class id of each row.
    """

    given: NDArray[np.integer[Any]] = field(default_factory=lambda: np.empty(0, np.int64))

    def cells(self, index: int) -> list[Cell]:
        return [(name, value, self.unusual(index, name)) for name, value, _ in super().cells(index)]

    def unusual(self, index: int, column: str) -> str | None:
        """What is unusual about a value, in words, or None."""
        usual = self._usual_of(int(self.given[index]), column)
        value = self.frame[column].iloc[index]
        if isinstance(usual, dict):
            share = usual.get(value)
            return None if share is None else f"{100 * share:.1f} % of this class"
        low, high = usual
        return None if np.isnan(value) or low <= value <= high else f"usually {_between(low, high)}"

    @cached_property
    def _known(self) -> dict[tuple[int, str], _Usual]:
        return {}

    def _usual_of(self, class_id: int, column: str) -> _Usual:
        """What is usual in a column for a class; worked out once."""
        key = class_id, column
        if key not in self._known:
            values = self.frame[column][self.given == class_id]
            is_category = column in self.told.categories
            self._known[key] = _rare(values.tolist()) if is_category else usual_range(values.to_numpy())
        return self._known[key]


def _rare(values: Sequence[str | None]) -> dict[str | None, float]:
    """Categories that are rare in a class, as they would not be if all were equally frequent, with their shares.

    >>> _rare(["red"] * 99 + ["blue"]), _rare([str(i) for i in range(100)])
    ({'blue': 0.01}, {})
    """
    least = _RARER / max(1, len(set(values)))
    return {value: share for value, share in rare_categories(values).items() if share < least}


def _between(low: float, high: float) -> str:
    """A range in words.

    >>> _between(18.04, 65.5), _between(-np.inf, 1234567.0), _between(0.5, np.inf)
    ('18.04 to 65.5', 'at most 1,234,567', 'at least 0.5')
    """
    if np.isinf(low):
        return f"at most {_number(high)}"
    return f"at least {_number(low)}" if np.isinf(high) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if 10.0**_DIGITS <= abs(value) < _LARGEST else f"{value:.{_DIGITS}g}"
