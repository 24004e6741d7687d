"""Efficiencies in bins: intervals, empty bins, weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.analysis import (
    bin_numbers,
    bin_ranges,
    binomial_interval,
    cuts_in_bins,
    efficiency_in_bins,
    rejection,
)
from calotools.errors import ConfigError, ShapeError

WEIGHTS = st.lists(st.tuples(st.booleans(), st.floats(0.01, 10)), min_size=1, max_size=60)


@given(WEIGHTS)
def test_interval_holds_the_value(rows):
    passing, weight = (np.array(column) for column in zip(*rows, strict=True))
    edges = {"et": np.array([0.0, 1.0, 2.0])}
    result = efficiency_in_bins(passing, axes={"et": np.full(len(weight), 0.5)}, edges=edges, weight=weight)
    assert result.low[0] <= result.value[0] <= result.high[0]
    assert result.low[0] >= 0
    assert result.high[0] <= 1
    assert np.isnan([result.value[1], result.low[1], result.high[1]]).all()
    assert result.valid.tolist() == [True, False]


def test_interval_of_weighted_events_covers():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        weight, passing = rng.exponential(size=120), rng.random(120) < 0.8
        sums = [(weight[flag].sum(), (weight[flag] ** 2).sum()) for flag in (passing, ~passing)]
        _, low, high = binomial_interval(
            np.array(sums[0][0]), np.array(sums[1][0]), passed_w2=np.array(sums[0][1]), failed_w2=np.array(sums[1][1])
        )
        covered += low[0] <= 0.8 <= high[0]
    assert 0.64 < covered / 400 < 0.78


def test_bins_are_half_open_and_the_last_one_closed():
    edges = {"et": np.array([10.0, 20.0, 30.0]), "abs_eta": np.array([0.0, 1.0])}
    axes = {"et": np.array([10.0, 20.0, 30.0, 30.1, np.nan]), "abs_eta": np.array([0.0, 1.0, 0.5, 0.5, 0.5])}
    assert bin_numbers(axes, edges).tolist() == [0, 1, 1, -1, -1]
    assert bin_ranges(edges)[1] == {"et": (20.0, 30.0), "abs_eta": (0.0, 1.0)}


def test_two_axes_are_flattened_in_c_order():
    edges = {"et": np.array([0.0, 1.0, 2.0]), "abs_eta": np.array([0.0, 1.0, 2.0, 3.0])}
    axes = {"et": np.array([1.5]), "abs_eta": np.array([2.5])}
    assert bin_numbers(axes, edges).tolist() == [5]
    assert efficiency_in_bins(np.array([True]), axes=axes, edges=edges).n_total.reshape(2, 3)[1, 2] == 1


def test_rejection_turns_the_interval_around():
    flags = np.array([True, False, False, False, False])
    axes = {"mu": np.array([1.0, 1.0, 1.0, 1.0, 15.0])}
    background = efficiency_in_bins(flags, axes=axes, edges={"mu": np.array([0.0, 10.0, 20.0, 30.0])})
    result = rejection(background)
    assert result.value[:2].tolist() == [4.0, np.inf]
    assert np.isnan(result.value[2])
    assert np.all(result.low[:2] <= result.value[:2])
    assert np.isfinite(result.low[1])


def test_cuts_in_bins_give_the_same_efficiency_everywhere():
    rng = np.random.default_rng(6)
    et, score = rng.uniform(0, 2, 4000), rng.normal(size=4000)
    score += et
    edges = {"et": np.array([0.0, 0.5, 1.0, 2.0])}
    cut = cuts_in_bins(score, target=0.9, axes={"et": et}, edges=edges)
    passing = score >= cut[bin_numbers({"et": et}, edges)]
    kept = efficiency_in_bins(passing, axes={"et": et}, edges=edges)
    assert kept.value == pytest.approx(0.9, abs=2e-3)
    assert np.all(np.diff(cut) > 0.3)


def test_wrong_bins_are_refused():
    axes = {"et": np.array([1.0])}
    with pytest.raises(ConfigError, match=r"edges are given for 'ett'.*nearest: 'et'"):
        bin_numbers(axes, {"ett": np.array([0.0, 1.0])})
    with pytest.raises(ConfigError, match="edges of 'et' must increase"):
        bin_numbers(axes, {"et": np.array([1.0, 0.0])})
    with pytest.raises(ConfigError, match="no axis to bin in"):
        bin_numbers(axes, {})
    with pytest.raises(ShapeError, match="2 flags, 1 axis values"):
        efficiency_in_bins(np.array([True, False]), axes=axes, edges={"et": np.array([0.0, 1.0])})
