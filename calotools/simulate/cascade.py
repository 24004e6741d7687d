"""The first particles of an electromagnetic shower, one by one, until each begins a shower of its own.

An average profile knows neither how few particles begin a shower nor how far they scatter before the accordion. Here
they radiate, convert, scatter and ionise down to an energy and a depth of the accordion; the showers that they begin
add up to one that fluctuates as it should.
Source: spectra as in `upstream`; multiple scattering and mean free path, PDG (Passage of particles through matter).
"""

from __future__ import annotations

import math

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at, displaced, path_at
from calotools.simulate.deposit import Buffer, add_spot
from calotools.simulate.randoms import exponential, gamma, uniforms
from calotools.simulate.showers import faint_shower, shower
from calotools.simulate.spots import make_room
from calotools.simulate.stack import (
    C2,
    FRONT,
    N_SEGMENTS,
    SAMPLING,
    SCALE,
    T_END,
    T_START,
    T_TRACKER,
    Knobs,
    Stack,
)
from calotools.simulate.tuning import (
    DEAD_LOSS,
    DEAD_SOFT,
    DEPTH,
    FAINT,
    LEAST,
    PART,
    POINT,
    SCATTERING,
    SOFT,
    TRACK_LOSS,
)
from calotools.simulate.upstream import pair_fraction, photon_fraction, photons_per_x0

__all__ = ["cascade"]

# Columns of a particle: charged or not, energy [GeV], depth [X0], path length [mm], distance [mm] and angle across.
_CHARGED, _E, _T, _PATH, _ETA, _PHI, _SLOPE_ETA, _SLOPE_PHI = range(8)
_CRITICAL = 1  # column of `Stack.rows`


@numba.njit(forceinline=True)
def free_path(state: np.ndarray, charged: bool, e: float, soft: float, light: bool) -> float:
    """X0 to the next radiated photon above `soft` [GeV], or to where a photon interacts.

    Soft photons have longer paths, less so in `light` material, where Compton scattering is a larger part.
    """
    if charged:
        return exponential(state) / photons_per_x0(soft / e) if soft < e else 1e9
    return 9.0 / 7.0 * exponential(state) / (1.0 - (0.3 if light else 0.6) * math.exp(-e / 0.15))


@numba.njit
def map_route(axis: Axis, stack: Stack, until: float, route: np.ndarray) -> int:
    """Fill `route` with (depth at its end, depth, path length, mm per X0) of the segments up to a depth; their number.

    A small table, because a compiled call hands over every array that it is given, and steps are many.
    """
    for segment in range(int(stack.rows[axis.row, N_SEGMENTS])):
        start, end = stack.slabs[axis.row, segment, T_START], stack.slabs[axis.row, segment, T_END]
        near, far = path_at(axis, stack, segment, start), path_at(axis, stack, segment, end)
        route[segment, 0], route[segment, 1], route[segment, 2] = end, start, near
        route[segment, 3] = (far - near) / max(end - start, 1e-9)
        if end > until or segment + 1 == len(route):
            return segment + 1
    return int(stack.rows[axis.row, N_SEGMENTS])


@numba.njit(forceinline=True)
def move(now: np.ndarray, t: float, path: float) -> None:
    """Move a particle along its direction to a depth [X0] and path length [mm]."""
    now[_ETA] += now[_SLOPE_ETA] * (path - now[_PATH])
    now[_PHI] += now[_SLOPE_PHI] * (path - now[_PATH])
    now[_T], now[_PATH] = t, path


