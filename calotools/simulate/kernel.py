"""The compiled loop: candidate by candidate, from particles to the cells that are read out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np

from calotools.simulate.axis import Axis, axis_at, make_axis, with_response
from calotools.simulate.cascade import cascade
from calotools.simulate.crosstalk import Fractions, share_energy
from calotools.simulate.deposit import I0, J0, N_I, N_J, OFFSET, REGION, Buffer, Grid, make_buffer, open_buffer, wrap
from calotools.simulate.electronics import Readout, read_cell
from calotools.simulate.hadrons import hadron, muon
from calotools.simulate.pileup import Library, overlay
from calotools.simulate.showers import scatter_back
from calotools.simulate.stack import EXIT_RADIUS, N_SEGMENTS, SAMPLING, T_END, T_START, Knobs, Stack
from calotools.simulate.upstream import (
    KIND,
    PHI,
    SINH,
    TIME,
    E,
    X,
    Y,
    Z,
    propagate,
    transport,
)

__all__ = ["Detector", "Outcome", "candidate_loop"]

ELECTRON, PHOTON, CHARGED, NEUTRAL, MUON = range(5)
_FLIGHT, _LEAVING = 256, 128
# What a candidate's seed is changed by for each effect that comes after its showers; any numbers.
_PILEUP_STREAM, _NOISE_STREAM, _TIME_STREAM = (
    np.uint64(number) for number in (0x8F1BBCDC5A827999, 0xCA62C1D66ED9EBA1, 0x243F6A8885A308D3)
)


class Detector(NamedTuple):
    """All tables of the simulated detector.

    Attributes
    ----------
    half_big, half_window : (n_sampling, 2) float64
        Half widths in eta and phi of what particles deposit in, and of what is stored.
    big_cells, window_cells : int
        The most cells that those can hold.
    reach : float
        Only particles within this Delta R of a candidate's first one say where its middle is.
    on_axis : bool
        The stored window is about that middle, not about the hottest cell.
    """

    stack: Stack
    knobs: Knobs
    grid: Grid
    fractions: Fractions
    readout: Readout
    library: Library
    half_big: np.ndarray
    half_window: np.ndarray
    big_cells: int
    window_cells: int
    reach: float
    on_axis: bool


class Outcome(NamedTuple):
    """Arrays that the loop fills.

    Attributes
    ----------
    cells : (n_candidate * window_cells, 5) float32
        Energy [GeV], eta, phi [rad], time [ns], noise [GeV], each candidate from its own start.
    codes : (n_candidate * window_cells, 2) int16
        Sampling and gain.
    candidate : (n_candidate, 5) float64
        Seed eta and phi, energy deposited, energy in the window, number of cells.
    particle : (n, 11) float64
        The eight numbers of `transport`'s story, then eta in the strips, eta and phi in the middle layer.
    """

    cells: np.ndarray
    codes: np.ndarray
    candidate: np.ndarray
    particle: np.ndarray


@numba.njit
def line_of(flying: np.ndarray) -> tuple[float, float, tuple[float, float, float]]:
    """(sinh eta, z0, (phi, b, delay)) of the straight line that a particle follows from where it is."""
    cosine, sine = math.cos(flying[PHI]), math.sin(flying[PHI])
    along = flying[X] * cosine + flying[Y] * sine
    b = flying[Y] * cosine - flying[X] * sine
    z0 = flying[Z] - along * flying[SINH]
    delay = flying[TIME] - along * math.sqrt(1.0 + flying[SINH] * flying[SINH]) / 299.792458
    return flying[SINH], z0, (flying[PHI], b, delay)


@numba.njit
def crossing(axis: Axis, stack: Stack, barrel: int) -> tuple[float, float]:
    """(eta, phi) where an axis crosses the middle of a layer, given by its barrel sampling; NaN where there is none."""
    for segment in range(int(stack.rows[axis.row, N_SEGMENTS])):
        s = int(stack.slabs[axis.row, segment, SAMPLING])
        if s == barrel or s == barrel + 4:
            middle = 0.5 * (stack.slabs[axis.row, segment, T_START] + stack.slabs[axis.row, segment, T_END])
            eta, phi, _, _, _ = axis_at(axis, stack, axis.row, segment, middle)
            return eta, phi
    return np.nan, np.nan


@numba.njit
def uneven(axis: Axis, stack: Stack, knobs: Knobs) -> Axis:
    """The axis with the response of the place where it hits: accordion, cell edges, region to region."""
    eta, phi = crossing(axis, stack, 2)
    if math.isnan(eta):
        return axis
    period = 1024.0 if abs(eta) < 1.475 else 768.0
    u = abs(eta) / 0.025
    u -= math.floor(u) + 0.5
    response = 1.0 + knobs.accordion_phi * math.cos(period * phi)
    response *= 1.0 - knobs.accordion_eta * (4.0 * u * u - 1.0 / 3.0)
    i = min(max(int((eta + 2.6) / 0.2), 0), stack.local.shape[0] - 1)
    j = int((wrap(phi) + math.pi) / (2.0 * math.pi) * stack.local.shape[1]) % stack.local.shape[1]
    return with_response(axis, response * (1.0 + stack.local[i, j]))


@numba.njit
def fly_straight(
    state: np.ndarray, flying: np.ndarray, what: tuple, stack: Stack, knobs: Knobs, buffer: Buffer, pile: np.ndarray
) -> float:
    """Let a particle at the end of the tracker into the calorimeter; returns the energy [GeV] that is not seen.

    `what` is its kind and the energy [GeV] of the particle that it comes from.
    """
    kind, whole = what
    sinh_eta, z0, line = line_of(flying)
    axis = uneven(make_axis(stack, sinh_eta, z0, line), stack, knobs)
    e = flying[E]
    if kind == MUON:
        return muon(state, e, axis, stack, buffer)
    if kind in (CHARGED, NEUTRAL):
        return hadron(state, e, kind == CHARGED, axis, stack, knobs, buffer)
    scatter_back(state, e, axis, stack, knobs, buffer)
    return cascade(state, (flying[KIND] != 0.0, e, whole), axis, stack, knobs, buffer, pile)


@numba.njit
def respond(
    state: np.ndarray, source: np.ndarray, kind: int, stack: Stack, knobs: Knobs, buffer: Buffer, room: tuple
) -> float:
    """Deposit one particle; `room` is (flight, leaving, story). Returns the energy [GeV] that is not seen."""
    flight, leaving, story = room
    row = make_axis(stack, source[SINH], source[Z], (0.0, 0.0, 0.0)).row
    flight[0] = source
    if kind in (ELECTRON, PHOTON):
        n_out = transport(state, flight, row, stack, knobs, leaving, story)
    else:
        story[0], story[1:6] = np.nan, 0.0
        story[6], story[7] = source[E], 1.0 / source[E]
        n_out = 1 if propagate(flight[0], stack.rows[row, EXIT_RADIUS], knobs.field) else 0
        leaving[0] = flight[0]
        story[3] = source[E] * n_out
        story[4] = source[E] * (1 - n_out)
    lost = story[4]
    for i in range(n_out):
        lost += fly_straight(state, leaving[i], (kind, source[E]), stack, knobs, buffer, flight)
    return lost


@numba.njit
def impact(source: np.ndarray, stack: Stack, field: float, story: np.ndarray) -> tuple[float, float]:
    """(eta, phi) of the middle layer at which an undisturbed particle arrives; noted in `story[8:11]` too."""
    row = make_axis(stack, source[SINH], source[Z], (0.0, 0.0, 0.0)).row
    flying = source.copy()
    story[8:11] = np.nan
    if not propagate(flying, stack.rows[row, EXIT_RADIUS], field):
        return np.nan, np.nan
    sinh_eta, z0, line = line_of(flying)
    axis = make_axis(stack, sinh_eta, z0, line)
    story[8] = crossing(axis, stack, 1)[0]
    story[9], phi = crossing(axis, stack, 2)
    story[10] = wrap(phi)
    return story[9], story[10]


@numba.njit
def find_centre(
    sources: np.ndarray, stack: Stack, field: float, reach: float, stories: np.ndarray
) -> tuple[float, float]:
    """Mean impact point of a candidate's particles, weighted with E^2; their impacts are noted in `stories`."""
    first_eta, first_phi = math.asinh(sources[0, SINH]), sources[0, PHI]
    total, eta_sum, phi_sum, reference = 0.0, 0.0, 0.0, np.nan
    for i in range(len(sources)):
        eta, phi = impact(sources[i], stack, field, stories[i])
        distance = math.hypot(math.asinh(sources[i, SINH]) - first_eta, wrap(sources[i, PHI] - first_phi))
        if math.isnan(eta) or distance > reach:
            continue
        if math.isnan(reference):
            reference = phi
        weight = sources[i, E] ** 2
        total += weight
        eta_sum += weight * eta
        phi_sum += weight * wrap(phi - reference)
    if total <= 0.0:
        return math.asinh(sources[0, SINH]), wrap(sources[0, PHI])
    return eta_sum / total, wrap(reference + phi_sum / total)


