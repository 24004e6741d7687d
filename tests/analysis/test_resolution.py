"""Resolution metrics, the bootstrap over events, and comparisons of two energies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calotools.analysis import (
    compare_widths,
    event_bootstrap,
    measure_resolution,
    quantiles,
    shortest_interval,
    sigma68,
)
from calotools.containers import Index
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError

VALUES = arrays(float, st.integers(3, 30), elements=st.integers(-50, 50).map(float))


def independent(n, *, rng, replicas=100):
    number = np.arange(n)
    return event_bootstrap(Index(number, number, number), rng=rng, replicas=replicas)


@given(VALUES, st.integers(0, 2**31))
def test_weights_are_repetitions(values, seed):
    weight = np.random.default_rng(seed).integers(0, 4, len(values))
    weight[0] = 1
    repeated = np.repeat(values, weight)
    if len(repeated) >= 2:
        low, high = shortest_interval(values, weight=weight)
        assert high - low == pytest.approx(np.subtract(*shortest_interval(repeated)[::-1]), abs=1e-9) or (
            np.count_nonzero(weight) < 2
        )


@given(VALUES)
def test_shortest_interval_is_the_best_of_all(values):
    low, high = shortest_interval(values, coverage=0.683)
    need = int(np.ceil(0.683 * len(values) - 1e-9))
    ordered = np.sort(values)
    assert high - low == pytest.approx(min(ordered[need - 1 :] - ordered[: len(values) - need + 1]))


def test_quantiles_of_equal_weights_agree_with_hazen():
    values = np.random.default_rng(1).normal(size=101)
    q = np.array([0.1, 0.25, 0.5, 0.9])
    assert quantiles(values, q) == pytest.approx(np.quantile(values, q, method="hazen"))
    assert quantiles(values, q, weight=np.full(101, 0.2)) == pytest.approx(np.quantile(values, q, method="hazen"))


def test_gaussian_resolution_and_its_errors():
    rng = np.random.default_rng(2)
    n, width = 20_000, 0.02
    true = rng.uniform(20, 100, n)
    energy = true * (1.01 + width * rng.normal(size=n))
    result = measure_resolution({"network": energy}, true, bootstrap=independent(n, rng=rng))["network"]
    assert result.metrics["bias"][0] == pytest.approx(0.01, abs=3 * result.errors["bias"][0])
    assert result.metrics["iqr"][0] == pytest.approx(1.349 * width, abs=3 * result.errors["iqr"][0])
    assert result.metrics["sigma68"][0] == pytest.approx(width, rel=0.03)
    # Error of the median and of the IQR of a Gaussian: 1.2533 and 1.573 sigma / sqrt(n).
    assert result.errors["bias"][0] == pytest.approx(1.2533 * width / np.sqrt(n), rel=0.3)
    assert result.errors["iqr"][0] == pytest.approx(1.573 * width / np.sqrt(n), rel=0.3)


def test_width_and_tails_by_hand():
    # nineteen entries 0.01 apart, and one far out on either side; quartiles at -0.05 and 0.05 but for the two
    core = np.linspace(-0.09, 0.09, 19)
    true = np.full(21, 10.0)
    result = measure_resolution(
        {"e": true * (1 + np.concatenate([[-0.9], core, [0.7]]))},
        true,
        bootstrap=independent(21, rng=np.random.default_rng(1), replicas=20),
    )["e"]
    found = {name: value[0] for name, value in result.metrics.items()}
    assert found["width"] == pytest.approx(found["iqr"] / 1.349)
    assert found["iqr"] == pytest.approx(0.105)
    assert (found["tail_low"], found["tail_high"]) == pytest.approx((1 / 21, 1 / 21))
    # weights are repetitions, and what is at the border is inside
    weight = np.ones(21)
    weight[0] = 0
    weighted = measure_resolution(
        {"e": true * (1 + np.concatenate([[-0.9], core, [0.7]]))},
        true,
        bootstrap=independent(21, rng=np.random.default_rng(1), replicas=20),
        weight=weight,
    )["e"]
    assert weighted.metrics["tail_low"][0] == 0
    assert weighted.errors["tail_low"][0] == pytest.approx(1 / 20)  # none of twenty is not none of infinitely many
    assert weighted.metrics["tail_high"][0] == pytest.approx(1 / 20)
    exact = measure_resolution({"e": true}, true, bootstrap=independent(21, rng=np.random.default_rng(1)))["e"]
    assert [exact.metrics[name][0] for name in ("width", "tail_low", "tail_high")] == [0, 0, 0]


def test_tails_of_a_gaussian_and_of_one_with_a_tail():
    rng = np.random.default_rng(12)
    n = 40_000
    true, noise = np.full(n, 50.0), rng.normal(0, 0.02, n)
    low = np.where(rng.random(n) < 0.03, -0.2, 0.0)
    result = measure_resolution(
        {"core": true * (1 + noise), "tail": true * (1 + noise + low)},
        true,
        bootstrap=independent(n, rng=rng, replicas=30),
    )
    for side in ("tail_low", "tail_high"):
        one = result["core"]
        assert one.metrics[side][0] == pytest.approx(0.00135, abs=4 * one.errors[side][0])
    assert result["tail"].metrics["tail_low"][0] == pytest.approx(0.031, abs=0.004)
    assert result["tail"].metrics["tail_high"][0] < 0.002


def test_bootstrap_error_of_a_mean_is_the_analytic_one():
    rng = np.random.default_rng(3)
    true = np.full(5000, 50.0)
    energy = true + rng.normal(size=5000)
    result = measure_resolution({"sum": energy}, true, bootstrap=independent(5000, rng=rng, replicas=400))["sum"]
    analytic = np.abs(energy - true).std() / np.sqrt(5000)
    assert result.errors["mae"][0] == pytest.approx(analytic, rel=3 / np.sqrt(800))


def test_candidates_of_one_event_are_kept_together():
    rng = np.random.default_rng(4)
    event = np.repeat(np.arange(1000), 4)
    same = np.zeros(4000, dtype=int)
    boot = event_bootstrap(Index(same, event, np.tile(np.arange(4), 1000)), rng=rng, replicas=300)
    weights = boot.weights(7).reshape(1000, 4)
    assert np.all(weights == weights[:, :1])
    # Four copies of each event carry no more information than one.
    true, noise = np.full(4000, 50.0), np.repeat(rng.normal(size=1000), 4)
    together = measure_resolution({"e": true + noise}, true, bootstrap=boot)["e"]
    apart = measure_resolution({"e": true + noise}, true, bootstrap=independent(4000, rng=rng, replicas=300))["e"]
    assert together.errors["mae"][0] / apart.errors["mae"][0] == pytest.approx(2, rel=0.2)


def test_comparison_knows_the_correlation_and_the_scale():
    rng = np.random.default_rng(5)
    true = rng.uniform(30, 60, 5000)
    noise = rng.normal(size=5000) * 0.03
    estimates = {"sum": true * (1 + noise), "better": true * (1 + 0.8 * noise), "low": 0.9 * true * (1 + noise)}
    result = measure_resolution(estimates, true, bootstrap=independent(5000, rng=rng), reference="sum")
    better = result["better"]
    assert better.metrics["rel_improvement"][0] == pytest.approx(0.2, abs=1e-9)
    assert better.metrics["ratio"][0] == pytest.approx(1.25, abs=1e-9)
    # Fully correlated estimates: the ratio has no error, although each IQR has.
    assert better.errors["ratio"][0] < 1e-9
    assert better.errors["iqr"][0] > 1e-4
    # A scale 10 % too low narrows the IQR without any gain.
    assert result["low"].metrics["rel_improvement"][0] == pytest.approx(0.1, abs=1e-3)
    assert result["low"].metrics["rel_improvement_corr"][0] == pytest.approx(0, abs=1e-9)
    assert "ratio" not in result["sum"].metrics


def test_only_candidates_that_all_estimates_have_are_used():
    rng = np.random.default_rng(6)
    true = np.full(100, 40.0)
    with_gap = true + rng.normal(size=100)
    with_gap[:10] = np.nan
    result = measure_resolution({"a": true + 1, "b": with_gap}, true, bootstrap=independent(100, rng=rng))
    assert result["a"].n.tolist() == result["b"].n.tolist() == [90]


def test_bins_and_empty_bins():
    rng = np.random.default_rng(7)
    true, mu = rng.uniform(20, 60, 4000), rng.uniform(0, 60, 4000)
    energy = true * (1 + (0.01 + 0.001 * mu) * rng.normal(size=4000))
    edges = {"mu": np.array([0.0, 30.0, 60.0, 80.0])}
    boot = independent(4000, rng=rng)
    result = measure_resolution({"e": energy}, true, bootstrap=boot, axes={"mu": mu}, edges=edges)["e"]
    one = (mu < 30) & (mu >= 0)
    alone = measure_resolution({"e": energy[one]}, true[one], bootstrap=boot.take(one))["e"]
    for name, values in result.metrics.items():
        assert values[0] == pytest.approx(alone.metrics[name][0])
        assert result.errors[name][0] == pytest.approx(alone.errors[name][0])
        assert np.isnan(values[2])
        assert np.isnan(result.errors[name][2])
    assert result.n[2] == 0


def test_same_seed_same_errors():
    true = np.full(500, 50.0)
    energy = true + np.random.default_rng(1).normal(size=500)
    errors = [
        measure_resolution({"e": energy}, true, bootstrap=independent(500, rng=np.random.default_rng(9)))["e"].errors
        for _ in range(2)
    ]
    assert errors[0] == errors[1]


def test_width_ratio_has_the_correlated_error():
    rng = np.random.default_rng(8)
    noise = rng.normal(size=4000)
    boot = independent(4000, rng=rng)
    before = 91 + 2.5 * noise
    same = compare_widths(before, 91 + 2.0 * noise, bootstrap=boot, window=(50.0, 130.0))
    other = compare_widths(before, 91 + 2.0 * rng.normal(size=4000), bootstrap=boot, window=(50.0, 130.0))
    assert same.ratio["sigma68"] == pytest.approx(0.8)
    assert same.ratio_error["sigma68"] < 1e-9
    expected = other.ratio["iqr"] * np.hypot(
        other.before_error["iqr"] / other.before["iqr"], other.after_error["iqr"] / other.after["iqr"]
    )
    assert other.ratio_error["iqr"] == pytest.approx(expected, rel=0.3)
    assert same.before["sigma68"] == pytest.approx(sigma68(before))


def test_width_ratio_uses_the_same_pairs_on_both_sides():
    boot = independent(5, rng=np.random.default_rng(1), replicas=20)
    before = np.array([90.0, 91.0, 92.0, 74.0, np.nan])
    after = np.array([90.5, 91.0, 91.5, 76.0, 91.0])
    assert compare_widths(before, after, bootstrap=boot, window=(75.0, 105.0)).n == 4


def test_wrong_input_is_refused():
    rng = np.random.default_rng(1)
    true, boot = np.full(10, 50.0), independent(10, rng=rng)
    with pytest.raises(ConfigError, match="reference energy 'bdt' is not among the estimates"):
        measure_resolution({"e": true}, true, bootstrap=boot, reference="bdt")
    with pytest.raises(ShapeError, match=r"lengths are .*'truth': 10"):
        measure_resolution({"e": true[:5]}, true, bootstrap=boot)
    with pytest.raises(EmptyInputError, match="none of 10 candidates has e"):
        measure_resolution({"e": true * np.nan}, true, bootstrap=boot)
    with pytest.raises(ConfigError, match="bootstrap of 1 replicas"):
        independent(10, rng=rng, replicas=1)
    with pytest.raises(EmptyInputError, match="0 of 10 pairs have both masses"):
        compare_widths(true, true, bootstrap=boot, window=(75.0, 105.0))
    with pytest.raises(ShapeError, match="give the same pairs"):
        compare_widths(true, true[:5], bootstrap=boot, window=(75.0, 105.0))


@pytest.mark.parametrize("bad", [-0.5, np.nan])
def test_weights_that_have_no_quantiles_are_refused(bad):
    values, weight = np.arange(10.0), np.ones(10)
    weight[3] = bad
    with pytest.raises(NumericalError, match="1 of 10 weights are negative or not finite"):
        sigma68(values, weight=weight)
    index = Index(np.ones(10, int), np.arange(10), np.zeros(10, int))
    bootstrap = event_bootstrap(index, rng=np.random.default_rng(1), replicas=5)
    with pytest.raises(NumericalError, match="1 of 10 weights are negative or not finite"):
        measure_resolution({"a": values + 1}, values + 1, bootstrap=bootstrap, weight=weight)
