"""Shapes: normalised, densities that integrate to their cumulative functions, and known limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from calotools.analysis import lineshapes
from calotools.analysis.backgrounds import background_shape, bernstein, cms_shape, exponential
from calotools.analysis.lineshapes import (
    breit_wigner,
    bw_dscb,
    dscb,
    dscb_cdf,
    template,
)
from calotools.errors import ConfigError, EmptyInputError

WINDOW = (60.0, 120.0)
SHAPES = {
    "bernstein": bernstein(WINDOW),
    "bw": bw_dscb(WINDOW),
    "cms": cms_shape(WINDOW),
    "dscb": dscb(WINDOW, peak=91.0),
    "exponential": exponential(WINDOW),
    "template": template(WINDOW, np.random.default_rng(1).normal(90, 3, 500)),
}


def values_within(shape, fractions):
    return [one.low + f * (one.high - one.low) for one, f in zip(shape.parameters, fractions, strict=False)]


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=25)
@given(fractions=st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6))
def test_cumulative_rises_from_0_to_1_and_is_the_integral_of_the_density(name, fractions):
    shape = SHAPES[name]
    values = values_within(shape, fractions)
    edges = np.linspace(*WINDOW, 241)
    cumulative = shape.cdf(edges, *values)
    assert (cumulative[0], cumulative[-1]) == pytest.approx((0.0, 1.0), abs=1e-12)
    assert np.all(np.diff(cumulative) >= -1e-12)
    fine = np.linspace(*WINDOW, 6001)
    density = shape.pdf(fine, *values)
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * 0.01)])
    assert integral[::25] == pytest.approx(cumulative, abs=5e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_start_is_within_the_limits(name):
    for one in SHAPES[name].parameters:
        assert one.low <= one.start <= one.high


@pytest.mark.slow
def test_dscb_agrees_with_numba_stats():
    crystal = pytest.importorskip("numba_stats.crystalball_ex")
    x = np.linspace(100, 150, 300)
    ours = dscb_cdf(x, 125.0, 1.7, 1.3, 4.0, 1.9, 9.0)
    assert ours == pytest.approx(crystal.cdf(x, 1.3, 4.0, 1.7, 1.9, 9.0, 1.7, 125.0), abs=1e-10)


def test_convolution_agrees_with_integration():
    shape = bw_dscb((75.0, 105.0))
    values = (91.5, 1.4, 1.2, 5.0, 1.7, 10.0)
    # The resonance starts 30 GeV below and ends 30 GeV above the window.
    truth = np.linspace(45, 135, 90_001)
    weight = breit_wigner(truth)
    edges = np.array([75.0, 80.03, 88.4, 90.01, 91.27, 93.0, 98.6, 105.0])
    smeared = [np.sum(weight * dscb_cdf(edge - truth, values[0] - lineshapes.M_Z, *values[1:])) for edge in edges]
    expected = (np.array(smeared) - smeared[0]) / (smeared[-1] - smeared[0])
    assert shape.cdf(edges, *values) == pytest.approx(expected, abs=2e-4)


def test_perfect_resolution_gives_back_the_resonance():
    shape = bw_dscb((80.0, 100.0))
    total = quad(breit_wigner, 80, 100)[0]
    edges = np.linspace(80, 100, 21)
    expected = [quad(breit_wigner, 80, edge)[0] / total for edge in edges]
    assert shape.cdf(edges, lineshapes.M_Z, 0.05, 4.0, 5.0, 4.0, 10.0) == pytest.approx(expected, abs=5e-4)


def test_dscb_without_tails_is_gaussian():
    x = np.linspace(118, 132, 50)
    assert dscb_cdf(x, 125.0, 1.5, 6.0, 10.0, 6.0, 10.0) == pytest.approx(norm.cdf(x, 125, 1.5), abs=1e-6)


def test_cms_shape_is_the_formula():
    from scipy.special import erfc

    low, high = WINDOW
    alpha, beta, gamma = 70.0, 0.08, 0.04

    def density(m):
        return erfc(beta * (alpha - m)) * np.exp(-gamma * m)

    total = quad(density, low, high)[0]
    expected = [quad(density, low, edge)[0] / total for edge in (65.0, 80.0, 100.0)]
    assert cms_shape(WINDOW).cdf(np.array([65.0, 80.0, 100.0]), alpha, beta, gamma) == pytest.approx(expected, abs=1e-5)


def test_template_is_shifted_and_smeared():
    masses = np.random.default_rng(2).normal(90, 2, 200_000)
    edges = np.linspace(80, 100, 21)
    expected = (norm.cdf(edges, 91, np.hypot(2, 1)) - norm.cdf(60, 91, 5)) / 1.0
    assert template(WINDOW, masses).cdf(edges, 1.0, 1.0) == pytest.approx(expected, abs=4e-3)


def test_weights_of_a_template_count():
    both = np.array([80.0, 100.0])
    shape = template(WINDOW, both, weight=np.array([3.0, 1.0]))
    assert shape.cdf(np.array([90.0]), 0.0, 0.5) == pytest.approx(0.75)


def test_wrong_shapes_are_refused():
    with pytest.raises(ConfigError, match=r"window from 120\.0 to 60\.0 GeV is empty"):
        exponential((120.0, 60.0))
    with pytest.raises(ConfigError, match="no background 'exponental'; nearest: 'exponential'"):
        background_shape("exponental", WINDOW)
    with pytest.raises(ConfigError, match="degree 0 has no shape"):
        bernstein(WINDOW, degree=0)
    with pytest.raises(EmptyInputError, match="none of 2 simulated masses"):
        template(WINDOW, np.array([10.0, 20.0]))
