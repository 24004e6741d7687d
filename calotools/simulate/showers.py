"""Electromagnetic showers: Grindhammer-Peters profiles, sampled as energy spots slice by slice in depth.

Source: G. Grindhammer and S. Peters, hep-ex/0001020 (sampling calorimeters, appendix A.2); the slicing and the gamma
distributed sampling fluctuation follow the GFlash idea of NIM A290 (1990) 469. Lengths in X0 and R_M, energies in GeV.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from calotools.simulate.axis import Axis
from calotools.simulate.deposit import Buffer
from calotools.simulate.randoms import gamma, normal
from calotools.simulate.spots import Profile, Room, make_room, throw_spots
from calotools.simulate.stack import (
    C2,
    LOSS,
    N_SEGMENTS,
    SAMPLING,
    SCALE,
    T_END,
    T_START,
    Knobs,
    Stack,
)
from calotools.simulate.tuning import (
    BACK,
    BACK_RADIUS,
    COARSE_SPOTS,
    CORE_POWER,
    CORE_SPREAD,
    CORE_YOUNG,
    MORE_SPOTS,
    NEEDLE,
    NEEDLE_SHARE,
    RING,
    RING_SHARE,
    SHAPE,
    SHAPE_SPREAD,
    SHARE_YOUNG,
    TAIL_AGE,
    TAIL_SHARE,
    TAIL_TILT,
    TAIL_YOUNG,
    TRACK_LOSS,
    YOUNG,
)

__all__ = ["faint_shower", "gamma_cdf", "longitudinal", "radial", "scatter_back", "shower"]

_DEEPEST = 60.0  # X0 from the start of a shower: nothing is left
_PIECE = 0.15  # GeV
_SLICES = 64  # of a layer, at most
_FEW = 8  # so few spots cannot share energy with weights: their common factor would favour heavy ones


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
            if term < total * 1e-6:
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
        if abs(d * c - 1.0) < 1e-6:
            break
    return 1.0 - front * h


@numba.njit
def share_slices(shape: float, start: float, width: float, shares: np.ndarray) -> None:
    """Fill `shares` with the parts, adding up to 1, that slices have of a gamma distribution (Simpson's rule)."""
    power = shape - 1.0
    top = power * math.log(power) - power  # the density's logarithm at its maximum
    before, total = math.exp(power * math.log(start) - start - top) if start > 0.0 else 0.0, 0.0
    for i in range(len(shares)):
        middle, end = start + (i + 0.5) * width, start + (i + 1.0) * width
        after = math.exp(power * math.log(end) - end - top)
        shares[i] = before + 4.0 * math.exp(power * math.log(middle) - middle - top) + after
        total += shares[i]
        before = after
    for i in range(len(shares)):
        shares[i] /= total


@numba.njit(forceinline=True)
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


@numba.njit(forceinline=True)
def lengthwise(state: np.ndarray, e: float, medium: np.ndarray, knobs: Knobs) -> tuple[float, float, float]:
    """(alpha, beta [1/X0], exp<ln alpha>) of a shower as `longitudinal` draws it, with length and spread tuned."""
    tuning = knobs.tuning
    t_max, alpha, typical = longitudinal(state, e, medium, knobs.fluctuations)
    alpha = 1.0 + (typical * (alpha / typical) ** tuning[SHAPE_SPREAD] - 1.0) * tuning[SHAPE]
    return alpha, (alpha - 1.0) / (t_max * knobs.depth), 1.0 + (typical - 1.0) * tuning[SHAPE]


@numba.njit(forceinline=True)
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
def scatter_back(state: np.ndarray, e: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer) -> None:
    """Let the presampler see the soft particles that `e` [GeV] of shower behind it sends back."""
    for segment in range(3):
        here = stack.slabs[axis.row, segment]
        if here[SAMPLING] != 0.0 and here[SAMPLING] != 4.0:
            continue
        thickness = here[T_END] - here[T_START]
        track = thickness * here[SCALE] * knobs.tuning[TRACK_LOSS]
        back = gamma(state, knobs.tuning[BACK] * e / track) * track
        radius = knobs.tuning[BACK_RADIUS]
        n = max(1, int(knobs.spots * 10.0 * back / track))
        profile = Profile(radius, radius, 1.0, radius, 0.0, 0.0, radius, 0.0)
        where = segment, here[T_START], thickness, 1.0
        throw_spots(state, n, back * axis.response, profile, axis, where, stack, buffer, make_room())


@numba.njit(forceinline=True)
def profile_at(e: float, tau: float, medium: np.ndarray, knobs: Knobs) -> Profile:
    """Radial profile [mm] of a slice at depth `tau` [shower maxima].

    Where a shower is young, its core is narrower and its tail nearer than those of the average profiles.
    """
    tuning = knobs.tuning
    core, tail, p = radial(e, tau, medium)
    young = math.exp(-tau / tuning[YOUNG])
    core *= knobs.rc * (1.0 + (tuning[CORE_YOUNG] - 1.0) * young) * medium[2]
    tail *= knobs.rt * (1.0 + (tuning[TAIL_YOUNG] - 1.0) * young) * medium[2]
    far = tuning[TAIL_SHARE] * (1.0 - p) * math.exp(tuning[TAIL_AGE] * (1.0 - tau)) + tuning[SHARE_YOUNG] * young
    ring = tuning[RING_SHARE] * young
    rest = min(far + ring, 1.0)
    share = min(ring / max(rest, 1e-9), 0.999)
    needle = core * tuning[NEEDLE]
    return Profile(core, tail, 1.0 - rest, tuning[RING], share, tuning[TAIL_TILT], needle, tuning[NEEDLE_SHARE])


@numba.njit(forceinline=True)
def widened(profile: Profile, spread: float) -> Profile:
    """The same profile with another radius of the core."""
    core, tail, part, ring, share, tilt, needle, thin = profile
    return Profile(core * spread, tail, part, ring, share, tilt, needle * spread, thin)


@numba.njit(forceinline=True)
def faint_shower(
    state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer, room: Room
) -> float:
    """Deposit a soft shower as `shower` does, in pieces at depths drawn from its longitudinal profile."""
    row = axis.row
    medium, slabs = stack.rows[row, :5], stack.slabs[row]
    alpha, beta, typical = lengthwise(state, e, medium, knobs)
    pieces = math.ceil(e / _PIECE)
    per_gev = knobs.spots * 103.0 * e**-0.041 * knobs.tuning[MORE_SPOTS]
    last = int(stack.rows[row, N_SEGMENTS]) - 1
    seen = 0.0
    for _ in range(pieces):
        depth = gamma(state, alpha) / beta
        segment = 0
        while segment < last and slabs[segment, T_END] <= start + depth:
            segment += 1
        if start + depth >= slabs[segment, T_END] or slabs[segment, SAMPLING] < 0.0:
            continue
        mean = e / pieces
        seen += mean
        c2 = knobs.sampling2 * slabs[segment, C2]
        visible = mean * slabs[segment, SCALE]
        if c2 > 0.0:
            visible = gamma(state, visible / c2) * c2
        profile = profile_at(e, depth * beta / alpha * typical / (typical - 1.0), medium, knobs)
        fine = int(slabs[segment, SAMPLING]) % 4 == 1
        n = max(1, int((per_gev if fine else per_gev * knobs.tuning[COARSE_SPOTS]) * visible + 0.5))
        where = (segment, start + depth, 0.0, 1.0)
        throw_spots(state, n, visible * axis.response, profile, axis, where, stack, buffer, room)
    return e - seen


@numba.njit
def shower(
    state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer, room: Room
) -> float:
    """Deposit one electromagnetic shower that starts at depth `start` [X0 from the interaction point].

    Returns the energy [GeV] that it left in dead material and behind the calorimeter; what it left in the layers is in
    `buffer`.
    """
    row = axis.row
    medium = stack.rows[row, :5]
    alpha, beta, typical = lengthwise(state, e, medium, knobs)
    tau = beta / alpha * typical / (typical - 1.0)
    more = knobs.tuning[MORE_SPOTS]
    per_gev = knobs.spots * 103.0 * e**-0.041
    coarse = 1.0 if e > 8.0 else 1.5 if e > 2.0 else 3.0
    reach = start + (alpha + 2.5 * math.sqrt(alpha)) / beta
    spread = knobs.fluctuations * knobs.tuning[CORE_SPREAD] * e ** knobs.tuning[CORE_POWER]
    spread = math.exp(spread * normal(state))
    seen, done, left = 0.0, 0.0, 1.0
    shares = np.empty(_SLICES)
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        end = stack.slabs[row, segment, T_END]
        if end <= start:
            continue
        begin = max(start, stack.slabs[row, segment, T_START])
        if begin - start > _DEEPEST or e * (1.0 - done) < 1e-3:
            break
        after = gamma_cdf(alpha, beta * (end - start))
        part, before, done = after - done, done, after
        if int(stack.slabs[row, segment, SAMPLING]) < 0:
            if after < 1.0 - 1e-6:
                left *= max(0.0, 1.0 - (stack.slabs[row, segment, LOSS] - 1.0) * part / (1.0 - after))
            continue
        if e * left * part < 1e-5:
            continue
        # Of what is left behind `reach`, the last slice takes all that is in its segment.
        span = min(end, max(reach, begin + coarse)) - begin
        fine = int(stack.slabs[row, segment, SAMPLING]) % 4 == 1
        density = per_gev if fine else per_gev * knobs.tuning[COARSE_SPOTS]
        n_slices = min(max(1, math.ceil(span / (coarse if begin - start < 12.0 else 2.0 * coarse))), _SLICES)
        width = span / n_slices
        share_slices(alpha, beta * (begin - start), beta * width, shares[:n_slices])
        inside = part if begin + span >= end else gamma_cdf(alpha, beta * (begin + span - start)) - before
        for i in range(n_slices):
            t = begin + i * width
            middle = t + 0.5 * width - start
            share = inside * shares[i] + (part - inside if i == n_slices - 1 else 0.0)
            mean = e * left * share
            if mean < 1e-5:
                continue
            seen += mean
            visible = mean * stack.slabs[row, segment, SCALE]
            c2 = knobs.sampling2 * stack.slabs[row, segment, C2]
            if c2 > 0.0:
                visible = gamma(state, visible / c2) * c2
            if visible <= 0.0:
                continue
            profile = profile_at(e, middle * tau, medium, knobs)
            profile = widened(profile, spread)
            n = int(density * visible * (profile.part + more * (1.0 - profile.part)) + 0.5)
            where = (segment, t, width, more if n >= _FEW else 1.0)
            throw_spots(state, max(1, n), visible * axis.response, profile, axis, where, stack, buffer, room)
    return e - seen
