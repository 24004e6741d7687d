"""The tuning numbers of showers, as an array that compiled kernels read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calotools.detector import load_table

__all__ = ["read_tuning"]

_NAMES = (
    "cascade.part",
    "cascade.least",
    "cascade.depth",
    "cascade.soft",
    "cascade.point",
    "cascade.dead_soft",
    "cascade.dead_loss",
    "cascade.scattering",
    "profile.young",
    "profile.core_spread",
    "profile.core_power",
    "profile.core_young",
    "profile.tail_share",
    "profile.tail_young",
    "profile.share_young",
    "profile.ring",
    "profile.ring_share",
    "profile.shape",
    "profile.shape_spread",
    "profile.tail_tilt",
    "profile.needle",
    "profile.needle_share",
    "profile.tail_age",
    "spots.tail",
    "spots.faint",
    "spots.coarse",
    "presampler.track_loss",
    "presampler.back",
    "presampler.back_radius",
)
# Places of these numbers in the array.
PART, LEAST, DEPTH, SOFT, POINT, DEAD_SOFT, DEAD_LOSS, SCATTERING = range(8)
YOUNG, CORE_SPREAD, CORE_POWER, CORE_YOUNG, TAIL_SHARE, TAIL_YOUNG, SHARE_YOUNG = range(8, 15)
RING, RING_SHARE, SHAPE, SHAPE_SPREAD, TAIL_TILT, NEEDLE, NEEDLE_SHARE, TAIL_AGE = range(15, 23)
MORE_SPOTS, FAINT, COARSE_SPOTS, TRACK_LOSS, BACK, BACK_RADIUS = range(23, 29)


def read_tuning(path: Path | None = None) -> np.ndarray:
    """The numbers of the table ``showers``, in the order of this module's places.

    Parameters
    ----------
    path : path, optional
        TOML file with any of the table's keys; they win.

    Returns
    -------
    (29,) float64

    Raises
    ------
    InputFileError, ConfigError
        As `calotools.detector.load_table`.

    Examples
    --------
    >>> read_tuning().shape
    (29,)
    """
    table = load_table("showers", path=path)
    return np.array([float(table[group][name]) for group, name in (full.split(".") for full in _NAMES)])
