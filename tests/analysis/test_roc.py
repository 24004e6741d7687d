"""ROC curves against exact counting and known distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from calotools.analysis import auc, measure_roc, working_points
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError

SCORES = st.lists(st.integers(0, 12), min_size=2, max_size=40).map(lambda one: np.array(one, float))


def exact_auc(signal, background, signal_weight, background_weight):
    """Mann-Whitney by comparing every pair."""
    wins = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    weight = signal_weight[:, None] * background_weight
    return np.sum(wins * weight) / weight.sum()


@given(SCORES, SCORES, st.randoms(use_true_random=False))
def test_auc_is_the_mann_whitney_statistic_with_ties_and_weights(signal, background, random):
    weights = [np.array([random.uniform(0.1, 3.0) for _ in one]) for one in (signal, background)]
    value, error = auc(signal, background, signal_weight=weights[0], background_weight=weights[1])
    assert value == pytest.approx(exact_auc(signal, background, *weights))
    assert error >= 0


@given(SCORES, SCORES)
def test_the_band_holds_the_curve_and_the_curve_rises(signal, background):
    curve = measure_roc(signal, background)
    assert np.all(curve.low <= curve.background + 1e-12)
    assert np.all(curve.background <= curve.high + 1e-12)
    assert np.all(np.diff(curve.signal) > 0)
    assert np.all(np.diff(curve.background) >= 0)
    assert (curve.signal[0], curve.signal[-1]) == (0.0, pytest.approx(1.0))


def test_auc_error_is_the_spread_over_experiments():
    rng = np.random.default_rng(11)
    results = np.array([auc(rng.normal(1.5, 1, 400), rng.normal(0, 1, 300)) for _ in range(300)])
    expected = norm.cdf(1.5 / np.sqrt(2))
    pulls = (results[:, 0] - expected) / results[:, 1]
    assert abs(pulls.mean()) < 3 / np.sqrt(300)
    assert pulls.std() == pytest.approx(1, abs=3 / np.sqrt(600))


def test_equal_weights_change_nothing_and_unequal_ones_cost_precision():
    rng = np.random.default_rng(2)
    signal, background = rng.normal(1, 1, 2000), rng.normal(0, 1, 2000)
    plain = auc(signal, background)
    assert auc(signal, background, signal_weight=np.full(2000, 0.3)) == pytest.approx(plain)
    spread = auc(signal, background, background_weight=rng.exponential(size=2000))
    # Exponential weights halve the effective number.
    assert spread[1] > 1.1 * plain[1]


def test_working_points_cover_the_true_background_efficiency():
    rng = np.random.default_rng(3)
    truth = norm.sf(norm.ppf(0.1) + 2.0)  # background efficiency at 90 % signal efficiency, means 2 apart
    inside = 0
    for _ in range(200):
        points = working_points(rng.normal(2, 1, 500), rng.normal(0, 1, 2000), efficiencies=(0.9,))
        inside += points.background_low[0] <= truth <= points.background_high[0]
    # 68.3 % nominal; Clopper-Pearson covers a little more.
    assert 0.683 - 3 * np.sqrt(0.683 * 0.317 / 200) < inside / 200 < 0.85


def test_working_point_keeps_at_least_the_target():
    rng = np.random.default_rng(4)
    signal, weight = rng.normal(size=1001), rng.uniform(0.5, 2, 1001)
    points = working_points(signal, rng.normal(-2, 1, 50), efficiencies=(0.5, 0.8, 1.0), signal_weight=weight)
    assert np.all(points.signal >= points.target - 1e-9)
    assert np.all(points.signal < points.target + 2 * weight.max() / weight.sum())
    kept = [weight[signal >= cut].sum() / weight.sum() for cut in points.cut]
    assert points.signal == pytest.approx(kept)


def test_no_background_left_gives_a_lower_limit_of_the_rejection():
    points = working_points(np.full(50, 1.0), np.zeros(100), efficiencies=(0.9,))
    assert points.rejection[0] == np.inf
    # Upper edge of 0 out of 100: 1 - 0.1587^(1/100).
    assert points.rejection_low[0] == pytest.approx(1 / (1 - 0.158655 ** (1 / 100)), rel=1e-3)
    assert points.rejection_high[0] == np.inf


def test_unusable_scores_are_refused():
    good = np.array([0.1, 0.2])
    with pytest.raises(NumericalError, match="1 of 2 background scores are not finite"):
        measure_roc(good, np.array([0.1, np.nan]))
    with pytest.raises(EmptyInputError, match="no signal to measure with: 0 scores"):
        measure_roc(np.zeros(0), good)
    with pytest.raises(ShapeError, match="2 signal scores and 3 weights"):
        measure_roc(good, good, signal_weight=np.ones(3))
    with pytest.raises(ConfigError, match=r"signal efficiency of 80\.0 cannot be asked for"):
        working_points(good, good, efficiencies=(80.0,))
