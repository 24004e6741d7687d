"""What is left of a bias after training: the median of E / E_true over energy and abs(eta), divided out.

A robust loss follows medians of the whole sample, not of each bin, and the bins are what an analysis looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from calotools.errors import ShapeError
from calotools.variables import IQR_OF_GAUSSIAN

__all__ = ["BiasCorrection", "fit_bias"]

_ETA_EDGES = (0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47)
_ENERGY_EDGES = (0.0, 15.0, 25.0, 40.0, 60.0, 100.0, 200.0, 400.0, np.inf)
_ENOUGH = 30
# How much the bias of neighbouring bins differs, and that of all together from none (calotools default).
_STEP, _SIZE = 0.01, 0.05
_LEAST_ERROR = 1e-5
# Energies in an open first or last bin are taken to be this factor inside or outside of its edge.
_OPEN = 1.3
# No correction is larger than this: a network that needs one is wrong.
_LIMITS = (0.5, 2.0)
# Error of a median over sigma / sqrt(n), and IQR over sigma, of a Gaussian.
_MEDIAN_ERROR = 1.2533

Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class BiasCorrection:
    """Medians of E / E_true on a grid.

    Attributes
    ----------
    eta_edges : tuple of float
        In abs(eta); outside, the outermost value holds. One bin makes the correction one of the energy alone.
    energy_edges : tuple of float [GeV]
        In the network's energy. One bin makes the correction one of abs(eta) alone.
    median : tuple of tuple of float
        (eta bin, energy bin); 1 where no bias was seen.
    error : tuple of tuple of float
        Uncertainty of each median; nothing where it is not known (bundles made before it was kept).
    smooth : bool
        Interpolate between the middles of bins, in abs(eta) and in the logarithm of the energy.

    Examples
    --------
    >>> bias = BiasCorrection((0.0, 1.0, 2.0), (0.0, 50.0), ((1.25,), (1.0,)))
    >>> bias.correct(np.array([10.0, 10.0]), np.array([0.5, 1.5])).tolist()
    [8.0, 10.0]
    """

    eta_edges: tuple[float, ...]
    energy_edges: tuple[float, ...]
    median: Grid
    error: Grid = ()
    smooth: bool = False

    def divisor(self, energy: np.ndarray, abs_eta: np.ndarray) -> np.ndarray:
        """What energies are divided by.

        Parameters
        ----------
        energy : (n,) float [GeV]
        abs_eta : (n,) float

        Returns
        -------
        (n,) float
            1 where abs(eta) or the energy is missing; between 0.5 and 2.

        Raises
        ------
        ShapeError
            The two differ in length.
        """
        return np.clip(self._look_up(self.median, energy, abs_eta, missing=1.0), *_LIMITS)

    def correct(self, energy: np.ndarray, abs_eta: np.ndarray) -> np.ndarray:
        """Divide energies by the median at their place.

        Parameters
        ----------
        energy : (n,) float [GeV]
        abs_eta : (n,) float
            A missing one leaves the energy as it is.

        Returns
        -------
        (n,) float [GeV]

        Raises
        ------
        ShapeError
            The two differ in length.
        """
        return energy / self.divisor(energy, abs_eta)

    def uncertainty(self, energy: np.ndarray, abs_eta: np.ndarray) -> np.ndarray:
        """Relative uncertainty of the corrected energy that the correction brings.

        Parameters
        ----------
        energy, abs_eta
            As of `divisor`.

        Returns
        -------
        (n,) float
            NaN where it is not known.
        """
        if not self.error:
            return np.full(np.shape(energy), np.nan)
        return self._look_up(self.error, energy, abs_eta, missing=np.nan) / self.divisor(energy, abs_eta)

    def _look_up(self, grid: Grid, energy: np.ndarray, abs_eta: np.ndarray, *, missing: float) -> np.ndarray:
        energy, abs_eta = np.asarray(energy), np.asarray(abs_eta)
        if energy.shape != abs_eta.shape:
            raise ShapeError(f"energy has shape {energy.shape} and abs_eta {abs_eta.shape}; they must agree")
        known = np.isfinite(abs_eta) & np.isfinite(energy)
        eta, clean = np.where(known, abs_eta, 0.0), np.where(known, energy, 1.0)
        values = np.asarray(grid)
        if self.smooth:
            found = _interpolate(values, (eta, _middles(self.eta_edges)), (_log(clean), self._log_energies()))
        else:
            found = values[_bin(eta, self.eta_edges), _bin(clean, self.energy_edges)]
        return np.where(known, found, missing)

    def middle_energies(self) -> np.ndarray:
        """(n_bin,) energies [GeV] that the columns of the grid stand for; 1 where there is one for all."""
        return np.exp(self._log_energies())

    def _log_energies(self) -> np.ndarray:
        edges = np.array(self.energy_edges)
        if len(edges) == 2:
            return np.zeros(1)
        edges[0] = edges[0] if edges[0] > 0 else edges[1] / _OPEN**2
        edges[-1] = edges[-1] if np.isfinite(edges[-1]) else edges[-2] * _OPEN**2
        return _middles(np.log(edges))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for a bundle; the open last edge of the energy is left out."""
        return {
            "eta_edges": list(self.eta_edges),
            "energy_edges": [edge for edge in self.energy_edges if np.isfinite(edge)],
            "median": [list(row) for row in self.median],
            "error": [list(row) for row in self.error],
            "smooth": self.smooth,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> BiasCorrection:
        """The inverse of `to_dict`; errors and smoothness may be absent."""
        median, error = (tuple(tuple(row) for row in stored.get(name, ())) for name in ("median", "error"))
        energy_edges = tuple(stored["energy_edges"])
        closed = len(energy_edges) == len(median[0]) + 1
        edges = energy_edges if closed else (*energy_edges, np.inf)
        return cls(tuple(stored["eta_edges"]), edges, median, error, bool(stored.get("smooth", False)))


def fit_bias(
    energy: np.ndarray,
    target: np.ndarray,
    abs_eta: np.ndarray,
    *,
    grid: Literal["energy", "eta", "eta-energy"] = "eta-energy",
) -> BiasCorrection:
    """Find the median of E / E_true on a grid, smoothly. Give it the validation part.

    Parameters
    ----------
    energy, target : (n,) float [GeV]
        The network's and the true energy.
    abs_eta : (n,) float
    grid : {"energy", "eta", "eta-energy"}
        One or two dimensions.

    Returns
    -------
    BiasCorrection
        Bins with fewer than 30 candidates follow their neighbours; without any, nothing is corrected.

    Notes
    -----
    The values s of the grid are the most probable ones where every median is known with its error, neighbours differ
    by about 0.01 and their mean is within about 0.05 of none: correcting noise would widen the resolution. Their
    errors are those of that Gaussian.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> energy, eta = rng.uniform(30, 35, 500), np.full(500, 0.3)
    >>> round(float(fit_bias(1.02 * energy, energy, eta).correct(np.array([31.0]), np.array([0.3]))[0]), 1)
    30.4
    """
    eta_edges = (_ETA_EDGES[0], _ETA_EDGES[-1]) if grid == "energy" else _ETA_EDGES
    energy_edges = (_ENERGY_EDGES[0], _ENERGY_EDGES[-1]) if grid == "eta" else _ENERGY_EDGES
    ratio, inside = energy / target, np.isfinite(abs_eta)
    number = _bin(abs_eta, eta_edges), _bin(energy, energy_edges)
    shape = len(eta_edges) - 1, len(energy_edges) - 1
    value, weight = np.zeros(shape), np.zeros(shape)
    for i, j in np.ndindex(*shape):
        own = ratio[(number[0] == i) & (number[1] == j) & inside]
        if len(own) >= _ENOUGH:
            low, middle, high = np.percentile(own, [25, 50, 75])
            error = _MEDIAN_ERROR * (high - low) / IQR_OF_GAUSSIAN / np.sqrt(len(own))
            value[i, j], weight[i, j] = middle - 1, 1 / max(error, _LEAST_ERROR) ** 2
    smooth, error = _smooth(value, weight)
    return BiasCorrection(eta_edges, energy_edges, _rows(1 + smooth), _rows(error), smooth=True)


def _smooth(value: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Most probable smooth values on a grid, and their errors."""
    number = np.arange(value.size).reshape(value.shape)
    precision = np.diag(weight.ravel() + _SIZE**-2 / value.size)
    neighbours = [(number[1:], number[:-1]), (number[:, 1:], number[:, :-1])]
    for one, other in ((a.ravel(), b.ravel()) for a, b in neighbours):
        for row, column, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
            np.add.at(precision, (row, column), sign * _STEP**-2)
    covariance = np.linalg.inv(precision)
    best = covariance @ (weight * value).ravel()
    return best.reshape(value.shape), np.sqrt(np.diag(covariance)).reshape(value.shape)


def _interpolate(
    grid: np.ndarray, first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Bilinear between the points of a grid; outside, the outermost value."""
    (i, u), (j, v) = (_place(*one) for one in (first, second))
    last = grid.shape[0] - 1, grid.shape[1] - 1
    nexts = np.minimum(i + 1, last[0]), np.minimum(j + 1, last[1])
    low = grid[i, j] * (1 - v) + grid[i, nexts[1]] * v
    high = grid[nexts[0], j] * (1 - v) + grid[nexts[0], nexts[1]] * v
    return low * (1 - u) + high * u


def _place(values: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the point below each value, and the part of the way to the next one."""
    at = np.interp(values, points, np.arange(len(points)))
    below = np.minimum(at.astype(np.int64), len(points) - 1)
    return below, at - below


def _middles(edges: np.ndarray | tuple[float, ...]) -> np.ndarray:
    edges = np.asarray(edges)
    return 0.5 * (edges[1:] + edges[:-1])


def _log(energy: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(energy, 1e-3))


def _rows(grid: np.ndarray) -> Grid:
    return tuple(tuple(row) for row in grid.tolist())


def _bin(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
