"""Switching one effect leaves what the others draw: events before and after are pairs."""

import numpy as np
import pytest

from calotools.simulate import Effects, Particles, simulate_response
from calotools.simulate.beam import draw_crossings
from calotools.simulate.blocks import Recipe, simulate_block


def cells(mu=0.0, n=30, **effects):
    one = np.ones(n)
    particles = Particles(np.arange(n), np.full(n, 11), 60.0 * one, 0.4 * one, 0.3 * one, 0 * one, 0 * one)
    return simulate_response(
        particles,
        n_candidates=n,
        mu=mu * one,
        mu_average=mu * one,
        effects=Effects(**effects),
        rng=np.random.default_rng(4),
    )


def test_time_leaves_the_energies():
    full, exact = cells(), cells(time=False)
    assert np.array_equal(full.e, exact.e)
    assert not np.array_equal(full.time, exact.time)


def test_gain_leaves_the_showers_and_noise_leaves_the_pileup():
    full, bare = cells(), cells(electronic_noise=0)
    assert np.array_equal(full.e_window, bare.e_window)
    piled, quiet = cells(mu=20.0), cells(mu=20.0, electronic_noise=0)
    high = (full.gain <= 0) & (piled.gain <= 0)
    # what the electronics add is the same with and without pile-up
    assert (piled.e - quiet.e)[high] == pytest.approx((full.e - bare.e)[high], abs=1e-3)
    assert np.array_equal(piled.e_window, full.e_window)


def test_vertices_do_not_depend_on_the_pileup():
    few, many = (
        draw_crossings(np.full(50, mu), pointing=False, spread=1.0, rng=np.random.default_rng(1)) for mu in (0.0, 40.0)
    )
    for name in ("z_true", "z_vertex", "t_true"):
        assert np.array_equal(getattr(few, name), getattr(many, name))


def test_events_of_two_settings_are_pairs():
    full, other = (
        simulate_block(Recipe("electrons", 3, 60, 0.0, effects, None), 0).candidates.flat
        for effects in (Effects(), Effects(electronic_noise=0, crosstalk=0, time=False, underlying=0))
    )
    same = (full["e_true"] == other["e_true"]) & (full["z_vertex_true"] == other["z_vertex_true"])
    # one that was not reconstructed is drawn again
    assert same.mean() > 0.85
    assert np.median(np.abs(full["e"] / other["e"] - 1)[same]) < 0.01
