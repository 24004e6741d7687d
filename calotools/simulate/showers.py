"""Electromagnetic showers: Grindhammer-Peters profiles, sampled as energy spots slice by slice in depth.

Source: G. Grindhammer and S. Peters, hep-ex/0001020 (sampling calorimeters, appendix A.2); the slicing and the gamma
distributed sampling fluctuation follow the GFlash idea of NIM A290 (1990) 469. Lengths in X0 and R_M, energies in GeV.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at
from calotools.simulate.deposit import Buffer, add_spots
from calotools.simulate.randoms import exponential, gamma, normal, uniform
from calotools.simulate.stack import (
    C2,
    FORWARD,
    FRONT,
    JOINED,
    LEVER,
    LOSS,
    N_SEGMENTS,
    POS_END,
    POS_START,
    SAMPLING,
    SCALE,
    T_END,
    T_START,
    Knobs,
    Stack,
)

__all__ = ["gamma_cdf", "longitudinal", "presampler_extra", "radial", "shower"]

_DEEPEST = 60.0  # X0 from the start of a shower: nothing is left
_HALO, _HALO_ANGLE, _HALO_RANGE = 2.0, 0.045, 1.2  # X0, rad, X0: tuned on bare Geant4 showers
_TRACK_LOSS = 0.018  # GeV per X0 of presampler that a crossing track loses
_CORE_SPREAD = 0.5  # spread of ln(core radius) from shower to shower at 1 GeV: tuned likewise
_BACK, _BACK_RADIUS = 0.0032, 40.0  # visible energy scattered back per energy of the shower; mm: tuned likewise


class Profile(NamedTuple):
    """Radial profile of a slice: radii [mm] of its three parts, the core's share without the halo, the halo's share."""

    core: float
    tail: float
    halo: float
    core_part: float
    halo_part: float


@numba.njit
def gamma_cdf(shape: float, x: float) -> float:
    """Regularised lower incomplete gamma function P(shape, x): series below shape + 1, continued fraction above."""
    if x <= 0.0:
        return 0.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1.0:
        term = 1.0 / shape
        total = term
        for n in range(1, 400):
            term *= x / (shape + n)
            total += term
            if term < total * 1e-7:
                break
        return total * front
    b = x + 1.0 - shape
    c = 1e300
    d = 1.0 / b
    h = d
    for i in range(1, 400):
        an = -i * (i - shape)
        b += 2.0
        d = 1.0 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-7:
            break
    return 1.0 - front * h


@numba.njit
def longitudinal(state: np.ndarray, e: float, medium: np.ndarray, fluctuations: float) -> tuple[float, float, float]:
    """(T, alpha, exp<ln alpha>) of one shower of energy `e` [GeV]: correlated fluctuations about the means of A.2.3.

    `medium` is (Z_eff, E_c [GeV], R_M [mm], F_s, e_hat); `fluctuations` scales both widths. Below about 0.1 GeV, where
    the fits have no meaning, ln(E/E_c) is held at 2.
    """
    z_eff, e_c, f_s, e_hat = medium[0], medium[1], medium[3], medium[4]
    log_y = max(math.log(e / e_c), 2.0)
    mean_t = math.log(max(1.0, log_y - 0.812 - 0.55 / f_s - 0.69 * (1.0 - e_hat)))
    mean_a = math.log(max(1.1, 0.81 + (0.458 + 2.26 / z_eff) * log_y - 0.476 / f_s))
    sigma_t = fluctuations * min(0.5, 1.0 / max(-2.5 + 1.25 * log_y, 1e-3))
    sigma_a = fluctuations * min(0.5, 1.0 / max(-0.82 + 0.79 * log_y, 1e-3))
    rho = 0.784 - 0.023 * log_y
    z1 = math.sqrt(0.5 * (1.0 + rho)) * normal(state)
    z2 = math.sqrt(0.5 * (1.0 - rho)) * normal(state)
    t = max(1.0, math.exp(mean_t + sigma_t * (z1 + z2)))
    alpha = max(1.1, math.exp(mean_a + sigma_a * (z1 - z2)))
    return t, alpha, max(math.exp(mean_a), 1.1)


@numba.njit
def radial(e: float, tau: float, medium: np.ndarray) -> tuple[float, float, float]:
    """(R_C, R_T, p) of the radial profile at depth `tau` [T], R in R_M; A.1.3 and A.2.4."""
    z_eff, f_s, loss = medium[0], medium[3], 1.0 - medium[4]
    log_e = math.log(e)
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z_eff) * tau
    core += -0.0203 * loss + 0.0397 / f_s * math.exp(-tau)
    tail = (0.659 - 0.00309 * z_eff) * (
        math.exp(-2.59 * (tau - 0.645)) + math.exp((0.3585 + 0.0421 * log_e) * (tau - 0.645))
    )
    tail += -0.14 * loss - 0.495 / f_s * math.exp(-tau)
    u = (0.401 + 0.00187 * z_eff - tau) / max(1.313 - 0.0686 * log_e, 0.1)
    p = (2.632 - 0.00094 * z_eff) * math.exp(u - math.exp(u))
    p += loss * (0.348 - 0.642 / f_s * math.exp(-((tau - 1.0) ** 2)))
    return max(core, 0.005), max(tail, 0.01), min(max(p, 0.0), 1.0)


@numba.njit
def throw_spots(
    state: np.ndarray, n: int, e: float, profile: Profile, axis: Axis, where: tuple, stack: Stack, buffer: Buffer
) -> None:
    """Share `e` over `n` equal spots around the axis; `where` is (segment, depth of slice start, width)."""
    row = axis.row
    segment, start, width = where
    eta, phi, radius, pos, delay = axis_at(axis, stack, row, segment, start + 0.5 * width)
    slabs = stack.slabs[row]
    here = slabs[segment]
    slope = (here[POS_END] - here[POS_START]) / max(here[T_END] - here[T_START], 1e-9)
    # A step x towards +eta changes the radius (barrel) or |z| (endcap), and with it the layer that a spot falls in.
    tilt = axis.side / math.cosh(eta) if here[FORWARD] else -math.tanh(eta)
    sampling, place = np.empty(n, np.int64), np.empty((n, 2))
    in_core = profile.core_part * (1.0 - profile.halo_part)
    in_tail = 1.0 - profile.halo_part
    last = int(stack.rows[row, N_SEGMENTS]) - 1
    for spot in range(n):
        while True:
            u = 2.0 * uniform(state) - 1.0
            w = 2.0 * uniform(state) - 1.0
            v = u * u + w * w
            if v < 1.0:
                break
        kind = uniform(state)
        scale = profile.core if kind < in_core else profile.tail if kind < in_tail else profile.halo
        scale /= math.sqrt(1.0 - v)
        along = pos + slope * width * (uniform(state) - 0.5) + tilt * scale * u
        layer = segment
        while layer < last and along > slabs[layer, POS_END] and slabs[layer + 1, JOINED]:
            layer += 1
        while layer > 0 and along < slabs[layer, POS_START] and slabs[layer, JOINED]:
            layer -= 1
        sampling[spot] = int(slabs[layer, SAMPLING])
        place[spot, 0], place[spot, 1] = eta + scale * u / radius, phi + scale * w / radius
    add_spots(buffer, sampling, place, n, e / n, delay)


@numba.njit
def presampler_extra(
    state: np.ndarray, e: float, tracks: int, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer
) -> None:
    """What the presampler sees beside the shower: particles that cross it, and soft ones scattered back.

    The shower profile is an average that does not know the particles that begin a shower; each of the `tracks` that
    reach the presampler ionises it. `e` [GeV] of shower behind it sends soft particles back, in proportion.
    """
    for segment in range(3):
        here = stack.slabs[axis.row, segment]
        if here[SAMPLING] != 0.0 and here[SAMPLING] != 4.0:
            continue
        thickness = here[T_END] - here[T_START]
        track = thickness * here[SCALE] * _TRACK_LOSS
        back = gamma(state, _BACK * e / track) * track
        crossed = min(tracks * track * (0.75 + 0.25 * exponential(state)), 0.5 * e)
        where = (segment, here[T_START], thickness)
        core = Profile(1.0, 1.0, _BACK_RADIUS, 1.0, back / (back + crossed + 1e-12))
        n = max(1, int(knobs.spots * 10.0 * (back + crossed) / track))
        throw_spots(state, n, (back + crossed) * axis.response, core, axis, where, stack, buffer)


@numba.njit
def gamma_pdf(shape: float, x: float) -> float:
    """Density of the unit-scale gamma distribution; 0 for x <= 0."""
    return math.exp((shape - 1.0) * math.log(x) - x - math.lgamma(shape)) if x > 0.0 else 0.0


@numba.njit
def profile_at(e: float, t: float, density: float, curve: tuple, stack: Stack, knobs: Knobs, at: tuple) -> Profile:
    """Radial profile [mm] of a slice at depth `t` [X0 after the start], where the shower deposits `density` per X0.

    `curve` is (tau per X0, density at the front of the accordion); `at` is (row, depth of the front from the start).
    Soft particles made before the accordion have spread over the gaps between: they are the halo, and die out within
    an X0 or so.
    """
    row, front = at
    medium = stack.rows[row, :5]
    core, tail, p = radial(e, t * curve[0], medium)
    halo, radius = 0.0, 1.0
    if front > 0.0 and t > front:
        halo = min(0.8, _HALO * knobs.halo * curve[1] / max(density, 1e-12) * math.exp(-(t - front) / _HALO_RANGE))
        radius = _HALO_ANGLE * stack.rows[row, LEVER]
    return Profile(core * knobs.rc * medium[2], tail * knobs.rt * medium[2], radius, p, halo)


@numba.njit
def shower(state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer) -> float:
    """Deposit one electromagnetic shower that starts at depth `start` [X0 from the interaction point].

    Returns the energy [GeV] that it left in dead material and behind the calorimeter; what it left in the layers is in
    `buffer`.
    """
    row = axis.row
    medium = stack.rows[row, :5]
    t_max, alpha, typical = longitudinal(state, e, medium, knobs.fluctuations)
    beta = (alpha - 1.0) / (t_max * knobs.depth)
    front = stack.rows[row, FRONT] - start
    curve = beta / alpha * typical / (typical - 1.0), beta * gamma_pdf(alpha, beta * front)
    n_spots = knobs.spots * 103.0 * e**0.959
    coarse = 1.0 if e > 8.0 else 1.5 if e > 2.0 else 3.0
    spread = math.exp(knobs.fluctuations * _CORE_SPREAD * e**-0.25 * normal(state))
    seen, done, left = 0.0, 0.0, 1.0
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        end = stack.slabs[row, segment, T_END]
        if end <= start:
            continue
        begin = max(start, stack.slabs[row, segment, T_START])
        if begin - start > _DEEPEST or e * (1.0 - done) < 1e-3:
            break
        if int(stack.slabs[row, segment, SAMPLING]) < 0:
            after = gamma_cdf(alpha, beta * (end - start))
            if after < 1.0 - 1e-6:
                left *= max(0.0, 1.0 - (stack.slabs[row, segment, LOSS] - 1.0) * (after - done) / (1.0 - after))
            done = after
            continue
        n_slices = max(1, math.ceil((end - begin) / (coarse if begin - start < 12.0 else 2.0 * coarse)))
        width = (end - begin) / n_slices
        for i in range(n_slices):
            t = begin + i * width
            after = gamma_cdf(alpha, beta * (t + width - start))
            part, done = after - done, after
            mean = e * left * part
            if mean < 1e-5:
                continue
            seen += mean
            visible = mean * stack.slabs[row, segment, SCALE]
            c2 = knobs.sampling2 * stack.slabs[row, segment, C2]
            if c2 > 0.0:
                visible = gamma(state, visible / c2) * c2
            if visible <= 0.0:
                continue
            middle = t + 0.5 * width - start
            profile = profile_at(e, middle, part / width, curve, stack, knobs, (row, front))
            profile = Profile(profile.core * spread, profile.tail, profile.halo, profile.core_part, profile.halo_part)
            n = max(1, int(n_spots * visible / e + 0.5))
            throw_spots(state, n, visible * axis.response, profile, axis, (segment, t, width), stack, buffer)
    return e - seen
