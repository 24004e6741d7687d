"""Names and numbers of the calorimeter samplings."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from calotools.errors import CellError

__all__ = ["Sampling", "checked_sampling"]


class Sampling(IntEnum):
    """CaloSampling numbers that calotools has tables for, as in `cells.sampling`.

    0-3 electromagnetic barrel, 4-7 electromagnetic endcap, 8-11 hadronic endcap, 12-20 Tile. The forward calorimeter
    (21-23) has no regular grid and no table.

    References
    ----------
    ATLAS Athena, CaloGeoHelpers, CaloSampling.def.

    Examples
    --------
    >>> Sampling.EMB2, int(Sampling["HEC0"])
    (<Sampling.EMB2: 2>, 8)
    """

    PreSamplerB = 0
    EMB1 = 1
    EMB2 = 2
    EMB3 = 3
    PreSamplerE = 4
    EME1 = 5
    EME2 = 6
    EME3 = 7
    HEC0 = 8
    HEC1 = 9
    HEC2 = 10
    HEC3 = 11
    TileBar0 = 12
    TileBar1 = 13
    TileBar2 = 14
    TileGap1 = 15
    TileGap2 = 16
    TileGap3 = 17
    TileExt0 = 18
    TileExt1 = 19
    TileExt2 = 20


def checked_sampling(sampling: ArrayLike) -> np.ndarray:
    """The samplings as an int64 array, every one of them known.

    Parameters
    ----------
    sampling : array_like of int

    Returns
    -------
    ndarray of int64, of the same shape

    Raises
    ------
    CellError
        A number has no table; the message lists those numbers.

    Examples
    --------
    >>> checked_sampling([1, 2])
    array([1, 2])
    """
    numbers = np.asarray(sampling, dtype=np.int64)
    bad = (numbers < 0) | (numbers > max(Sampling))
    if bad.any():
        raise CellError(
            f"no detector table for sampling {np.unique(numbers[bad]).tolist()} (cells.sampling of {int(bad.sum())} "
            f"cells); allowed: 0 to {int(max(Sampling))}; leave those cells out or give the layer its own cell_size"
        )
    return numbers