@numba.njit
def find_seed(buffer: Buffer, centre: tuple[float, float]) -> tuple[float, float]:
    """Centre of the hottest middle-layer cell; without energy, that of the middle cell.

    Images are centred on the hottest cell too, so that where the stored window ends says nothing about the shower.
    """
    best, seed = 0.0, centre
    for s in (6, 2):
        for k in range(buffer.ranges[s, 0], buffer.ranges[s, 1]):
            i = math.floor((centre[0] - buffer.edges[k, 0]) * buffer.edges[k, 1])
            if best == 0.0 and 0 <= i < buffer.opened[k, N_I]:
                j = math.floor(buffer.opened[k, N_J] / 2)
                eta = buffer.edges[k, 0] + (i + 0.5) / buffer.edges[k, 1]
                seed = (eta, wrap(buffer.edges[k, 2] + (j + 0.5) / buffer.edges[k, 3]))
            for i in range(buffer.opened[k, N_I]):
                for j in range(buffer.opened[k, N_J]):
                    e = buffer.e[buffer.opened[k, OFFSET] + i * buffer.opened[k, N_J] + j]
                    if e > best:
                        best = e
                        eta = buffer.edges[k, 0] + (i + 0.5) / buffer.edges[k, 1]
                        phi = buffer.edges[k, 2] + (j + 0.5) / buffer.edges[k, 3]
                        seed = (eta, wrap(phi))
    return seed


