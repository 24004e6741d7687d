"""Temperature, reliability and confusion of probabilities whose truth is known; dependence and sculpting."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from calotools.analysis import (
    confusion_matrix,
    fit_temperature,
    from_dict,
    measure_reliability,
    profile,
    rank_correlation,
    sculpting,
    to_dict,
    with_temperature,
)
from calotools.errors import EmptyInputError, ShapeError


def draw(n, *, seed, temperature=1.0, classes=3):
    """Probabilities and classes drawn with them; then as certain as a temperature makes them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), n)
    target = (rng.random((n, 1)) > np.cumsum(p, axis=1)).sum(axis=1)
    return with_temperature(p, temperature), target


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.8])
def test_the_temperature_is_found_within_its_error(temperature):
    pulls = []
    for seed in range(20):
        value, error = fit_temperature(*draw(1500, seed=seed, temperature=temperature))
        pulls.append((value - 1 / temperature) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(20)
    assert np.std(pulls) == pytest.approx(1, abs=0.4)


def test_weights_widen_the_error_of_the_temperature():
    p, target = draw(4000, seed=1)
    weight = np.random.default_rng(2).exponential(size=4000)
    assert fit_temperature(p, target, weight=weight).error == pytest.approx(
        np.sqrt(2) * fit_temperature(p, target).error, rel=0.2
    )


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_a_temperature_keeps_order_and_sum(temperature):
    p = np.random.default_rng(3).dirichlet(np.ones(4), 50)
    changed = with_temperature(p, temperature)
    np.testing.assert_allclose(changed.sum(axis=1), 1)
    np.testing.assert_array_equal(changed.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_allclose(with_temperature(changed, 1 / temperature), p, rtol=1e-6)


def test_reliability_covers_the_truth_and_sees_overconfidence():
    p, target = draw(30_000, seed=4, temperature=0.5)
    honest = with_temperature(p, 2.0)
    for probability, low, high in ((honest, 0.0, 0.01), (p, 0.05, 0.3)):
        one = measure_reliability(probability[:, 1], target == 1)
        assert low <= one.expected_error < high
    one = measure_reliability(honest[:, 1], target == 1, bins=5)
    assert np.all(np.abs(one.value - one.mean) < 4 * (one.high - one.low) / 2)
    again = from_dict(to_dict(one))
    np.testing.assert_array_equal(again.value, one.value)


def test_confusion_counts_and_its_intervals():
    p, target = draw(2000, seed=5)
    matrix = confusion_matrix(p, target, names=("a", "b", "c"))
    np.testing.assert_allclose(matrix.value.sum(axis=1), 1)
    assert matrix.value[1, 2] == pytest.approx(((target == 1) & (p.argmax(axis=1) == 2)).sum() / (target == 1).sum())
    assert np.all((matrix.low <= matrix.value) & (matrix.value <= matrix.high))
    assert matrix.n.sum() == 2000
    empty = confusion_matrix(p[target < 2], target[target < 2], names=("a", "b", "c"))
    assert np.isnan(empty.value[2]).all()
    assert from_dict(to_dict(empty)).names == ("a", "b", "c")
    with pytest.raises(ShapeError, match="3 probabilities for 2 classes"):
        confusion_matrix(p, target, names=("a", "b"))
    with pytest.raises(EmptyInputError, match="0 candidates"):
        fit_temperature(p[:0], target[:0])


def test_rank_correlation_sees_monotonic_dependence_only():
    rng = np.random.default_rng(6)
    x = rng.normal(size=2000)
    assert rank_correlation(x, -np.exp(3 * x), rng=rng).value == pytest.approx(-1)
    value, error = rank_correlation(x, rng.normal(size=2000), rng=rng)
    assert abs(value) < 4 * error
    assert np.isnan(rank_correlation(x[:5], x[:5], rng=rng).value)


def test_a_weight_counts_a_row_so_many_times():
    """Ties, too; and rows of weight 0 are not there."""
    rng = np.random.default_rng(9)
    x, weight = rng.integers(0, 30, 800), rng.integers(0, 4, 800)
    y = x * rng.choice([-1.0, 1.0], 800, p=[0.3, 0.7]) + rng.integers(0, 20, 800)
    value, _ = rank_correlation(x, y, rng=rng, weight=weight)
    repeated = spearmanr(np.repeat(x, weight), np.repeat(y, weight)).statistic
    assert value == pytest.approx(repeated, rel=1e-12)
    assert rank_correlation(x, y, rng=rng).value == pytest.approx(spearmanr(x, y).statistic, rel=1e-12)
    assert abs(value - spearmanr(x, y).statistic) > 1e-3
    assert np.isnan(rank_correlation(x, y, rng=rng, weight=np.where(np.arange(800) < 9, 1.0, 0.0)).value)
    with pytest.raises(ShapeError, match="800 and 800 values, 3 weights cannot be correlated"):
        rank_correlation(x, y, rng=rng, weight=weight[:3])


def test_weights_undo_what_a_biased_sample_correlates():
    """Kept more often where x and y agree in sign: weights of one over that part give independence back."""
    rng = np.random.default_rng(10)
    pulls = []
    for _ in range(20):
        x, y = rng.normal(size=(2, 1500))
        part = np.where(x * y > 0, 0.9, 0.3)
        kept = rng.random(1500) < part
        biased = rank_correlation(x[kept], y[kept], rng=rng)
        assert biased.value > 5 * biased.error
        value, error = rank_correlation(x[kept], y[kept], rng=rng, weight=1 / part[kept])
        pulls.append(value / error)
    assert abs(np.mean(pulls)) < 4 / np.sqrt(20)
    assert 0.5 < np.std(pulls) < 1.6


def test_sculpting_is_measured_with_weights():
    """Zero where they have nothing to do with the mass, though those that pass have others; and where they undo it."""
    rng = np.random.default_rng(11)
    pulls = []
    for _ in range(20):
        mass, passing = rng.uniform(50, 150, 1500), rng.random(1500) < 0.2
        weight = np.where(passing, 1.0, rng.choice([0.1, 10.0], 1500, p=[0.9, 0.1]))
        one = sculpting(mass, passing, rng=rng, weight=weight)
        pulls.append(one.value / one.error)
    assert abs(np.mean(pulls)) < 4 / np.sqrt(20)
    part = np.where(passing, np.exp(-(mass - 50) / 50), 1.0)  # a selection that shapes what passes, and is undone
    kept = rng.random(1500) < part
    shaped = sculpting(mass[kept], passing[kept], rng=rng)
    undone = sculpting(mass[kept], passing[kept], rng=rng, weight=1 / part[kept])
    assert shaped.value > 4 * shaped.error
    assert abs(undone.value) < 4 * undone.error
    dropped = np.where(kept, 1 / part, 0.0)
    assert sculpting(mass, passing, rng=np.random.default_rng(1), weight=dropped) == sculpting(
        mass[kept], passing[kept], rng=np.random.default_rng(1), weight=1 / part[kept]
    )


def test_profile_is_the_mean_in_each_bin():
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 10, 5000)
    where, mean, error = profile(x, 2 * x + rng.normal(size=5000), edges=np.array([0.0, 5.0, 10.0, 20.0]))
    assert np.all(np.abs(mean - 2 * where)[:2] < 4 * error[:2])
    assert np.isnan(mean[2])


def test_a_cut_on_the_mass_sculpts_it():
    rng = np.random.default_rng(8)
    mass = rng.uniform(50, 150, 3000)
    value, error = sculpting(mass, mass + rng.normal(0, 20, 3000) > 100, rng=rng)
    assert value > 10 * error
    blind = [sculpting(mass, rng.random(3000) < 0.1, rng=rng) for _ in range(20)]
    assert abs(np.mean([one.value / one.error for one in blind])) < 4 / np.sqrt(20)
