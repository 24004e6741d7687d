"""Boosted trees: known functions, bins of their own, text instead of pickles."""

import builtins

import numpy as np
import pytest

from calotools.errors import ConfigError, NumericalError, ShapeError
from calotools.models.bins import ONE_BIN, KinematicBins
from calotools.models.trees import BoostedTrees, TreeSettings

QUICK = TreeSettings(rounds=200, patience=20, leaves=15, min_leaf=20)


@pytest.fixture
def quick():
    """Settings of `grow`."""
    return QUICK


def test_a_known_correction_is_learnt_in_each_bin(sample, grow):
    values, eta, et, stops, rng = sample()
    sign = np.where(np.abs(eta) < 1.2, 1.0, -1.0)
    target = 1 + 0.1 * sign * np.tanh(values[:, 0]) + rng.normal(0, 0.01, len(eta))
    bins = KinematicBins(eta=(0.0, 1.2, 2.5), et=(0.0, 50.0, 500.0))
    seen = []
    trees = grow(values, target, eta, et, stops, bins=bins, report=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    values, eta, et, _, _ = sample(2000, seed=2)
    sign = np.where(np.abs(eta) < 1.2, 1.0, -1.0)
    error = trees.predict(values, eta=eta, et=et) - (1 + 0.1 * sign * np.tanh(values[:, 0]))
    assert np.sqrt(np.mean(error**2)) < 0.01
    assert trees.importance()["a"] > 0.9


def test_probabilities_are_calibrated_and_missing_values_are_allowed(sample, grow):
    values, eta, et, stops, rng = sample(20_000)
    probability = 1 / (1 + np.exp(-2 * values[:, 0]))
    label = rng.random(len(eta)) < probability
    values[rng.random(values.shape) < 0.1] = np.nan
    settings = TreeSettings(objective="binary", rounds=200, leaves=15)
    trees = grow(values, label, eta, et, stops, settings=settings)
    said = trees.predict(values, eta=eta, et=et)
    high = said > 0.8
    assert label[high].mean() == pytest.approx(said[high].mean(), abs=0.03)


def test_several_classes_have_probabilities_that_sum_to_one(sample, grow):
    values, eta, et, stops, _ = sample()
    target = np.digitize(values[:, 0], [-0.5, 0.5])
    settings = TreeSettings(objective="multiclass", n_classes=3, rounds=50)
    trees = grow(values, target, eta, et, stops, settings=settings)
    said = trees.predict(values, eta=eta, et=et)
    assert said.shape == (len(eta), 3)
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
    assert (said.argmax(axis=1) == target).mean() > 0.95


def test_shuffled_targets_teach_nothing(sample, grow):
    values, eta, et, stops, rng = sample()
    target = rng.permutation(1 + 0.1 * np.tanh(values[:, 0]))
    trees = grow(values, target, eta, et, stops)
    fresh, eta, et, _, _ = sample(2000, seed=3)
    said = trees.predict(fresh, eta=eta, et=et)
    assert np.corrcoef(said, np.tanh(fresh[:, 0]))[0, 1] ** 2 < 0.2
    assert said.std() < 0.03


def test_the_same_seed_grows_the_same_forest(sample, grow):
    values, eta, et, stops, _ = sample(3000)
    one, two = (grow(values, values[:, 0], eta, et, stops) for _ in range(2))
    assert one.forests == two.forests


def test_weights_decide_between_contradictions(sample, grow):
    values, eta, et, stops, _ = sample(2000)
    target = np.where(np.arange(2000) % 2, 1.0, 0.0)
    weight = np.where(np.arange(2000) % 2, 9.0, 1.0)
    settings = TreeSettings(objective="regression", rounds=20, leaves=4)
    trees = grow(values, target, eta, et, stops, weight=weight, settings=settings)
    assert trees.predict(values, eta=eta, et=et).mean() == pytest.approx(0.9, abs=0.03)


def test_errors_name_what_is_wrong(sample, grow):
    values, eta, et, stops, _ = sample(500)
    with pytest.raises(ConfigError, match=r"no candidate to grow on in \|eta\| 3 to 4, E_T 0 to 500 GeV.*eta_bins"):
        grow(values, eta, eta, et, stops, bins=KinematicBins(eta=(0.0, 3.0, 4.0)))
    target = np.where(np.arange(500) == 3, np.nan, 1.0)
    with pytest.raises(NumericalError, match="1 of 500 targets are not finite"):
        grow(values, target, eta, et, stops)
    trees = BoostedTrees(("a", "b"), ONE_BIN, ("",))
    with pytest.raises(ShapeError, match=r"take \(n, 2\) values of a, b; got \(500, 3\)"):
        trees.predict(values, eta=eta, et=et)


def test_without_the_library_it_says_how_to_get_it(monkeypatch, sample, grow):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "lightgbm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    values, eta, et, stops, _ = sample(100)
    with pytest.raises(ConfigError, match=r"pip install 'calotools\[trees\]'"):
        grow(values, eta, eta, et, stops)
