"""What is said of a matrix that would mislead."""

import numpy as np
import pytest

from app.domain.confident_learning.joint import FlagRule
from ingest.commands.main import main
from ingest.flagging.cautions import cautions
from ingest.flagging.engine import FlagResult, flag
from ingest.matrices.matrix import open_matrix


def flagged(tmp_path, labels: np.ndarray, probs: np.ndarray) -> FlagResult:
    np.save(tmp_path / "p.npy", probs)
    np.save(tmp_path / "l.npy", labels)
    return flag(labels, open_matrix([tmp_path / "p.npy"], *probs.shape), FlagRule.CALIBRATED, lambda _: None)


def sure(labels: np.ndarray, m: int, p: float) -> np.ndarray:
    probs = np.full((len(labels), m), (1 - p) / (m - 1))
    probs[np.arange(len(labels)), labels] = p
    return probs


LABELS = np.arange(300) % 3


def test_probabilities_of_a_model_that_has_seen_the_examples(tmp_path, capsys):
    told = cautions(flagged(tmp_path, LABELS, sure(LABELS, 3, 0.98)))
    assert len(told) == 1
    assert told[0].startswith("The model agrees with 100.00 % of the labels and nothing is flagged")
    assert main(["flag", str(tmp_path / "p.npy"), "--labels", str(tmp_path / "l.npy")]) == 0
    assert f"warning: {told[0]}" in capsys.readouterr().out


def test_a_good_matrix_is_passed_in_silence(tmp_path):
    rng = np.random.default_rng(0)
    guesses = np.where(rng.random(300) < 0.9, LABELS, (LABELS + 1) % 3)
    assert cautions(flagged(tmp_path, LABELS, sure(guesses, 3, 0.9))) == []


@pytest.mark.parametrize("confidence", [0.99, 0.4])
def test_probabilities_that_are_off(tmp_path, confidence):
    rng = np.random.default_rng(0)
    guesses = np.where(rng.random(300) < 0.75, LABELS, (LABELS + 1) % 3)
    found = flagged(tmp_path, LABELS, sure(guesses, 3, confidence))
    off = 100 * abs(confidence - (guesses == LABELS).mean())
    assert [f"by {off:.0f} percentage points on average (ECE)" in told for told in cautions(found)] == [True]


def test_a_class_that_is_never_guessed_is_named(tmp_path):
    guesses = np.where(LABELS == 2, 0, LABELS)
    told = cautions(flagged(tmp_path, LABELS, sure(guesses, 3, 0.66)), ["ant", "bee", "cat"])
    assert told == ["The model never guesses cat, so no example is suspected of belonging there."]


def test_columns_in_another_order(tmp_path):
    guesses = (LABELS + 1) % 3
    guesses[:30] = LABELS[:30]
    told = cautions(flagged(tmp_path, LABELS, sure(guesses, 3, 0.4)), ["ant", "bee", "cat"])
    assert "examples of class ant are mostly guessed to be bee" in told[-1]


def test_a_model_that_guesses_at_random_is_too_weak(tmp_path):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(3, 3.0), 300)
    told = cautions(flagged(tmp_path, LABELS, probs))
    assert [one for one in told if "of the examples are flagged" in one and "a mistake of the model" in one]


@pytest.mark.parametrize("how", ["columns", "rows", "not at all"])
def test_one_of_several_models_that_is_in_another_order_is_named(tmp_path, capsys, how: str):
    rng = np.random.default_rng(0)
    guesses = [np.where(rng.random(300) < 0.9, LABELS, (LABELS + 1) % 3) for _ in range(2)]
    one, other = (sure(guess, 3, 0.9) for guess in guesses)
    other = {"columns": other[:, [1, 2, 0]], "rows": other[rng.permutation(300)], "not at all": other}[how]
    for name, probs in (("one", one), ("other", other)):
        np.save(tmp_path / f"{name}.npy", probs)
    np.save(tmp_path / "l.npy", LABELS)
    command = ["flag", str(tmp_path / "one.npy"), "--and", str(tmp_path / "other.npy")]
    assert main([*command, "--labels", str(tmp_path / "l.npy")]) == 0
    warned = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ") and "other.npy" in line
    ]
    expected = {
        "columns": "columns are probably in another order",
        "rows": "are its rows in the order",
        "not at all": None,
    }
    assert len(warned) == (how != "not at all")
    assert all(expected[how] in line for line in warned)


@pytest.mark.parametrize("others", [1e-4, 0.0])
def test_a_class_of_one_example_that_draws_others_is_told(tmp_path, others: float):
    """The class was learnt for all but its own example, so its threshold is nothing and the others are above it."""
    labels = np.append(np.arange(200) % 2, 2)
    own = np.where(np.arange(200) % 5 == 0, 0.6, 0.9)
    probs = np.zeros((201, 3))
    probs[np.arange(200), labels[:200]], probs[np.arange(200), 1 - labels[:200]] = own - others, 1 - own
    probs[:200, 2] = others
    probs[200] = [0.55, 0.45, 0.0]
    told = [one for one in cautions(flagged(tmp_path, labels, probs), ["a", "b", "rare"]) if "rare" in one]
    assert len(told) == (others > 0)
    assert all("examples of other classes are counted to rare, which has 1 of its own" in one for one in told)
