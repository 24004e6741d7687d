"""From the vertex to the end of the tracker: bending, bremsstrahlung and conversions, one particle at a time.

Source: Bremsstrahlung and pair spectra in complete screening, Y.-S. Tsai, Rev. Mod. Phys. 46 (1974) 815 as given by the
PDG (Passage of particles through matter); mean free path of a photon 9/7 X0.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from calotools.simulate.randoms import poisson, uniform
from calotools.simulate.stack import EXIT_RADIUS, Knobs, Stack

__all__ = ["pair_fraction", "photon_fraction", "propagate", "transport"]

_C = 299.792458  # mm / ns
_SOFTEST = 0.005  # fraction of the electron's energy below which a radiated photon stays with the electron
_SOFTEST_GEV = 0.002
_STACK = 256
# Columns of a particle in flight, and of a particle that leaves the tracker.
KIND, E, X, Y, PHI, Z, SINH, TIME, LAYER, PRIMARY = range(10)


@numba.njit
def photon_fraction(state: np.ndarray, softest: float) -> float:
    """Fraction y of an electron's energy that a radiated photon takes: dN/dy ~ (4/3 - 4/3 y + y^2) / y, y > softest."""
    while True:
        y = softest ** uniform(state)
        if uniform(state) < 1.0 - y + 0.75 * y * y:
            return y


@numba.njit(forceinline=True)
def photons_per_x0(softest: float) -> float:
    """Mean number of photons with y > softest that an electron radiates in one X0."""
    return -4.0 / 3.0 * math.log(softest) - 4.0 / 3.0 * (1.0 - softest) + 0.5 * (1.0 - softest * softest)


@numba.njit
def pair_fraction(state: np.ndarray) -> float:
    """Fraction of the photon's energy that the electron of a pair takes: dN/dx ~ 1 - 4/3 x (1 - x)."""
    while True:
        x = uniform(state)
        if uniform(state) < 1.0 - 4.0 / 3.0 * x * (1.0 - x):
            return x


@numba.njit
def propagate(particle: np.ndarray, radius: float, field: float) -> bool:
    """Move a particle to a cylinder of `radius` [mm], outwards; False when its curvature does not let it get there.

    `particle` is a row of this module's columns; a charged one follows the circle of radius pT / (0.3 B).
    """
    cosine, sine = math.cos(particle[PHI]), math.sin(particle[PHI])
    x, y = particle[X], particle[Y]
    if particle[KIND] == 0.0 or field <= 0.0:
        along = x * cosine + y * sine
        rest = along * along - (x * x + y * y) + radius * radius
        if rest < 0.0:
            return False
        s = -along + math.sqrt(rest)
        particle[X], particle[Y] = x + s * cosine, y + s * sine
    else:
        pt = particle[E] / math.sqrt(1.0 + particle[SINH] * particle[SINH])
        rho = 1000.0 * pt / (0.299792458 * field)
        # A positive charge turns to smaller azimuth in a field along +z: its centre is on the right of the direction.
        turn = 1.0 if particle[KIND] > 0.0 else -1.0
        cx, cy = x + turn * rho * sine, y - turn * rho * cosine
        distance = math.hypot(cx, cy)
        cos_angle = (distance * distance + radius * radius - rho * rho) / (2.0 * distance * radius)
        if abs(cos_angle) >= 1.0:
            return False
        # Of the two crossings, the first one along the direction of flight.
        centre, opening = math.atan2(cy, cx), math.acos(cos_angle)
        azimuth = centre + turn * opening
        nx, ny = radius * math.cos(azimuth), radius * math.sin(azimuth)
        old, new = math.atan2(y - cy, x - cx), math.atan2(ny - cy, nx - cx)
        angle = (old - new) * turn
        angle -= 2.0 * math.pi * math.floor(angle / (2.0 * math.pi))
        if angle > math.pi:
            return False
        particle[PHI] -= turn * angle
        particle[X], particle[Y] = nx, ny
        s = rho * angle
    particle[Z] += s * particle[SINH]
    particle[TIME] += s * math.sqrt(1.0 + particle[SINH] * particle[SINH]) / _C
    return True


