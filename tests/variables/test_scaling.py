"""Scalers: what they fit, that they invert, and that missing values and padding are harmless."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import calotools
from calotools.errors import ConfigError, EmptyInputError, ShapeError
from calotools.variables import IQR_OF_GAUSSIAN, Scaler, fit_scaler


@pytest.mark.parametrize("method", ["robust", "standard"])
def test_gaussian_becomes_standard(method):
    values = np.random.default_rng(1).normal([40.0, -3.0], [10.0, 0.1], (20000, 2))
    scaled = fit_scaler(values, names=["et", "z"], method=method).apply(values)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=0.04)


def test_tails_and_missing_values_do_not_move_the_robust_scaler():
    values = np.random.default_rng(1).normal(size=(10000, 1))
    dirty = np.concatenate([values, np.full((30, 1), 1e9), np.full((500, 1), np.nan), [[np.inf]]])
    clean, spoiled = (fit_scaler(v, names=["d0"]) for v in (values, dirty))
    assert spoiled.width[0] == pytest.approx(clean.width[0], rel=0.02)
    scaled = spoiled.apply(np.array([[1e9], [-np.inf], [np.nan]]))
    assert scaled[:, 0].tolist() == [10.0, -10.0, 0.0]


def test_constant_discrete_and_absent_variables():
    n_hits = np.array([1.0] * 90 + [0.0] * 10)
    values = np.stack([np.ones(100), n_hits, np.full(100, np.nan)], axis=1)
    scaler = fit_scaler(values, names=["one", "hits", "absent"])
    assert scaler.width == (1.0, pytest.approx(0.3), 1.0)
    assert np.isfinite(scaler.apply(values)).all()


def test_padding_is_neither_fitted_nor_scaled():
    values = np.zeros((3, 2, 1))
    mask = np.array([[True, False], [True, True], [False, False]])
    values[mask] = [[5.0], [7.0], [9.0]]
    scaler = fit_scaler(values, names=["pt"], mask=mask)
    assert scaler.centre == (7.0,)
    scaled = scaler.apply(values, mask=mask)
    assert (scaled[~mask] == 0).all()
    assert (scaled[mask][[0, 2]] != 0).all()


@given(arrays(np.float64, (5, 2), elements=st.floats(-1e6, 1e6)))
def test_inverse_and_storage(values):
    scaler = fit_scaler(values, names=["a", "b"], clip=1e30)
    again = Scaler.from_dict(json.loads(json.dumps(scaler.to_dict())))
    assert again == scaler
    restored = again.invert(scaler.apply(values))
    np.testing.assert_allclose(restored, values, rtol=1e-5, atol=1e-5 * (1 + np.max(np.abs(values))))


def test_errors():
    with pytest.raises(ShapeError, match=r"shape \(2, 1\) cannot be scaled as 2 variables"):
        fit_scaler(np.ones((2, 1)), names=["a", "b"])
    with pytest.raises(ShapeError, match="cannot be scaled as 1 variables"):
        Scaler(("a",), (0.0,), (1.0,)).apply(np.ones((3, 2)))
    with pytest.raises(ConfigError, match="unknown scaling 'robbust'; nearest: 'robust'"):
        fit_scaler(np.ones((2, 1)), names=["a"], method="robbust")
    with pytest.raises(EmptyInputError, match="is the training part empty"):
        fit_scaler(np.ones((0, 1)), names=["a"])
    with pytest.raises(ConfigError, match="names, centre and width"):
        Scaler.from_dict({"mean": [1.0]})


def test_the_interquartile_range_of_a_gaussian_is_written_once():
    low, high = stats.norm.ppf([0.25, 0.75])
    assert pytest.approx(high - low, rel=2e-5) == IQR_OF_GAUSSIAN
    package = Path(calotools.__file__).parent
    trees = {path: ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for path in package.rglob("*.py")}
    found = [
        path.relative_to(package).as_posix()
        for path, nodes in trees.items()
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and 1.3485 < node.value < 1.3495
    ]
    assert found == ["variables/scaling.py"]
