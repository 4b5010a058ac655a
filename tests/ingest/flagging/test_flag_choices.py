"""How many to flag, as a number or a share: the command, the function and a manifest understand the same."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.confident_learning.flag_choice import choice_of, number_asked, percent
from ingest import find_label_errors
from ingest.commands.main import main
from ingest.flagging.multi_label import flag_sets
from ingest.matrices.matrix import open_matrix


@given(st.integers(1, 99_999), st.integers(0, 10**9))
def test_a_share_is_rounded_down_as_it_is_written(parts: int, n: int) -> None:
    """In whole numbers: no share loses an example to a binary fraction, as 0.29 of 100 would."""
    assert number_asked(choice_of(f"0.{parts:05}"), n) == parts * n // 100_000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["top", "top 0.5", "top -5", "top  5", "Top 5", "5%", "0", "0.0", "1.0", "1", "1.5", "1e-2", "nan", "٠.٥"]
)
def test_a_share_is_above_nothing_and_below_all(value: str) -> None:
    assert not isinstance(choice_of(value), Decimal)


def test_words_of_shares() -> None:
    assert [percent(Decimal(one)) for one in ("0.05", "0.1", "0.0125", ".5")] == ["5 %", "10 %", "1.25 %", "50 %"]


@pytest.mark.parametrize(("asked", "expected"), [("top 500", 500), ("0.05", 376), (0.05, 376), ("top 9000", 7532)])
def test_the_lowest_margins_of_20news(shared: Path, asked: Any, expected: int) -> None:
    release = shared / "label-errors"
    labels = release / "original_test_labels/20news_test_set_original_labels.npy"
    matrix = release / "cross_validated_predicted_probabilities/20news_test_set_pyx.npy"
    found = find_label_errors(labels, matrix, asked)
    assert found.issues["index"].tolist() == find_label_errors(labels, matrix, expected).issues["index"].tolist()
    assert len(found.issues) == expected


def test_equal_margins_go_by_index(tiny: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.labels[:], tiny.probs[:] = 0, [0.2, 0.7, 0.1]
    tiny.write()
    files = [tiny.folder / "probs.npy", "--labels", tiny.folder / "labels.npy", "--out", tiny.folder / "out.csv"]
    assert main(["flag", *map(str, files), "--rule", "0.125"]) == 0
    assert "flagged by the lowest margins, 12.5 % of the examples: 5 (12.50 %)" in capsys.readouterr().out
    rows = (tiny.folder / "out.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("flag", "n", "said"),
    [
        ('"top 3"', 3, "lowest normalized margin are flagged; the number was given, not estimated."),
        ('"0.19"', 7, "are flagged; 19 % of the examples, rounded down, were asked for, not estimated."),
    ],
)
def test_a_manifest_says_how_many_and_the_site_repeats_it(tiny: Any, flag: str, n: int, said: str) -> None:
    tiny.top, tiny.records = f"flag = {flag}", tiny.records[:2]
    assert tiny.add(tiny.folder / "c.sqlite") == 0
    with closing(sqlite3.connect(tiny.folder / "c.sqlite")) as connection:
        [(rule, flagged)] = connection.execute("SELECT flag_rule, n_flagged FROM datasets").fetchall()
    assert flagged == n
    assert rule.startswith(f"The {n} of 40 examples with the ")
    assert rule.endswith(said)


def test_the_command_refuses_what_asks_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["flag", "probs.npy", "--labels", "labels.npy", "--rule", "top half"])
    assert refused.value.code == 2
    assert '"top 500", or a share of them like "0.05"' in capsys.readouterr().err


def test_a_share_of_examples_with_several_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "probs.npy", np.eye(4)[[1, 0, 3, 2, 0]])
    found = flag_sets(
        [(0,), (1,), (2,), (3,), (0,)], open_matrix([tmp_path / "probs.npy"], 5, 4), Decimal("0.5"), lambda _: None
    )
    assert found.flagged.tolist() == [0, 1]
    assert found.sentence().endswith("50 % of all examples, rounded down, were asked for.")