@numba.njit
def convert(state: np.ndarray, photon: np.ndarray, flight: np.ndarray, n_flight: int, story: np.ndarray) -> int:
    """Replace a photon by its pair, pushed on `flight`; returns the new height of that pile."""
    x = pair_fraction(state)
    if photon[PRIMARY] == 1.0 or (photon[PRIMARY] == 2.0 and photon[E] > story[1] + story[2]):
        story[0] = math.hypot(photon[X], photon[Y])
        story[1], story[2] = x * photon[E], (1.0 - x) * photon[E]
    for charge in (-1.0, 1.0):
        flight[n_flight] = photon
        flight[n_flight, KIND] = charge
        flight[n_flight, E] = (x if charge < 0.0 else 1.0 - x) * photon[E]
        flight[n_flight, PRIMARY] = 0.0
        flight[n_flight, LAYER] += 1.0
        n_flight += 1
    return n_flight


@numba.njit
def radiate(
    state: np.ndarray, electron: np.ndarray, x0: float, flight: np.ndarray, n_flight: int, story: np.ndarray
) -> int:
    """Let an electron radiate in `x0` of material; its photons go on `flight`, and its energy falls."""
    for _ in range(poisson(state, x0 * photons_per_x0(_SOFTEST))):
        k = photon_fraction(state, _SOFTEST) * electron[E]
        if n_flight + 2 >= _STACK or k < _SOFTEST_GEV:
            continue
        electron[E] -= k
        flight[n_flight] = electron
        flight[n_flight, KIND] = 0.0
        flight[n_flight, E] = k
        flight[n_flight, PRIMARY] = 2.0 if electron[PRIMARY] == 1.0 else 0.0
        flight[n_flight, LAYER] += 1.0
        n_flight += 1
        if electron[PRIMARY] == 1.0:
            story[5] = max(story[5], k)
    return n_flight


@numba.njit
def pair_chance(e: float, x0: float) -> float:
    """Probability that a photon of energy `e` [GeV] converts in `x0` of material."""
    return 1.0 - math.exp(-7.0 / 9.0 * x0 * (1.0 - 0.6 * math.exp(-e / 0.15)))


@numba.njit
def transport(
    state: np.ndarray, flight: np.ndarray, row: int, stack: Stack, knobs: Knobs, leaving: np.ndarray, story: np.ndarray
) -> int:
    """Take an electron, positron or photon through the tracker with all that comes from it.

    Parameters
    ----------
    state : (1,) uint64
        Random state.
    flight : (256, 10) float64
        Room for the particles in flight; row 0 is the primary at its vertex, in this module's columns.
    row : int
        Column of the stack that it heads for.
    leaving : (n, 10) float64
        Filled with the particles that leave the tracker.
    story : (8 or more,) float64
        The first eight are filled with: radius [mm] of the conversion that matters (its own for a photon, that of the
        most energetic radiated photon for an electron; NaN when none), energies [GeV] of that pair's electron and
        positron, energy left to the primary at the end of the tracker, energy lost with particles that curl up, energy
        of the hardest radiated photon, energy left to the primary at the last measurement of its track, and the
        weighted mean of its 1 / energy along the measured path.

    Returns
    -------
    int
        Number of particles in `leaving`.
    """
    story[0] = np.nan
    story[1:6] = 0.0
    story[6], story[7] = flight[0, E], 1.0 / flight[0, E]
    flight[0, PRIMARY] = 1.0
    n_flight, n_out = 1, 0
    now = np.empty(flight.shape[1])
    while n_flight > 0:
        n_flight -= 1
        now[:] = flight[n_flight]
        converted, arrived = False, True
        for layer in range(int(now[LAYER]), stack.layers.shape[1]):
            arrived = propagate(now, stack.layers[row, layer, 0], knobs.field)
            if not arrived:
                break
            now[LAYER] = layer
            x0 = stack.layers[row, layer, 1]
            if now[KIND] == 0.0:
                if knobs.conversions and n_flight + 2 < _STACK and uniform(state) < pair_chance(now[E], x0):
                    n_flight = convert(state, now, flight, n_flight, story)
                    converted = True
                    break
            elif knobs.bremsstrahlung:
                before = now[E]
                n_flight = radiate(state, now, x0, flight, n_flight, story)
                behind = stack.layers[row, layer, 2]
                if now[PRIMARY] == 1.0 and behind > 0.0:
                    story[6] = now[E]
                    story[7] += behind * (1.0 / now[E] - 1.0 / before)
        if converted:
            continue
        if not arrived or n_out == len(leaving) or not propagate(now, stack.rows[row, EXIT_RADIUS], knobs.field):
            story[4] += now[E]
            continue
        if now[PRIMARY] == 1.0:
            story[3] = now[E]
        leaving[n_out] = now
        n_out += 1
    return n_out
