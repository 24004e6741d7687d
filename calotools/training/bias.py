"""What is left of a bias after training: the median of E / E_true in bins of energy and abs(eta), divided out.

A robust loss follows medians of the whole sample, not of each bin, and the bins are what an analysis looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from calotools.errors import ShapeError

__all__ = ["BiasCorrection", "fit_bias"]

_ETA_EDGES = (0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47)
_ENERGY_EDGES = (0.0, 15.0, 25.0, 40.0, 60.0, 100.0, 200.0, 400.0, np.inf)
_ENOUGH = 30
_SIGNIFICANT = 2.0
# Error of a median over sigma / sqrt(n), and IQR over sigma, of a Gaussian.
_MEDIAN_ERROR = 1.2533
_IQR_OF_GAUSSIAN = 1.3490


@dataclass(frozen=True)
class BiasCorrection:
    """Medians of E / E_true on a grid.

    Attributes
    ----------
    eta_edges : tuple of float
        In abs(eta); a candidate outside takes the nearest bin.
    energy_edges : tuple of float [GeV]
        In the network's energy.
    median : tuple of tuple of float
        (eta bin, energy bin); 1 where no bias was seen.

    Examples
    --------
    >>> bias = BiasCorrection((0.0, 1.0, 2.0), (0.0, 50.0), ((1.25,), (1.0,)))
    >>> bias.correct(np.array([10.0, 10.0]), np.array([0.5, 1.5])).tolist()
    [8.0, 10.0]
    """

    eta_edges: tuple[float, ...]
    energy_edges: tuple[float, ...]
    median: tuple[tuple[float, ...], ...]

    def correct(self, energy: np.ndarray, abs_eta: np.ndarray) -> np.ndarray:
        """Divide energies by the median of their bin.

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
        if energy.shape != abs_eta.shape:
            raise ShapeError(f"energy has shape {energy.shape} and abs_eta {abs_eta.shape}; they must agree")
        median = np.asarray(self.median)[_bin(abs_eta, self.eta_edges), _bin(energy, self.energy_edges)]
        return energy / np.where(np.isfinite(abs_eta), median, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for a bundle; the open last edge of the energy is left out."""
        return {
            "eta_edges": list(self.eta_edges),
            "energy_edges": [edge for edge in self.energy_edges if np.isfinite(edge)],
            "median": [list(row) for row in self.median],
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> BiasCorrection:
        """The inverse of `to_dict`."""
        median = tuple(tuple(row) for row in stored["median"])
        energy_edges = tuple(stored["energy_edges"])
        closed = len(energy_edges) == len(median[0]) + 1
        return cls(tuple(stored["eta_edges"]), energy_edges if closed else (*energy_edges, np.inf), median)


def fit_bias(energy: np.ndarray, target: np.ndarray, abs_eta: np.ndarray) -> BiasCorrection:
    """Find the median of E / E_true in each bin. Give it the validation part.

    Parameters
    ----------
    energy, target : (n,) float [GeV]
        The network's and the true energy.
    abs_eta : (n,) float

    Returns
    -------
    BiasCorrection
        1 in a bin where the median is within two of its errors of 1, or with fewer than 30 candidates: correcting
        noise would widen the resolution.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> energy, eta = rng.uniform(30, 35, 500), np.full(500, 0.3)
    >>> round(float(fit_bias(1.02 * energy, energy, eta).correct(np.array([31.0]), np.array([0.3]))[0]), 3)
    30.392
    """
    ratio = energy / target
    cell = _bin(abs_eta, _ETA_EDGES), _bin(energy, _ENERGY_EDGES)
    median = np.ones((len(_ETA_EDGES) - 1, len(_ENERGY_EDGES) - 1))
    for i, j in np.ndindex(*median.shape):
        inside = ratio[(cell[0] == i) & (cell[1] == j) & np.isfinite(abs_eta)]
        if len(inside) >= _ENOUGH:
            low, middle, high = np.percentile(inside, [25, 50, 75])
            error = _MEDIAN_ERROR * (high - low) / _IQR_OF_GAUSSIAN / np.sqrt(len(inside))
            median[i, j] = middle if abs(middle - 1) > _SIGNIFICANT * error else 1.0
    return BiasCorrection(_ETA_EDGES, _ENERGY_EDGES, tuple(tuple(row) for row in median.tolist()))


def _bin(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
