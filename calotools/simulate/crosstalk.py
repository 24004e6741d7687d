"""Crosstalk: fractions of a cell's energy that its neighbours read; what one cell gives, others get."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.deposit import I0, N_I, N_J, OFFSET, REGION, Buffer, Grid, locate

__all__ = ["Fractions", "share_energy"]

# GeV: smaller cells keep their energy, which costs less than a thousandth of the electronic noise.
_SMALLEST, _SMALLEST_ACROSS = 5e-4, 2e-2


class Fractions(NamedTuple):
    """Crosstalk fractions by (granularity region, eta row), for strips, middle and back cells; 0 elsewhere.

    Attributes
    ----------
    first, second : (n_row,) float64
        To each of the two nearest, and each of the two next, cells along eta of the same layer.
    behind, before : (n_row,) float64
        To each cell behind in the next layer that the cell overlaps, and in front.
    """

    first: np.ndarray
    second: np.ndarray
    behind: np.ndarray
    before: np.ndarray


@numba.njit
def give(change: np.ndarray, source: int, target: int, amount: float) -> None:
    """Book a transfer between two open cells; a target of -1 keeps the energy where it is."""
    if target >= 0:
        change[source] -= amount
        change[target] += amount


@numba.njit
def share_energy(buffer: Buffer, grid: Grid, fractions: Fractions, change: np.ndarray) -> None:
    """Apply crosstalk to the open cells; `change` (n_cell,) is scratch space. The sum of all cells does not change."""
    change[: buffer.used[0]] = 0.0
    for k in range(buffer.used[1]):
        r = buffer.opened[k, REGION]
        s = grid.sampling[r]
        if s >= 8 or s % 4 == 0:
            continue
        for i in range(buffer.opened[k, N_I]):
            row = grid.row[r] + buffer.opened[k, I0] + i
            for j in range(buffer.opened[k, N_J]):
                cell = buffer.opened[k, OFFSET] + i * buffer.opened[k, N_J] + j
                e = buffer.e[cell]
                if e <= _SMALLEST:
                    continue
                for step in (-2, -1, 1, 2):
                    share = fractions.first[row] if abs(step) == 1 else fractions.second[row]
                    if 0 <= i + step < buffer.opened[k, N_I]:
                        give(change, cell, cell + step * buffer.opened[k, N_J], e * share)
                if e <= _SMALLEST_ACROSS:
                    continue
                eta = buffer.edges[k, 0] + (i + 0.5) / buffer.edges[k, 1]
                phi = buffer.edges[k, 2] + (j + 0.5) / buffer.edges[k, 3]
                to_next_layer(buffer, grid, change, (cell, s + 1, r), (eta, phi, e * fractions.behind[row]))
                to_next_layer(buffer, grid, change, (cell, s - 1, r), (eta, phi, e * fractions.before[row]))
    for cell in range(buffer.used[0]):
        if buffer.e[cell] > 0.0:
            buffer.et[cell] *= 1.0 + change[cell] / buffer.e[cell]
        buffer.e[cell] += change[cell]


@numba.njit
def to_next_layer(
    buffer: Buffer, grid: Grid, change: np.ndarray, cells: tuple[int, int, int], spot: tuple[float, float, float]
) -> None:
    """Book the transfers from one cell to all cells of another layer that it overlaps."""
    source, sampling, r = cells
    eta, phi, amount = spot
    if amount <= 0.0:
        return
    target = locate(buffer, sampling, eta, phi)
    if target < 0:
        return
    d_eta, d_phi = finest(buffer, grid, sampling)
    n_eta = max(1, int(grid.d_eta[r] / d_eta + 0.5))
    n_phi = max(1, int(grid.d_phi[r] / d_phi + 0.5))
    for i in range(n_eta):
        for j in range(n_phi):
            at_eta = eta + grid.d_eta[r] * ((i + 0.5) / n_eta - 0.5)
            at_phi = phi + grid.d_phi[r] * ((j + 0.5) / n_phi - 0.5)
            give(change, source, locate(buffer, sampling, at_eta, at_phi), amount)


@numba.njit
def finest(buffer: Buffer, grid: Grid, sampling: int) -> tuple[float, float]:
    """Widths of the smallest open cells of a sampling."""
    d_eta, d_phi = 10.0, 10.0
    for k in range(buffer.ranges[sampling, 0], buffer.ranges[sampling, 1]):
        d_eta = min(d_eta, grid.d_eta[buffer.opened[k, REGION]])
        d_phi = min(d_phi, grid.d_phi[buffer.opened[k, REGION]])
    return d_eta, d_phi
