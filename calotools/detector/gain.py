"""Readout gains: at which energies the electronics change over, and the code that is written."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.sampling import Sampling, checked_sampling
from calotools.detector.tables import Table, interpolate, load_table

__all__ = ["gain_thresholds", "select_gain"]


def gain_thresholds(
    sampling: ArrayLike, eta: ArrayLike, *, table: Table | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Cell energies at which the readout changes from high to medium, and from medium to low gain.

    Parameters
    ----------
    sampling, eta : array_like
        Cell's sampling number and centre; broadcast against each other.
    table : mapping, optional
        What `load_table("gain", path=...)` gives; default: the packaged table.

    Returns
    -------
    first, second : ndarray of float64 [GeV]
        HEC never reads high gain: its first threshold is -inf. Tile has two gains: both thresholds are the same.

    Raises
    ------
    CellError
        A sampling has no table.

    Examples
    --------
    >>> first, second = gain_thresholds([2, 8], [0.1, 2.0])
    >>> first, second.round(1)
    (array([ 26., -inf]), array([252.2, 300. ]))
    """
    gain = load_table("gain") if table is None else table
    numbers, eta = np.broadcast_arrays(checked_sampling(sampling), np.asarray(eta, dtype=np.float64))
    first = interpolate(gain["high_to_medium"], numbers, eta)
    second = np.where(_is_hec(numbers), gain["medium_to_low"]["hec"], first * gain["medium_to_low"]["ratio"])
    return first, np.where(_is_tile(numbers), first, second)


def _is_hec(numbers: np.ndarray) -> np.ndarray:
    return (numbers >= Sampling.HEC0) & (numbers <= Sampling.HEC3)


def _is_tile(numbers: np.ndarray) -> np.ndarray:
    return numbers >= Sampling.TileBar0


def select_gain(sampling: ArrayLike, eta: ArrayLike, e: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Readout gain of a cell, by the energy of its pulse.

    Parameters
    ----------
    sampling, eta : array_like
        Cell's sampling number and centre.
    e : array_like [GeV]
        Cell energy; negative ones stay in the most sensitive gain. Arguments broadcast against each other.
    table : mapping, optional
        What `load_table("gain", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of int8
        0 high, 1 medium, 2 low; Tile -11 and -16 (one-tube scintillators -3 and -4) for high and low.

    Raises
    ------
    CellError
        A sampling has no table.

    Examples
    --------
    >>> select_gain([2, 2, 2, 8, 12], 0.1, [1.0, 30.0, 300.0, 1.0, 1.0]).tolist()
    [0, 1, 2, 1, -11]
    """
    gain = load_table("gain") if table is None else table
    numbers, eta, e = np.broadcast_arrays(checked_sampling(sampling), eta, np.asarray(e, dtype=np.float64))
    first, second = gain_thresholds(numbers, eta, table=gain)
    code, high = gain["code"], e <= first
    lar = np.where(high, code["high"], np.where(e <= second, code["medium"], code["low"]))
    two_tubes = np.where(high, code["tile_high"], code["tile_low"])
    one_tube = np.where(high, code["tile_one_high"], code["tile_one_low"])
    tile = np.where(numbers == Sampling.TileGap3, one_tube, two_tubes)
    return np.where(_is_tile(numbers), tile, lar).astype(np.int8)
