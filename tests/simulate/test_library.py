"""The library of pile-up: no hit is left out, neither when it is made nor at the edge of a window."""

import numpy as np
import pytest

from calotools.simulate import deposit, minimum_bias
from calotools.simulate.effects import Effects
from calotools.simulate.pileup import N_SECTORS, SLAB, Library, overlay
from calotools.simulate.setup import _grid, prepare
from calotools.simulate.stamp import source_stamp


def test_room_for_hits_is_made_where_it_does_not_suffice(monkeypatch):
    detector = prepare(Effects(), pileup=False)
    hits = []
    for room in (150, 3):
        monkeypatch.setattr(minimum_bias, "_HITS_PER_PARTICLE", room)
        rng = np.random.default_rng(1)
        sources, kinds, _ = minimum_bias.interactions(1, rng=rng)
        hits.append(minimum_bias.library_hits(sources, kinds, detector, stamp=source_stamp(), rng=rng))
    assert len(hits[0][1]) > 3 * len(kinds)
    assert np.array_equal(hits[0][0], hits[1][0])
    assert np.array_equal(hits[0][1], hits[1][1])


@pytest.mark.parametrize("n_phi", [32, 64])
@pytest.mark.parametrize("phi", [0.05, 0.2, 1.7])
def test_every_column_gets_its_share_of_every_interaction(n_phi, phi):
    """An interaction that fires a whole ring of cells fires every open cell of it, however it is turned."""
    grid = _grid()
    region = int(np.flatnonzero((grid.sampling == 8) & (grid.n_phi == n_phi) & (grid.eta_lo > 0))[0])
    slab = int((grid.eta_lo[region] + 0.5 * grid.d_eta[region] + 2.8) / SLAB)
    sector = ((np.arange(n_phi) + 0.5) * N_SECTORS / n_phi).astype(int)
    starts = np.zeros((1, round(5.6 / SLAB), N_SECTORS + 1), np.int32)
    starts[0, slab] = np.searchsorted(sector, np.arange(N_SECTORS + 1))
    starts[0, slab + 1 :] = 0
    place = np.stack([np.full(n_phi, region), np.zeros(n_phi), np.arange(n_phi)], axis=1).astype(np.int16)
    library = Library(starts, place, np.ones(n_phi, np.float32), np.ones(1), np.zeros(1), 0)
    halves = np.full((deposit.N_SAMPLINGS, 2), 0.3)
    buffer = deposit.make_buffer(len(grid.sampling), 20_000)
    deposit.open_buffer(buffer, grid, (grid.eta_lo[region] + 0.05, phi), halves)
    overlay(np.array([5], np.uint64), buffer, np.array([400.0, 0.0]), grid, library)
    k = int(np.flatnonzero(buffer.opened[: buffer.used[1], deposit.REGION] == region)[0])
    n_i, n_j, offset = buffer.opened[k, [deposit.N_I, deposit.N_J, deposit.OFFSET]]
    row = buffer.e[offset : offset + n_i * n_j].reshape(n_i, n_j)[0]
    assert 100 < row[0] < 300  # the other half of the interactions is mirrored
    assert np.all(row == row[0])
