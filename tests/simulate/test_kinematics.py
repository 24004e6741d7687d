"""Generated bosons and their decays have the distributions that they were drawn from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from calotools.simulate.kinematics import (
    Boson,
    decay_boson,
    draw_boson,
    draw_from_density,
    radiate,
    wrap_phi,
    z_line_shape,
)


def rng(seed=1):
    return np.random.default_rng(seed)


def mass_of(pair):
    pt = pair.e / np.cosh(pair.eta)
    opening = np.cosh(pair.eta[:, 0] - pair.eta[:, 1]) - np.cos(pair.phi[:, 0] - pair.phi[:, 1])
    return np.sqrt(2 * pt[:, 0] * pt[:, 1] * opening)


@settings(max_examples=50)
@given(
    m=st.floats(3, 200),
    pt=st.floats(0, 200),
    y=st.floats(-3, 3),
    cos_theta=st.floats(-0.99, 0.99),
    angles=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_decay_keeps_four_momentum(m, pt, y, cos_theta, angles):
    one = np.ones(1)
    pair = decay_boson(Boson(m * one, pt * one, y * one, angles[0] * one, cos_theta * one, angles[1] * one))
    momentum = pair.e / np.cosh(pair.eta) * np.exp(1j * pair.phi)
    assert mass_of(pair)[0] == pytest.approx(m, rel=1e-6)
    assert momentum.sum() == pytest.approx(pt * np.exp(1j * angles[0]), abs=1e-9 * (m + pt) * np.cosh(3) * 10)
    assert pair.e.sum() == pytest.approx(np.hypot(m, pt) * np.cosh(y), rel=1e-9)
    assert (pair.e * np.tanh(pair.eta)).sum() == pytest.approx(np.hypot(m, pt) * np.sinh(y), abs=1e-7 * (m + pt))


def test_z_mass_follows_the_line_shape():
    mass = mass_of(decay_boson(draw_boson("zee", 20_000, rng=rng())))
    grid = np.linspace(50, 150, 20_001)
    cumulative = np.cumsum(z_line_shape(grid))
    assert kstest(mass, lambda x: np.interp(x, grid, cumulative / cumulative[-1])).pvalue > 0.001
    assert 90.9 < np.median(mass) < 91.3


def test_decay_angle_of_a_z_at_rest():
    cosine = draw_boson("zee", 100_000, rng=rng()).cos_theta
    # 1 + c^2 has <c^2> = 2/5; the A0 term of a Z at low pT takes it slightly down
    assert 0.385 < np.mean(cosine**2) < 0.402
    assert abs(np.mean(cosine)) < 0.01


def test_higgs_is_narrow_and_isotropic():
    boson = draw_boson("hyy", 20_000, rng=rng())
    assert np.all(boson.m == 125.0)
    assert np.mean(boson.cos_theta**2) == pytest.approx(1 / 3, abs=0.01)


def test_draw_from_density_is_the_density():
    x = draw_from_density(20_000, lambda x: x**-2.0, low=10, high=100, rng=rng())
    assert kstest(x, lambda x: (1 / 10 - 1 / x) / (1 / 10 - 1 / 100)).pvalue > 0.001


def test_radiation_has_the_leading_logarithm_rate():
    fraction, distance = radiate(np.full(200_000, 45.0), scale=91.2, rng=rng())
    x = np.linspace(0.01, 1, 100_001)
    expected = 0.0011614 * 2 * np.log(91.2 / 0.000511) * np.trapezoid((1 + (1 - x) ** 2) / x, x)
    assert np.mean(fraction > 0) == pytest.approx(expected, rel=0.03)
    assert np.all((distance > 0) & (distance <= 1))


@given(st.floats(-100, 100))
def test_wrap_keeps_the_direction(phi):
    wrapped = float(wrap_phi(np.array([phi]))[0])
    assert -np.pi <= wrapped < np.pi
    assert np.exp(1j * wrapped) == pytest.approx(np.exp(1j * phi), abs=1e-9)
