"""Noise of a cell: electronics, by gain, and pile-up, by the number of interactions."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.sampling import Sampling, checked_sampling
from calotools.detector.tables import Table, interpolate, load_table
from calotools.errors import ConfigError

__all__ = ["cell_noise"]

_GEV = 1e-3


def cell_noise(
    sampling: ArrayLike, eta: ArrayLike, mu: ArrayLike = 0.0, *, gain: ArrayLike = 0, table: Table | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations of a cell's energy from electronics and from pile-up.

    The expected noise of a cell, `cells.noise`, is their sum in quadrature.

    Parameters
    ----------
    sampling, eta : array_like
        Cell's sampling number and centre.
    mu : array_like
        Average interactions per crossing, >= 0; pile-up noise grows with its square root.
    gain : array_like of int
        Readout gain codes: 0 high, 1 medium, 2 low; Tile's are negative. HEC has no high gain: 0 means medium there.
        Arguments broadcast against each other.
    table : mapping, optional
        What `load_table("noise", path=...)` gives; default: the packaged table.

    Returns
    -------
    electronic, pileup : ndarray of float64 [GeV]

    Raises
    ------
    CellError
        A sampling has no table.
    ConfigError
        `mu` is negative, or a gain code is unknown.

    Examples
    --------
    >>> electronic, pileup = cell_noise(2, [0.0, 0.0], [0.0, 30.0])
    >>> electronic.tolist(), pileup[0] == 0 < pileup[1]
    ([0.035, 0.035], np.True_)
    """
    noise = _packaged() if table is None else table
    mu = np.asarray(mu, dtype=np.float64)
    if (mu < 0).any():
        raise ConfigError(f"<mu> = {mu.min()} is negative; pile-up noise needs the average interactions per crossing")
    numbers, eta, mu, codes = np.broadcast_arrays(checked_sampling(sampling), eta, mu, np.asarray(gain))
    factor = _gain_factor(codes, noise["gain"])
    # HEC cells are never in high gain: the table's noise is that of medium gain, their most sensitive one
    hec = (numbers >= Sampling.HEC0) & (numbers <= Sampling.HEC3)
    factor = np.where(hec, np.maximum(factor / noise["gain"]["medium"], 1.0), factor)
    electronic = interpolate(noise["electronic"], numbers, eta) * factor
    pileup = interpolate(noise["pileup"], numbers, eta) * np.sqrt(mu / noise["reference_mu"])
    return electronic * _GEV, pileup * _GEV


@functools.cache
def _packaged() -> Table:
    return load_table("noise")


def _gain_factor(codes: np.ndarray, gain: Table) -> np.ndarray:
    factors = {code: gain[name] for name, members in _codes().items() for code in members}
    allowed = sorted(factors)
    # a table over the whole int8 range: cells come by the million
    table = np.full(256, np.nan)
    table[np.array(allowed) + 128] = [factors[code] for code in allowed]
    index = codes.astype(np.int64) + 128
    known = (index >= 0) & (index < 256)
    result = np.where(known, table[np.clip(index, 0, 255)], np.nan)
    if np.isnan(result).any():
        unknown = np.unique(codes[np.isnan(result)]).tolist()
        raise ConfigError(f"unknown readout gain {unknown}; allowed: {allowed}")
    return result


@functools.cache
def _codes() -> dict[str, list[int]]:
    """Readout codes that share an electronic noise."""
    code = load_table("gain")["code"]
    return {
        "high": [code["high"], code["tile_high"], code["tile_one_high"]],
        "medium": [code["medium"]],
        "low": [code["low"]],
        "tile_low": [code["tile_low"], code["tile_one_low"]],
    }
