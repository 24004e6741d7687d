"""The tracker: bending, conversions and bremsstrahlung, each against its closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.simulate import upstream
from calotools.simulate.effects import Effects
from calotools.simulate.setup import prepare

ROW = 12  # |eta| = 0.3125


def particle(kind, e, eta=0.3125, phi=0.4):
    row = np.zeros(10)
    row[[upstream.KIND, upstream.E, upstream.PHI, upstream.SINH]] = kind, e, phi, np.sinh(eta)
    return row


def through(kind, e, *, n=3000, effects=None):
    detector = prepare(effects or Effects(), pileup=False)
    state, flight, leaving = np.array([5], np.uint64), np.empty((256, 10)), np.empty((128, 10))
    stories, energies = np.empty((n, 8)), np.empty(n)
    for i in range(n):
        flight[0] = particle(kind, e)
        count = upstream.transport(state, flight, ROW, detector.stack, detector.knobs, leaving, stories[i])
        energies[i] = leaving[:count, upstream.E].sum()
    return stories, energies, float(detector.stack.layers[ROW, :, 1].sum())


@given(st.floats(1.0, 200.0), st.sampled_from([-1.0, 1.0]), st.floats(-3.1, 3.1))
def test_circle_from_the_origin(pt, charge, phi):
    one = particle(charge, pt * np.cosh(0.3125), phi=phi)
    assert upstream.propagate(one, 1000.0, 2.0)
    curve = np.arcsin(1.0 / (2 * pt / (0.299792458 * 2.0)))
    azimuth = np.arctan2(one[upstream.Y], one[upstream.X])
    assert np.hypot(one[upstream.X], one[upstream.Y]) == pytest.approx(1000.0)
    assert np.angle(np.exp(1j * (azimuth - phi + charge * curve))) == pytest.approx(0.0, abs=1e-9)
    assert np.angle(np.exp(1j * (one[upstream.PHI] - phi + 2 * charge * curve))) == pytest.approx(0.0, abs=1e-9)


def test_soft_particles_curl_up():
    assert not upstream.propagate(particle(1.0, 0.1), 1000.0, 2.0)
    assert upstream.propagate(particle(0.0, 0.1), 1000.0, 2.0)


def test_straight_without_field():
    one = particle(-1.0, 1.0)
    assert upstream.propagate(one, 500.0, 0.0)
    assert one[upstream.PHI] == 0.4
    assert one[upstream.Z] == pytest.approx(500.0 * np.sinh(0.3125))


def test_conversion_fraction():
    stories, _, x0 = through(0.0, 30.0)
    expected = 1 - np.exp(-7 / 9 * x0)
    fraction = np.isfinite(stories[:, 0]).mean()
    assert fraction == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(stories)))


def test_pair_shares_the_photons_energy():
    stories, _, _ = through(0.0, 30.0)
    converted = stories[np.isfinite(stories[:, 0])]
    assert converted[:, 1] + converted[:, 2] == pytest.approx(np.full(len(converted), 30.0))
    # variance of x under 1 - 4/3 x (1 - x), symmetric about one half
    assert (converted[:, 1] / 30.0).mean() == pytest.approx(0.5, abs=0.02)
    assert (converted[:, 1] / 30.0).var() == pytest.approx(13 / 140, abs=0.006)
    assert ((converted[:, 0] > 20) & (converted[:, 0] < 1150)).all()


def test_mean_electron_energy_falls_exponentially():
    stories, _, x0 = through(-1.0, 50.0)
    left = stories[:, 3] / 50.0
    assert left.mean() == pytest.approx(np.exp(-x0), abs=4 * left.std() / np.sqrt(len(left)) + 0.01)


def test_energy_is_conserved():
    for kind in (-1.0, 0.0):
        stories, energies, _ = through(kind, 20.0, n=500)
        assert energies + stories[:, 4] == pytest.approx(np.full(500, 20.0))


def test_switches():
    bare = Effects(bremsstrahlung=False, conversions=False)
    assert through(-1.0, 50.0, n=50, effects=bare)[0][:, 3] == pytest.approx(np.full(50, 50.0))
    assert np.isnan(through(0.0, 50.0, n=50, effects=bare)[0][:, 0]).all()
    doubled = through(0.0, 50.0, n=10, effects=Effects(material=2.0))[2]
    assert doubled == pytest.approx(2 * through(0.0, 50.0, n=10)[2])
