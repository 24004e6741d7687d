"""Bias correction: known biases are taken out, noise is left alone."""

import json

import numpy as np
import pytest

from calotools.errors import ShapeError
from calotools.training.calibration.bias import BiasCorrection, fit_bias


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


@pytest.mark.parametrize("grid", ["energy", "eta", "eta-energy"])
def test_without_bias_corrections_are_within_their_errors(grid):
    bias = fit_bias(*biased(4000), grid=grid)
    pull = (np.array(bias.median) - 1) / np.array(bias.error)
    assert np.abs(pull).max() < 4
    assert np.abs(np.array(bias.median) - 1).max() < 0.01


def test_one_dimension_removes_a_bias_of_the_energy_alone():
    rng = np.random.default_rng(5)

    def draw(n):
        target = rng.uniform(10, 300, n)
        return target * (1 + 0.05 * np.log(target / 60) / 3) * rng.normal(1, 0.03, n), target, rng.uniform(0, 2.4, n)

    bias = fit_bias(*draw(40_000), grid="energy")
    assert len(bias.median) == 1
    energy, target, abs_eta = draw(20_000)
    after = bias.correct(energy, abs_eta) / target
    for low, high in ((15, 30), (100, 200)):
        inside = (target > low) & (target < high)
        assert abs(np.median(energy[inside] / target[inside]) - 1) > 0.008
        assert abs(np.median(after[inside]) - 1) < 0.003


def test_one_dimension_removes_a_bias_of_eta_alone():
    bias = fit_bias(*biased(40_000, bias=0.02), grid="eta")
    assert np.shape(bias.median) == (8, 1)
    energy, target, abs_eta = biased(20_000, seed=1, bias=0.02)
    corrected = bias.correct(energy, abs_eta)
    for inside in (abs_eta < 0.6, abs_eta > 1.2):
        assert abs(np.median(corrected[inside] / target[inside]) - 1) < 5 * 1.25 * 0.03 / np.sqrt(inside.sum())
    # the same at every energy, also outside of what was seen
    at = bias.divisor(np.array([0.1, 20.0, 5000.0]), np.full(3, 0.4))
    assert at.tolist() == [at[0]] * 3
    assert BiasCorrection.from_dict(json.loads(json.dumps(bias.to_dict(), allow_nan=False))) == bias


def test_correction_is_smooth_and_ends_with_its_last_value():
    bias = fit_bias(*biased(40_000, bias=0.02))
    eta = np.linspace(0, 2.6, 2000)
    steps = np.abs(np.diff(bias.divisor(np.full(2000, 60.0), eta)))
    assert steps.max() < 0.001
    energy = np.geomspace(0.1, 5000, 2000)
    divisor = bias.divisor(energy, np.full(2000, 0.4))
    assert np.abs(np.diff(divisor)).max() < 0.001
    assert divisor[0] == bias.divisor(np.array([1e-9]), np.array([0.4]))
    assert divisor[-1] == bias.divisor(np.array([1e9]), np.array([0.4]))
    assert bias.divisor(np.array([60.0]), np.array([9.0])) == bias.divisor(np.array([60.0]), np.array([2.47]))


def test_error_grows_where_there_is_little_and_covers_the_truth():
    few, many = (fit_bias(*biased(n, seed=n)) for n in (2000, 40_000))
    assert np.all(np.array(few.error) >= np.array(many.error))
    pulls = []
    for seed in range(40):
        bias = fit_bias(*biased(3000, seed=seed))
        pulls.append((np.array(bias.median) - 1)[:, 3:6] / np.array(bias.error)[:, 3:6])  # 40 to 200 GeV
    # shrunk towards no bias, which is the truth here: the spread is below one, never above
    assert 0.2 < np.std(pulls) < 1.1
    assert bias.uncertainty(np.array([60.0, 60.0]), np.array([0.3, np.nan]))[0] > 0


def test_wild_corrections_are_limited():
    bias = BiasCorrection((0.0, 1.0), (10.0, 20.0), ((30.0,),))
    assert bias.correct(np.array([15.0]), np.array([0.5])).tolist() == [7.5]


def test_bundles_of_before_have_steps_and_no_error():
    old = {"eta_edges": [0.0, 1.0], "energy_edges": [10.0, 20.0], "median": [[1.25, 1.0]]}
    bias = BiasCorrection.from_dict(old)
    assert bias.correct(np.array([12.0, 30.0]), np.array([0.5, 0.5])).tolist() == [9.6, 30.0]
    assert np.isnan(bias.uncertainty(np.array([12.0]), np.array([0.5]))).all()


def test_few_candidates_are_not_trusted():
    bias = fit_bias(*biased(20, bias=0.3))
    assert np.all(np.array(bias.median) == 1)
    assert np.all(np.array(bias.error) > 0.01)


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
