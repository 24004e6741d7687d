"""Cells whose places are known, added to pixels."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calotools.images.wide import NARROW, add_narrow

__all__ = ["EMPTY", "paint_energy", "paint_several", "unveil"]

# A pixel without a cell holds -0.0: adding any energy to it, 0.0 too, gives that energy, and no sum of energies is -0.0
# again once one of them is not. So painting is adding, and the mask comes for nothing.
EMPTY = -(2**31)  # the bits of -0.0


@njit(cache=True, nogil=True)
def paint_energy(energy, cell_e, boxes, places):  # type: ignore[no-untyped-def]
    """Add cells to the pixels that they cover."""
    for k in range(len(boxes)):
        a_x, b_x, a_y, b_y = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
        first, stride, value = places[k, 0], places[k, 1], cell_e[places[k, 2]] * boxes[k, 4]
        r, q, r_end, q_end = int(a_x), int(a_y), int(b_x), int(b_y)
        p, n_phi, columns = first + r * stride + q, q_end - q, (q == a_y) & (q_end == b_y)
        if columns & (r == a_x) & (r_end == b_x):
            whole, n_eta = _positive(value), r_end - r
            while n_phi > 0:
                one = p
                if n_phi == 1:
                    for _ in range(n_eta):
                        energy[one] += whole
                        one += stride
                else:  # cells of strips and presampler on pixels of the middle
                    for _ in range(n_eta):
                        add_narrow(energy, one, whole, n_phi)
                        one += stride
                p += NARROW
                n_phi -= NARROW
            continue
        while r < b_x:
            row = value * (min(b_x, r + 1.0) - max(a_x, float(r)))
            if columns:
                for k_phi in range(0, n_phi, NARROW):
                    add_narrow(energy, p + k_phi, _positive(row), n_phi - k_phi)
            else:
                one, column = p, float(q)
                while column < b_y:
                    energy[one] += _positive(row * (min(b_y, column + 1.0) - max(a_y, column)))
                    column += 1.0
                    one += 1
            r += 1
            p += stride


@njit(cache=True, nogil=True)
def _positive(energy):  # type: ignore[no-untyped-def]
    """The energy in single precision; 0.0 instead of -0.0, which means that there is no cell."""
    return np.float32(energy) + np.float32(0.0)


@njit(cache=True, nogil=True)
def paint_several(image, heat, which, cell_e, times, gains, noises, boxes, places):  # type: ignore[no-untyped-def]
    """Energies add, noise adds in quadrature; time and gain are those of the cell that gives the pixel more energy."""
    for k in range(len(boxes)):
        a_x, b_x, a_y, b_y = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
        first, stride, j = places[k]
        e, time, gain, noise = cell_e[j], _at(times, j, 0), _at(gains, j, 1), _at(noises, j, 0)
        for r in range(int(a_x), math.ceil(b_x)):
            row = boxes[k, 4] * (min(b_x, r + 1.0) - max(a_x, float(r)))
            for q in range(int(a_y), math.ceil(b_y)):
                part = row * (min(b_y, q + 1.0) - max(a_y, float(q)))
                p, energy = first + r * stride + q, _positive(e * part)
                image[0, p] += energy
                if which[2] > 0:
                    image[which[2], p] = np.hypot(image[which[2], p], np.float32(noise * part))
                if len(heat) > 0:
                    _take_hotter(image, heat, which, p, abs(energy), (time, gain))


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
