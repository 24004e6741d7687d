"""Where a shower is measured: the depth, as a radius or a distance along the beam, that each sampling stands for."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.sampling import Sampling, checked_sampling
from calotools.detector.tables import Table, load_table

__all__ = ["shower_position", "shower_radius"]


def shower_position(
    sampling: ArrayLike, eta: ArrayLike, *, table: Table | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Radius and z at which a straight line from the origin crosses the shower depth of a sampling.

    Parameters
    ----------
    sampling : array_like of int
    eta : array_like of float
        Direction seen from the origin.
    table : mapping, optional
        What `load_table("position", path=...)` gives; default: the packaged table.

    Returns
    -------
    r, z : ndarray of float64 [mm]
        z has the sign of eta; a barrel sampling is at fixed radius (by abs(eta)), an endcap sampling at fixed abs(z).

    Raises
    ------
    CellError
        A sampling has no table.

    References
    ----------
    ATLAS Athena, CaloDetDescr, CaloDepthTool; cell table of FastCaloSim for Tile and HEC.

    Examples
    --------
    >>> r, z = shower_position([2, 7], [0.0, -2.0])
    >>> r.round(1), z.round(1)
    (array([1699. , 1144.2]), array([    0., -4150.]))
    """
    depth = _packaged_depth() if table is None else table["depth"]
    numbers, eta = np.broadcast_arrays(checked_sampling(sampling), np.asarray(eta, dtype=np.float64))
    r, z = np.full(numbers.shape, np.nan), np.full(numbers.shape, np.nan)
    for number in np.unique(numbers):
        here = numbers == number
        r[here], z[here] = _position(depth[Sampling(number).name], eta[here])
    return r, z


@functools.cache
def _packaged_depth() -> Table:
    return load_table("position")["depth"]


def _position(pieces: list[Table], eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    abs_eta = np.abs(eta)
    value = np.full(eta.shape, np.nan)
    for piece in pieces:
        here = abs_eta >= piece["from"]
        value[here] = np.polynomial.polynomial.polyval(abs_eta[here], piece["c"])
    slope = np.sinh(eta)
    if pieces[0]["frame"] == "r":
        return value, value * slope
    # along the beam (eta = 0) an endcap plane is never reached: the radius is infinite
    with np.errstate(divide="ignore"):
        return value / np.abs(slope), np.copysign(value, eta)


def shower_radius(sampling: ArrayLike, eta: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Radius at which a straight line from the origin crosses the shower depth of a sampling.

    Parameters
    ----------
    sampling, eta, table
        As in `shower_position`.

    Returns
    -------
    ndarray of float64 [mm]

    Raises
    ------
    CellError
        A sampling has no table.

    Examples
    --------
    >>> shower_radius(1, [0.0, 0.8]).round(1)
    array([1558.9, 1531.6])
    """
    return shower_position(sampling, eta, table=table)[0]
