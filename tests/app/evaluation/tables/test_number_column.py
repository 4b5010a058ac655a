"""Columns of numbers: decimal points or commas, missing values, and what is refused."""

from typing import Any

import numpy as np
import pytest

from app.evaluation.tables.number_column import NumberError, numbers


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["1", "-2.5", "3e2", ".5"], [1, -2.5, 300, 0.5]),
        ([" 1 ", "", "NA", "nan", "?", "null", "N/A", None], [1, *[np.nan] * 7]),
        (["0,5", "12,25", "7"], [0.5, 12.25, 7]),
        (["1,234", "0,5"], [1.234, 0.5]),  # the second says that commas are decimal marks
        (["1.234", "0.5", "250"], [1.234, 0.5, 250]),
        (["1.234", "12.500", "7"], [1.234, 12.5, 7]),  # three decimals, as programs write them
        ([1, 2.5, True, False], [1, 2.5, 1, 0]),
        ([], []),
    ],
)
def test_numbers_in_every_spelling(cells: list[Any], found: list[float]) -> None:
    np.testing.assert_array_equal(numbers(cells), found)


@pytest.mark.parametrize(
    ("cells", "place", "said"),
    [
        (["1", "12kg"], 1, "expected a number, found '12kg'"),
        (["1_000"], 0, "expected a number, found '1_000'"),
        (["1", "inf"], 1, "expected a finite number, found 'inf'"),
        (["7", "1,234", "2,500"], 1, "the comma may be a mark of thousands or of decimals"),
        (["998", "1.001", "12.345"], 1, "the point may be a mark of thousands or of decimals"),
        (["0,5", "1.5"], 1, "expected one decimal mark in all numbers of the column, found '1.5'"),
        (["1,234.5"], 0, "expected one decimal mark"),
        ([1, [2]], 1, "expected a number, found [2]"),
    ],
)
def test_what_is_no_number_is_refused_by_its_place(cells: list[Any], place: int, said: str) -> None:
    with pytest.raises(NumberError) as refused:
        numbers(cells)
    assert refused.value.place == place
    assert said in str(refused.value)
