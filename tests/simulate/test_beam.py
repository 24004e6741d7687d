"""The interactions of a crossing are drawn once: cells, tracks and vertices come from the same ones."""

import numpy as np
import pytest

from calotools.simulate import Effects, Particles, simulate_response
from calotools.simulate.beam import draw_crossings


def test_interactions_and_vertices_are_poisson():
    n, mu = 40_000, 30.0
    crossings = draw_crossings(np.full(n, mu), pointing=False, spread=1.0, rng=np.random.default_rng(1))
    found = crossings.n_vtx - 1
    for number, mean in ((crossings.mu_actual, mu), (found, 0.6 * mu)):
        assert number.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n))
        assert number.var() == pytest.approx(mean, rel=0.04)
    assert (found <= crossings.mu_actual).all()
    assert np.corrcoef(found, crossings.mu_actual)[0, 1] == pytest.approx(np.sqrt(0.6), abs=0.02)


def test_cells_have_the_interactions_of_their_crossing():
    n, zero = 300, np.zeros(300)
    rng = np.random.default_rng(2)
    soft = Particles(np.arange(n), np.full(n, 22), np.full(n, 1e-3), np.full(n, 0.3), rng.uniform(-3, 3, n), zero, zero)
    quiet = Effects(electronic_noise=0, crosstalk=0)
    sums = []
    for count in (0, 40, 80):
        response = simulate_response(
            soft,
            n_candidates=n,
            mu=np.full(n, count),
            mu_average=zero,
            effects=quiet,
            rng=np.random.default_rng(3),
        )
        sums.append(np.add.reduceat(response.e, response.offsets[:-1]))
    none, some, twice = sums
    assert none.mean() < 0.01
    # of an interaction's 12.6 particles per unit of eta, 0.14 fly into the window, with some 0.4 GeV
    assert 1 < some.mean() < 3
    assert twice.mean() == pytest.approx(2 * some.mean(), rel=0.15)
