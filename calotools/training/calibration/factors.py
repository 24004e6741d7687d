"""Which factors on the base energy a network can know of; beyond them it has no energy, and says so."""

from __future__ import annotations

import numpy as np

__all__ = ["believed", "fit_factors"]

_MARGIN = 2.0


def fit_factors(target: np.ndarray, base: np.ndarray) -> tuple[float, float]:
    """Half of the smallest and twice the largest true energy over base energy. Give it the validation part.

    A network multiplies its inputs with each other: for a candidate unlike those that it learnt from, say with a track
    of five times the energy of its cells, it may give minus thirty times the energy.

    Parameters
    ----------
    target, base : (n,) float [GeV]
        True and base energies, both positive.

    Returns
    -------
    (float, float)

    Examples
    --------
    >>> fit_factors(np.array([50.0, 66.0]), np.array([50.0, 60.0]))
    (0.5, 2.2)
    """
    factor = target / base
    return float(factor.min() / _MARGIN), float(factor.max() * _MARGIN)


def believed(energy: np.ndarray, base: np.ndarray, factors: tuple[float, float] | None) -> np.ndarray:
    """Whether energies are within what `fit_factors` found.

    Parameters
    ----------
    energy, base : (n,) float [GeV]
    factors : (float, float), optional
        None: of a bundle that does not know them; every energy is.

    Returns
    -------
    (n,) bool

    Examples
    --------
    >>> believed(np.array([52.0, -2000.0]), np.array([50.0, 60.0]), (0.5, 2.2)).tolist()
    [True, False]
    """
    low, high = factors or (-np.inf, np.inf)
    return (energy >= low * base) & (energy <= high * base)
