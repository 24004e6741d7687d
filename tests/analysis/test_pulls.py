"""Coverage and pulls of stated uncertainties whose honesty is known."""

import numpy as np
import pytest

from calotools.analysis import event_bootstrap, measure_pulls, measure_resolution, significance
from calotools.containers import Index
from calotools.errors import EmptyInputError, ShapeError


def stated(n, *, factor, seed=1):
    """Energies whose sigma, between 1 and 4 %, is stated `factor` times too large."""
    rng = np.random.default_rng(seed)
    true, relative = rng.uniform(20, 80, n), rng.uniform(0.01, 0.04, n)
    return true * (1 + relative * rng.normal(size=n)), factor * true * relative, true, relative


def bootstrap(n, replicas=40):
    number = np.arange(n)
    return event_bootstrap(Index(number, number, number), rng=np.random.default_rng(2), replicas=replicas)


@pytest.mark.parametrize(("factor", "inside"), [(1.0, 0.6827), (2.0, 0.9545), (0.5, 0.3829)])
def test_coverage_and_width_of_a_gaussian(factor, inside):
    energy, sigma, true, _ = stated(8000, factor=factor)
    one = measure_pulls(energy, sigma, true, bootstrap=bootstrap(8000))
    for metric, expected in (("coverage68", inside), ("pull_width", 1 / factor), ("pull_median", 0.0)):
        assert abs(one.metrics[metric][0] - expected) < 4 * one.errors[metric][0], metric
    # the error of a fraction is binomial
    assert one.errors["coverage68"][0] == pytest.approx(np.sqrt(inside * (1 - inside) / 8000), rel=0.4)


def test_a_sigma_of_one_size_is_honest_on_the_whole_and_nowhere_else():
    energy, _, true, relative = stated(8000, factor=1)
    flat = np.quantile(np.abs(energy / true - 1), 0.6827) * true
    where = {"axes": {"s": relative}, "edges": {"s": np.array([0.01, 0.02, 0.03, 0.04])}}
    whole, binned = (measure_pulls(energy, flat, true, bootstrap=bootstrap(8000), **one) for one in ({}, where))
    assert whole.metrics["coverage68"][0] == pytest.approx(0.6827, abs=0.01)
    low, _, high = binned.metrics["coverage68"]
    assert low > 0.8
    assert high < 0.6
    assert binned.n.sum() == 8000


def test_rows_without_sigma_are_left_out_and_small_bins_are_not_quoted():
    energy, sigma, true, relative = stated(300, factor=1)
    sigma[:100] = [np.nan, 0.0, -1.0, np.inf] * 25
    where = {"axes": {"s": relative}, "edges": {"s": np.array([0.0, 0.04, 1.0])}}
    one = measure_pulls(energy, sigma, true, bootstrap=bootstrap(300), **where)
    assert one.n.tolist() == [200, 0]
    assert np.isnan(one.metrics["coverage68"][1])
    with pytest.raises(EmptyInputError, match="none of 300 candidates has an energy, a positive sigma"):
        measure_pulls(energy, -np.ones(300), true, bootstrap=bootstrap(300))
    with pytest.raises(ShapeError, match=r"have lengths \[299, 300\]"):
        measure_pulls(energy, sigma[1:], true, bootstrap=bootstrap(300))


def test_weights_are_used():
    energy, sigma, true, _ = stated(2000, factor=1)
    wide = np.abs(energy - true) > sigma
    one = measure_pulls(energy, sigma, true, bootstrap=bootstrap(2000), weight=np.where(wide, 0.0, 1.0))
    assert one.metrics["coverage68"][0] == 1


def test_significance_is_of_the_difference_on_the_same_candidates():
    rng = np.random.default_rng(3)
    true, common = rng.uniform(20, 80, 4000), rng.normal(size=4000)
    first = true * (1 + 0.03 * common)
    second = true * (1 + 0.0285 * common + 0.001 * rng.normal(size=4000))
    same = {"a": first, "b": second}
    one = measure_resolution(same, true, bootstrap=bootstrap(4000), reference="a")["b"]
    # alone, each width has an error of 2 %, and a difference of 5 % would be less than two of it
    assert one.errors["iqr"][0] / one.metrics["iqr"][0] > 0.012
    assert significance(one)[0] > 3
    assert significance(one)[0] == pytest.approx(one.metrics["rel_improvement"][0] / one.errors["rel_improvement"][0])
