"""Every cell of the calorimeter, and which of them is where."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.granularity import regions
from calotools.detector.noise import cell_noise
from calotools.detector.position import shower_position
from calotools.detector.sampling import checked_sampling
from calotools.detector.tables import Table
from calotools.errors import ConfigError

__all__ = ["CELL", "build_cells", "cell_at", "cells_in_window"]

CELL = np.dtype(
    [
        ("id", np.int64),
        ("sampling", np.uint8),
        ("region", np.int16),
        ("eta", np.float64),
        ("phi", np.float64),
        ("d_eta", np.float64),
        ("d_phi", np.float64),
        ("r", np.float64),
        ("z", np.float64),
        ("noise_electronic", np.float32),
        ("noise_pileup", np.float32),
    ]
)
# identifiers and edges are compared in units of a cell; floats of eta / d_eta are exact to far better than this
_EDGE = 1e-9


def build_cells(
    *, eta_max: float = 2.5, mu: float = 30.0, table: Table | None = None, noise: Table | None = None
) -> np.ndarray:
    """Every cell of the electromagnetic and hadronic calorimeters, computed from the granularity regions.

    Parameters
    ----------
    eta_max : float
        Cells of regions that start below this abs(eta); the last centre is at 2.4995 for 2.5.
    mu : float
        Average interactions per crossing that `noise_pileup` is for.
    table, noise : mapping, optional
        What `load_table("granularity", path=...)` and `load_table("noise", path=...)` give; default: packaged.

    Returns
    -------
    (n_cell,) structured array, ordered by id
        id, sampling, region (row of `regions()`), eta and phi [rad, from -pi to pi] of the centre seen from the
        origin, d_eta, d_phi [rad], r and z [mm] at shower depth, noise_electronic (high gain) and noise_pileup [GeV].
        Below 2.5 the ids are 0 to n_cell - 1: `cells[id]` is the cell.

    Raises
    ------
    ConfigError
        `mu` is negative or the table is not valid.

    Examples
    --------
    >>> cells = build_cells()
    >>> len(cells), float(cells["d_eta"].min())
    (181440, 0.003125)
    """
    rows = regions(eta_max=eta_max, table=table)
    counts = rows["n_eta"].astype(np.int64) * rows["n_phi"]
    region = np.repeat(np.arange(len(rows)), counts)
    grid = rows[region]
    index = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    cells = np.zeros(len(region), dtype=CELL)
    cells["id"] = grid["first_id"] + index
    cells["region"] = region
    for name in ("sampling", "d_eta", "d_phi"):
        cells[name] = grid[name]
    cells["eta"] = grid["eta_min"] + (index // grid["n_phi"] + 0.5) * grid["d_eta"]
    cells["phi"] = _wrap(grid["phi_min"] + (index % grid["n_phi"] + 0.5) * grid["d_phi"])
    cells["r"], cells["z"] = shower_position(cells["sampling"], cells["eta"])
    cells["noise_electronic"], cells["noise_pileup"] = cell_noise(cells["sampling"], cells["eta"], mu, table=noise)
    return cells


def _wrap(phi: np.ndarray) -> np.ndarray:
    """Azimuth in [-pi, pi)."""
    return np.mod(phi + math.pi, 2 * math.pi) - math.pi


def cell_at(sampling: ArrayLike, eta: ArrayLike, phi: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Identifier of the cell that covers a point.

    A cell holds its low edges. Where a sampling has no cell at that eta, there is none: no cell is guessed.

    Parameters
    ----------
    sampling, eta, phi : array_like [1, 1, rad]
        Broadcast against each other; phi of any turn.
    table : mapping, optional
        What `load_table("granularity", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of int64
        `build_cells()["id"]`, or -1 for no cell (and for NaN).

    Raises
    ------
    CellError
        A sampling has no table.

    Examples
    --------
    >>> cells = build_cells()
    >>> found = cells[cell_at(2, 0.51, 3.2)]
    >>> round(float(found["eta"]), 4), round(float(found["phi"]), 3)
    (0.5125, -3.08)
    >>> int(cell_at(0, 2.0, 0.0))
    -1
    """
    numbers, eta, phi = np.broadcast_arrays(
        checked_sampling(sampling), np.asarray(eta, dtype=np.float64), np.asarray(phi, dtype=np.float64)
    )
    found = np.full(numbers.shape, -1, dtype=np.int64)
    rows = regions(table=table)
    rows = rows[np.isin(rows["sampling"], numbers)]
    for margin in (_EDGE, 0.0):  # a point where one region ends and another begins is in the one that begins
        for row in rows:
            here = (numbers == row["sampling"]) & (found < 0) & np.isfinite(phi)
            here &= (eta >= row["eta_min"] - _EDGE * row["d_eta"]) & (eta < row["eta_max"] - margin * row["d_eta"])
            if here.any():
                found[here] = row["first_id"] + _eta_index(eta[here], row) * row["n_phi"] + _phi_index(phi[here], row)
    return found


