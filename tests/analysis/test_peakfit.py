"""Peak fits: closure on toys, weights, honesty about failures, and real peaks."""

import numpy as np
import pytest

from calotools.analysis import event_bootstrap, fit_peak
from calotools.analysis.lineshapes import M_Z, Parameter, breit_wigner, dscb_cdf
from calotools.analysis.minimise import minimise
from calotools.containers import Index
from calotools.errors import ConfigError, EmptyInputError, ShapeError

_GRID = np.linspace(40, 150, 11_001)
_STEPS = np.linspace(-25, 25, 5001)


def z_masses(n, rng, *, sigma=1.3, a=1.5):
    """Breit-Wigner masses with a Crystal Ball resolution, drawn by inverting cumulative tables."""
    natural = np.cumsum(breit_wigner(_GRID))
    resolution = dscb_cdf(_STEPS, 0.0, sigma, a, 5.0, a, 10.0)
    return np.interp(rng.random(n), natural / natural[-1], _GRID) + np.interp(rng.random(n), resolution, _STEPS)


def pulls_are_standard(pulls):
    n = len(pulls)
    return abs(np.mean(pulls)) < 3 / np.sqrt(n) and abs(np.std(pulls) - 1) < 3 / np.sqrt(2 * n)


@pytest.mark.slow
def test_z_toys_give_mean_and_width_back():
    rng = np.random.default_rng(21)
    fits = []
    for _ in range(80):
        masses = np.concatenate([z_masses(4000, rng), rng.uniform(75, 105, 200)])
        fits.append(fit_peak(masses, kind="zee", rng=rng))
    assert all(fit.valid for fit in fits)
    assert pulls_are_standard([(fit.values["mean"] - M_Z) / fit.errors["mean"] for fit in fits])
    widths = [(fit.values["sigma"] - 1.3) / fit.errors["sigma"] for fit in fits]
    # Core and tails share what they can, with a weak constraint: a bias below half an error, errors not too small.
    assert abs(np.mean(widths)) < 0.5
    assert 0.6 < np.std(widths) < 1 + 3 / np.sqrt(160)
    assert max(np.abs(widths)) < 5
    # chi2 is distributed as it should be.
    assert np.mean([fit.chi2 / fit.ndf for fit in fits]) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_higgs_toys_give_mean_and_width_back():
    rng = np.random.default_rng(22)
    fits = []
    for _ in range(80):
        masses = np.concatenate([rng.normal(125, 1.6, 2000), rng.uniform(115, 135, 500)])
        fits.append(fit_peak(masses, kind="hyy", rng=rng))
    assert all(fit.valid for fit in fits)
    assert pulls_are_standard([(fit.values["mean"] - 125) / fit.errors["mean"] for fit in fits])
    # The truth has no tails, the constraint expects some: the core gives a little to them.
    widths = [(fit.values["sigma"] - 1.6) / fit.errors["sigma"] for fit in fits]
    assert abs(np.mean(widths)) < 0.7
    assert np.std(widths) < 1 + 3 / np.sqrt(160)
    fwhm = [(fit.width["fwhm"] - 1.6 * 2.3548) / fit.width["fwhm_error"] for fit in fits]
    assert abs(np.mean(fwhm)) < 0.7


def test_one_peak_all_its_parts():
    rng = np.random.default_rng(1)
    masses = np.concatenate([rng.normal(125, 1.6, 4000), rng.uniform(115, 135, 1000), [np.nan, 99.0]])
    fit = fit_peak(masses, kind="hyy", rng=rng, name="network")
    assert (fit.valid, fit.message, fit.name) == (True, "", "network")
    assert fit.counts.sum() == 5000
    assert fit.model.sum() == pytest.approx(5000, rel=1e-3)
    assert np.all(fit.background > 0)
    assert fit.background.sum() == pytest.approx(fit.values["n_background"], rel=1e-6)
    assert fit.width["sigma68"] == pytest.approx(1.6, abs=4 * fit.width["sigma68_error"])
    assert fit.width["fwhm"] == pytest.approx(1.6 * 2.3548, abs=4 * fit.width["fwhm_error"])
    # With a flat background the width of all entries is not that of the signal.
    assert fit.width["sample_sigma68"] > fit.width["sigma68"] + 5 * fit.width["sample_sigma68_error"]


def test_fwhm_of_the_resonance():
    rng = np.random.default_rng(2)
    fit = fit_peak(z_masses(20_000, rng, sigma=0.1), kind="zee", rng=rng, background=None)
    assert fit.width["fwhm"] == pytest.approx(2.495, abs=0.3)


def test_weights_scale_yields_and_keep_the_rest():
    masses = np.random.default_rng(3).normal(125, 1.6, 3000)
    plain = fit_peak(masses, kind="hyy", rng=np.random.default_rng(1), background=None)
    tiny = fit_peak(masses, kind="hyy", rng=np.random.default_rng(1), background=None, weight=np.full(3000, 1e-6))
    for name in ("mean", "sigma"):
        assert tiny.values[name] == pytest.approx(plain.values[name], abs=0.02 * plain.errors[name])
        assert tiny.errors[name] == pytest.approx(plain.errors[name], rel=0.02)
    assert tiny.values["n_signal"] == pytest.approx(1e-6 * plain.values["n_signal"], rel=1e-3)
    assert tiny.errors["n_signal"] == pytest.approx(1e-6 * plain.errors["n_signal"], rel=0.02)
    assert tiny.chi2 == pytest.approx(plain.chi2, rel=0.05)


