"""Cells whose places are known, added to pixels."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calotools.images.boxes import BLOCK
from calotools.images.wide import NARROW, add_narrow

__all__ = ["EMPTY", "paint_energy", "paint_several", "unveil", "unveil_rows"]

# A pixel without a cell holds -0.0: adding any energy to it, 0.0 too, gives that energy, and no sum of energies is -0.0
# again once one of them is not. So painting is adding, and the mask comes for nothing.
EMPTY = -(2**31)  # the bits of -0.0


@njit(cache=True, nogil=True, inline="always")
def paint_energy(energy, e, j, stop, first, stride, wide, edges, places, energies, outside):  # type: ignore[no-untyped-def]
    """Add the cells of a run to the pixels that they cover.

    Parameters
    ----------
    energy : (>= pixel + 32,) float32
    e : (n_cell,) float32
    j, stop : int
        Of the run.
    first, stride : int
        First pixel of the layer, and pixels in a row.
    wide : bool
        Cells are mostly several pixels wide in phi.
    edges, places, energies
        What `box_cells` found.
    outside : float
        Energy of cells before outside the grid.

    Returns
    -------
    float
        The same with these cells.
    """
    for k in range(stop - j):
        outside += edges[5 * BLOCK + k]
        p, n_eta, n_phi, whole = np.int64(places[k]), places[BLOCK + k], np.int64(places[2 * BLOCK + k]), energies[k]
        if n_eta < 0:
            _paint_parts(energy, e[j + k], first, stride, k, edges)
        elif n_phi == 1 and not wide:
            for _ in range(n_eta):
                energy[p] += whole
                p += stride
        else:  # cells of strips and presampler on pixels of the middle
            while n_phi > 0:
                one = p
                for _ in range(n_eta):
                    add_narrow(energy, one, whole, n_phi)
                    one += stride
                p += NARROW
                n_phi -= NARROW
    return outside


@njit(cache=True, nogil=True)
def _paint_parts(energy, e, first, stride, k, edges):  # type: ignore[no-untyped-def]
    """A cell that covers some of its pixels partly."""
    a_x, b_x, a_y, b_y = edges[k], edges[BLOCK + k], edges[2 * BLOCK + k], edges[3 * BLOCK + k]
    r, r_end, q, q_end, value = int(a_x), int(b_x), int(a_y), int(b_y), e * edges[4 * BLOCK + k]
    p, n_phi, columns = first + r * stride + q, q_end - q, (q == a_y) & (q_end == b_y)
    while r < b_x:
        row = value * (min(b_x, r + 1.0) - max(a_x, float(r)))
        # all but the first and the last row are covered wholly
        n_eta = r_end - r if (a_x <= r) & (r < r_end) else 1
        if columns:
            for k_phi in range(0, n_phi, NARROW):
                one = p + k_phi
                for _ in range(n_eta):
                    add_narrow(energy, one, _positive(row), n_phi - k_phi)
                    one += stride
        else:
            column = float(q)
            while column < b_y:
                part, one = _positive(row * (min(b_y, column + 1.0) - max(a_y, column))), p + int(column) - q
                for _ in range(n_eta):
                    energy[one] += part
                    one += stride
                column += 1.0
        r += n_eta
        p += n_eta * stride


@njit(cache=True, nogil=True)
def _positive(energy):  # type: ignore[no-untyped-def]
    """The energy in single precision; 0.0 instead of -0.0, which means that there is no cell."""
    return np.float32(energy) + np.float32(0.0)


@njit(cache=True, nogil=True)
def paint_several(image, heat, which, j, stop, columns, first, stride, edges, places, outside):  # type: ignore[no-untyped-def]
    """Energies add, noise adds in quadrature; time and gain are those of the cell that gives the pixel more energy.

    Parameters
    ----------
    image, heat, which
        See `Canvas`.
    j, stop : int
        Of the run.
    columns : tuple
        Energy, time, gain and noise of all cells.
    first, stride, edges, places, outside
        As in `paint_energy`.

    Returns
    -------
    float
        As `paint_energy`.
    """
    cell_e, times, gains, noises = columns
    for k in range(stop - j):
        outside += edges[5 * BLOCK + k]
        if places[BLOCK + k] == 0:
            continue
        e, time, gain, noise = cell_e[j + k], _at(times, j + k, 0), _at(gains, j + k, 1), _at(noises, j + k, 0)
        a_x, b_x, a_y, b_y = edges[k], edges[BLOCK + k], edges[2 * BLOCK + k], edges[3 * BLOCK + k]
        for r in range(int(a_x), math.ceil(b_x)):
            row = edges[4 * BLOCK + k] * (min(b_x, r + 1.0) - max(a_x, float(r)))
            for q in range(int(a_y), math.ceil(b_y)):
                part = row * (min(b_y, q + 1.0) - max(a_y, float(q)))
                p, energy = first + r * stride + q, _positive(e * part)
                image[0, p] += energy
                if which[2] > 0:
                    image[which[2], p] = np.hypot(image[which[2], p], np.float32(noise * part))
                if len(heat) > 0:
                    _take_hotter(image, heat, which, p, abs(energy), (time, gain))
    return outside


@njit(cache=True, nogil=True)
def _at(column, j, shift):  # type: ignore[no-untyped-def]
    """A further quantity of a cell; 0 if it is missing."""
    return column[j] + np.float32(shift) if len(column) and np.isfinite(column[j]) else np.float32(0.0)


@njit(cache=True, nogil=True)
def _take_hotter(image, heat, which, p, heat_here, extra):  # type: ignore[no-untyped-def]
    """Of two equally hot cells the larger value, so that the order of cells does not matter."""
    for kind in range(2):
        q = which[kind]
        if q > 0 and (heat_here > heat[p] or (heat_here == heat[p] and extra[kind] > image[q, p])):
            image[q, p] = extra[kind]
    heat[p] = max(heat[p], heat_here)


@njit(cache=True, nogil=True)
def unveil(words, first, image, mask):  # type: ignore[no-untyped-def]
    """Copy energies that were painted, from pixel `first` on, with 0 where no cell is.

    Parameters
    ----------
    words : (m, quantity, >= first + pixel) int32
        Bits of what was painted, the energy first.
    first : int
    image, mask : (m, pixel) int32 and bool
        Bits of the energies, and whether there is a cell.
    """
    for i in range(len(image)):
        own, energy, covered = words[i, 0, first : first + image.shape[1]], image[i], mask[i]
        for p in range(len(energy)):
            covered[p] = own[p] != EMPTY
        for p in range(len(energy)):
            energy[p] = own[p] if own[p] != EMPTY else 0


@njit(cache=True, nogil=True)
def unveil_rows(words, first, places, image):  # type: ignore[no-untyped-def]
    """Copy energies that were painted, from pixel `first` on, to some rows of `image`, with 0 where no cell is.

    Parameters
    ----------
    words : (>= m, quantity, >= first + pixel) int32
        Bits of what was painted, the energy first.
    first : int
    places : (m,) int64
    image : (n, pixel) int32
        Bits of the energies.
    """
    for i in range(len(places)):
        own, energy = words[i, 0, first : first + image.shape[1]], image[places[i]]
        for p in range(len(energy)):
            energy[p] = own[p] if own[p] != EMPTY else 0
