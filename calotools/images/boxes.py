"""Where cells lie on the pixels of their grid: many cells of one kind at once, without branches."""

from __future__ import annotations

import numpy as np
from numba import njit

from calotools.images.grid import pixel_span
from calotools.images.wide import WIDE
from calotools.variables.windows import width_bin, wrap

__all__ = ["BLOCK", "box_cells", "find_runs", "new_boxes"]

# Cells that are looked at together. What is found of them stands in a few arrays of this many numbers each, one after
# the other: the processor's first cache holds them, and the compiler sees that they do not overlap.
BLOCK = 64
_U = np.uint64  # numbers that cannot be negative: the compiler need not look for places counted from the end


@njit(cache=True, nogil=True)
def new_boxes():  # type: ignore[no-untyped-def]
    """Room for what `box_cells` finds of a run.

    Returns
    -------
    edges : (6 * BLOCK,) float64
        Low and high edge in eta, low and high in phi, of the part inside the grid, in pixels from its corner; the
        fraction of the cell that a whole pixel gets; the energy outside the grid.
    places : (3 * BLOCK,) int32
        First pixel, rows and columns. A cell outside has no rows; one that covers some pixels partly -1.
    energies : (BLOCK,) float32
        That a whole pixel gets.
    """
    return np.empty(6 * BLOCK), np.empty(3 * BLOCK, np.int32), np.empty(BLOCK, np.float32)


@njit(cache=True, nogil=True)
def find_runs(a, b, e, eta, phi, sampling, layers, row_of, kinds, runs, widths):  # type: ignore[no-untyped-def]
    """Cut the cells ``a:b`` into runs of one kind, at most `BLOCK` long: neighbours mostly are alike.

    Parameters
    ----------
    a, b : int
    e, eta, phi, sampling
        See `Cells`.
    layers : (256,) int16
        Layer of each sampling; -1: none.
    row_of, kinds
        See `cell_kinds`.
    runs : (>= b - a, 3) int64
        First cell, end, and layer are written here. A run begins with a finite cell.
    widths : (>= b - a, 2) float64
        And the widths in pixels here.

    Returns
    -------
    n_run : int
    n_finite : int
        Cells with finite energy and place.
    """
    n, finite, j = 0, np.int32(0), a
    while j < b:
        if e[j] - e[j] + (eta[j] - eta[j]) + (phi[j] - phi[j]) != 0.0:
            j += 1
            continue
        own = sampling[j]
        row, column = row_of[own], width_bin(eta[j], kinds.shape[1])
        first, end = np.float32(kinds[row, column, 2]), np.float32(kinds[row, column, 3])
        # always a whole block, though the last cells may be another candidate's: that takes less time than a part of it
        length, at = np.int32(BLOCK), _U(j)
        for k in range(_U(min(BLOCK, len(e) - j))):
            away = abs(eta[at + k])
            other = (sampling[at + k] != own) | (away < first) | (away >= end)
            length = min(length, np.int32(k) if other else np.int32(BLOCK))
        stop = min(b, j + np.int64(length))
        for k in range(at, _U(stop)):
            finite += np.int32(e[k] - e[k] + (eta[k] - eta[k]) + (phi[k] - phi[k]) == 0.0)
        runs[n, 0], runs[n, 1], runs[n, 2] = j, stop, layers[own]
        widths[n, 0], widths[n, 1] = kinds[row, column, 0], kinds[row, column, 1]
        n, j = n + 1, stop
    return n, finite


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def box_cells(j, stop, e, eta, phi, middle, scale, shape, width, first, edges, places, energies):  # type: ignore[no-untyped-def]
    """Where the cells of a run lie.

    Parameters
    ----------
    j, stop : int
        Of the run. Up to 15 cells behind it are looked at, too, so that whole vectors are filled.
    e, eta, phi : (n_cell,) float32
    middle : (float, float)
        Of the grid.
    scale : (float, float)
        Pixels per eta and phi.
    shape : (int, int)
        Pixels of the grid.
    width : (float, float)
        Of a cell in pixels; 0: all goes to the pixel of its middle.
    first : int
        First pixel of the layer.
    edges, places, energies
        Of `new_boxes`: written.
    """
    (x_0, y_0), (scale_x, scale_y), (n_x, n_y), (d_x, d_y) = middle, scale, shape, width
    end_x, end_y, half_x, half_y, far = float(n_x), float(n_y), 0.5 * n_x, 0.5 * n_y, np.int32(0)
    at, n = _U(j), _U(min((stop - j + WIDE - 1) // WIDE * WIDE, len(e) - j))
    for k in range(n):
        edges[k] = phi[at + k] - y_0
        far += np.int32(abs(edges[k]) > np.pi)
    if far:
        for k in range(n):
            edges[k] = wrap(edges[k]) if abs(edges[k]) > np.pi else edges[k]
    for k in range(n):
        energy = e[at + k]
        a_x, b_x = pixel_span((eta[at + k] - x_0) * scale_x + half_x, d_x)
        a_y, b_y = pixel_span(edges[k] * scale_y + half_y, d_y)
        part = 1.0 / ((b_x - a_x) * (b_y - a_y))
        a_x, b_x, a_y, b_y = max(a_x, 0.0), min(b_x, end_x), max(a_y, 0.0), min(b_y, end_y)
        finite = energy - energy + (eta[at + k] - eta[at + k]) + (phi[at + k] - phi[at + k]) == 0.0
        inside = finite & (b_x > a_x) & (b_y > a_y)
        away = energy * (1.0 - (part * (b_x - a_x) * (b_y - a_y) if inside else 0.0))
        r, q, r_end, q_end = np.floor(a_x), np.floor(a_y), np.floor(b_x), np.floor(b_y)
        whole = (r == a_x) & (q == a_y) & (r_end == b_x) & (q_end == b_y)
        edges[k], edges[_U(BLOCK) + k], edges[_U(2 * BLOCK) + k], edges[_U(3 * BLOCK) + k] = a_x, b_x, a_y, b_y
        edges[_U(4 * BLOCK) + k], edges[_U(5 * BLOCK) + k] = part, (away if finite else 0.0)
        places[k] = np.int32(first + r * end_y + q) if inside else 0
        places[_U(BLOCK) + k] = np.int32(r_end - r if whole else -1.0) if inside else 0
        places[_U(2 * BLOCK) + k] = np.int32(q_end - q) if inside else 0
        energies[k] = np.float32(energy * part) + np.float32(0.0)  # 0.0 instead of -0.0, see `EMPTY`
