"""Weights: the shapes they give, and that only the training part decides."""

import numpy as np
import pytest

from calotools.errors import ConfigError, EmptyInputError, ShapeError
from calotools.variables import flatten_weights, match_weights

EDGES = (np.geomspace(10, 160, 5), np.array([0.0, 0.8, 1.6, 2.4]))


def sample(n, seed, slope=20.0):
    rng = np.random.default_rng(seed)
    return 10 + rng.exponential(slope, n), rng.uniform(-2.4, 2.4, n) * rng.uniform(0.5, 1.0, n)


def contents(et, eta, weight):
    return np.histogram2d(et, np.abs(eta), bins=EDGES, weights=weight)[0]


def test_flat_after_flattening():
    et, eta = sample(20000, 1)
    weight = flatten_weights(et, eta, edges=EDGES, cap=1e9)
    inside = et < 160
    flat = contents(et[inside], eta[inside], weight[inside])
    assert weight.mean() == pytest.approx(1.0, rel=1e-5)
    # the last E_T bin also holds the weight of what lies beyond the edges
    np.testing.assert_allclose(flat[:-1], flat[0, 0], rtol=1e-4)


def test_matching_gives_the_other_shape():
    et, eta = sample(20000, 1)
    other = sample(30000, 2, slope=40.0)
    weight = match_weights(et, eta, like=other, edges=EDGES, cap=1e9)
    mine, wanted = contents(et, eta, weight)[:-1], contents(*other, np.ones(30000))[:-1]
    np.testing.assert_allclose(mine / mine.sum(), wanted / wanted.sum(), rtol=1e-3)


def test_existing_weights_count():
    et, eta = sample(5000, 3)
    own = np.random.default_rng(4).uniform(0.5, 2.0, 5000)
    weight = flatten_weights(et, eta, weight=own, edges=EDGES, cap=1e9)
    flat = contents(et, eta, weight)[:-1]
    np.testing.assert_allclose(flat, flat[0, 0], rtol=1e-4)


def test_only_the_training_part_decides():
    et, eta = sample(4000, 5)
    train = np.arange(4000) < 3000
    before = flatten_weights(et, eta, train=train, edges=EDGES)
    changed = np.where(train, et, 12.0)
    after = flatten_weights(changed, eta, train=train, edges=EDGES)
    np.testing.assert_array_equal(before[train], after[train])
    assert before[train].mean() == pytest.approx(1.0, rel=1e-5)


def test_rare_bins_are_capped_and_missing_values_weigh_nothing():
    et, eta = np.r_[np.full(9999, 12.0), 100.0], np.zeros(10000)
    assert flatten_weights(et, eta, edges=EDGES, cap=5.0).max() == pytest.approx(5.0, rel=1e-3)
    assert flatten_weights(et, eta, edges=EDGES, cap=1e9).max() > 1000
    assert flatten_weights([12.0, np.nan], [0.0, 0.0]).tolist() == [1.0, 0.0]
    beyond = match_weights([1e3, 20.0], [9.0, 0.0], like=([1e5], [2.5]), edges=EDGES)
    assert beyond.tolist() == [2.0, 0.0]


def test_errors():
    with pytest.raises(ShapeError, match="lengths 2, 1, 2, 2"):
        flatten_weights([1.0, 2.0], [0.0])
    with pytest.raises(EmptyInputError, match="no training candidate"):
        flatten_weights([1.0], [0.0], train=[False])
    with pytest.raises(EmptyInputError, match="the sample to resemble"):
        match_weights([1.0], [0.0], like=([np.nan], [0.0]))
    with pytest.raises(EmptyInputError, match="no bin of"):
        match_weights([20.0], [0.0], like=([1e5], [2.5]), edges=EDGES)
    with pytest.raises(ConfigError, match=r"cap = 0.5"):
        flatten_weights([1.0], [0.0], cap=0.5)
    with pytest.raises(ConfigError, match=r"E_T edges \[10.0, 5.0\]"):
        flatten_weights([1.0], [0.0], edges=((10, 5), (0, 1)))


def test_the_sample_to_resemble_may_be_weighted():
    et, eta = np.array([12.0, 42.0]), np.zeros(2)
    like = (np.array([12.0, 42.0]), np.zeros(2))
    weighted = match_weights(et, eta, like=like, like_weight=np.array([1.0, 3.0]))
    np.testing.assert_allclose(weighted, [0.5, 1.5])