def test_uneven_weights_cost_precision():
    rng = np.random.default_rng(4)
    masses, weight = rng.normal(125, 1.6, 4000), rng.exponential(size=4000)
    plain = fit_peak(masses, kind="hyy", rng=rng, background=None)
    weighted = fit_peak(masses, kind="hyy", rng=rng, background=None, weight=weight)
    assert weighted.errors["mean"] / plain.errors["mean"] == pytest.approx(np.sqrt(2), rel=0.15)


def test_a_shape_from_simulation_can_be_held():
    rng = np.random.default_rng(5)
    masses = np.concatenate([rng.normal(125, 1.6, 300), rng.uniform(105, 160, 6000)])
    fit = fit_peak(
        masses, kind="hyy", rng=rng, window=(105.0, 160.0), fixed={"sigma": 1.6, "a_low": 4.0, "a_high": 4.0}
    )
    assert (fit.values["sigma"], fit.errors["sigma"]) == (1.6, 0.0)
    assert fit.values["n_signal"] == pytest.approx(300, abs=3 * fit.errors["n_signal"])


def test_no_background_is_noted_not_failed():
    rng = np.random.default_rng(6)
    fit = fit_peak(rng.normal(125, 1.2, 2000), kind="hyy", rng=rng)
    assert fit.valid
    assert fit.values["n_background"] < 100


def test_a_sample_without_the_peak_is_not_believed():
    rng = np.random.default_rng(7)
    # All entries at one edge of the window: the mean runs into its limit.
    fit = fit_peak(105 - rng.exponential(0.5, 2000), kind="zee", rng=rng, background=None)
    assert not fit.valid
    assert "at a limit: " in fit.message
    assert "mean" in fit.message


def test_parameters_at_limits_are_named():
    from iminuit.cost import LeastSquares

    x = np.linspace(0, 1, 20)
    cost = LeastSquares(x, 3 + 2 * x, 0.1, lambda x, a, b: a + b * x)
    hard = [Parameter("a", 1.0, 0.0, 2.0), Parameter("b", 1.0, -9.0, 9.0)]
    outcome = minimise(cost, hard, rng=np.random.default_rng(1), retries=1)
    assert outcome.message == "at a limit: a"
    soft = [Parameter("a", 1.0, 0.0, 2.0, soft=True), hard[1]]
    outcome = minimise(cost, soft, rng=np.random.default_rng(1), retries=1)
    assert outcome.valid
    assert outcome.notes == "a fixed at 2 (its limit)"


def test_a_local_minimum_is_left():
    from iminuit.cost import LeastSquares

    x = np.linspace(0, 10, 60)
    cost = LeastSquares(x, np.sin(2.0 * x), 0.05, lambda x, f: np.sin(f * x))
    outcome = minimise(cost, [Parameter("f", 3.4, 0.5, 6.5)], rng=np.random.default_rng(3), retries=15)
    assert outcome.values["f"] == pytest.approx(2.0, abs=0.01)


def test_events_are_resampled_whole():
    rng = np.random.default_rng(8)
    masses = np.repeat(rng.normal(125, 1.6, 500), 4)
    number = np.repeat(np.arange(500), 4)
    boot = event_bootstrap(Index(number, number, number), rng=rng, replicas=100)
    together = fit_peak(masses, kind="hyy", rng=rng, background=None, bootstrap=boot)
    apart = fit_peak(masses, kind="hyy", rng=rng, background=None)
    ratio = together.width["sample_sigma68_error"] / apart.width["sample_sigma68_error"]
    assert ratio == pytest.approx(2, rel=0.35)


def test_same_seed_same_fit():
    masses = np.random.default_rng(9).normal(125, 1.6, 1000)
    one, two = (fit_peak(masses, kind="hyy", rng=np.random.default_rng(4)) for _ in range(2))
    assert one.values == two.values
    assert one.width == two.width


def test_wrong_input_is_refused():
    rng = np.random.default_rng(1)
    masses = np.full(100, 91.0)
    with pytest.raises(ConfigError, match="no peak 'jpsi'; allowed: 'hyy', 'zee'"):
        fit_peak(masses, kind="jpsi", rng=rng)
    with pytest.raises(EmptyInputError, match="0 of 100 masses are between 115 and 135 GeV"):
        fit_peak(masses, kind="hyy", rng=rng)
    with pytest.raises(ShapeError, match="100 masses, 3 weights"):
        fit_peak(masses, kind="zee", rng=rng, weight=np.ones(3))
    with pytest.raises(ConfigError, match="the fit has no parameter 'sigm'; nearest: 'sigma'"):
        fit_peak(masses, kind="zee", rng=rng, fixed={"sigm": 1.0})
