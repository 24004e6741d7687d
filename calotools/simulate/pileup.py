"""Pile-up: energy deposits of minimum-bias interactions, overlaid with the weight of their bunch crossing."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.deposit import I0, J0, N_I, N_J, OFFSET, REGION, Buffer, Grid
from calotools.simulate.randoms import poisson, uniform

__all__ = ["N_SECTORS", "SLAB", "Library", "overlay"]

N_SECTORS = 64
SLAB = 0.1
_TWO_PI = 2.0 * math.pi


class Library(NamedTuple):
    """Cell energies of simulated minimum-bias interactions, ordered by (interaction, eta slab, phi sector).

    Attributes
    ----------
    starts : (n_interaction, n_slab, 65) int32
        Hits of a slab and sector are starts[..., s] to starts[..., s + 1].
    place : (n_hit, 3) int16
        Granularity region, eta row and phi column of the cell.
    e : (n_hit,) float32 [GeV]
    weight, weight_time : (n_crossing,) float64
        Response of the filtered energy, and of energy times time [ns], to unit energy deposited in each crossing.
    in_time : int
        The crossing that was triggered.
    """

    starts: np.ndarray
    place: np.ndarray
    e: np.ndarray
    weight: np.ndarray
    weight_time: np.ndarray
    in_time: int


@numba.njit
def overlay(state: np.ndarray, window: Buffer, mu: np.ndarray, grid: Grid, library: Library) -> None:
    """Add pile-up to the open cells; `mu` is (number of interactions of this crossing, average of the others)."""
    if window.used[1] == 0:
        return
    opened = np.full(len(grid.sampling), -1, np.int64)
    for k in range(window.used[1]):
        opened[window.opened[k, REGION]] = k
    bounds = reach(window)
    for crossing in range(len(library.weight)):
        count = round(mu[0]) if crossing == library.in_time else poisson(state, mu[1])
        for _ in range(count):
            add_interaction(state, window, bounds, grid, library, crossing, opened)


@numba.njit
def reach(window: Buffer) -> tuple[float, float, int, int]:
    """(low eta, high eta, first sector, number of sectors) that the open cells cover."""
    low, high = 10.0, -10.0
    first, last = 10.0, -10.0
    for k in range(window.used[1]):
        low = min(low, window.edges[k, 0])
        high = max(high, window.edges[k, 0] + window.opened[k, N_I] / window.edges[k, 1])
        # All rectangles share a centre, so that their lower edges may be compared after one common unwrapping.
        start = window.edges[k, 2] - _TWO_PI * math.floor((window.edges[k, 2] - window.edges[0, 2] + math.pi) / _TWO_PI)
        first = min(first, start)
        last = max(last, start + window.opened[k, N_J] / window.edges[k, 3])
    width = _TWO_PI / N_SECTORS
    sector = math.floor(first / width + 1e-6)
    return low, high, sector, math.ceil(last / width - 1e-6) - sector


@numba.njit
def add_interaction(
    state: np.ndarray,
    window: Buffer,
    bounds: tuple[float, float, int, int],
    grid: Grid,
    library: Library,
    crossing: int,
    opened: np.ndarray,
) -> None:
    """Overlay one interaction of the library, turned about the beam and maybe mirrored in eta."""
    low, high, sector, n_sector = bounds
    n_slab = library.starts.shape[1]
    event = int(uniform(state) * library.starts.shape[0])
    rotation = int(uniform(state) * N_SECTORS)
    mirror = uniform(state) < 0.5
    if mirror:
        low, high = -high, -low
    half = 0.5 * n_slab * SLAB
    slab_low = min(max(int((low + half) / SLAB), 0), n_slab - 1)
    slab_high = min(max(int((high + half) / SLAB), 0), n_slab - 1)
    begin = (sector - rotation) % N_SECTORS
    end = begin + n_sector
    for slab in range(slab_low, slab_high + 1):
        starts = library.starts[event, slab]
        add_hits(window, starts[begin], starts[min(end, N_SECTORS)], rotation, mirror, grid, library, crossing, opened)
        if end > N_SECTORS:
            add_hits(window, starts[0], starts[end - N_SECTORS], rotation, mirror, grid, library, crossing, opened)


@numba.njit
def add_hits(
    window: Buffer,
    begin: int,
    end: int,
    rotation: int,
    mirror: bool,
    grid: Grid,
    library: Library,
    crossing: int,
    opened: np.ndarray,
) -> None:
    """Add a range of hits to the open cells."""
    for hit in range(begin, end):
        r = library.place[hit, 0]
        i = library.place[hit, 1]
        if mirror:
            i = grid.n_eta[r] - 1 - i
            r = grid.mirror[r]
        k = opened[r]
        if k < 0:
            continue
        i -= window.opened[k, I0]
        if i < 0 or i >= window.opened[k, N_I]:
            continue
        n_phi = grid.n_phi[r]
        # a column of two sectors turns by one more after an odd rotation: so it ends where its sector was looked for
        shift = (rotation * n_phi + N_SECTORS - 1) // N_SECTORS
        j = (library.place[hit, 2] + shift - window.opened[k, J0]) % n_phi
        if j >= window.opened[k, N_J]:
            continue
        cell = window.opened[k, OFFSET] + i * window.opened[k, N_J] + j
        window.e[cell] += library.weight[crossing] * library.e[hit]
        window.et[cell] += library.weight_time[crossing] * library.e[hit]
