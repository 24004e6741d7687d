"""How a candidate's energy falls with the distance from its axis."""

from __future__ import annotations

import numpy as np

from calotools.errors import ShapeError

__all__ = ["ring_sums"]


def ring_sums(offsets: np.ndarray, e: np.ndarray, distance: np.ndarray, *, edges: np.ndarray) -> np.ndarray:
    """Energy of the cells of each candidate in rings of distance.

    Parameters
    ----------
    offsets : (n + 1,) int
        Candidate i owns cells ``offsets[i]:offsets[i + 1]``.
    e : (n_cell,) float [GeV]
    distance : (n_cell,) float
        Of the cell's centre; NaN leaves a cell out.
    edges : (k + 1,) float
        Increasing; a ring includes its lower edge. Cells beyond them are left out.

    Returns
    -------
    (n, k) float64 [GeV]

    Raises
    ------
    ShapeError
        Buffers differ in length or do not fit the offsets.

    Examples
    --------
    >>> ring_sums([0, 2, 3], np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.6, 0.2]), edges=np.array([0.0, 0.5, 1.0]))
    array([[1., 2.],
           [4., 0.]])
    """
    offsets, edges = np.asarray(offsets), np.asarray(edges, float)
    if len({len(e), len(distance), int(offsets[-1])}) != 1:
        raise ShapeError(f"{len(e)} energies and {len(distance)} distances; the offsets end at {offsets[-1]}")
    n, k = len(offsets) - 1, len(edges) - 1
    ring = np.searchsorted(edges, distance, side="right") - 1
    inside = np.isfinite(distance) & (ring >= 0) & (ring < k)
    candidate = np.repeat(np.arange(n), np.diff(offsets))
    flat = np.bincount((candidate * k + ring)[inside], weights=np.asarray(e, float)[inside], minlength=n * k)
    return flat.reshape(n, k)