@numba.njit
def copy_window(window: Buffer, whole: Buffer, grid: Grid) -> None:
    """Copy the signal of the cells that both buffers have open."""
    for k in range(window.used[1]):
        r = window.opened[k, REGION]
        for m in range(whole.used[1]):
            if whole.opened[m, REGION] != r:
                continue
            for i in range(window.opened[k, N_I]):
                a = window.opened[k, I0] + i - whole.opened[m, I0]
                if a < 0 or a >= whole.opened[m, N_I]:
                    continue
                for j in range(window.opened[k, N_J]):
                    b = (window.opened[k, J0] + j - whole.opened[m, J0]) % grid.n_phi[r]
                    if b < whole.opened[m, N_J]:
                        target = window.opened[k, OFFSET] + i * window.opened[k, N_J] + j
                        source = whole.opened[m, OFFSET] + a * whole.opened[m, N_J] + b
                        window.e[target] = whole.e[source]
                        window.et[target] = whole.et[source]


@numba.njit
def write_window(
    states: tuple[np.ndarray, np.ndarray],
    window: Buffer,
    mu: float,
    detector: Detector,
    cells: np.ndarray,
    codes: np.ndarray,
) -> None:
    """Read every open cell out into `cells` and `codes`; `states` are those of noise and time."""
    grid = detector.grid
    for k in range(window.used[1]):
        r = window.opened[k, REGION]
        for i in range(window.opened[k, N_I]):
            row = grid.row[r] + window.opened[k, I0] + i
            eta = window.edges[k, 0] + (i + 0.5) / window.edges[k, 1]
            for j in range(window.opened[k, N_J]):
                n = window.opened[k, OFFSET] + i * window.opened[k, N_J] + j
                e, time, gain, noise = read_cell(states, (window.e[n], window.et[n]), row, mu, detector.readout)
                cells[n, 0], cells[n, 1], cells[n, 3], cells[n, 4] = e, eta, time, noise
                cells[n, 2] = wrap(window.edges[k, 2] + (j + 0.5) / window.edges[k, 3])
                codes[n, 0], codes[n, 1] = grid.sampling[r], gain


