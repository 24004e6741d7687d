"""Where a candidate's cells are, seen from its hottest middle cell: the frame in which shower shapes are defined."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.detector import cell_size

__all__ = ["ETA_STEP", "N_SAMPLING", "TOUCH", "Local", "cell_widths", "hottest", "local_frame", "width_bin", "wrap"]

N_SAMPLING = 28
PER_ETA = 320.0
ETA_STEP = 1.0 / PER_ETA
ETA_MAX = 5.0
# Windows are counted in cells. A cell whose centre (or, for the cluster, edge) is this part of a cell or less inside
# the window's edge is outside, so that cells which only touch it stay out whatever the rounding or the alignment.
TOUCH = 0.1


class Local(NamedTuple):
    """Finite cells of one candidate around its hottest middle cell.

    Attributes
    ----------
    e : (n,) float64 [GeV]
    x, y : (n,) float64
        eta and phi [rad] of the cell's centre minus those of the hottest middle cell.
    sampling : (n,) int64
    d_eta, d_phi : (n,) float64
        Widths of the cell.
    """

    e: np.ndarray
    x: np.ndarray
    y: np.ndarray
    sampling: np.ndarray
    d_eta: np.ndarray
    d_phi: np.ndarray


@functools.cache
def cell_widths() -> np.ndarray:
    """Cell widths by sampling and \\|eta\\|, as a table that a compiled loop can index.

    Returns
    -------
    (28, n_bin, 2) float32
        (d_eta, d_phi [rad]) of the cell of that sampling whose centre lies in bin ``|eta| / ETA_STEP``.

    Examples
    --------
    >>> bool(np.isclose(cell_widths()[2, 0, 0], 0.025))
    True
    """
    eta = (np.arange(round(ETA_MAX / ETA_STEP)) + 0.5) * ETA_STEP
    table = np.full((N_SAMPLING, len(eta), 2), np.nan, dtype=np.float32)
    for sampling in range(21):
        table[sampling, :, 0], table[sampling, :, 1] = cell_size(np.full(len(eta), sampling), eta)
    return table


@njit(cache=True, nogil=True)
def wrap(angle: float) -> float:
    """The same angle in [-pi, pi) [rad]."""
    return angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)


@njit(cache=True, nogil=True)
def width_bin(eta: float, n_bin: int) -> int:
    """Bin of `cell_widths` that holds `eta`; the last one beyond the table."""
    return min(int(abs(eta) * PER_ETA), n_bin - 1)


@njit(cache=True, nogil=True)
def hottest(e, eta, phi, wanted, eta_0, phi_0, half_eta, half_phi):  # type: ignore[no-untyped-def]
    """Number of the hottest wanted cell whose centre is within the half widths of (eta_0, phi_0); -1 if none.

    Of equally hot cells the one with the lowest eta, then phi, is taken: the order of cells does not matter.
    """
    best = -1
    for j in range(len(e)):
        if not wanted[j] or not math.isfinite(e[j]) or (best >= 0 and e[j] < e[best]):
            continue
        if not (abs(eta[j] - eta_0) < half_eta and abs(wrap(phi[j] - phi_0)) < half_phi):
            continue
        if best < 0 or (e[j], -eta[j], -phi[j]) > (e[best], -eta[best], -phi[best]):
            best = j
    return best


@njit(cache=True, nogil=True)
def local_frame(e, eta, phi, sampling, hot, widths, scratch):  # type: ignore[no-untyped-def]
    """Finite cells relative to cell `hot`, written to the buffers of `scratch` (a `Local`); returns views of them."""
    n = 0
    for j in range(len(e)):
        if not (math.isfinite(e[j]) and math.isfinite(eta[j]) and math.isfinite(phi[j])) or sampling[j] >= N_SAMPLING:
            continue
        one = widths[sampling[j], width_bin(eta[j], widths.shape[1])]
        scratch.e[n], scratch.sampling[n] = e[j], sampling[j]
        scratch.x[n], scratch.y[n] = eta[j] - eta[hot], wrap(phi[j] - phi[hot])
        scratch.d_eta[n], scratch.d_phi[n] = one[0], one[1]
        n += 1
    return Local(
        scratch.e[:n], scratch.x[:n], scratch.y[:n], scratch.sampling[:n], scratch.d_eta[:n], scratch.d_phi[:n]
    )
