"""Scores of two models made into one: as good as theory says, and no better than that."""

import numpy as np
import pytest
from scipy.stats import norm

from calotools.analysis import auc, fisher_combination, product_combination, working_points
from calotools.errors import EmptyInputError, NumericalError, ShapeError

N = 60_000
APART = (1.5, 2.0)  # of the means, in widths


def gaussians(n=N, *, correlation=0.0, seed=1):
    """Two scores of unit width, with the same correlation for signal and background."""
    rng = np.random.default_rng(seed)
    signal = rng.random(n) < 0.5
    spread = np.array([[1.0, correlation], [correlation, 1.0]])
    values = rng.multivariate_normal([0.0, 0.0], spread, n) + np.outer(signal, APART)
    return values, signal


def fold_of(n):
    return np.arange(n) % 2


def likelihood_ratios(values):
    """ln p(x | signal) / p(x | background) of each score by itself."""
    apart = np.array(APART)
    return apart * values - apart**2 / 2


def fisher(values, signal, **options):
    return fisher_combination(values, signal=signal, background=~signal, fold=fold_of(len(values)), **options)


def assert_separates_by(score, signal, apart):
    """Area and background efficiency are those of two Gaussians that are so many widths apart."""
    area, error = auc(score[signal], score[~signal])
    assert error < 0.002
    assert area == pytest.approx(norm.cdf(apart / np.sqrt(2)), abs=4 * error)
    points = working_points(score[signal], score[~signal], efficiencies=(0.92,))
    spread = (points.background_high - points.background_low)[0] / 2
    assert spread < 0.05 * points.background[0]
    assert points.background[0] == pytest.approx(norm.cdf(norm.ppf(0.92) - apart), abs=4 * spread)


def test_of_independent_scores_both_are_the_best_there_is():
    values, signal = gaussians()
    ratios, best = likelihood_ratios(values), np.hypot(*APART)
    assert_separates_by(product_combination(ratios), signal, best)
    combined, directions = fisher(ratios, signal)
    assert_separates_by(combined, signal, best)
    np.testing.assert_allclose(directions, np.ones((2, 2)), atol=0.03)  # they are log-likelihood ratios
    for column, apart in enumerate(APART):  # and more than either
        assert_separates_by(ratios[:, column], signal, apart)


def test_fisher_finds_the_scale_of_each_score_and_the_product_does_not():
    values, signal = gaussians(seed=2)
    scaled = likelihood_ratios(values) * [7.0, 1.0]
    assert_separates_by(fisher(scaled, signal)[0], signal, np.hypot(*APART))
    slope = np.array(APART) * [7.0, 1.0]  # what the sum gives each of the scores
    assert_separates_by(product_combination(scaled), signal, slope @ APART / np.linalg.norm(slope))


def test_fisher_uses_a_correlation_and_the_product_does_not():
    values, signal = gaussians(correlation=0.6, seed=3)
    spread, apart = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array(APART)
    combined, directions = fisher(values, signal)
    assert_separates_by(combined, signal, np.sqrt(apart @ np.linalg.solve(spread, apart)))
    np.testing.assert_allclose(directions, np.tile(np.linalg.solve(spread, apart), (2, 1)), atol=0.05)
    product = product_combination(likelihood_ratios(values))
    assert_separates_by(product, signal, apart @ apart / np.sqrt(apart @ spread @ apart))


def test_nothing_is_learnt_from_the_candidates_themselves():
    """Forty scores that know nothing, of 400 candidates: found on themselves, they would separate by half a width."""
    rng = np.random.default_rng(4)
    areas = []
    for _ in range(20):
        values, signal = rng.normal(size=(400, 40)), rng.random(400) < 0.5
        combined, _ = fisher(values, signal)
        areas.append(auc(combined[signal], combined[~signal])[0])
    assert np.mean(areas) == pytest.approx(0.5, abs=4 * np.std(areas) / np.sqrt(20))
    assert np.std(areas) < 0.06
    own = np.linalg.lstsq(values - values.mean(0), signal - signal.mean(), rcond=None)[0]
    assert auc((values @ own)[signal], (values @ own)[~signal])[0] > 0.6


def test_weights_are_as_repeated_candidates():
    values, signal = gaussians(2000, correlation=0.3, seed=5)
    times, fold = np.random.default_rng(6).integers(0, 4, 2000), fold_of(2000)
    weighted = fisher_combination(values, signal=signal, background=~signal, fold=fold, weight=times)[1]
    values, signal, fold = (np.repeat(one, times, axis=0) for one in (values, signal, fold))
    repeated = fisher_combination(values, signal=signal, background=~signal, fold=fold)[1]
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


def test_neither_scale_nor_a_score_that_is_given_twice_changes_fishers():
    values, signal = gaussians(5000, seed=7)
    once = fisher(values, signal)[0]
    for same in (values[:, [0, 0, 1]], values * [7.0, 1.0] - 3.0, values * [1e-7, 1e4]):
        np.testing.assert_allclose(fisher(same, signal)[0], once, atol=1e-9)


def test_fishers_is_the_likelihood_ratio_of_gaussians():
    values, signal = gaussians(correlation=0.4, seed=8)
    precision, apart = np.linalg.inv([[1.0, 0.4], [0.4, 1.0]]), np.array(APART)
    expected = values @ precision @ apart - 0.5 * apart @ precision @ apart
    found = fisher(values, signal)[0]
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.05 * np.std(expected)


def test_what_cannot_be_combined():
    values, signal = gaussians(100)
    with pytest.raises(ShapeError, match=r"scores of shape \(100, 2\) for .* of \[100, 100, 99, 100\] candidates"):
        fisher_combination(values, signal=signal, background=~signal, fold=fold_of(99))
    with pytest.raises(EmptyInputError, match="candidates of two folds or more, not of 1"):
        fisher_combination(values, signal=signal, background=~signal, fold=np.zeros(100))
    with pytest.raises(EmptyInputError, match="no weight outside one fold"):
        fisher_combination(values, signal=signal, background=~signal, fold=signal)
    missing = values.copy()
    missing[3, 1] = np.nan
    with pytest.raises(NumericalError, match="1 of 100 candidates have a score that is not finite"):
        fisher(missing, signal)
    with pytest.raises(NumericalError, match="do not differ between signal and background"):
        fisher(np.ones((100, 2)), signal)
