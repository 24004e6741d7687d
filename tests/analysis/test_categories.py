"""Categories of stated resolution, against what was put in."""

import awkward as ak
import numpy as np
import pytest

from calotools.analysis import Pairs, event_bootstrap, mass_sigma, measure_categories
from calotools.containers import Index
from calotools.errors import EmptyInputError, ShapeError

WINDOW = (105.0, 145.0)


def peak(m=6000, *, seed=1):
    """Masses with three honest resolutions of 1, 2 and 3 GeV, and what is stated of them."""
    rng = np.random.default_rng(seed)
    relative = np.tile([0.008, 0.016, 0.024], m // 3)
    mass = 125 * (1 + relative * rng.normal(size=m))
    n = np.arange(m)
    return mass, relative, event_bootstrap(Index(n, n, n), rng=rng, replicas=40)


def test_categories_have_the_widths_that_were_put_in_and_gain_what_they_should():
    mass, relative, bootstrap = peak()
    found = measure_categories(mass, relative, n=3, window=WINDOW, bootstrap=bootstrap)
    assert found.said == pytest.approx([1.0, 2.0, 3.0], rel=0.01)
    assert np.all(np.abs(found.sigma68 - found.said) < 4 * found.sigma68_error)
    assert found.counts.tolist() == [2000] * 3
    expected = found.inclusive * np.sqrt(np.mean(1 / found.sigma68**2))
    assert found.gain == pytest.approx(expected)
    assert 1.2 < found.gain < 1.4
    assert found.gain_error < 0.05


def test_a_sigma_that_knows_nothing_gains_nothing():
    mass, relative, bootstrap = peak()
    shuffled = np.random.default_rng(5).permutation(relative) * np.random.default_rng(6).uniform(0.9, 1.1, len(mass))
    found = measure_categories(mass, shuffled, n=3, window=WINDOW, bootstrap=bootstrap)
    assert abs(found.gain - 1) < 4 * found.gain_error
    assert found.gain < 1.05


def test_the_order_of_pairs_and_pairs_outside_do_not_matter():
    mass, relative, bootstrap = peak(600)
    relative = relative * np.random.default_rng(2).uniform(0.99, 1.01, 600)  # no ties
    order = np.random.default_rng(3).permutation(600)
    first = measure_categories(mass, relative, n=2, window=WINDOW, bootstrap=bootstrap)
    other = measure_categories(mass[order], relative[order], n=2, window=WINDOW, bootstrap=bootstrap.take(order))
    assert np.array_equal(first.sigma68, other.sigma68)
    mass[:5] = 200.0
    relative[5:10] = np.nan
    assert measure_categories(mass, relative, n=2, window=WINDOW, bootstrap=bootstrap).counts.sum() == 590


def test_mass_sigma_is_that_of_a_product():
    rng = np.random.default_rng(4)
    legs = ak.zip({"e": np.array([60.0, 40.0]), "s": np.array([0.6, 0.8])})
    pairs = Pairs(np.array([0]), np.array([1]), np.array([1]), np.array([1]))
    tries = np.sqrt((60 + 0.6 * rng.normal(size=20_000)) * (40 + 0.8 * rng.normal(size=20_000)))
    assert mass_sigma(legs, pairs, energy="e", sigma="s")[0] == pytest.approx(tries.std() / tries.mean(), rel=0.03)


def test_too_few_pairs_are_refused():
    mass, relative, bootstrap = peak(60)
    with pytest.raises(EmptyInputError, match=r"60 pairs .* are too few for 4 categories of 20 or more"):
        measure_categories(mass, relative, n=4, window=WINDOW, bootstrap=bootstrap)
    with pytest.raises(ShapeError, match=r"lengths \[59, 60\]"):
        measure_categories(mass, relative[1:], n=2, window=WINDOW, bootstrap=bootstrap)
