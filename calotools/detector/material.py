"""Material in front of the calorimeter and the depth of its layers, in radiation lengths."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calotools.detector.tables import Table, load_table, step
from calotools.errors import ConfigError, nearest

__all__ = ["layer_edges", "material_before", "material_inside"]

Place = Literal["id", "presampler", "strips"]
_PLACES = ("id", "presampler", "strips")


def material_before(eta: ArrayLike, what: Place = "strips", *, table: Table | None = None) -> np.ndarray:
    """Radiation lengths that a particle from the origin crosses before a place.

    Parameters
    ----------
    eta : array_like
    what : {"id", "presampler", "strips"}
        To the end of the inner detector (r = 1.15 m), to the presampler, or to the first strips.
    table : mapping, optional
        What `load_table("material", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64 [X0]
        Constant beyond abs(eta) = 2.4.

    Raises
    ------
    ConfigError
        Unknown place.

    References
    ----------
    A calotools default shaped after arXiv:1407.5063 and arXiv:1908.00005, not an ATLAS number.

    Examples
    --------
    >>> material_before([0.0, -1.6], "id")
    array([0.45, 2.3 ])
    """
    if what not in _PLACES:
        raise ConfigError(f"material before '{what}' is not tabulated; {nearest(what, _PLACES)}")
    upstream = _table(table)["upstream"]
    return np.interp(np.abs(np.asarray(eta, dtype=np.float64)), upstream["eta"], upstream[what])


def _table(table: Table | None) -> Table:
    return _packaged() if table is None else table


@functools.cache
def _packaged() -> Table:
    return load_table("material")


@functools.cache
def _packaged_position() -> Table:
    return load_table("position")


def material_inside(radius: ArrayLike, eta: ArrayLike, *, table: Table | None = None) -> np.ndarray:
    """Radiation lengths of tracker that a particle from the origin crosses up to a radius.

    Parameters
    ----------
    radius : array_like [mm]
        Broadcast against `eta`; beyond the tracker the value stays that of `material_before(eta, "id")`.
    eta : array_like
    table : mapping, optional
        What `load_table("material", path=...)` gives; default: the packaged table.

    Returns
    -------
    ndarray of float64 [X0]
        0 inside the beam pipe; never falls with radius.

    Examples
    --------
    >>> material_inside([0.0, 800.0, 1150.0], 0.0).round(3)
    array([0.   , 0.317, 0.45 ])
    """
    profile = _table(table)["tracker_profile"]
    radius = np.asarray(radius, dtype=np.float64)
    services = np.interp(np.abs(np.asarray(eta, dtype=np.float64)), profile["services_eta"], profile["services"])
    outer = profile["radius"][-2:]
    share = (1.0 - services) * np.interp(radius, profile["radius"], profile["fraction"])
    share = share + services * np.interp(radius, outer, [0.0, 1.0])
    return share * material_before(eta, "id", table=table)


def layer_edges(eta: ArrayLike, *, table: Table | None = None, position: Table | None = None) -> np.ndarray:
    """Depths, counted from the interaction point, at which the electromagnetic layers begin and end.

    In the barrel the thickness follows from the layers' radii and one radiation length of accordion; in the endcap from
    the middles of the layers that ATLAS tabulates. The material in front is that of `material_before(eta, "strips")`.

    Parameters
    ----------
    eta : array_like, (...)
    table, position : mapping, optional
        What `load_table("material", path=...)` and `load_table("position", path=...)` give; default: packaged.

    Returns
    -------
    (..., 4) ndarray of float64 [X0]
        Front of the strips, strips | middle, middle | back, end of the calorimeter; never decreasing.

    References
    ----------
    ATLAS Athena, LArBarrelSampling (radii) and egammaMVALayerDepth (X0, endcap middles).

    Examples
    --------
    >>> layer_edges([0.0, 2.0]).round(1)
    array([[ 2.3,  6.4, 22.4, 23.8],
           [ 2.9,  7.3, 25.6, 31.5]])
    """
    material = _table(table)
    eta = np.abs(np.asarray(eta, dtype=np.float64))
    barrel = _barrel_thickness(eta, material, _packaged_position() if position is None else position)
    endcap = _endcap_thickness(eta, material["endcap"])
    thickness = np.where((eta < material["barrel"]["end"])[..., np.newaxis], barrel, endcap)
    front = material_before(eta, "strips", table=table)[..., np.newaxis]
    return np.concatenate([front, front + np.cumsum(thickness, axis=-1)], axis=-1)


def _barrel_thickness(eta: np.ndarray, material: Table, position: Table) -> np.ndarray:
    """X0 of strips, middle and back along the direction; the barrel's end face cuts them short at high eta."""
    accordion = position["accordion"]
    with np.errstate(divide="ignore"):
        end_face = accordion["half_length"] / np.sinh(eta)
    end = np.minimum(accordion["outer_radius"], end_face)
    strips = np.interp(eta, position["strips_end"]["eta"], position["strips_end"]["value"])
    middle = np.interp(eta, position["middle_end"]["eta"], position["middle_end"]["value"])
    edges = np.stack([np.full_like(eta, accordion["inner_radius"]), strips, middle, end], axis=-1)
    edges = np.minimum(edges, np.maximum(end, accordion["inner_radius"])[..., np.newaxis])
    barrel = material["barrel"]
    x0 = step({"eta": barrel["eta"], "value": barrel["x0"]}, eta)
    return np.diff(edges, axis=-1) * (np.cosh(eta) / x0)[..., np.newaxis]


def _endcap_thickness(eta: np.ndarray, endcap: Table) -> np.ndarray:
    """X0 of strips, middle and back, each edge as far from a layer's middle as the one before it."""
    middles = [np.interp(eta, endcap["eta"], endcap[name]) for name in ("strips", "middle", "back")]
    half = endcap["strips_half_width"]
    strips_end = middles[0] + half
    middle_end = 2 * middles[1] - strips_end
    back_end = 2 * middles[2] - middle_end
    return np.stack([np.full_like(eta, 2 * half), middle_end - strips_end, back_end - middle_end], axis=-1)