def _eta_index(eta: np.ndarray, row: np.void) -> np.ndarray:
    index = np.floor((eta - row["eta_min"]) / row["d_eta"] + _EDGE).astype(np.int64)
    return np.clip(index, 0, row["n_eta"] - 1)


def _phi_index(phi: np.ndarray, row: np.void) -> np.ndarray:
    turn = np.mod(phi - row["phi_min"], 2 * math.pi)
    return np.floor(turn / row["d_phi"] + _EDGE).astype(np.int64) % row["n_phi"]


def cells_in_window(
    sampling: int, eta: float, phi: float, *, half_eta: float, half_phi: float, table: Table | None = None
) -> np.ndarray:
    """Identifiers of one sampling's cells whose centre lies in a rectangle.

    Parameters
    ----------
    sampling : int
    eta, phi : float [1, rad]
        Middle of the rectangle.
    half_eta, half_phi : float [1, rad]
        Half widths, > 0; edges included. A `half_phi` of pi or more takes the whole turn.
    table : mapping, optional
        What `load_table("granularity", path=...)` gives; default: the packaged table.

    Returns
    -------
    (n,) ndarray of int64, increasing; empty where the sampling has no cells

    Raises
    ------
    CellError
        The sampling has no table.
    ConfigError
        A half width is not positive.

    Examples
    --------
    >>> cells_in_window(2, 0.5125, 0.0, half_eta=0.0876, half_phi=0.0859).size  # 7 x 6 cells: phi = 0 is an edge
    42
    """
    checked_sampling(sampling)
    if min(half_eta, half_phi) <= 0:
        raise ConfigError(f"window of half widths ({half_eta}, {half_phi}) in (eta, phi) must be positive")
    rows = [row for row in regions(table=table) if row["sampling"] == sampling]
    found = [_in_region(row, eta, phi, half_eta, half_phi) for row in rows]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *found]))


def _in_region(row: np.void, eta: float, phi: float, half_eta: float, half_phi: float) -> np.ndarray:
    i_eta = _between((eta - half_eta - row["eta_min"]) / row["d_eta"], (eta + half_eta - row["eta_min"]) / row["d_eta"])
    i_eta = i_eta[(i_eta >= 0) & (i_eta < row["n_eta"])]
    half_phi = min(half_phi, math.pi)
    low, high = (phi + sign * half_phi - row["phi_min"] for sign in (-1, 1))
    i_phi = np.unique(_between(low / row["d_phi"], high / row["d_phi"]) % row["n_phi"])
    return (row["first_id"] + i_eta[:, np.newaxis] * row["n_phi"] + i_phi).ravel()


def _between(low: float, high: float) -> np.ndarray:
    """Cells, counted from an edge, whose centres lie between two positions in units of a cell."""
    return np.arange(math.ceil(low - 0.5 - _EDGE), math.floor(high - 0.5 + _EDGE) + 1, dtype=np.int64)
