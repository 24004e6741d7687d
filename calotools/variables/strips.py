"""Shower shapes of the strips: two maxima, the valley between them, widths and the side fraction.

The strips are those of the cluster within 2.5 middle cells of the hottest middle cell in eta and within one strip
width in phi (so two strips in phi), added over phi; barrel or endcap strips, whichever the hottest middle cell is in.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from calotools.variables.windows import TOUCH

__all__ = ["MAX_STRIPS", "Strips", "gather_strips", "strip_shapes"]

MAX_STRIPS = 128
FSIDE_THRESHOLD = 0.060  # GeV


class Strips(NamedTuple):
    """Strips of one candidate in order of eta, added over phi.

    Attributes
    ----------
    x : (n,) float64
        eta of the strip minus that of the hottest middle cell.
    e : (n,) float64 [GeV]
    width : (n,) float64
        Width in eta.
    """

    x: np.ndarray
    e: np.ndarray
    width: np.ndarray


@njit(cache=True, nogil=True)
def gather_strips(local, sampling, half_eta, strips):  # type: ignore[no-untyped-def]
    """Add the cells of one strip sampling over phi into `strips` (buffers); returns views of them."""
    n = 0
    for j in range(len(local.e)):
        if local.sampling[j] != sampling or abs(local.y[j]) >= (1.0 - TOUCH) * local.d_phi[j]:
            continue
        if abs(local.x[j]) >= half_eta - TOUCH * local.d_eta[j]:
            continue
        k = n
        while k > 0 and strips.x[k - 1] > local.x[j] + 0.5 * local.d_eta[j]:
            k -= 1
        if k > 0 and abs(strips.x[k - 1] - local.x[j]) <= 0.5 * local.d_eta[j]:
            strips.e[k - 1] += local.e[j]
        elif n < len(strips.x):
            for m in range(n, k, -1):
                strips.x[m], strips.e[m], strips.width[m] = strips.x[m - 1], strips.e[m - 1], strips.width[m - 1]
            strips.x[k], strips.e[k], strips.width[k] = local.x[j], local.e[j], local.d_eta[j]
            n += 1
    return Strips(strips.x[:n], strips.e[:n], strips.width[:n])


@njit(cache=True, nogil=True)
def _second_maximum(density, top):  # type: ignore[no-untyped-def]
    best = -1
    for i in range(1, len(density) - 1):
        peak = density[i] > density[i - 1] and density[i] > density[i + 1]
        if i != top and peak and density[i] > 0 and (best < 0 or density[i] > density[best]):
            best = i
    return best


@njit(cache=True, nogil=True)
def _sum_around(values, centre, reach):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(max(0, centre - reach), min(len(values), centre + reach + 1)):
        total += values[i]
    return total


@njit(cache=True, nogil=True)
def _spread(strips, top, half):  # type: ignore[no-untyped-def]
    """Mean distance from strip `top`, and root of the mean squared one, in strips; of strips within `half` in eta."""
    total, first, second = 0.0, 0.0, 0.0
    for i in range(len(strips.e)):
        if abs(strips.x[i]) < half - TOUCH * strips.width[i]:
            total += strips.e[i]
            first += strips.e[i] * (i - top)
            second += strips.e[i] * (i - top) ** 2
    if total <= 0 or second < 0:
        return math.nan, math.nan
    return first / total, math.sqrt(second / total)


@njit(cache=True, nogil=True)
def _ws3_correction(eta, u):  # type: ignore[no-untyped-def]
    """Correction for the impact point in the strip (egammaqweta1c), u in strips from the middle of the hottest."""
    if eta < 1.0:
        return -0.76 * u**2
    if eta < 1.45 or 1.5 <= eta < 1.8:
        return -0.85 * u**2 + 1.9 * u**4
    if 1.8 <= eta < 2.0:
        return -0.84 * u**2
    return -0.40 * u**2 - 2.10 * u**4 if eta >= 2.0 else 0.0


@njit(cache=True, nogil=True)
def strip_shapes(strips, eta, half_wstot):  # type: ignore[no-untyped-def]
    """(eratio, delta_e, wstot, ws3, fside, energy of the three strips around the maximum); NaN where undefined.

    `eta` is that of the hottest middle cell; `half_wstot` half the eta window of wstot.
    """
    density = strips.e / strips.width
    top = int(np.argmax(density))
    first = strips.e[top]
    core = _sum_around(strips.e, top, 1)
    if first <= 0 or 1.4 < abs(eta) < 1.5 or abs(eta) > 2.4:
        return math.nan, math.nan, math.nan, math.nan, math.nan, core
    second, valley = 0.0, 0.0
    other = _second_maximum(density, top)
    if other >= 0:
        low, high = min(top, other), max(top, other)
        second, valley = strips.e[other], strips.e[low + 1 + np.argmin(density[low + 1 : high])]
    wstot = _spread(strips, top, half_wstot)[1]
    start, stop = max(top - 1, 0), min(top + 2, len(strips.e))
    three = Strips(np.zeros(stop - start), strips.e[start:stop], strips.width[start:stop])
    mean, ws3 = _spread(three, top - start, math.inf)
    core_density = _sum_around(density, top, 1)
    defined = first > FSIDE_THRESHOLD and core_density > 0
    fside = _sum_around(density, top, 3) / core_density - 1.0 if defined else math.nan
    ws3 += _ws3_correction(abs(eta), mean)
    return (first - second) / (first + second), second - valley, wstot, ws3, fside, core