@numba.njit(forceinline=True)
def scatter(state: np.ndarray, now: np.ndarray, until: float, slab: np.ndarray, scale: float) -> float:
    """Move a charged particle to depth `until` of a slab of the route; returns the X0 that it crosses.

    `scale` [GeV] over its energy is its angle in a plane after an X0.
    """
    slant = math.sqrt(1.0 + now[_SLOPE_ETA] ** 2 + now[_SLOPE_PHI] ** 2)
    thickness = (until - now[_T]) * slant
    while True:
        u, w = uniforms(state)
        u, w = 2.0 * u - 1.0, 2.0 * w - 1.0
        v = u * u + w * w
        if 0.0 < v < 1.0:
            break
    angle = min(scale / now[_E] * math.sqrt(-2.0 * thickness * math.log(v) / v), 1.0)
    now[_SLOPE_ETA] += 0.5 * angle * u
    now[_SLOPE_PHI] += 0.5 * angle * w
    move(now, until, slab[2] + (until - slab[1]) * slab[3])
    now[_SLOPE_ETA] += 0.5 * angle * u
    now[_SLOPE_PHI] += 0.5 * angle * w
    return thickness


@numba.njit(forceinline=True)
def ionise_layer(
    state: np.ndarray, now: np.ndarray, x0: float, segment: int, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer
) -> None:
    """Deposit what a charged particle loses in `x0` of a layer behind it."""
    sampling = int(stack.slabs[axis.row, segment, SAMPLING])
    if sampling in (0, 4):
        loss = min(x0 * knobs.tuning[TRACK_LOSS], now[_E])
        visible = loss * (0.75 + 0.25 * exponential(state))
    else:
        loss = min(x0 * stack.rows[axis.row, _CRITICAL], now[_E])
        # the sampling term is that of visible energy, as everywhere
        c2 = knobs.sampling2 * stack.slabs[axis.row, segment, C2] / stack.slabs[axis.row, segment, SCALE]
        visible = gamma(state, loss / c2) * c2 if c2 > 0.0 else loss
    now[_E] -= loss
    here = displaced(axis, (now[_ETA], now[_PHI]), (now[_SLOPE_ETA], now[_SLOPE_PHI]), now[_PATH])
    eta, phi, _, _, time = axis_at(here, stack, axis.row, segment, now[_T])
    add_spot(buffer, sampling, eta, phi, visible * stack.slabs[axis.row, segment, SCALE] * axis.response, time)


@numba.njit(forceinline=True)
def split(state: np.ndarray, now: np.ndarray, soft: float, pile: np.ndarray, n: int) -> int:
    """Let a charged particle radiate, or a photon convert; the new particle goes on the pile. Returns its height."""
    part = photon_fraction(state, soft / now[_E]) if now[_CHARGED] != 0.0 else pair_fraction(state)
    pile[n, :8] = now[:8]
    pile[n, _CHARGED] = 0.0 if now[_CHARGED] != 0.0 else 1.0
    pile[n, _E] = part * now[_E]
    now[_E] -= pile[n, _E]
    now[_CHARGED] = 1.0
    return n + 1


@numba.njit(forceinline=True)
def interact(state: np.ndarray, photon: np.ndarray, front: float, route: np.ndarray) -> None:
    """Take a photon to where it interacts."""
    light = photon[_T] < front
    until = photon[_T] + free_path(state, False, photon[_E], 0.0, light)
    if light and until > front:
        until = front + free_path(state, False, photon[_E], 0.0, False)
    k = 0
    while k < len(route) - 1 and route[k, 0] <= until:
        k += 1
    move(photon, until, route[k, 2] + (until - route[k, 1]) * route[k, 3])