@functools.cache
def candidate_loop(stamp: int) -> Callable[..., None]:
    """The compiled loop over candidates: run(sources, kinds, firsts, seeds, mu, detector, outcome).

    Parameters of the loop
    ----------------------
    sources : (n, 10) float64
        Particles at their vertices, in the columns of `upstream`.
    kinds : (n,) int64
        ELECTRON, PHOTON, CHARGED, NEUTRAL or MUON.
    firsts : (n_candidate + 1,) int64
        Particles of candidate i are firsts[i] to firsts[i + 1].
    seeds : (n_candidate,) uint64
        Random seed of each candidate.
    mu : (n_candidate, 2) float64
        Interactions per crossing: of this crossing, and the average.
    detector : Detector
    outcome : Outcome
        Filled.
    """

    @numba.njit(cache=True)
    def run(
        sources: np.ndarray,
        kinds: np.ndarray,
        firsts: np.ndarray,
        seeds: np.ndarray,
        mu: np.ndarray,
        detector: Detector,
        outcome: Outcome,
    ) -> None:
        if stamp < 0:  # never: a closure variable takes part in the key of the cached machine code
            return
        whole = make_buffer(len(detector.grid.sampling), detector.big_cells)
        window = make_buffer(len(detector.grid.sampling), detector.window_cells)
        change = np.zeros(detector.big_cells)
        stack, knobs = detector.stack, detector.knobs
        flight, leaving = np.empty((_FLIGHT, 10)), np.empty((_LEAVING, 10))
        state, clock = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        for c in range(len(seeds)):
            state[0] = seeds[c]
            begin, end = firsts[c], firsts[c + 1]
            stories = outcome.particle[begin:end]
            centre = find_centre(sources[begin:end], stack, knobs.field, detector.reach, stories)
            open_buffer(whole, detector.grid, centre, detector.half_big)
            seed = find_seed(whole, centre) if detector.on_axis else centre
            for i in range(begin, end):
                respond(state, sources[i], kinds[i], stack, knobs, whole, (flight, leaving, outcome.particle[i]))
            outcome.candidate[c, 2] = whole.totals[0] + whole.totals[1]
            if not detector.on_axis:
                seed = find_seed(whole, centre)
            share_energy(whole, detector.grid, detector.fractions, change)
            open_buffer(window, detector.grid, seed, detector.half_window)
            copy_window(window, whole, detector.grid)
            n = window.used[0]
            outcome.candidate[c, 0], outcome.candidate[c, 1] = seed
            outcome.candidate[c, 3], outcome.candidate[c, 4] = window.e[:n].sum(), n
            # streams of their own: what one effect draws does not move the next one's numbers
            state[0] = seeds[c] ^ _PILEUP_STREAM
            overlay(state, window, mu[c], detector.grid, detector.library)
            state[0], clock[0] = seeds[c] ^ _NOISE_STREAM, seeds[c] ^ _TIME_STREAM
            at = c * detector.window_cells
            write_window(
                (state, clock), window, mu[c, 1], detector, outcome.cells[at : at + n], outcome.codes[at : at + n]
            )

    return run
