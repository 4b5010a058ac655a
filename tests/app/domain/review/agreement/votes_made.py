"""Votes of made-up raters on planted truths."""

import numpy as np

from app.domain.review.agreement.vote_table import VoteTable


def planted(
    seed: int, confusion: np.ndarray, *, n_examples: int = 120, votes: int = 5, prevalence: tuple[float, ...] = ()
) -> tuple[VoteTable, np.ndarray]:
    """Votes of raters with these confusions (raters, truths, answers), so many an example, and the truths."""
    draw = np.random.default_rng(seed)
    n_raters, n_truths, n_answers = confusion.shape
    truth = draw.choice(n_truths, n_examples, p=prevalence or None)
    rater = np.concatenate([draw.permutation(n_raters)[:votes] for _ in range(n_examples)])
    example = np.repeat(np.arange(n_examples), votes)
    bounds = confusion[rater, truth[example]].cumsum(axis=1)
    answer = (draw.random(len(rater))[:, None] > bounds).sum(axis=1).clip(max=n_answers - 1)
    return VoteTable(example, rater, answer, n_examples, n_raters, n_answers), truth


def two_by_two(*right: float) -> np.ndarray:
    """Confusions of raters who are right in these shares, whatever the truth of two."""
    return np.array([[[p, 1 - p], [1 - p, p]] for p in right])
