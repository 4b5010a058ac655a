"""Dawid-Skene against the majority on planted truths, paired over many seeds.

``python -m benchmarks.dawid_skene``. Each row is a kind of raters; the difference is that of the examples decided
wrongly, of 200 in each seed, with its 95 % interval over seeds.
"""

import sys
from collections.abc import Mapping
from typing import Final

import numpy as np

from app.domain.review.agreement.dawid_skene import dawid_skene
from app.domain.review.agreement.vote_table import VoteTable

SEEDS: Final = 300
EXAMPLES: Final = 200
VOTES: Final = 5
#: How often the raters are right, of whom five look at each example.
RATERS: Final[Mapping[str, tuple[float, ...]]] = {
    "all alike": (0.8,) * 8,
    "two good, three poor": (0.95, 0.9, 0.6, 0.55, 0.6),
    "one at random among good ones": (0.9, 0.9, 0.9, 0.9, 0.5),
    "ten of all kinds": (0.95, 0.9, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5),
}


def mistakes(seed: int, right: tuple[float, ...]) -> tuple[int, int]:
    """Examples decided wrongly by Dawid-Skene and by the majority."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(2, size=EXAMPLES)
    rater = np.concatenate([draw.permutation(len(right))[:VOTES] for _ in range(EXAMPLES)])
    example = np.repeat(np.arange(EXAMPLES), VOTES)
    is_right = draw.random(len(rater)) < np.array(right)[rater]
    answer = np.where(is_right, truth[example], 1 - truth[example])
    votes = VoteTable(example, rater, answer, EXAMPLES, len(right), 2)
    ours = dawid_skene(votes).posterior.argmax(axis=1)
    return int((ours != truth).sum()), int((votes.counts().argmax(axis=1) != truth).sum())


def main() -> int:
    """Print a row a kind of raters."""
    print(f"{'raters':32} {'majority':>9} {'Dawid-Skene':>12} {'difference':>22} {'better in':>10}")
    for name, right in RATERS.items():
        found = np.array([mistakes(seed, right) for seed in range(SEEDS)])
        saved = found[:, 1] - found[:, 0]
        mean, wide = saved.mean(), 1.96 * saved.std(ddof=1) / SEEDS**0.5
        interval = f"{mean:.2f} ({mean - wide:.2f} to {mean + wide:.2f})"
        ours, majority = found.mean(axis=0)
        print(f"{name:32} {majority:9.2f} {ours:12.2f} {interval:>22} {(saved > 0).mean():10.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
