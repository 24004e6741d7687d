"""A library of minimum-bias interactions: soft particles, showered once, overlaid many times."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numba
import numpy as np

from calotools.detector import load_table
from calotools.simulate.deposit import I0, J0, N_I, N_J, OFFSET, REGION, make_buffer, open_buffer
from calotools.simulate.kernel import CHARGED, PHOTON, Detector, find_centre, respond
from calotools.simulate.pileup import N_SECTORS, SLAB

if TYPE_CHECKING:
    from numpy.random import Generator

    from calotools.detector.tables import Table

__all__ = ["interactions", "library_hits"]

_HITS_PER_PARTICLE = 150  # room at first; more is made where it does not suffice


def interactions(n: int, *, rng: Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Particles of `n` minimum-bias interactions at the origin.

    Parameters
    ----------
    n : int
    rng : numpy Generator

    Returns
    -------
    sources : (n_particle, 10) float64
        In the columns of `upstream`.
    kinds : (n_particle,) int64
        Charged hadrons and photons.
    event : (n_particle,) int64

    Examples
    --------
    >>> sources, kinds, event = interactions(3, rng=np.random.default_rng(1))
    >>> sources.shape[1], sorted(set(kinds.tolist())), int(event.max())
    (10, [1, 2], 2)
    """
    table = load_table("minimum_bias")
    parts = [
        _one_kind(n, kind, density, mean_pt, table, rng)
        for kind, density, mean_pt in zip((CHARGED, PHOTON), table["density"], table["mean_pt"], strict=True)
    ]
    sources, kinds, event = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(event, kind="stable")
    return sources[order], kinds[order], event[order]


def _one_kind(
    n: int, kind: int, density: np.ndarray, mean_pt: float, table: Table, rng: Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tail, eta_max, highest = table["tail"], table["eta_max"], float(np.max(density))
    event = np.repeat(np.arange(n), rng.poisson(2 * eta_max * highest, n))
    eta = rng.uniform(-eta_max, eta_max, len(event))
    kept = rng.random(len(event)) * highest < np.interp(np.abs(eta), table["eta"], density)
    event, eta = event[kept], eta[kept]
    size = len(event)
    # Thermal spectrum whose temperature varies: a power law at high pT.
    temperature = 0.5 * mean_pt * (tail - 1.0) / rng.gamma(tail, size=size)
    pt = temperature * rng.gamma(2.0, size=size)
    sources = np.zeros((size, 10))
    sources[:, 0] = np.where(rng.random(size) < 0.5, -1.0, 1.0) if kind == CHARGED else 0.0
    sources[:, 1] = pt * np.cosh(eta)
    sources[:, 4] = rng.uniform(-np.pi, np.pi, size)
    sources[:, 6] = np.sinh(eta)
    return sources, np.full(size, kind), event


@functools.cache
def library_loop(stamp: int) -> Callable[..., int]:
    """The compiled loop over library particles: run(sources, kinds, seeds, detector, place, e) -> number of hits.

    `place` (n_hit, 6) receives particle number, eta slab, phi sector, region, eta row and phi column; `e` the energy.
    Hits that these have no room for are counted too.
    """

    @numba.njit(cache=True)
    def run(
        sources: np.ndarray,
        kinds: np.ndarray,
        seeds: np.ndarray,
        detector: Detector,
        place: np.ndarray,
        energy: np.ndarray,
    ) -> int:
        if stamp < 0:  # never: a closure variable takes part in the key of the cached machine code
            return 0
        grid, stack, knobs = detector.grid, detector.stack, detector.knobs
        buffer = make_buffer(len(grid.sampling), detector.big_cells)
        flight, leaving, story = np.empty((256, 10)), np.empty((128, 10)), np.empty((1, 11))
        state = np.zeros(1, np.uint64)
        n = 0
        for p in range(len(seeds)):
            state[0] = seeds[p]
            centre = find_centre(sources[p : p + 1], stack, knobs.field, detector.reach, story)
            open_buffer(buffer, grid, centre, detector.half_big)
            respond(state, sources[p], kinds[p], stack, knobs, buffer, (flight, leaving, story[0]))
            for k in range(buffer.used[1]):
                r = buffer.opened[k, REGION]
                for i in range(buffer.opened[k, N_I]):
                    for j in range(buffer.opened[k, N_J]):
                        e = buffer.e[buffer.opened[k, OFFSET] + i * buffer.opened[k, N_J] + j]
                        if e <= 0.0:
                            continue
                        n += 1
                        if n > len(energy):
                            continue
                        eta = buffer.edges[k, 0] + (i + 0.5) / buffer.edges[k, 1]
                        column = (buffer.opened[k, J0] + j) % grid.n_phi[r]
                        place[n - 1, 0] = p
                        place[n - 1, 1] = int((eta + 10.0) / SLAB)
                        place[n - 1, 2] = int((column + 0.5) * N_SECTORS / grid.n_phi[r])
                        place[n - 1, 3], place[n - 1, 4], place[n - 1, 5] = r, buffer.opened[k, I0] + i, column
                        energy[n - 1] = e
        return n

    return run


def library_hits(
    sources: np.ndarray, kinds: np.ndarray, detector: Detector, *, stamp: int, rng: Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cells that the particles fire: (place (n, 6) int32, energy (n,) float32 [GeV]); see `library_loop`."""
    seeds = rng.integers(0, 2**64, len(kinds), dtype=np.uint64)
    room = _HITS_PER_PARTICLE * len(kinds)
    while True:
        place, energy = np.empty((room, 6), np.int32), np.empty(room, np.float32)
        n = library_loop(stamp)(sources, kinds, seeds, detector, place, energy)
        if n <= room:
            return place[:n], energy[:n]
        room = n
