"""Which cells make a candidate's cluster: a window about its hottest middle cell, and satellites along phi."""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import njit

from calotools.detector import cell_noise
from calotools.variables.windows import ETA_MAX, ETA_STEP, width_bin

__all__ = ["REACH", "half_eta", "mark_columns", "satellite_thresholds", "touches"]

# Columns of middle cells: those of the window on either side of the hottest cell, and how far satellites may be.
CORE, REACH = 3, 6
# A satellite is this many times its cell's noise, electronic and of pile-up, at this <mu>: one threshold for all
# events, as topological clusters have.
SIGNIFICANCE, REFERENCE_MU = 4.0, 30.0
# |eta| of the hottest cell from which a barrel cluster is as wide as one of the endcap: showers spread in the crack.
WIDE_FROM = 1.325


@functools.cache
def satellite_thresholds() -> np.ndarray:
    """Energy above which a middle cell brings its columns into the cluster, as a table for compiled loops.

    Returns
    -------
    (2, n_bin) float64 [GeV]
        For barrel (CaloSampling 2) and endcap (6), by ``|eta| / ETA_STEP``.

    Examples
    --------
    >>> bool(0.1 < satellite_thresholds()[0, 0] < 0.2)
    True
    """
    eta = (np.arange(round(ETA_MAX / ETA_STEP)) + 0.5) * ETA_STEP
    return np.stack([SIGNIFICANCE * np.hypot(*cell_noise(sampling, eta, REFERENCE_MU)) for sampling in (2, 6)])


@njit(cache=True, nogil=True)
def half_eta(barrel: bool, hot_eta: float, s2_eta: float) -> float:
    """Half of the cluster's width in eta: 3 middle cells in the barrel, 5 in the crack and the endcap."""
    return (1.5 if barrel and abs(hot_eta) < WIDE_FROM else 2.5) * s2_eta


@njit(cache=True, nogil=True)
def mark_columns(local, half, s2_phi, hot_eta, thresholds, columns):  # type: ignore[no-untyped-def]
    """Mark the columns of middle cells, from -6 to 6 of the hottest, that belong to the cluster."""
    columns[:] = False
    columns[REACH - CORE : REACH + CORE + 1] = True
    for j in range(len(local.e)):
        column = math.floor(local.y[j] / s2_phi + 0.5)
        if local.sampling[j] not in (2, 6) or not CORE < abs(column) <= REACH or abs(local.x[j]) >= half:
            continue
        place = width_bin(hot_eta + local.x[j], thresholds.shape[1])
        if local.e[j] > thresholds[local.sampling[j] // 4, place]:
            columns[max(column + REACH - 1, 0) : column + REACH + 2] = True


@njit(cache=True, nogil=True)
def touches(y, half, s2_phi, columns):  # type: ignore[no-untyped-def]
    """Whether the range y - half to y + half overlaps a marked column."""
    inside = False
    for k in range(len(columns)):
        inside |= columns[k] and abs(y - (k - REACH) * s2_phi) < 0.5 * s2_phi + half
    return inside
