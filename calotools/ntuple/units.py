"""Units of branches, and the factors that bring them to GeV, rad, mm and ns."""

from __future__ import annotations

import math

from calotools.errors import ConfigError, nearest

__all__ = ["convert_factor", "unit_dimension"]

_UNITS: dict[str, tuple[str, float]] = {
    "": ("", 1.0),
    "keV": ("energy", 1e-6),
    "MeV": ("energy", 1e-3),
    "GeV": ("energy", 1.0),
    "TeV": ("energy", 1e3),
    "rad": ("angle", 1.0),
    "mrad": ("angle", 1e-3),
    "deg": ("angle", math.pi / 180.0),
    "um": ("length", 1e-3),
    "mm": ("length", 1.0),
    "cm": ("length", 10.0),
    "m": ("length", 1e3),
    "ps": ("time", 1e-3),
    "ns": ("time", 1.0),
    "us": ("time", 1e3),
}


def convert_factor(unit: str) -> float:
    """Factor from a unit of a file to the unit that calotools uses inside (GeV, rad, mm, ns).

    Parameters
    ----------
    unit : str
        ``MeV``, ``cm``, ... ; the empty string for a number without a unit.

    Raises
    ------
    ConfigError
        The unit is not known.

    Examples
    --------
    >>> convert_factor("MeV"), convert_factor("cm"), convert_factor("")
    (0.001, 10.0, 1.0)
    """
    return _known(unit)[1]


def unit_dimension(unit: str) -> str:
    """What a unit measures: ``energy``, ``angle``, ``length``, ``time``, or nothing.

    Raises
    ------
    ConfigError
        The unit is not known.

    Examples
    --------
    >>> unit_dimension("MeV"), unit_dimension("deg")
    ('energy', 'angle')
    """
    return _known(unit)[0]


def _known(unit: str) -> tuple[str, float]:
    if unit not in _UNITS:
        raise ConfigError(f"unit '{unit}' is not known; {nearest(unit, [one for one in _UNITS if one])}")
    return _UNITS[unit]
