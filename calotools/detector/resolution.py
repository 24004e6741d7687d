"""What resolution to expect: energy terms of electrons and photons, pile-up of a cluster, time of a cell."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.noise import cell_noise
from calotools.detector.sampling import Sampling, checked_sampling
from calotools.detector.tables import Table, load_table, step

__all__ = ["pileup_resolution", "resolution_terms", "time_resolution"]


def resolution_terms(eta: ArrayLike, *, table: Table | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Terms of sigma/E = a / sqrt(E) (+) b / E (+) c, E in GeV, of simulated electrons and photons.

    Parameters
    ----------
    eta : array_like
    table : mapping, optional
        What `load_table("resolution", path=...)` gives; default: the packaged table.

    Returns
    -------
    a, b, c : ndarray of float64 [sqrt(GeV), GeV, 1]
        Sampling, noise (of energy, not E_T) and constant term; the last bin goes on beyond abs(eta) = 2.5.

    References
    ----------
    ATLAS Athena, egammaEnergyCorrectionTool (run-1 sliding windows).

    Examples
    --------
    >>> [float(term.round(3)) for term in resolution_terms(0.2)]
    [0.091, 0.275, 0.005]
    """
    terms = _packaged() if table is None else table
    abs_eta = np.abs(np.asarray(eta, dtype=np.float64))
    noise = terms["noise"]
    edges = {"eta": noise["width"] * np.arange(len(noise["value"])), "value": noise["value"]}
    b = step(edges, abs_eta) * np.cosh(abs_eta)
    return _line(terms["sampling"], abs_eta), b, _line(terms["constant"], abs_eta)


@functools.cache
def _packaged() -> Table:
    return load_table("resolution")


def _line(term: Table, eta: np.ndarray) -> np.ndarray:
    offset, slope = (step({"eta": term["eta"], "value": term[key]}, eta) for key in ("offset", "slope"))
    return offset + slope * eta


def pileup_resolution(et: ArrayLike, mu: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Standard deviation of a super-cluster's E_T from pile-up.

    Parameters
    ----------
    et : array_like [GeV]
        E_T of the cluster; 5 to 50 GeV, clipped.
    mu : array_like
        Average interactions per crossing, >= 0.
    table : mapping, optional
        What `load_table("resolution", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64 [GeV]

    References
    ----------
    ATLAS Athena, egammaEnergyCorrectionTool, pileUpTerm.

    Examples
    --------
    >>> pileup_resolution([10.0, 50.0], 32.0).round(3)
    array([0.339, 0.566])
    """
    pileup = (_packaged() if table is None else table)["pileup"]
    clipped = np.clip(np.asarray(et, dtype=np.float64), *pileup["range"])
    scale = pileup["offset"] + pileup["slope"] * np.log(clipped / 10.0) / math.log(5.0)
    return np.sqrt(np.asarray(mu, dtype=np.float64)) * scale


def time_resolution(
    sampling: ArrayLike,
    eta: ArrayLike,
    e: ArrayLike,
    *,
    gain: ArrayLike = 0,
    table: Table | None = None,
    noise: Table | None = None,
) -> np.ndarray:
    """Standard deviation of a cell's time, without the spread of the collision time.

    Parameters
    ----------
    sampling, eta : array_like
        Cell's sampling number and centre.
    e : array_like [GeV]
        Cell energy; its size counts.
    gain : array_like of int
        Readout gain codes. Arguments broadcast against each other.
    table, noise : mapping, optional
        What `load_table("timing", path=...)` and `load_table("noise", path=...)` give; default: packaged.

    Returns
    -------
    ndarray of float64 [ns]
        inf where the energy is 0.

    Raises
    ------
    CellError
        A sampling has no table.
    ConfigError
        A gain code is unknown.

    References
    ----------
    arXiv:1409.5542 for the constants; the energy term is the optimal filter's, proportional to electronic noise.

    Examples
    --------
    >>> time_resolution(2, 0.0, [1.0, 20.0]).round(2)
    array([1.04, 0.24])
    """
    timing = load_table("timing") if table is None else table
    numbers, eta, e, codes = np.broadcast_arrays(checked_sampling(sampling), eta, np.abs(e), gain)
    electronic, _ = cell_noise(numbers, eta, gain=codes, table=noise)
    constant = timing["constant"]
    lar = np.choose(np.clip(codes, 0, 2), [constant["high"], constant["medium"], constant["low"]])
    floor = np.where(numbers >= Sampling.TileBar0, constant["tile"], lar)
    with np.errstate(divide="ignore"):
        return np.hypot(timing["energy_term"] * electronic / e, floor)
