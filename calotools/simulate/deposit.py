"""From energy spots to cells: the cells around one candidate as dense blocks, filled by index arithmetic."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

__all__ = ["Buffer", "Grid", "add_spot", "clear", "locate", "make_buffer", "open_buffer"]

N_SAMPLINGS = 24
REGION, I0, N_I, J0, N_J, OFFSET = range(6)
_TWO_PI = 2.0 * math.pi


class Grid(NamedTuple):
    """Every region of equal cells of the calorimeter, both sides, sorted by sampling.

    Attributes
    ----------
    sampling : (n_region,) int64
    eta_lo, d_eta : (n_region,) float64
        Lower edge and cell width.
    n_eta, n_phi : (n_region,) int64
    phi_lo, d_phi : (n_region,) float64 [rad]
        Lower edge of cell 0 and cell width.
    row : (n_region,) int64
        Where the region's eta rows start in tables by (region, eta row).
    mirror : (n_region,) int64
        The same region on the other side.
    """

    sampling: np.ndarray
    eta_lo: np.ndarray
    d_eta: np.ndarray
    n_eta: np.ndarray
    n_phi: np.ndarray
    phi_lo: np.ndarray
    d_phi: np.ndarray
    row: np.ndarray
    mirror: np.ndarray


class Buffer(NamedTuple):
    """The open cells: for each region a rectangle of cells, stored one after the other.

    Attributes
    ----------
    ranges : (24, 2) int64
        Open regions of each sampling, as a range of rows in `opened`.
    opened : (n_region, 6) int64
        Region number, first cell and number of cells along eta, the same along phi, and place of the rectangle in `e`:
        the columns REGION to OFFSET.
    edges : (n_region, 4) float64
        eta_lo, 1 / d_eta, phi_lo, 1 / d_phi of the rectangle.
    e : (n_cell,) float64 [GeV]
        Energy; `et` is energy times time [GeV ns].
    totals : (2,) float64 [GeV]
        Energy inside the rectangles, and in cells outside them.
    used : (2,) int64
        Number of cells, of open regions.
    """

    ranges: np.ndarray
    opened: np.ndarray
    edges: np.ndarray
    e: np.ndarray
    et: np.ndarray
    totals: np.ndarray
    used: np.ndarray


@numba.njit
def make_buffer(n_region: int, n_cell: int) -> Buffer:
    """An empty buffer for at most `n_cell` cells."""
    return Buffer(
        np.zeros((N_SAMPLINGS, 2), np.int64),
        np.zeros((n_region, 6), np.int64),
        np.zeros((n_region, 4)),
        np.zeros(n_cell),
        np.zeros(n_cell),
        np.zeros(2),
        np.zeros(2, np.int64),
    )


@numba.njit
def cell_range(low: float, high: float, width: float) -> tuple[int, int]:
    """First cell and number of cells that a range (relative to cell 0's lower edge) overlaps by more than 1 %."""
    first = math.floor(low / width + 0.01)
    return first, math.ceil(high / width - 0.01) - first


@numba.njit
def wrap(phi: float) -> float:
    """An azimuth in [-pi, pi)."""
    return phi - _TWO_PI * math.floor((phi + math.pi) / _TWO_PI)


@numba.njit
def open_buffer(buffer: Buffer, grid: Grid, centre: tuple[float, float], half: np.ndarray) -> None:
    """Open, empty, all cells within half[sampling] = (half width in eta, in phi) of the centre (eta, phi)."""
    k = 0
    n = 0
    last_sampling = -1
    buffer.ranges[:, 0] = 0
    buffer.ranges[:, 1] = 0
    for r in range(len(grid.sampling)):
        s = grid.sampling[r]
        if s != last_sampling:
            buffer.ranges[s, 0] = k
            last_sampling = s
        buffer.ranges[s, 1] = k
        low = centre[0] - half[s, 0] - grid.eta_lo[r]
        i0, n_i = cell_range(low, low + 2.0 * half[s, 0], grid.d_eta[r])
        i1 = min(i0 + n_i, grid.n_eta[r])
        i0 = max(i0, 0)
        if i1 <= i0:
            continue
        low = wrap(centre[1]) - half[s, 1] - grid.phi_lo[r]
        j0, n_j = cell_range(low, low + 2.0 * half[s, 1], grid.d_phi[r])
        n_j = min(n_j, grid.n_phi[r])
        buffer.opened[k, REGION], buffer.opened[k, I0], buffer.opened[k, N_I] = r, i0, i1 - i0
        buffer.opened[k, J0], buffer.opened[k, N_J] = j0, n_j
        buffer.opened[k, OFFSET] = n
        buffer.edges[k, 0] = grid.eta_lo[r] + i0 * grid.d_eta[r]
        buffer.edges[k, 1] = 1.0 / grid.d_eta[r]
        buffer.edges[k, 2] = grid.phi_lo[r] + j0 * grid.d_phi[r]
        buffer.edges[k, 3] = 1.0 / grid.d_phi[r]
        n += (i1 - i0) * n_j
        k += 1
        buffer.ranges[s, 1] = k
    buffer.used[0], buffer.used[1] = n, k
    clear(buffer)


@numba.njit
def clear(buffer: Buffer) -> None:
    """Empty the open cells."""
    buffer.e[: buffer.used[0]] = 0.0
    buffer.et[: buffer.used[0]] = 0.0
    buffer.totals[:] = 0.0


@numba.njit
def locate(buffer: Buffer, sampling: int, eta: float, phi: float) -> int:
    """Place in `buffer.e` of the open cell of a sampling that holds (eta, phi); -1 when there is none."""
    for k in range(buffer.ranges[sampling, 0], buffer.ranges[sampling, 1]):
        i = math.floor((eta - buffer.edges[k, 0]) * buffer.edges[k, 1])
        if i < 0 or i >= buffer.opened[k, N_I]:
            continue
        d_phi = phi - buffer.edges[k, 2]
        d_phi -= _TWO_PI * math.floor(d_phi / _TWO_PI)
        j = int(d_phi * buffer.edges[k, 3])
        if j >= buffer.opened[k, N_J]:
            return -1
        return buffer.opened[k, OFFSET] + i * buffer.opened[k, N_J] + j
    return -1


@numba.njit
def add_spot(buffer: Buffer, sampling: int, eta: float, phi: float, e: float, time: float) -> None:
    """Add energy [GeV] at (eta, phi) of a sampling at a time [ns]; what no open cell holds is counted outside."""
    cell = locate(buffer, sampling, eta, phi)
    if cell < 0:
        buffer.totals[1] += e
        return
    buffer.e[cell] += e
    buffer.et[cell] += e * time
    buffer.totals[0] += e
