"""The likelihood against densities that are known."""

import numpy as np
import pytest

from calotools.analysis import auc
from calotools.errors import ConfigError, NumericalError, ShapeError
from calotools.models import likelihood
from calotools.models.bins import KinematicBins
from calotools.models.likelihood import Likelihood, fit_likelihood

ONE = KinematicBins(eta=(0.0, 2.5), et=(10.0, 50.0))


def sample(n=40_000, *, seed=1):
    """Two Gaussian variables and a counter, independent in each class."""
    rng = np.random.default_rng(seed)
    signal = rng.random(n) < 0.5
    x = rng.normal(np.where(signal, 1.0, 0.0))
    y = rng.normal(np.where(signal, 0.0, 0.5), 2.0)
    hits = rng.poisson(np.where(signal, 4.0, 3.0))
    return np.column_stack([x, y, hits]), signal, rng.uniform(-2.4, 2.4, n), rng.uniform(15, 45, n)


def truth(values):
    x, y, hits = values.T
    return (x - 0.5) + ((y - 0.5) ** 2 - y**2) / 8 + hits * np.log(4 / 3) - 1.0


def test_ratio_is_the_true_one():
    values, signal, eta, et = sample()
    fit = fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal, bins=ONE)
    test, _, eta, et = sample(5000, seed=2)
    difference = fit.log_likelihood_ratio(test, eta=eta, et=et) - truth(test)
    core = np.abs(test[:, 0] - 0.5) < 2
    assert np.abs(difference[core].mean()) < 0.02
    assert difference[core].std() < 0.15


def test_nothing_separates_better_than_the_true_ratio_and_this_nearly_as_well():
    values, signal, eta, et = sample()
    fit = fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal, bins=ONE)
    test, is_signal, eta, et = sample(40_000, seed=3)
    best, ours = (
        auc(score[is_signal], score[~is_signal])[0] for score in (truth(test), fit.discriminant(test, eta=eta, et=et))
    )
    assert ours <= best + 1e-3
    assert ours > best - 3e-3


def test_bins_have_their_own_densities():
    rng = np.random.default_rng(4)
    n = 40_000
    eta, et, signal = rng.uniform(0, 2.4, n), rng.uniform(10, 50, n), rng.random(n) < 0.5
    sign = np.where(eta < 1.2, 1.0, -1.0)
    values = rng.normal(np.where(signal, sign, 0.0))[:, None]
    bins = KinematicBins(eta=(0.0, 1.2, 2.5), et=(10.0, 50.0))
    fit = fit_likelihood(values, variables=("x",), kinematics=(eta, et), signal=signal, bins=bins)
    got = fit.log_likelihood_ratio(np.array([[1.5], [1.5]]), eta=np.array([0.3, -2.0]), et=np.full(2, 30.0))
    np.testing.assert_allclose(got, [1.0, -2.0], atol=0.25)


def test_energy_bins_are_interpolated_without_a_jump():
    rng = np.random.default_rng(5)
    n = 60_000
    et, signal = rng.uniform(10, 50, n), rng.random(n) < 0.5
    values = rng.normal(np.where(signal, et / 20, 0.0))[:, None]
    bins = KinematicBins(eta=(0.0, 2.5), et=(10.0, 20.0, 30.0, 40.0, 50.0))
    fit = fit_likelihood(values, variables=("x",), kinematics=(np.zeros(n), et), signal=signal, bins=bins)
    steps = np.linspace(12, 48, 145)
    got = fit.log_likelihood_ratio(np.full((145, 1), 1.2), eta=np.zeros(145), et=steps)
    assert np.abs(np.diff(got)).max() < 0.06
    at_centre = fit.log_likelihood_ratio(np.array([[1.2]]), eta=np.zeros(1), et=np.array([25.0]))
    assert at_centre == pytest.approx(1.2 * 1.25 - 1.25**2 / 2, abs=0.15)


def test_a_missing_value_says_nothing():
    values, signal, eta, et = sample()
    fit = fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal, bins=ONE)
    one = np.array([[1.0, np.nan, np.nan], [1.0, 0.2, 4.0]])
    alone = fit_likelihood(values[:, :1], variables=("x",), kinematics=(eta, et), signal=signal, bins=ONE)
    at = {"eta": np.zeros(2), "et": np.full(2, 30.0)}
    assert fit.log_likelihood_ratio(one, **at)[0] == pytest.approx(alone.log_likelihood_ratio(one[:, :1], **at)[0])


def test_weights_count():
    values, signal, eta, et = sample()
    shifted = np.exp(0.5 * values[:, 0])  # moves both Gaussians by 0.5
    fit = [
        fit_likelihood(values[:, :1], variables=("x",), kinematics=(eta, et), signal=signal, weight=weight, bins=ONE)
        for weight in (None, shifted, np.where(signal, 3.0, 1.0))
    ]
    at = {"eta": np.zeros(1), "et": np.full(1, 30.0)}
    got = [one.log_likelihood_ratio(np.array([[0.3]]), **at)[0] for one in fit]
    np.testing.assert_allclose(got, [-0.2, -0.7, -0.2], atol=0.12)


def test_permuted_labels_teach_nothing():
    values, signal, eta, et = sample()
    permuted = np.random.default_rng(6).permutation(signal)
    fit = fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=permuted, bins=ONE)
    test, is_signal, eta, et = sample(20_000, seed=7)
    score = fit.discriminant(test, eta=eta, et=et)
    assert auc(score[is_signal], score[~is_signal])[0] == pytest.approx(0.5, abs=0.06)


def test_errors_name_the_bin_and_the_shape():
    values, signal, eta, et = sample(3000)
    found = r"candidates in \|eta\| 0 to 0.6, E_T 4 to 7 GeV; it needs 200.*eta_bins, et_bins, min_candidates"
    with pytest.raises(ConfigError, match=found):
        fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal)
    fit = fit_likelihood(values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal, bins=ONE)
    assert isinstance(fit, Likelihood)
    with pytest.raises(ShapeError, match=r"takes \(n, 3\) values of x, y, hits; got \(3000, 2\)"):
        fit.discriminant(values[:, :2], eta=eta, et=et)
    weight = np.full(3000, np.nan)
    with pytest.raises(NumericalError, match="3000 of 3000 weights are not finite"):
        fit_likelihood(
            values, variables=("x", "y", "hits"), kinematics=(eta, et), signal=signal, weight=weight, bins=ONE
        )


@pytest.mark.parametrize("where", [0, 10, 19])
def test_smoothing_keeps_the_sum_also_of_a_spike_at_an_end(where):
    """What is smoothed over an end must not count twice: all other bins would lose by it."""
    content = np.full(20, 0.04)
    content[where] = 0.24
    smooth = likelihood._smooth(content, 2.0)
    np.testing.assert_allclose(smooth[(where + 10) % 20], 0.04, rtol=2e-3)
    np.testing.assert_allclose(smooth.sum(), 1.0)
