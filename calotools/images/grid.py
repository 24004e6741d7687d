"""Where a cell lies on a pixel grid, and edges that almost coincide."""

from __future__ import annotations

import numpy as np
from numba import njit

from calotools.containers import ImageGrid

__all__ = ["SNAP", "pixel_edges", "pixel_span"]

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
def pixel_span(middle, width):  # type: ignore[no-untyped-def]
    """Edges (low, high) of a cell along one axis, counted in pixels from the grid's edge.

    `middle` and `width` are in pixels; width 0 puts the whole cell into the pixel that holds its middle. Edges that
    almost are boundaries of pixels are put on them, if a pixel stays between them.
    """
    if width == 0.0:
        inside = np.floor(middle + 1e-6)
        return inside, inside + 1.0
    low, high = middle - 0.5 * width, middle + 0.5 * width
    first, stop = np.floor(low + 0.5), np.floor(high + 0.5)
    if stop > first:
        low = first if abs(low - first) < SNAP else low
        high = stop if abs(high - stop) < SNAP else high
    return low, high