@numba.njit(forceinline=True)
def follow(
    state: np.ndarray, now: np.ndarray, cuts: tuple, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer, pile: tuple
) -> tuple[int, float]:
    """Follow one particle until it begins a shower; `cuts` is (least energy, greatest depth) in the accordion.

    `pile` is (the particles on their way, their number, the route). Returns the number of particles on the pile and
    the energy [GeV] lost unseen.
    """
    flying, n, route = pile
    tuning, lost = knobs.tuning, 0.0
    front, scale = stack.rows[axis.row, FRONT], knobs.scattering * knobs.tuning[SCATTERING]
    if now[_CHARGED] == 0.0:
        interact(state, now, front, route)
        if n + 1 >= len(flying) or (now[_T] >= front and now[_E] < cuts[0]):
            return n, lost
        n = split(state, now, 0.0, flying, n)
    for segment in range(len(route)):
        end = route[segment, 0]
        if end <= now[_T]:
            continue
        move(now, now[_T], route[segment, 2] + (now[_T] - route[segment, 1]) * route[segment, 3])
        dead = stack.slabs[axis.row, segment, SAMPLING] < 0.0
        while now[_T] < end and now[_E] > 0.0:
            inside = now[_T] >= front - 1e-9
            if (inside and (now[_E] < cuts[0] or now[_T] >= cuts[1])) or n + 1 >= len(flying):
                return n, lost
            soft = tuning[SOFT] * cuts[0] if inside else tuning[DEAD_SOFT]
            until = now[_T] + free_path(state, True, now[_E], soft, False)
            stop = min(end, cuts[1])
            crossed = scatter(state, now, min(until, stop), route[segment], scale)
            if dead:
                loss = min(crossed * tuning[DEAD_LOSS], now[_E])
                now[_E], lost = now[_E] - loss, lost + loss
            else:
                ionise_layer(state, now, crossed, segment, axis, stack, knobs, buffer)
            if until < stop and soft < now[_E]:
                n = split(state, now, soft, flying, n)
    return n, lost


@numba.njit(forceinline=True)
def point(state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer) -> float:
    """Deposit a soft particle where it stops, a little behind depth `start`; returns the energy [GeV] not seen."""
    row = axis.row
    t = start + e / (e + stack.rows[row, _CRITICAL])
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        here = stack.slabs[row, segment]
        if t >= here[T_END]:
            continue
        if here[SAMPLING] < 0.0:
            return e
        c2 = knobs.sampling2 * here[C2]
        visible = gamma(state, e * here[SCALE] / c2) * c2 if c2 > 0.0 else e * here[SCALE]
        eta, phi, _, _, time = axis_at(axis, stack, row, segment, t)
        add_spot(buffer, int(here[SAMPLING]), eta, phi, visible * axis.response, time)
        return 0.0
    return e


@numba.njit
def cascade(
    state: np.ndarray, what: tuple, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer, pile: np.ndarray
) -> float:
    """Deposit an electron, positron or photon that leaves the tracker; returns the energy [GeV] that no layer has seen.

    `what` is (charged, energy [GeV], energy of the particle that it comes from); `pile` (n, 8 or more) is room for the
    particles on their way.
    """
    charged, e, whole = what
    row, tuning = axis.row, knobs.tuning
    least = max(tuning[PART] * whole, tuning[LEAST])
    cuts = least, stack.rows[row, FRONT] + tuning[DEPTH]
    pile[0, :8] = 0.0
    pile[0, _CHARGED], pile[0, _E], pile[0, _T] = (1.0 if charged else 0.0), e, stack.rows[row, T_TRACKER]
    pile[0, _PATH] = path_at(axis, stack, 0, pile[0, _T])
    now, slabs = np.empty(8), np.empty((16, 4))
    route = slabs[: map_route(axis, stack, cuts[1], slabs)]
    n, lost, room = 1, 0.0, make_room()
    while n > 0:
        n -= 1
        now[:] = pile[n, :8]
        n, unseen = follow(state, now, cuts, axis, stack, knobs, buffer, (pile, n, route))
        lost += unseen
        if now[_E] < 1e-6:
            continue
        line = displaced(axis, (now[_ETA], now[_PHI]), (now[_SLOPE_ETA], now[_SLOPE_PHI]), now[_PATH])
        if now[_E] > tuning[FAINT]:
            lost += shower(state, now[_E], now[_T], line, stack, knobs, buffer, room)
        elif now[_E] > tuning[POINT]:
            lost += faint_shower(state, now[_E], now[_T], line, stack, knobs, buffer, room)
        else:
            lost += point(state, now[_E], now[_T], line, stack, knobs, buffer)
    return lost
