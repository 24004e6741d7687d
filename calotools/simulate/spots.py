"""Energy spots: a slice of a shower, thrown around its axis into the open cells."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at
from calotools.simulate.deposit import N_I, N_J, OFFSET, Buffer, locate
from calotools.simulate.randoms import advance, four
from calotools.simulate.stack import FORWARD, JOINED, N_SEGMENTS, POS_END, POS_START, SAMPLING, T_END, T_START, Stack

__all__ = ["Profile", "Room", "make_room", "throw_spots"]

_AT_ONCE = 2048  # spots at a time
_TWO_PI = 2.0 * math.pi


class Profile(NamedTuple):
    """Radial profile of a slice: radii [mm] of core, tail and ring; the core's part, and the ring's part of the rest.

    The ring lies between core and tail, where the average profiles of young showers have too little. The needle, a part
    `thin` of the core, has a radius of its own. `tilt` is the part of the core's slope in depth that the tail has,
    where the axis meets the layers at an angle.
    """

    core: float
    tail: float
    part: float
    ring: float
    share: float
    tilt: float
    needle: float
    thin: float


class Room(NamedTuple):
    """Where spots wait until their common unit of energy is known: cell and energy of each."""

    cell: np.ndarray
    weight: np.ndarray


@numba.njit
def make_room() -> Room:
    """Room for the spots of one slice after the other."""
    return Room(np.empty(_AT_ONCE, np.int64), np.empty(_AT_ONCE))


@numba.njit
def layer_at(along: float, segment: int, row: int, stack: Stack) -> int:
    """Segment that a spot of `segment` falls in at position `along` [mm]; only joined ones exchange spots."""
    last = int(stack.rows[row, N_SEGMENTS]) - 1
    while segment < last and along > stack.slabs[row, segment, POS_END] and stack.slabs[row, segment + 1, JOINED]:
        segment += 1
    while segment > 0 and along < stack.slabs[row, segment, POS_START] and stack.slabs[row, segment, JOINED]:
        segment -= 1
    return segment


@numba.njit(forceinline=True)
def home(buffer: Buffer, sampling: int, eta: float, phi: float) -> tuple[int, int, int, float, float, float, float]:
    """The axis' own region: place of its first cell, cells in eta and phi, (eta, phi) in cells, cells per eta and phi.

    Without such a region there are no cells in it.
    """
    for k in range(buffer.ranges[sampling, 0], buffer.ranges[sampling, 1]):
        per_eta, per_phi = buffer.edges[k, 1], buffer.edges[k, 3]
        i, n_i = (eta - buffer.edges[k, 0]) * per_eta, buffer.opened[k, N_I]
        if 0.0 <= i < n_i:
            d_phi = phi - buffer.edges[k, 2]
            d_phi -= _TWO_PI * math.floor(d_phi / _TWO_PI)
            return buffer.opened[k, OFFSET], n_i, buffer.opened[k, N_J], i, d_phi * per_phi, per_eta, per_phi
    return 0, 0, 0, 0.0, 0.0, 0.0, 0.0


@numba.njit(forceinline=True)
def throw_spots(
    state: np.ndarray,
    n: int,
    e: float,
    profile: Profile,
    axis: Axis,
    where: tuple,
    stack: Stack,
    buffer: Buffer,
    room: Room,
) -> None:
    """Share `e` over `n` spots around the axis; `where` is (segment, depth of slice start, width, spots in the tail).

    The tail gets more spots per energy than the core, and the energy of each varies: equal ones would give faint cells
    multiples of one energy. Together they hold `e` exactly.
    """
    segment, start, width, more = where
    row = axis.row
    eta, phi, radius, pos, delay = axis_at(axis, stack, row, segment, start + 0.5 * width)
    here = stack.slabs[row, segment]
    low, high, sampling = here[POS_START], here[POS_END], int(here[SAMPLING])
    slope = (high - low) / max(here[T_END] - here[T_START], 1e-9) * width
    # A step x towards +eta changes the radius (barrel) or |z| (endcap), and with it the layer that a spot falls in.
    tilt = axis.side / math.cosh(eta) if here[FORWARD] else -math.tanh(eta)
    tail_tilt = profile.tilt * tilt
    offset, n_i, n_j, eta_cell, phi_cell, per_eta, per_phi = home(buffer, sampling, eta, phi)
    per_eta, per_phi, inverse = per_eta / radius, per_phi / radius, 1.0 / radius
    in_core = profile.part / (profile.part + more * (1.0 - profile.part))
    in_ring = in_core + profile.share * (1.0 - in_core)
    in_needle = in_core * profile.thin
    core, tail, needle, ring, first = profile.core, profile.tail, profile.needle, profile.ring, pos - 0.5 * slope
    e_cells, et_cells, counter = buffer.e, buffer.et, state[0]
    while n > 0:
        some = min(n, _AT_ONCE)
        total = 0.0
        for spot in range(some):
            while True:
                counter = advance(counter)
                u, w, kind, weight = four(counter)
                u, w = 2.0 * u - 1.0, 2.0 * w - 1.0
                v = u * u + w * w
                if v < 1.0:
                    break
            # Choices without branches, which no processor could foresee. The depth is what the last 8 of u's 20 bits
            # say, which no cell sees: `kind` has 12 bits, and those of a small part of it are not spread over (0, 1).
            scale = needle if kind < in_needle else (core if kind < in_core else (ring if kind < in_ring else tail))
            scale /= math.sqrt(1.0 - v)
            weight *= more if kind < in_core else 1.0
            rest = 2048.0 * (u + 1.0)
            along = slope * (rest - math.floor(rest)) + first
            along += (tilt if kind < in_ring else tail_tilt) * scale * u
            i, j = math.floor(eta_cell + per_eta * scale * u), math.floor(phi_cell + per_phi * scale * w)
            if low <= along <= high and 0 <= i < n_i and 0 <= j < n_j:
                room.cell[spot] = offset + i * n_j + j
            else:
                layer = int(stack.slabs[row, layer_at(along, segment, row, stack), SAMPLING])
                room.cell[spot] = locate(buffer, layer, eta + scale * u * inverse, phi + scale * w * inverse)
            room.weight[spot] = weight
            total += weight
        unit, inside = e * some / (n * total), 0.0
        for spot in range(some):
            cell, each = room.cell[spot], room.weight[spot] * unit
            if cell >= 0:
                e_cells[cell] += each
                et_cells[cell] += each * delay
                inside += each
        buffer.totals[0] += inside
        buffer.totals[1] += e * some / n - inside
        e -= e * some / n
        n -= some
    state[0] = counter
