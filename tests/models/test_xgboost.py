"""XGBoost in LightGBM's place: the same settings, the same answers up to statistics, text that gives them back."""

import builtins
from dataclasses import replace

import numpy as np
import pytest

from calotools.errors import ConfigError, NumericalError
from calotools.models.bins import KinematicBins
from calotools.models.trees import TreeSettings
from calotools.models.variable_models import VARIABLE_MODELS, VariableInputs, VariableTable

QUICK = TreeSettings(library="xgboost", rounds=200, patience=20, leaves=15, min_leaf=20)


@pytest.fixture
def quick():
    """Settings of `grow`."""
    return QUICK


def test_a_known_correction_is_learnt_in_each_bin(sample, grow):
    pytest.importorskip("xgboost", reason="an extra")
    values, eta, et, stops, rng = sample()
    sign = np.where(np.abs(eta) < 1.2, 1.0, -1.0)
    target = 1 + 0.1 * sign * np.tanh(values[:, 0]) + rng.normal(0, 0.01, len(eta))
    target[rng.random(len(eta)) < 0.02] += 1  # far outside the core: these may not count much
    bins = KinematicBins(eta=(0.0, 1.2, 2.5), et=(0.0, 500.0))
    trees = grow(values, target, eta, et, stops, bins=bins, settings=replace(QUICK, huber=0.05))
    values, eta, et, _, _ = sample(2000, seed=2)
    sign = np.where(np.abs(eta) < 1.2, 1.0, -1.0)
    error = trees.predict(values, eta=eta, et=et) - (1 + 0.1 * sign * np.tanh(values[:, 0]))
    assert np.sqrt(np.mean(error**2)) < 0.01
    assert trees.importance()["a"] > 0.9


def test_probabilities_come_true_and_are_those_of_lightgbm(sample, grow):
    pytest.importorskip("xgboost", reason="an extra")
    values, eta, et, stops, rng = sample(20_000)
    probability = 1 / (1 + np.exp(-2 * values[:, 0]))
    label = rng.random(len(eta)) < probability
    values[rng.random(values.shape) < 0.1] = np.nan
    said = []
    for library in ("xgboost", "lightgbm"):
        settings = TreeSettings(library=library, objective="binary", rounds=200, leaves=15)
        trees = grow(values, label, eta, et, stops, settings=settings)
        said.append(trees.predict(values[stops], eta=eta[stops], et=et[stops]))
        high = said[-1] > 0.8
        assert label[stops][high].mean() == pytest.approx(said[-1][high].mean(), abs=0.04)
    assert np.abs(said[0] - said[1]).mean() < 0.02
    assert np.corrcoef(*said)[0, 1] > 0.98


def test_weights_decide_between_contradictions_and_their_scale_does_not_matter(sample, grow):
    pytest.importorskip("xgboost", reason="an extra")
    values, eta, et, stops, _ = sample(2000)
    target = np.where(np.arange(2000) % 2, 1.0, 0.0)
    weight = np.where(np.arange(2000) % 2, 9.0, 1.0)
    settings = TreeSettings(library="xgboost", objective="binary", rounds=20, leaves=4, l2=0.0)
    said = [
        grow(values, target, eta, et, stops, weight=scale * weight, settings=settings).predict(values, eta=eta, et=et)
        for scale in (1, 0.01)
    ]
    assert said[0].mean() == pytest.approx(0.9, abs=0.03)
    np.testing.assert_allclose(said[0], said[1], atol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_arrays_of_a_bundle_give_the_same_forest(n_classes, sample):
    pytest.importorskip("xgboost", reason="an extra")
    values, eta, et, stops, _ = sample(3000)
    target = np.digitize(values[:, 0], [-0.5, 0.5][: n_classes - 1])
    table = VariableTable(values.astype(np.float32), target, np.ones(len(eta)), eta, et, stops)
    inputs = VariableInputs(("a", "b", "c"), {"library": "xgboost", "rounds": 30, "leaves": 8}, n_classes)
    kind = VARIABLE_MODELS["trees"]
    fitted = kind.fit(inputs, table, seed=1)
    again = kind.from_arrays(inputs, fitted.arrays())
    said, contributions = (
        [getattr(one, name)(table.values, eta=eta, et=et) for one in (fitted, again)]
        for name in ("outputs", "contributions")
    )
    np.testing.assert_array_equal(*said)
    np.testing.assert_array_equal(*contributions)
    assert said[0].shape == (3000, n_classes)
    np.testing.assert_allclose(said[0].sum(axis=1), 1, atol=1e-5)
    assert (said[0].argmax(axis=1) == target).mean() > 0.95
    assert contributions[0].shape == (3000, 1 if n_classes == 2 else n_classes, 3)
    if n_classes == 2:  # what variables add sums to the log-odds, less a constant
        rest = np.log(said[0][:, 1] / said[0][:, 0]) - contributions[0][:, 0].sum(axis=1)
        np.testing.assert_allclose(rest, rest[0], atol=2e-3)
    assert max(again.importance(), key=again.importance().get) == "a"


def test_what_cannot_be_grown(monkeypatch, sample, grow):
    values, eta, et, stops, _ = sample(200)
    with pytest.raises(ConfigError, match="there are no trees of 'xgbost'; nearest: 'xgboost'"):
        grow(values, eta, eta, et, stops, settings=replace(QUICK, library="xgbost"))
    with pytest.raises(NumericalError, match="4 of 160 weights are negative, which XGBoost cannot use"):
        grow(values, eta, eta, et, stops, weight=np.where(np.arange(200) < 5, -1.0, 1.0))
    with pytest.raises(ConfigError, match="trees of XGBoost have no objective 'hubber'; nearest: 'huber'"):
        grow(values, eta, eta, et, stops, settings=replace(QUICK, objective="hubber"))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "xgboost":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'calotools\[xgboost\]'"):
        grow(values, eta, eta, et, stops)
