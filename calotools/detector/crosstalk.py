"""Crosstalk: the share of a cell's energy that its neighbours read."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.tables import Table, load_table, step
from calotools.errors import ConfigError, nearest

__all__ = ["crosstalk"]


def crosstalk(path: str, eta: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Fraction of a cell's energy that crosses over to one neighbour; the cell loses what it gives.

    Parameters
    ----------
    path : str
        ``strip_neighbour``, ``strip_second`` (each side in eta), ``strip_middle`` (to each of the 4 middle cells
        behind), ``middle_strip`` (to each strip in front), ``middle_neighbour`` (each side in eta), ``middle_back``
        (each way).
    eta : array_like
        Eta of the cell that gives.
    table : mapping, optional
        What `load_table("crosstalk", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ConfigError
        Unknown path.

    References
    ----------
    ATLAS Athena, LArXTalkWeightConstants.h and LArPileUpTool (medians).

    Examples
    --------
    >>> crosstalk("strip_neighbour", [0.1, 0.9, 2.1])
    array([0.046, 0.042, 0.034])
    """
    fractions = _packaged() if table is None else table
    paths = [name for name, points in fractions.items() if isinstance(points, dict)]
    if path not in paths:
        raise ConfigError(f"crosstalk path '{path}' is not tabulated; {nearest(path, paths)}")
    return step(fractions[path], eta)


@functools.cache
def _packaged() -> Table:
    return load_table("crosstalk")
