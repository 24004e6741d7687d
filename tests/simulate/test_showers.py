"""Shower profiles: special functions against scipy, fluctuations, and the share of energy in each layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from calotools.detector import stack_medium
from calotools.simulate import showers


@pytest.fixture(scope="module")
def medium():
    m = stack_medium("barrel_inner")
    return np.array([m.z, m.critical_energy, m.moliere_radius, m.sampling_frequency, m.e_over_mip])


@given(st.floats(1.1, 20.0), st.floats(0.0, 80.0))
def test_gamma_cdf_is_the_incomplete_gamma_function(shape, x):
    assert showers.gamma_cdf(shape, x) == pytest.approx(special.gammainc(shape, x), abs=2e-6)


@given(st.floats(0.05, 500.0), st.floats(0.05, 6.0))
def test_radial_profile_stays_physical(e, tau):
    m = stack_medium("barrel_inner")
    table = np.array([m.z, m.critical_energy, m.moliere_radius, m.sampling_frequency, m.e_over_mip])
    core, tail, p = showers.radial(e, tau, table)
    assert 0 < core < 3
    assert tail > 0
    assert 0 <= p <= 1


def test_shower_maximum_follows_the_logarithm_of_the_energy(medium):
    state = np.array([3], np.uint64)
    depth = [np.median([showers.longitudinal(state, e, medium, 1.0)[0] for _ in range(4000)]) for e in (10.0, 100.0)]
    assert depth[1] - depth[0] == pytest.approx(np.log(10.0), rel=0.03)


def test_depth_and_shape_fluctuate_together(medium):
    state = np.array([3], np.uint64)
    drawn = np.log(np.array([showers.longitudinal(state, 50.0, medium, 1.0)[:2] for _ in range(4000)]))
    log_y = np.log(50.0 / medium[1])
    assert drawn.std(axis=0) == pytest.approx([1 / (-2.5 + 1.25 * log_y), 1 / (-0.82 + 0.79 * log_y)], rel=0.05)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(0.784 - 0.023 * log_y, abs=0.04)


def test_no_fluctuation_gives_one_profile(medium):
    state = np.array([3], np.uint64)
    assert len({showers.longitudinal(state, 50.0, medium, 0.0) for _ in range(5)}) == 1


@given(st.floats(2.0, 12.0), st.floats(0.0, 10.0), st.floats(0.1, 0.8), st.integers(1, 20))
def test_slices_share_what_lies_in_them(shape, start, width, n):
    shares = np.empty(n)
    showers.share_slices(shape, start, width, shares)
    held = np.diff(special.gammainc(shape, start + width * np.arange(n + 1)))
    assert shares == pytest.approx(held / held.sum(), abs=3e-3)
