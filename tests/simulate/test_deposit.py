"""Cells: index arithmetic against the geometry, energy of spots, crosstalk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.detector import regions
from calotools.simulate import deposit
from calotools.simulate.crosstalk import share_energy
from calotools.simulate.effects import Effects
from calotools.simulate.setup import prepare


@pytest.fixture(scope="module")
def detector():
    return prepare(Effects(), pileup=False)


def opened(detector, eta, phi):
    buffer = deposit.make_buffer(len(detector.grid.sampling), 8000)
    deposit.open_buffer(buffer, detector.grid, (eta, phi), detector.half_big)
    return buffer


def test_grid_is_the_detectors(detector):
    grid, rows = detector.grid, regions()
    assert int((grid.n_eta * grid.n_phi).sum()) == int((rows["n_eta"].astype(int) * rows["n_phi"]).sum())
    assert np.array_equal(grid.mirror[grid.mirror], np.arange(len(grid.mirror)))
    assert grid.eta_lo[grid.mirror] == pytest.approx(-(grid.eta_lo + grid.n_eta * grid.d_eta))


@given(st.floats(-2.4, 2.4), st.floats(-10.0, 10.0), st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7]))
def test_a_point_is_in_the_cell_that_is_found(eta, phi, sampling):
    detector = prepare(Effects(), pileup=False)
    buffer = opened(detector, eta, phi)
    cell = deposit.locate(buffer, sampling, eta, phi)
    here = detector.grid.sampling == sampling
    low, high = detector.grid.eta_lo[here], (detector.grid.eta_lo + detector.grid.n_eta * detector.grid.d_eta)[here]
    if np.abs(np.concatenate([low, high]) - eta).min() > 1e-9:
        assert (cell >= 0) == bool(((low <= eta) & (eta < high)).any())
    if cell >= 0:
        k = np.flatnonzero(buffer.opened[: buffer.used[1], deposit.OFFSET] <= cell)[-1]
        i, j = divmod(cell - buffer.opened[k, deposit.OFFSET], buffer.opened[k, deposit.N_J])
        centre_eta = buffer.edges[k, 0] + (i + 0.5) / buffer.edges[k, 1]
        centre_phi = buffer.edges[k, 2] + (j + 0.5) / buffer.edges[k, 3]
        assert abs(eta - centre_eta) <= 0.5001 / buffer.edges[k, 1]
        assert abs(np.angle(np.exp(1j * (phi - centre_phi)))) <= 0.5001 / buffer.edges[k, 3]


@pytest.mark.parametrize("phi", [0.0, np.pi, -np.pi, 3.0])
@pytest.mark.parametrize("eta", [0.2, 1.42, -1.6, 2.45])
def test_spots_keep_their_energy(detector, eta, phi):
    rng = np.random.default_rng(1)
    buffer = opened(detector, eta, phi)
    for _ in range(1000):
        where = rng.normal(eta, 0.2), rng.normal(phi, 0.3)
        deposit.add_spot(buffer, rng.choice([1, 2, 5, 6]), *where, 0.03, 2.0)
    assert buffer.totals.sum() == pytest.approx(30.0)
    assert buffer.e.sum() == pytest.approx(buffer.totals[0])
    assert buffer.et.sum() == pytest.approx(2.0 * buffer.totals[0])


@pytest.mark.parametrize("eta", [0.3, 1.0, 1.43, -1.7, 2.2])
def test_crosstalk_moves_energy_and_keeps_it(detector, eta):
    rng = np.random.default_rng(1)
    buffer = opened(detector, eta, 1.0)
    n = buffer.used[0]
    buffer.e[:n] = rng.exponential(0.2, n)
    before = buffer.e[:n].copy()
    share_energy(buffer, detector.grid, detector.fractions, np.zeros(8000))
    assert buffer.e[:n].sum() == pytest.approx(before.sum(), rel=1e-12)
    assert not np.allclose(buffer.e[:n], before)


def test_strip_gives_its_neighbours_the_tabulated_fraction(detector):
    buffer = opened(detector, 0.3, 1.0)
    cell = deposit.locate(buffer, 1, 0.3, 1.0)
    buffer.e[cell] = 10.0
    share_energy(buffer, detector.grid, detector.fractions, np.zeros(8000))
    n_phi = buffer.opened[buffer.ranges[1, 0], deposit.N_J]
    assert buffer.e[[cell - n_phi, cell + n_phi]] == pytest.approx([0.46, 0.46])
    assert buffer.e[[cell - 2 * n_phi, cell + 2 * n_phi]] == pytest.approx([0.04, 0.04])
    behind = deposit.locate(buffer, 2, 0.3, 1.0)
    assert buffer.e[behind] == pytest.approx(10.0 * 0.00142)
