"""Where a cell lies on a pixel grid: pixel ranges, the part of the cell in each, and edges that almost coincide."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from calotools.containers import ImageGrid

__all__ = ["SNAP", "pixel_edges", "split_pixels", "whole_pixels"]

# An edge this close to a pixel boundary (in pixels) is on it: in an ideal detector cells cover whole pixels, and the
# rounding of stored positions must not make slivers of them.
SNAP = 0.02


def pixel_edges(grid: ImageGrid, *, centre: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the pixels around a centre.

    Parameters
    ----------
    grid : ImageGrid
    centre : (eta, phi [rad])

    Returns
    -------
    eta : (n_eta + 1,) float64
    phi : (n_phi + 1,) float64 [rad]
        Not wrapped: they rise through +-pi.

    Examples
    --------
    >>> eta, phi = pixel_edges(ImageGrid(n_eta=2, n_phi=1, d_eta=0.1, d_phi=0.2), centre=(1.0, 0.0))
    >>> eta.round(3).tolist(), phi.tolist()
    ([0.9, 1.0, 1.1], [-0.1, 0.1])
    """
    eta = centre[0] + (np.arange(grid.n_eta + 1) - 0.5 * grid.n_eta) * grid.d_eta
    phi = centre[1] + (np.arange(grid.n_phi + 1) - 0.5 * grid.n_phi) * grid.d_phi
    return eta, phi


@njit(cache=True, nogil=True)
def whole_pixels(middle, width):  # type: ignore[no-untyped-def]
    """Pixels ``first:stop`` that a cell covers along one axis, when it covers whole ones; else stop = first.

    `middle` and `width` are in pixels; width 0 puts the whole cell into the pixel that holds its middle.
    """
    if width == 0.0:
        inside = math.floor(middle + 1e-6)
        return inside, inside + 1
    low, high = middle - 0.5 * width, middle + 0.5 * width
    first, stop = math.floor(low + 0.5), math.floor(high + 0.5)
    whole = abs(low - first) < SNAP and abs(high - stop) < SNAP
    return first, stop if whole else first


@njit(cache=True, nogil=True)
def split_pixels(middle, width, n_pixel, axis, runs, parts):  # type: ignore[no-untyped-def]
    """Runs of a cell: a part of a pixel, whole pixels, a part of a pixel.

    Run k, written to the buffers, starts at pixel ``runs[axis, 0, k]``, is ``runs[axis, 1, k]`` pixels long, and each
    has the fraction ``parts[axis, k]`` of the cell. Returns the number of runs, at most three; parts outside 0..n_pixel
    are left out.
    """
    low, high = middle - 0.5 * width, middle + 0.5 * width
    first, stop = math.floor(low + 0.5), math.floor(high + 0.5)
    if stop > first:
        low = float(first) if abs(low - first) < SNAP else low
        high = float(stop) if abs(high - stop) < SNAP else high
    if width == 0.0:
        low = float(whole_pixels(middle, width)[0])
        high = low + 1.0
    n = 0
    edge = low
    while edge < high and edge < n_pixel:
        start = math.floor(edge)
        stop = start + 1
        if edge == start and high >= stop:
            stop = math.floor(high)
        next_edge = min(float(stop), high)
        inside = min(stop, n_pixel) - max(start, 0)
        if inside > 0:
            runs[axis, 0, n], runs[axis, 1, n] = max(start, 0), inside
            parts[axis, n] = (next_edge - edge) / (stop - start) / (high - low)
            n += 1
        edge = next_edge
    return n
