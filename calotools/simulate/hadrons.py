"""Hadrons and muons: ionisation until the first interaction, then pi0 sub-showers and a hadronic profile.

Source: longitudinal profile after R. Bock, T. Hansl-Kozanecka and T. P. Shah, NIM 186 (1981) 533; e/h of the tile
calorimeter, hep-ex/0005029. Fractions, widths and the lateral profile are calotools defaults.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at
from calotools.simulate.deposit import Buffer, add_spot
from calotools.simulate.randoms import exponential, gamma, poisson, uniform
from calotools.simulate.showers import gamma_cdf, shower
from calotools.simulate.spots import make_room
from calotools.simulate.stack import (
    H_OVER_E,
    L_END,
    L_START,
    L_TRACKER,
    MIP,
    N_SEGMENTS,
    NUCLEAR_LENGTH,
    SAMPLING,
    SCALE,
    T_END,
    T_START,
    Knobs,
    Stack,
)

__all__ = ["electromagnetic_fraction", "hadron", "ionise", "muon"]

_LATERAL = 0.3  # of an interaction length: scale of the exponential around the axis
_SPOT = 0.04  # GeV of a hadronic spot
_SAMPLING = 0.35  # sqrt(GeV): fluctuation of the hadronic part
_NO_START = 1e9


@numba.njit
def electromagnetic_fraction(state: np.ndarray, e: float) -> float:
    """Fraction of a hadron's energy [GeV] that goes to pi0s: beta distributed about 1 - (E / 1 GeV)^-0.18."""
    mean = min(max(1.0 - e**-0.18, 0.1), 0.9)
    rms = min(max(0.35 - 0.1 * math.log10(max(e, 1.0)), 0.12), 0.25)
    rms = min(rms, 0.95 * math.sqrt(mean * (1.0 - mean)))
    total = mean * (1.0 - mean) / (rms * rms) - 1.0
    a = gamma(state, mean * total)
    b = gamma(state, (1.0 - mean) * total)
    return a / (a + b) if a + b > 0.0 else mean


@numba.njit
def ionise(state: np.ndarray, e: float, until: float, axis: Axis, stack: Stack, buffer: Buffer) -> float:
    """Deposit ionisation up to depth `until` [X0]; returns the energy [GeV] that the particle lost altogether."""
    row = axis.row
    lost = 0.0
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        begin, end = stack.slabs[row, segment, T_START], min(stack.slabs[row, segment, T_END], until)
        if begin >= until:
            break
        # material that is turned off
        if end <= begin:
            continue
        mean = (end - begin) * stack.slabs[row, segment, MIP]
        if lost + mean > e:
            break
        lost += mean
        if int(stack.slabs[row, segment, SAMPLING]) < 0:
            continue
        # Landau-like: most of it is certain, the rest comes in few large steps.
        visible = stack.slabs[row, segment, SCALE] * mean * (0.75 + 0.25 * exponential(state)) * axis.response
        n = max(1, int((end - begin) / 2.0 + 0.5))
        for i in range(n):
            t = begin + (i + 0.5) * (end - begin) / n
            eta, phi, _, _, time = axis_at(axis, stack, row, segment, t)
            add_spot(buffer, int(stack.slabs[row, segment, SAMPLING]), eta, phi, visible / n, time)
    return lost


@numba.njit
def muon(state: np.ndarray, e: float, axis: Axis, stack: Stack, buffer: Buffer) -> float:
    """Deposit a muon; returns the energy [GeV] that it carries away or loses unseen."""
    before = buffer.totals[0] + buffer.totals[1]
    ionise(state, e, _NO_START, axis, stack, buffer)
    return e - (buffer.totals[0] + buffer.totals[1] - before)


@numba.njit
def find_start(depth: float, row: int, stack: Stack) -> tuple[float, int]:
    """(depth in X0, segment) at a depth in interaction lengths; a depth behind the calorimeter gives segment -1."""
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        if depth < stack.slabs[row, segment, L_END]:
            width = max(stack.slabs[row, segment, L_END] - stack.slabs[row, segment, L_START], 1e-9)
            share = (depth - stack.slabs[row, segment, L_START]) / width
            span = stack.slabs[row, segment, T_END] - stack.slabs[row, segment, T_START]
            return stack.slabs[row, segment, T_START] + share * span, segment
    return _NO_START, -1


@numba.njit
def hadronic_part(state: np.ndarray, e: float, start: float, axis: Axis, stack: Stack, buffer: Buffer) -> None:
    """Deposit the non-pi0 energy of a hadron that interacted at depth `start` [interaction lengths]."""
    row = axis.row
    log_e = math.log(max(e, 1.0))
    shape, slope = 0.6165 + 0.3193 * log_e, max(0.9099 - 0.0237 * log_e, 0.3)
    done = 0.0
    for segment in range(int(stack.rows[row, N_SEGMENTS])):
        end = stack.slabs[row, segment, L_END]
        if end <= start:
            continue
        after = gamma_cdf(shape, slope * (end - start))
        mean = e * (after - done) * stack.slabs[row, segment, H_OVER_E]
        begin, done = max(start, stack.slabs[row, segment, L_START]), after
        if int(stack.slabs[row, segment, SAMPLING]) < 0 or mean < 1e-3:
            continue
        visible = gamma(state, mean / _SAMPLING**2) * _SAMPLING**2
        n = max(1, poisson(state, visible / _SPOT))
        for _ in range(n):
            depth = begin + uniform(state) * (end - begin)
            t, _ = find_start(depth, row, stack)
            eta, phi, radius, _, time = axis_at(axis, stack, row, segment, t)
            length = stack.slabs[row, segment, NUCLEAR_LENGTH]
            r = _LATERAL * length * exponential(state) / radius
            angle = 2.0 * math.pi * uniform(state)
            each = visible * axis.response / n
            add_spot(
                buffer,
                int(stack.slabs[row, segment, SAMPLING]),
                eta + r * math.cos(angle),
                phi + r * math.sin(angle),
                each,
                time,
            )


@numba.njit
def hadron(state: np.ndarray, e: float, charged: bool, axis: Axis, stack: Stack, knobs: Knobs, buffer: Buffer) -> float:
    """Deposit a hadron that leaves the tracker; returns the energy [GeV] that no layer has seen."""
    before = buffer.totals[0] + buffer.totals[1]
    depth = stack.rows[axis.row, L_TRACKER] + exponential(state)
    start, segment = find_start(depth, axis.row, stack)
    if not knobs.hadronic:
        start, segment = _NO_START, -1
    left = e - ionise(state, e, start, axis, stack, buffer) if charged else e
    if segment >= 0 and left > 0.05:
        neutral = electromagnetic_fraction(state, left) * left
        hadronic_part(state, left - neutral, depth, axis, stack, buffer)
        n, room = 1 + int(3.0 * uniform(state)), make_room()
        for i in range(n):
            share = neutral if i == n - 1 else neutral * uniform(state)
            neutral -= share
            if share > 0.02:
                shower(state, share, start + exponential(state), axis, stack, knobs, buffer, room)
    return e - (buffer.totals[0] + buffer.totals[1] - before)
