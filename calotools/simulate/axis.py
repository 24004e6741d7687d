"""The straight line that a particle follows behind the solenoid, and where it crosses the calorimeter."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba

from calotools.simulate.stack import FORWARD, POS_END, POS_START, T_END, T_START, Stack

__all__ = ["Axis", "axis_at", "displaced", "make_axis", "path_at", "row_of"]

_C = 299.792458  # mm / ns
_BARREL_MIDDLE, _ENDCAP_MIDDLE = 1700.0, 3900.0  # mm: where the calorimeter's column of a particle is looked up


class Axis(NamedTuple):
    """A line in space and the column of the calorimeter that it enters.

    Attributes
    ----------
    row : int
        Column of the `Stack` (bin of |eta|).
    side : float
        Sign of eta.
    sinh_eta : float
        z travelled per unit of transverse distance.
    z0 : float [mm]
        z where the line, prolonged, is closest to the beam.
    phi : float [rad]
        Azimuth of its direction.
    b : float [mm]
        Signed transverse distance of closest approach.
    delay : float [ns]
        Time at that point.
    response : float
        Factor on all energy deposited (non-uniformity of the response).
    offset_eta, offset_phi : float [mm]
        Distance from the line, at the path length `origin`, across the flight direction towards larger eta and phi.
    slope_eta, slope_phi : float [rad]
        Angles to the line.
    origin : float [mm]
        Path length along the line, from its point closest to the beam.
    """

    row: int
    side: float
    sinh_eta: float
    z0: float
    phi: float
    b: float
    delay: float
    response: float
    offset_eta: float
    offset_phi: float
    slope_eta: float
    slope_phi: float
    origin: float


@numba.njit
def row_of(stack: Stack, sinh_eta: float, z0: float) -> tuple[int, float]:
    """(column of the stack, detector eta) of a line; the column is at the radius or z where showers are brightest."""
    eta = math.asinh(sinh_eta + z0 / _BARREL_MIDDLE)
    if abs(eta) > stack.barrel_end:
        side = 1.0 if eta > 0 else -1.0
        radius = max((side * _ENDCAP_MIDDLE - z0) / sinh_eta, 1.0)
        eta = side * max(math.asinh(_ENDCAP_MIDDLE / radius), stack.barrel_end)
    return min(int(abs(eta) / stack.d_eta), len(stack.rows) - 1), eta


@numba.njit
def make_axis(stack: Stack, sinh_eta: float, z0: float, line: tuple[float, float, float]) -> Axis:
    """The axis of a line; `line` is (phi, b, delay) of `Axis`, and its response is 1."""
    row, eta = row_of(stack, sinh_eta, z0)
    return Axis(row, 1.0 if eta >= 0 else -1.0, sinh_eta, z0, line[0], line[1], line[2], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@numba.njit
def with_response(axis: Axis, response: float) -> Axis:
    """The same axis with another response."""
    off, slope = (axis.offset_eta, axis.offset_phi), (axis.slope_eta, axis.slope_phi)
    return moved(axis, response, off, slope, axis.origin)


@numba.njit
def moved(axis: Axis, response: float, offset: tuple[float, float], slope: tuple[float, float], origin: float) -> Axis:
    """The same line with another response and displacement."""
    return Axis(
        axis.row,
        axis.side,
        axis.sinh_eta,
        axis.z0,
        axis.phi,
        axis.b,
        axis.delay,
        response,
        offset[0],
        offset[1],
        slope[0],
        slope[1],
        origin,
    )


@numba.njit
def displaced(axis: Axis, offset: tuple[float, float], slope: tuple[float, float], origin: float) -> Axis:
    """The axis of a particle that has left the line: `offset` [mm] and `slope` [rad] at path length `origin` [mm]."""
    return moved(axis, axis.response, offset, slope, origin)


@numba.njit
def path_at(axis: Axis, stack: Stack, segment: int, t: float) -> float:
    """Path length [mm] along the line at depth `t` [X0] of a segment."""
    here = stack.slabs[axis.row, segment]
    share = (t - here[T_START]) / max(here[T_END] - here[T_START], 1e-9)
    pos = here[POS_START] + share * (here[POS_END] - here[POS_START])
    radius = max((axis.side * pos - axis.z0) / axis.sinh_eta, 100.0) if here[FORWARD] else pos
    return radius * math.sqrt(1.0 + axis.sinh_eta * axis.sinh_eta)


@numba.njit(forceinline=True)
def axis_at(axis: Axis, stack: Stack, row: int, segment: int, t: float) -> tuple[float, float, float, float, float]:
    """(eta, phi, radius [mm], position [mm], time [ns]) at depth `t` [X0] of a segment.

    Position is the radius in barrel segments and |z| in endcap ones; time is with respect to a particle that comes
    straight from the origin at t = 0.
    """
    span = max(stack.slabs[row, segment, T_END] - stack.slabs[row, segment, T_START], 1e-9)
    share = (t - stack.slabs[row, segment, T_START]) / span
    pos = stack.slabs[row, segment, POS_START] + share * (
        stack.slabs[row, segment, POS_END] - stack.slabs[row, segment, POS_START]
    )
    if stack.slabs[row, segment, FORWARD]:
        z = axis.side * pos
        radius = max((z - axis.z0) / axis.sinh_eta, 100.0)
    else:
        radius = pos
        z = axis.z0 + radius * axis.sinh_eta
    path = radius * math.sqrt(1.0 + axis.sinh_eta * axis.sinh_eta)
    away = path - axis.origin
    eta = math.asinh(z / radius) + (axis.offset_eta + axis.slope_eta * away) / radius
    phi = axis.phi + math.asin(min(max(axis.b / radius, -1.0), 1.0))
    phi += (axis.offset_phi + axis.slope_phi * away) / radius
    return eta, phi, radius, pos, axis.delay + (path - math.sqrt(radius * radius + z * z)) / _C
