"""Dawid and Skene's estimate: against a plain loop, on planted truths, and on the raters of ReaL."""

import tracemalloc
from math import log
from pathlib import Path

import numpy as np
import pytest

from app.domain.review.agreement.dawid_skene import dawid_skene
from app.domain.review.agreement.vote_table import VoteTable
from tests.app.domain.review.agreement.votes_made import planted, two_by_two


def by_loop(votes: VoteTable, meaning: np.ndarray, steps: int) -> np.ndarray:
    """The algorithm of 1979 in plain loops, as the paper writes it: equations 2.3 to 2.5."""
    rows = list(zip(votes.example.tolist(), votes.rater.tolist(), votes.answer.tolist(), strict=True))
    n_truths = meaning.shape[1]
    posterior = []
    for example in range(votes.n_examples):
        mine = [meaning[answer] for e, _, answer in rows if e == example]
        posterior.append([sum(one[k] for one in mine) / len(mine) for k in range(n_truths)])
    for _ in range(steps):
        prevalence = [sum(one[k] for one in posterior) / len(posterior) for k in range(n_truths)]
        said = np.zeros((votes.n_raters, n_truths, votes.n_answers))
        for e, rater, answer in rows:
            for k in range(n_truths):
                said[rater, k, answer] += posterior[e][k]
        for rater in range(votes.n_raters):
            for k in range(n_truths):
                total = said[rater, k].sum()
                said[rater, k] = said[rater, k] / total if total > 0 else 1 / votes.n_answers
        for example in range(votes.n_examples):
            logs = [log(max(prevalence[k], 1e-10)) for k in range(n_truths)]
            for e, rater, answer in rows:
                if e == example:
                    logs = [logs[k] + log(max(said[rater, k, answer], 1e-10)) for k in range(n_truths)]
            shares = [np.exp(one - max(logs)) for one in logs]
            posterior[example] = [one / sum(shares) for one in shares]
    return np.array(posterior)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_plain_loops(seed):
    votes, _ = planted(seed, two_by_two(0.9, 0.8, 0.7, 0.95, 0.6, 0.85), n_examples=40, votes=4)
    found = dawid_skene(votes, strength=0, steps=12)
    assert found.posterior == pytest.approx(by_loop(votes, np.eye(2), found.steps), abs=1e-9)


def test_truths_may_be_fewer_than_answers():
    """No, maybe and yes are said of what is or is not."""
    meaning = np.array([[1, 0], [0.5, 0.5], [0, 1.0]])
    one = np.array([[0.8, 0.15, 0.05], [0.1, 0.2, 0.7]])
    votes, truth = planted(1, np.stack([one] * 6), n_examples=60, votes=5)
    found = dawid_skene(votes, meaning, strength=0, steps=15)
    assert found.confusion.shape == (6, 2, 3)
    assert found.posterior == pytest.approx(by_loop(votes, meaning, found.steps), abs=1e-9)
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.95


def test_order_and_names_change_nothing():
    votes, _ = planted(4, two_by_two(0.9, 0.6, 0.8, 0.7, 0.9))
    draw = np.random.default_rng(0)
    shuffle, examples, raters = (draw.permutation(n) for n in (len(votes.example), 120, 5))
    renamed = VoteTable(
        examples[votes.example][shuffle], raters[votes.rater][shuffle], (1 - votes.answer)[shuffle], 120, 5, 2
    )
    found, other = dawid_skene(votes), dawid_skene(renamed)
    assert other.posterior[examples][:, ::-1] == pytest.approx(found.posterior, abs=1e-9)
    assert other.confusion[raters][:, ::-1, ::-1] == pytest.approx(found.confusion, abs=1e-9)


def test_it_finds_out_who_errs_and_how():
    """One is careful, one says the first class of everything, one tosses coins."""
    confusion = np.concatenate([two_by_two(0.95, 0.9, 0.9), [[[1, 0], [1, 0.0]]], two_by_two(0.5)])
    votes, truth = planted(2, confusion, n_examples=400)
    found = dawid_skene(votes)
    assert found.converged
    assert found.confusion == pytest.approx(confusion, abs=0.09)
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.97


@pytest.mark.parametrize("strength", [0, 10.0])
def test_votes_of_few_are_not_overrated(strength):
    """A rater with one vote is taken for one like the others; without a prior, for infallible or worse than a coin."""
    votes, _ = planted(5, two_by_two(0.8, 0.8, 0.8, 0.8), n_examples=200, votes=4)
    one = VoteTable(
        np.append(votes.example, 0), np.append(votes.rater, 4), np.append(votes.answer, votes.answer[0]), 200, 5, 2
    )
    of_newcomer = dawid_skene(one, strength=strength).confusion[4]
    assert (of_newcomer.max() < 0.95) == bool(strength)


def test_an_example_without_votes_gets_the_prevalence():
    votes, _ = planted(6, two_by_two(0.9, 0.9, 0.9), votes=3)
    found = dawid_skene(VoteTable(votes.example, votes.rater, votes.answer, 121, 3, 2))
    assert found.posterior[120] == pytest.approx(found.prevalence, abs=1e-3)


def test_a_meaning_that_does_not_fit_is_refused():
    votes, _ = planted(0, two_by_two(0.9, 0.9), votes=2)
    with pytest.raises(ValueError, match="rows that sum to 1"):
        dawid_skene(votes, np.array([[1.0, 0.5], [0, 1]]))


def mistakes(seed: int) -> tuple[int, int]:
    """Wrong truths by Dawid-Skene and by majority, of raters of whom two know their trade."""
    votes, truth = planted(seed, two_by_two(0.95, 0.9, 0.6, 0.55, 0.6), n_examples=200)
    ours = dawid_skene(votes).posterior.argmax(axis=1)
    return int((ours != truth).sum()), int((votes.counts().argmax(axis=1) != truth).sum())


def test_it_beats_the_majority_on_planted_truth():
    """Paired over seeds; benchmarks/dawid_skene.py has more of them."""
    differences = np.array([majority - ours for ours, majority in map(mistakes, range(20))])
    assert differences.mean() > 3 * differences.std(ddof=1) / len(differences) ** 0.5
    assert (differences > 0).mean() > 0.9


@pytest.mark.slow
def test_it_gives_the_published_scores_of_real(shared: Path):
    """85 raters and 184,962 questions: FACTS, section 6."""
    folder = shared / "opinions" / "imagenet"
    rater, question, answer = np.nonzero(np.load(folder / "raters.npz")["tensor"])
    scores = np.load(folder / "scores.npz")["tensor"].ravel()
    votes = VoteTable(question, rater, answer, 184_962, 85, 3)
    tracemalloc.start()
    found = dawid_skene(votes, np.array([[1, 0], [0.5, 0.5], [0, 1.0]])).posterior[:, 1]
    assert tracemalloc.get_traced_memory()[1] < 500_000_000, "bytes"
    tracemalloc.stop()
    assert np.corrcoef(found, scores)[0, 1] >= 0.98
    assert ((found > 0.5) == (scores > 0.5)).mean() >= 0.98
