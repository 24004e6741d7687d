"""Bias correction: known biases are taken out, noise is left alone."""

import json

import numpy as np
import pytest

from calotools.errors import ShapeError
from calotools.training.bias import BiasCorrection, fit_bias


def biased(n, *, seed=0, bias=0.0):
    rng = np.random.default_rng(seed)
    target, abs_eta = rng.uniform(20, 150, n), rng.uniform(0, 2.4, n)
    factor = 1 + bias * np.where(abs_eta < 0.8, 1, -1)
    return target * factor * rng.normal(1, 0.03, n), target, abs_eta


def test_injected_bias_is_removed():
    bias = fit_bias(*biased(40_000, bias=0.02))
    energy, target, abs_eta = biased(20_000, seed=1, bias=0.02)
    corrected = bias.correct(energy, abs_eta)
    for inside in (abs_eta < 0.8, abs_eta > 0.8):
        assert abs(np.median(energy[inside] / target[inside]) - 1) > 0.015
        # the error of a median: 1.25 sigma / sqrt(n)
        assert abs(np.median(corrected[inside] / target[inside]) - 1) < 5 * 1.25 * 0.03 / np.sqrt(inside.sum())


def test_without_bias_almost_nothing_is_corrected():
    median = np.array(fit_bias(*biased(4000)).median)
    assert np.mean(median == 1) > 0.8
    assert np.abs(median - 1).max() < 0.03


def test_few_candidates_are_not_trusted():
    assert np.all(np.array(fit_bias(*biased(20, bias=0.3)).median) == 1)


def test_outside_the_grid_takes_the_nearest_bin_and_missing_eta_none():
    bias = BiasCorrection((0.0, 1.0), (10.0, 20.0, 40.0), ((1.25, 2.0),))
    energy = np.array([5.0, 100.0, 100.0])
    assert bias.correct(energy, np.array([0.5, 7.0, np.nan])).tolist() == [4.0, 50.0, 100.0]


def test_round_trip_through_json():
    bias = fit_bias(*biased(5000, bias=0.02))
    assert BiasCorrection.from_dict(json.loads(json.dumps(bias.to_dict(), allow_nan=False))) == bias


def test_shapes_must_agree():
    with pytest.raises(ShapeError, match=r"energy has shape \(3,\) and abs_eta \(2,\)"):
        BiasCorrection((0.0, 1.0), (0.0, 1.0), ((1.0,),)).correct(np.ones(3), np.ones(2))
