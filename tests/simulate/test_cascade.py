"""The first particles of a shower: energy, scattering, conversions, and spots that hold no fixed energy."""

from pathlib import Path

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.simulate import cascade, deposit
from calotools.simulate.axis import axis_at, displaced, make_axis, path_at
from calotools.simulate.effects import Effects
from calotools.simulate.response import Particles, simulate_response
from calotools.simulate.setup import prepare
from calotools.simulate.spots import Profile, make_room, throw_spots
from calotools.simulate.stack import C2, SCALE, T_END, T_START
from calotools.simulate.tuning import read_tuning

FLAT = Path(__file__).parent / "flat.toml"
QUIET = {
    "electronic_noise": 0,
    "crosstalk": 0,
    "pileup": 0,
    "local_constant": 0,
    "accordion_phi": 0,
    "accordion_eta": 0,
}


@pytest.fixture(scope="module")
def flat():
    return prepare(Effects(stack=FLAT, sampling_scale=0, **QUIET), pileup=False)


def opened(detector, eta=0.2):
    buffer = deposit.make_buffer(len(detector.grid.sampling), 8000)
    deposit.open_buffer(buffer, detector.grid, (eta, 0.5), detector.half_big)
    return buffer


def axis_of(detector, eta=0.2):
    return make_axis(detector.stack, np.sinh(eta), 0.0, (0.5, 0.0, 0.0))


@pytest.mark.parametrize("charged", [True, False])
@pytest.mark.parametrize("energy", [0.3, 5.0, 50.0])
def test_energy_is_seen_or_accounted_as_unseen(tmp_path, charged, energy):
    text = FLAT.read_text().replace("scale = 16.19", "scale = 1.0").replace("sampling = 0", "sampling = -1")
    (tmp_path / "no_presampler.toml").write_text(text)
    detector = prepare(Effects(stack=tmp_path / "no_presampler.toml", sampling_scale=0, **QUIET), pileup=False)
    pile, state = np.empty((256, 10)), np.array([5], np.uint64)
    for _ in range(20):
        buffer = opened(detector)
        what = charged, energy, energy
        unseen = cascade.cascade(state, what, axis_of(detector), detector.stack, detector.knobs, buffer, pile)
        assert buffer.totals.sum() + unseen == pytest.approx(energy)


def test_scattering_has_the_published_angle(flat):
    state, axis, route = np.array([5], np.uint64), axis_of(flat), np.empty((16, 4))
    cascade.map_route(axis, flat.stack, 5.0, route)
    end, start = route[0, :2]
    slopes = []
    for _ in range(4000):
        now = np.array([1.0, 5.0, start, 0.0, 0.0, 0.0, 0.0, 0.0])
        now[3] = route[0, 2]
        cascade.scatter(state, now, end, route[0], 0.0136)
        slopes += [now[6], now[7]]
    assert np.std(slopes) == pytest.approx(0.0136 / 5.0 * np.sqrt(end - start), rel=0.05)


def test_a_displaced_axis_moves_what_lies_ahead(flat):
    axis = axis_of(flat)
    path = path_at(axis, flat.stack, 3, flat.stack.slabs[axis.row, 3, T_START])
    aside = displaced(axis, (3.0, -6.0), (0.01, 0.0), path - 200.0)
    t = flat.stack.slabs[axis.row, 3, T_START]
    straight, moved = (axis_at(one, flat.stack, axis.row, 3, t) for one in (axis, aside))
    assert (moved[0] - straight[0]) * straight[2] == pytest.approx(3.0 + 0.01 * 200.0)
    assert (moved[1] - straight[1]) * straight[2] == pytest.approx(-6.0)


def test_photons_that_convert_late_leave_no_track_in_the_presampler(tmp_path):
    (tmp_path / "no_back.toml").write_text("[presampler]\nback = 0.0\n")
    n, eta = 2000, 0.2
    effects = Effects(stack=FLAT, showers=tmp_path / "no_back.toml", conversions=False, **QUIET)
    columns = np.arange(n), np.full(n, 22), np.full(n, 20.0), np.full(n, eta), np.zeros(n), np.zeros(n), np.zeros(n)
    response = simulate_response(
        Particles(*columns),
        n_candidates=n,
        mu=np.zeros(n),
        mu_average=np.zeros(n),
        effects=effects,
        rng=np.random.default_rng(2),
    )
    seen = np.add.reduceat(np.where(response.sampling == 0, response.e, 0.0), response.offsets[:-1])
    expected = np.exp(-7 / 9 * 1.2 * np.cosh(eta))
    assert (seen < 1e-6).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n))


def test_faint_cells_are_no_multiples_of_one_energy(flat):
    state, axis, buffer = np.array([5], np.uint64), axis_of(flat), opened(flat)
    profile = Profile(30.0, 60.0, 0.8, 45.0, 0.2, 1.0, 30.0, 0.0)
    start, end = flat.stack.slabs[axis.row, 3, [T_START, T_END]]
    where = 3, start, end - start, 1.0
    throw_spots(state, 2000, 20.0, profile, axis, where, flat.stack, buffer, make_room())
    assert buffer.totals.sum() == pytest.approx(20.0)
    cells = buffer.e[: buffer.used[0]]
    part = (cells[(cells > 0) & (cells < 0.1)] / 0.01) % 1.0
    assert (np.minimum(part, 1 - part) < 0.05).mean() == pytest.approx(0.1, abs=0.06)


def test_tuning_is_a_table_that_a_file_may_change(tmp_path):
    (tmp_path / "mine.toml").write_text("[cascade]\nscattering = 0.02\n")
    assert (read_tuning(tmp_path / "mine.toml") != read_tuning()).sum() == 1
    (tmp_path / "typo.toml").write_text("[cascade]\nscatering = 0.02\n")
    with pytest.raises(ConfigError, match=r"unknown key 'cascade\.scatering'.*scattering"):
        read_tuning(tmp_path / "typo.toml")


def test_fluctuations_of_a_layer_are_those_of_the_energy_that_it_shows():
    """The sampling term belongs to visible energy, whatever part of the deposited one that is."""
    detector = prepare(Effects(stack=FLAT, **QUIET), pileup=False)
    slabs, axis, strips, c2 = detector.stack.slabs.copy(), axis_of(detector), 3, 0.0025
    slabs[axis.row, strips, [SCALE, C2]] = 0.5, c2
    stack = detector.stack._replace(slabs=slabs)
    buffer, state, now, seen = opened(detector), np.array([5], np.uint64), np.zeros(8), []
    for _ in range(4000):
        now[:4] = 1.0, 10.0, slabs[axis.row, strips, T_START], path_at(axis, stack, strips, 0.0)
        before = buffer.totals.sum()
        cascade.ionise_layer(state, now, 1.0, strips, axis, stack, detector.knobs, buffer)
        seen.append(buffer.totals.sum() - before)
    assert np.var(seen) == pytest.approx(c2 * np.mean(seen), rel=0.1)
