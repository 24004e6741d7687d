"""What repeats around the calorimeter, and with it the response: absorbers of the accordion, modules of Tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["TILE_MODULES", "absorber_period"]

TILE_MODULES = 64
"""Modules of the Tile calorimeter in 2 pi (ATLAS, JINST 3 (2008) S08003)."""

_ABSORBERS_BARREL, _ABSORBERS_ENDCAP = 1024, 768
_BARREL_END = 1.425


def absorber_period(eta: ArrayLike) -> np.ndarray:
    """Angle from one absorber of the accordion to the next.

    Parameters
    ----------
    eta : array_like of float

    Returns
    -------
    ndarray of float64 [rad]
        2 pi / 1024 in the barrel, 2 pi / 768 in the outer wheel of the endcap.

    References
    ----------
    ATLAS Athena, egammaMVAFunctions and LArBarrelGeometry.

    Examples
    --------
    >>> (2 * np.pi / absorber_period([0.3, -2.0])).round()
    array([1024.,  768.])
    """
    barrel = np.abs(np.asarray(eta, np.float64)) < _BARREL_END
    return 2 * np.pi / np.where(barrel, _ABSORBERS_BARREL, _ABSORBERS_ENDCAP)
