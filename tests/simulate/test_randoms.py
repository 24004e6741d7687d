"""The generator inside kernels: its distributions are those it claims, and a state gives one stream."""

import numba
import numpy as np
import pytest
from scipy import stats

from calotools.simulate import randoms


@numba.njit
def _draw(kind, parameter, state, out):
    for i in range(len(out)):
        if kind == 0:
            out[i] = randoms.uniform(state)
        elif kind == 1:
            out[i] = randoms.normal(state)
        elif kind == 2:
            out[i] = randoms.exponential(state)
        elif kind == 3:
            out[i] = randoms.gamma(state, parameter)
        else:
            out[i] = randoms.poisson(state, parameter)


def draw(kind, parameter=1.0, n=20_000, seed=7):
    out = np.empty(n)
    _draw(kind, parameter, np.array([seed], np.uint64), out)
    return out


@pytest.mark.parametrize(
    ("kind", "parameter", "law"),
    [
        (0, 1.0, stats.uniform()),
        (1, 1.0, stats.norm()),
        (2, 1.0, stats.expon()),
        (3, 0.3, stats.gamma(0.3)),
        (3, 1.0, stats.gamma(1.0)),
        (3, 25.0, stats.gamma(25.0)),
    ],
)
def test_continuous_laws(kind, parameter, law):
    assert stats.kstest(draw(kind, parameter), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.0, 0.4, 12.0, 55.0, 200.0])
def test_poisson_mean_and_variance(mean):
    counts = draw(4, mean)
    assert counts.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / len(counts)) + 1e-12)
    assert counts.var() == pytest.approx(mean, rel=0.06)
    assert (counts >= 0).all()


def test_gamma_without_shape_is_zero():
    assert (draw(3, 0.0, n=10) == 0).all()


def test_streams_differ_by_seed_and_repeat_by_seed():
    assert np.array_equal(draw(0, seed=1), draw(0, seed=1))
    assert abs(np.corrcoef(draw(0, seed=1), draw(0, seed=2))[0, 1]) < 0.03


@numba.njit
def _draw_four(counter, out):
    for i in range(len(out)):
        counter = randoms.advance(counter)
        out[i] = randoms.four(counter)


def test_four_numbers_of_one_value_are_uniform_and_independent():
    out = np.empty((40_000, 4))
    _draw_four(np.uint64(7), out)
    assert [stats.kstest(column, "uniform").pvalue > 1e-3 for column in out.T] == [True] * 4
    assert np.corrcoef(out.T) - np.eye(4) == pytest.approx(0.0, abs=0.02)
