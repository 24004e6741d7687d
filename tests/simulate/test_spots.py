"""Spots of a slice: their energy, and how far from the axis it lies."""

from pathlib import Path

import numpy as np
import pytest

from calotools.simulate import deposit
from calotools.simulate.axis import axis_at, make_axis
from calotools.simulate.effects import Effects
from calotools.simulate.setup import prepare
from calotools.simulate.spots import Profile, make_room, throw_spots
from calotools.simulate.stack import T_END, T_START

STRIPS = 3  # the segment


@pytest.fixture(scope="module")
def flat():
    return prepare(Effects(stack=Path(__file__).parent / "flat.toml"), pileup=False)


def thrown(detector, profile, *, more=1.0, n=200_000, eta=0.2):
    buffer = deposit.make_buffer(len(detector.grid.sampling), 8000)
    deposit.open_buffer(buffer, detector.grid, (eta, 0.5), detector.half_big)
    axis = make_axis(detector.stack, np.sinh(eta), 0.0, (0.5, 0.0, 0.0))
    start, end = detector.stack.slabs[axis.row, STRIPS, [T_START, T_END]]
    where = STRIPS, 0.5 * (start + end), 0.0, more
    throw_spots(np.array([3], np.uint64), n, 20.0, profile, axis, where, detector.stack, buffer, make_room())
    return buffer, axis_at(axis, detector.stack, axis.row, STRIPS, where[1])


@pytest.mark.parametrize("more", [1.0, 5.0])
def test_energy_lies_where_the_radial_profile_says(flat, more):
    profile = Profile(core=10.0, tail=40.0, part=0.7, ring=20.0, share=0.25, tilt=0.0, needle=2.0, thin=0.4)
    buffer, (eta, _, radius, *_) = thrown(flat, profile, more=more)
    assert buffer.totals.sum() == pytest.approx(20.0)
    k = buffer.ranges[1, 0]
    n_i, n_j, offset = buffer.opened[k, [deposit.N_I, deposit.N_J, deposit.OFFSET]]
    strips = buffer.e[offset : offset + n_i * n_j].reshape(n_i, n_j).sum(axis=1)
    below = (buffer.edges[k, 0] + np.arange(1, n_i + 1) / buffer.edges[k, 1] - eta) * radius  # upper edges [mm]

    def held(x):
        parts = np.array([[0.28, 2.0], [0.42, 10.0], [0.075, 20.0], [0.225, 40.0]])
        return sum(part * 0.5 * (1 + x / np.hypot(x, r)) for part, r in parts)

    near = np.abs(below) < 15.0
    assert np.cumsum(strips)[near] / 20.0 == pytest.approx(held(below[near]), abs=0.012)


def test_a_slanting_tail_leans_towards_the_front_layer(flat):
    flat_tail, slanting = (Profile(1.0, 60.0, 0.0, 1.0, 0.0, tilt, 1.0, 0.0) for tilt in (0.0, 1.0))
    middle = [thrown(flat, profile, eta=1.0)[0] for profile in (flat_tail, slanting)]
    e = [buffer.e[buffer.opened[buffer.ranges[2, 0], deposit.OFFSET] :].sum() for buffer in middle]
    assert e[0] == 0.0
    assert e[1] > 1.0


def test_a_needle_fills_its_slice_evenly(flat):
    """A part smaller than a sixteenth of the spots: half of it behind the middle of the slice, as all others."""
    thin, reach = 0.04, 1e9
    profile = Profile(core=reach, tail=reach, part=1.0, ring=reach, share=0.0, tilt=0.0, needle=1.0, thin=thin)
    buffer = deposit.make_buffer(len(flat.grid.sampling), 8000)
    deposit.open_buffer(buffer, flat.grid, (0.2, 0.5), flat.half_big)
    axis = make_axis(flat.stack, np.sinh(0.2), 0.0, (0.5, 0.0, 0.0))
    start, end = flat.stack.slabs[axis.row, STRIPS, [T_START, T_END]]
    width = 0.5 * (end - start)
    where = STRIPS, end - 0.5 * width, width, 1.0
    throw_spots(np.array([3], np.uint64), 400_000, 20.0, profile, axis, where, flat.stack, buffer, make_room())
    first = buffer.opened[buffer.ranges[2, 0], deposit.OFFSET]
    assert buffer.totals[0] == pytest.approx(thin * 20.0, rel=0.05)
    assert buffer.e[first:].sum() / buffer.totals[0] == pytest.approx(0.5, abs=0.03)
