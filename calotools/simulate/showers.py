"""Electromagnetic showers: Grindhammer-Peters profiles, sampled as energy spots slice by slice in depth.

Source: G. Grindhammer and S. Peters, hep-ex/0001020 (sampling calorimeters, appendix A.2); the slicing and the gamma
distributed sampling fluctuation follow the GFlash idea of NIM A290 (1990) 469. Lengths in X0 and R_M, energies in GeV.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at
from calotools.simulate.deposit import Buffer, add_spot
from calotools.simulate.randoms import gamma, normal, uniform
from calotools.simulate.stack import Knobs, Stack

__all__ = ["gamma_cdf", "longitudinal", "radial", "shower"]

_DEEPEST = 60.0  # X0 from the start of a shower: nothing is left


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
            if term < total * 1e-10:
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
        if abs(d * c - 1.0) < 1e-10:
            break
    return 1.0 - front * h


@numba.njit
def longitudinal(state: np.ndarray, e: float, medium: np.ndarray, fluctuate: bool) -> tuple[float, float, float]:
    """(T, alpha, exp<ln alpha>) of one shower of energy `e` [GeV]; A.2.2 (mean) or A.2.3 (correlated fluctuations).

    `medium` is (Z_eff, E_c [GeV], R_M [mm], F_s, e_hat). Below about 0.1 GeV, where the fits have no meaning,
    ln(E/E_c) is held at 2.
    """
    z_eff, e_c, f_s, e_hat = medium[0], medium[1], medium[3], medium[4]
    log_y = max(math.log(e / e_c), 2.0)
    if not fluctuate:
        t = max(1.0, log_y - 0.858 - 0.59 / f_s - 0.53 * (1.0 - e_hat))
        alpha = max(1.1, 0.21 + (0.492 + 2.38 / z_eff) * log_y - 0.444 / f_s)
        return t, alpha, alpha
    mean_t = math.log(max(1.0, log_y - 0.812 - 0.55 / f_s - 0.69 * (1.0 - e_hat)))
    mean_a = math.log(max(1.1, 0.81 + (0.458 + 2.26 / z_eff) * log_y - 0.476 / f_s))
    sigma_t = min(0.5, 1.0 / max(-2.5 + 1.25 * log_y, 1e-3))
    sigma_a = min(0.5, 1.0 / max(-0.82 + 0.79 * log_y, 1e-3))
    rho = 0.784 - 0.023 * log_y
    z1 = math.sqrt(0.5 * (1.0 + rho)) * normal(state)
    z2 = math.sqrt(0.5 * (1.0 - rho)) * normal(state)
    t = max(1.0, math.exp(mean_t + sigma_t * (z1 + z2)))
    alpha = max(1.1, math.exp(mean_a + sigma_a * (z1 - z2)))
    return t, alpha, math.exp(mean_a)


@numba.njit
def radial(e: float, tau: float, medium: np.ndarray) -> tuple[float, float, float]:
    """(R_C, R_T, p) of the radial profile at depth `tau` (in units of the shower maximum), R in R_M; A.1.3 and A.2.4."""
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
    state: np.ndarray, n: int, e: float, profile: tuple, axis: Axis, where: tuple, stack: Stack, buffer: Buffer
) -> None:
    """Share `e` over `n` equal spots around the axis; `where` is (bin, segment, depth of slice start, width)."""
    core, tail, p = profile
    row, segment, start, width = where
    eta, phi, radius, pos, delay = axis_at(axis, stack, row, segment, start + 0.5 * width)
    slope = (stack.pos_end[row, segment] - stack.pos_start[row, segment]) / max(
        stack.t_end[row, segment] - stack.t_start[row, segment], 1e-9
    )
    # A step x towards +eta changes the radius (barrel) or |z| (endcap), and with it the layer that a spot falls in.
    tilt = axis.side / math.cosh(eta) if stack.forward[row, segment] else -math.tanh(eta)
    each = e / n
    for _ in range(n):
        while True:
            u = 2.0 * uniform(state) - 1.0
            w = 2.0 * uniform(state) - 1.0
            v = u * u + w * w
            if v < 1.0:
                break
        scale = (core if uniform(state) < p else tail) / math.sqrt(1.0 - v)
        x, y = u * scale, w * scale
        along = pos + slope * width * (uniform(state) - 0.5) + tilt * x
        layer = segment
        while layer + 1 < stack.n_segments[row] and along > stack.pos_end[row, layer] and stack.joined[row, layer + 1]:
            layer += 1
        while layer > 0 and along < stack.pos_start[row, layer] and stack.joined[row, layer]:
            layer -= 1
        add_spot(buffer, stack.sampling[row, layer], eta + x / radius, phi + y / radius, each, delay)


@numba.njit
def shower(state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer) -> float:
    """Deposit one electromagnetic shower that starts at depth `start` [X0 from the interaction point].

    Returns the energy [GeV] that it left in dead material and behind the calorimeter; what it left in the layers is in
    `buffer`.
    """
    row = axis.row
    medium = stack.medium[row]
    t_max, alpha, typical = longitudinal(state, e, medium, knobs.fluctuate)
    beta = (alpha - 1.0) / t_max
    to_tau = beta / alpha * typical / (typical - 1.0) if knobs.fluctuate else 1.0 / t_max
    n_spots = knobs.spots * 103.0 * e**0.959
    seen = 0.0
    done = 0.0
    for segment in range(stack.n_segments[row]):
        end = stack.t_end[row, segment]
        if end <= start:
            continue
        if start + _DEEPEST < stack.t_start[row, segment]:
            break
        begin = max(start, stack.t_start[row, segment])
        if stack.sampling[row, segment] < 0:
            done = gamma_cdf(alpha, beta * (end - start))
            continue
        n_slices = max(1, int(math.ceil((end - begin) / (1.0 if begin - start < 12.0 else 2.0))))
        width = (end - begin) / n_slices
        for i in range(n_slices):
            t = begin + i * width
            after = gamma_cdf(alpha, beta * (t + width - start))
            mean = e * (after - done)
            done = after
            if mean < 1e-5:
                continue
            seen += mean
            visible = mean * stack.scale[row, segment]
            c2 = knobs.sampling2 * stack.c2[row, segment]
            if c2 > 0.0:
                visible = gamma(state, visible / c2) * c2
            if visible <= 0.0:
                continue
            core, tail, p = radial(e, (t + 0.5 * width - start) * to_tau, medium)
            profile = (core * knobs.rc * medium[2], tail * knobs.rt * medium[2], p)
            n = max(1, int(n_spots * visible / e + 0.5))
            throw_spots(state, n, visible * axis.response, profile, axis, (row, segment, t, width), stack, buffer)
    return e - seen
