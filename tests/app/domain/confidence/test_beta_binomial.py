"""The probability that a majority of unlimited raters would make a correction, against integrals and against scipy."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from app.domain.confidence.beta_binomial import Prior, expected_share, fit_prior, majority_probability

PRIORS = [Prior(1, 1), Prior(0.41, 0.73), Prior(0.02, 0.05), Prior(7.5, 2.25), Prior(300, 450), Prior(2.5, 2.5)]


def by_integral(prior: Prior, chosen: int, asked: int) -> float:
    """The posterior density, integrated above one half and over everything; no function of a library for either."""

    def density(share: float) -> float:
        return math.exp((prior.a + chosen - 1) * math.log(share) + (prior.b + asked - chosen - 1) * math.log(1 - share))

    above, whole = (integrate.quad(density, low, 1, epsabs=0, limit=500)[0] for low in (0.5, 0))
    return float(above / whole)


@pytest.mark.parametrize(("chosen", "asked"), [(3, 5), (5, 5), (1, 3), (2, 4), (7, 9), (26, 47)])
def test_the_area_above_one_half(chosen: int, asked: int) -> None:
    for prior in (Prior(1, 1), Prior(1.41, 1.73), Prior(7.5, 2.25)):
        assert majority_probability(prior, chosen, asked) == pytest.approx(by_integral(prior, chosen, asked), rel=1e-7)


@pytest.mark.parametrize("prior", PRIORS)
def test_as_scipy_has_it(prior: Prior) -> None:
    for asked in (0, 1, 3, 5, 10, 63, 1_000):
        for chosen in {0, 1, asked // 3, asked // 2, asked - 1, asked} & set(range(asked + 1)):
            expected = stats.beta.sf(0.5, prior.a + chosen, prior.b + asked - chosen)
            assert majority_probability(prior, chosen, asked) == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_without_a_library() -> None:
    # Beta(1, 1) and 4 of 5: Beta(5, 2), whose distribution function is 6 s ** 5 - 5 s ** 6; 7 / 64 at one half.
    assert majority_probability(Prior(1, 1), 4, 5) == pytest.approx(1 - 7 / 64, rel=1e-14)
    assert majority_probability(Prior(1, 1), 5, 5) == pytest.approx(63 / 64, rel=1e-14)


@pytest.mark.parametrize("prior", PRIORS)
def test_more_votes_for_it_make_it_more_probable(prior: Prior) -> None:
    for asked in (1, 5, 12):
        found = [majority_probability(prior, chosen, asked) for chosen in range(asked + 1)]
        assert all(low < high for low, high in itertools.pairwise(found))
        shares = [expected_share(prior, chosen, asked) for chosen in range(asked + 1)]
        assert all(low < high for low, high in itertools.pairwise(shares))


@pytest.mark.parametrize("prior", PRIORS)
def test_both_answers_share_the_probability(prior: Prior) -> None:
    turned = Prior(prior.b, prior.a)
    for asked in range(7):
        for chosen in range(asked + 1):
            both = majority_probability(prior, chosen, asked) + majority_probability(turned, asked - chosen, asked)
            assert both == pytest.approx(1, abs=1e-13)


def test_nothing_speaks_for_either_side() -> None:
    assert majority_probability(Prior(3, 3), 4, 8) == 0.5
    assert expected_share(Prior(3, 3), 4, 8) == 0.5


def test_many_votes_decide_alone() -> None:
    for prior in PRIORS:
        assert expected_share(prior, 600_000, 1_000_000) == pytest.approx(0.6, abs=5e-4)
        assert majority_probability(prior, 600_000, 1_000_000) == pytest.approx(1, abs=1e-12)
        assert majority_probability(prior, 400_000, 1_000_000) == pytest.approx(0, abs=1e-12)


def votes_of(prior: Prior, n: int, asked: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.binomial(asked, rng.beta(prior.a, prior.b, n))


def likelihood(a: float, b: float, chosen: np.ndarray, asked: np.ndarray) -> float:
    return float(stats.betabinom.logpmf(chosen, asked, a, b).sum())


@pytest.mark.parametrize("prior", [Prior(0.4, 0.7), Prior(3, 1.2), Prior(12, 20)])
def test_the_fit_is_the_most_likely_one(prior: Prior) -> None:
    asked = np.random.default_rng(1).integers(2, 8, 400)
    chosen = votes_of(prior, 400, asked, 2)
    found = fit_prior(chosen, asked)
    assert found is not None
    best = optimize.minimize(
        lambda logs: -likelihood(*np.exp(logs), chosen, asked),
        [0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9},
    )
    assert likelihood(found.a, found.b, chosen, asked) >= -best.fun - 1e-6
    assert [found.a, found.b] == pytest.approx(np.exp(best.x), rel=2e-3)


def test_the_fit_finds_what_votes_were_drawn_from() -> None:
    asked = np.full(40_000, 5)
    found = fit_prior(votes_of(Prior(0.4, 0.7), 40_000, asked, 3), asked)
    assert found is not None
    assert [found.a, found.b] == pytest.approx([0.4, 0.7], rel=0.05)


def test_the_order_of_examples_says_nothing() -> None:
    asked = np.full(50, 5)
    chosen = votes_of(Prior(1, 2), 50, asked, 4)
    assert fit_prior(chosen[::-1], asked) == fit_prior(chosen, asked)


def test_turning_the_answers_round_turns_the_prior_round() -> None:
    asked = np.random.default_rng(5).integers(2, 6, 200)
    chosen = votes_of(Prior(1.5, 0.5), 200, asked, 6)
    one, other = fit_prior(chosen, asked), fit_prior(asked - chosen, asked)
    assert one is not None
    assert other is not None
    assert [one.a, one.b] == pytest.approx([other.b, other.a], rel=1e-6)


def test_single_votes_and_few_examples_say_nothing_of_others() -> None:
    assert fit_prior(np.ones(1_000, np.int64), np.ones(1_000, np.int64)) is None
    assert fit_prior(np.full(9, 3), np.full(9, 5)) is None
    assert fit_prior(np.arange(10) % 6, np.full(10, 5)) is not None


def test_where_all_votes_are_alike_the_prior_stays_finite() -> None:
    found = fit_prior(np.full(20, 5), np.full(20, 5))
    assert found is not None
    assert math.isfinite(found.a + found.b)
    assert majority_probability(found, 5, 5) > 0.99


@pytest.mark.parametrize(("chosen", "asked"), [(6, 5), (-1, 5)])
def test_votes_that_cannot_be_are_refused(chosen: int, asked: int) -> None:
    with pytest.raises(ValueError, match="votes for the answer"):
        majority_probability(Prior(1, 1), chosen, asked)
    with pytest.raises(ValueError, match="votes for the answer"):
        fit_prior(np.full(20, chosen), np.full(20, asked))


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, -1), (math.nan, 1), (1, math.inf)])
def test_a_prior_that_is_none_is_refused(a: float, b: float) -> None:
    with pytest.raises(ValueError, match="expected two numbers above 0"):
        Prior(a, b)
