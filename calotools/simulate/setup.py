"""From the detector tables and the effects to the arrays that the compiled loops read."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np

from calotools.detector import (
    cell_noise,
    crosstalk,
    filter_response,
    gain_thresholds,
    load_table,
    optimal_filter,
    pulse_shape,
    regions,
    select_gain,
)
from calotools.simulate.atlas import atlas_columns
from calotools.simulate.crosstalk import Fractions
from calotools.simulate.deposit import N_SAMPLINGS, Grid
from calotools.simulate.effects import Effects
from calotools.simulate.electronics import Readout
from calotools.simulate.flat import flat_columns
from calotools.simulate.kernel import Detector
from calotools.simulate.minimum_bias import interactions, library_hits
from calotools.simulate.pileup import N_SECTORS, SLAB, Library
from calotools.simulate.pythia.collisions import pythia_interactions
from calotools.simulate.stack import build_stack, make_knobs
from calotools.simulate.stamp import source_stamp

__all__ = ["Window", "prepare"]

Window = Literal["candidate", "object"]

# Half widths (eta, phi) of the stored window about the centre of the seed cell: 9 x 13 middle cells.
_WINDOW, _WINDOW_HADRONIC = (0.1125, 6.5 * 2 * np.pi / 256), (0.15, 0.15)
_WHOLE = (0.30, 0.36)
# The window of objects: 32 x 32 middle cells, of which the one in the middle may be any of four.
_OBJECT, _OBJECT_WHOLE = (0.4125, 16.5 * 2 * np.pi / 256), (0.5, 0.5)
_OBJECT_REACH = 0.2
_LOCAL_SEED = 20081110
# The library is one whose few hard hadrons leave about as much in each sampling as the average of many libraries, which
# the table of pile-up noise is made of (benchmarks/fit_pileup_noise.py).
_LIBRARY_SEED, _LIBRARY_EVENTS = 20081104, 2000
_CROSSINGS = np.arange(-26, 5)


@functools.lru_cache(maxsize=8)
def prepare(effects: Effects, *, pileup: bool, window: Window = "candidate") -> Detector:
    """All tables for a set of effects; `pileup` builds the library of minimum-bias interactions too (seconds)."""
    grid = _grid()
    wide = window == "object"
    big = _halves(_OBJECT_WHOLE, _OBJECT_WHOLE) if wide else _halves(_WHOLE, _WHOLE)
    stored = _halves(_OBJECT, _OBJECT) if wide else _halves(_WINDOW, _WINDOW_HADRONIC)
    columns = atlas_columns() if effects.stack is None else flat_columns(effects.stack)
    detector = Detector(
        stack=build_stack(columns, effects, local=_local(effects.local_constant)),
        knobs=make_knobs(effects),
        grid=grid,
        fractions=_fractions(grid, effects.crosstalk),
        readout=_readout(grid, effects),
        library=_no_library(),
        half_big=big,
        half_window=stored,
        big_cells=_most_cells(grid, big),
        window_cells=_most_cells(grid, stored),
        reach=_OBJECT_REACH if wide else np.inf,
        on_axis=wide,
    )
    if not pileup:
        return detector
    return detector._replace(library=_library(detector, effects))


def _grid() -> Grid:
    rows = regions()
    rows = rows[np.argsort(rows["sampling"], kind="stable")]
    n_eta = rows["n_eta"].astype(np.int64)
    mirror = [_mirror_of(rows, k) for k in range(len(rows))]
    return Grid(
        sampling=rows["sampling"].astype(np.int64),
        eta_lo=rows["eta_min"].copy(),
        d_eta=rows["d_eta"].copy(),
        n_eta=n_eta,
        n_phi=rows["n_phi"].astype(np.int64),
        phi_lo=rows["phi_min"].copy(),
        d_phi=rows["d_phi"].copy(),
        row=np.cumsum(n_eta) - n_eta,
        mirror=np.array(mirror, np.int64),
    )


def _mirror_of(rows: np.ndarray, k: int) -> int:
    same = (rows["sampling"] == rows["sampling"][k]) & np.isclose(rows["eta_min"], -rows["eta_max"][k])
    return int(np.flatnonzero(same)[0])


def _halves(em: tuple[float, float], hadronic: tuple[float, float]) -> np.ndarray:
    halves = np.empty((N_SAMPLINGS, 2))
    halves[:8], halves[8:] = em, hadronic
    return halves


def _most_cells(grid: Grid, half: np.ndarray) -> int:
    """An upper limit of the cells within half[sampling] of any place."""
    around = half[grid.sampling]
    low = np.linspace(-2.6, 2.6, 3329)[:, np.newaxis] - around[:, 0] - grid.eta_lo
    # one more on either side: cells that the window cuts, and the step of the scan
    first = np.maximum(np.floor(low / grid.d_eta) - 1, 0)
    last = np.minimum(np.ceil((low + 2 * around[:, 0]) / grid.d_eta) + 1, grid.n_eta)
    n_phi = np.minimum(np.ceil(2 * around[:, 1] / grid.d_phi) + 1, grid.n_phi)
    return int((np.maximum(last - first, 0) * n_phi).sum(axis=1).max())


def _rows(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Sampling and eta of every (region, eta row)."""
    region = np.repeat(np.arange(len(grid.sampling)), grid.n_eta)
    index = np.arange(len(region)) - grid.row[region]
    return grid.sampling[region], grid.eta_lo[region] + (index + 0.5) * grid.d_eta[region]


def _fractions(grid: Grid, scale: float) -> Fractions:
    sampling, eta = _rows(grid)
    layer = np.where(sampling < 8, sampling % 4, 0)
    strips, middle, back = (scale * (layer == n) for n in (1, 2, 3))
    return Fractions(
        first=strips * crosstalk("strip_neighbour", eta) + middle * crosstalk("middle_neighbour", eta),
        second=strips * crosstalk("strip_second", eta),
        behind=strips * crosstalk("strip_middle", eta) + middle * crosstalk("middle_back", eta),
        before=middle * crosstalk("middle_strip", eta) + back * crosstalk("middle_back", eta),
    )


def _readout(grid: Grid, effects: Effects) -> Readout:
    sampling, eta = _rows(grid)
    timing = load_table("timing")
    first, second = gain_thresholds(sampling, eta)
    # one energy in each gain; HEC has no high one, and medium takes its place
    begin = np.maximum(first, 0.0)
    levels = np.stack([begin * 0.5, (begin + second) / 2, second * 1.5])
    codes = np.stack([select_gain(sampling, eta, level) for level in levels], axis=1)
    electronic = np.stack([cell_noise(sampling, eta, gain=codes[:, k])[0] for k in range(3)], axis=1)
    pileup = cell_noise(sampling, eta, 1.0)[1]
    constant = timing["constant"]
    return Readout(
        rows=np.column_stack([np.nan_to_num(electronic), np.nan_to_num(pileup), first, second, codes]),
        time_noise=timing["energy_term"],
        time_constant=np.array([constant["high"], constant["medium"], constant["low"]]),
        medium_shift=effects.medium_gain_shift,
        noise=effects.electronic_noise,
        gain=effects.gain,
        time=effects.time,
    )


def _local(spread: float) -> np.ndarray:
    """Frozen non-uniformity of the response, by 0.2 x 0.4 region: the same detector for every seed."""
    return np.random.default_rng(_LOCAL_SEED).normal(0.0, spread, (26, 16))


def _no_library() -> Library:
    return Library(
        np.zeros((1, 1, N_SECTORS + 1), np.int32),
        np.zeros((1, 3), np.int16),
        np.zeros(1, np.float32),
        np.zeros(1),
        np.zeros(1),
        0,
    )


def _library(detector: Detector, effects: Effects) -> Library:
    """Shower the library's interactions and order the cells that they fire."""
    rng = np.random.default_rng(_LIBRARY_SEED)
    draw = pythia_interactions if effects.minimum_bias == "pythia" else interactions
    sources, kinds, event = draw(_LIBRARY_EVENTS, rng=rng)
    place, energy = library_hits(sources, kinds, detector, stamp=source_stamp(), rng=rng)
    n_slab = 2 * round(2.8 / SLAB)
    slab = np.clip(place[:, 1] - (round(10.0 / SLAB) - n_slab // 2), 0, n_slab - 1)
    key = (event[place[:, 0]] * n_slab + slab) * N_SECTORS + place[:, 2]
    order = np.argsort(key, kind="stable")
    bins = np.arange(_LIBRARY_EVENTS * n_slab)[:, np.newaxis] * N_SECTORS + np.arange(N_SECTORS + 1)
    starts = np.searchsorted(key[order], bins).reshape(_LIBRARY_EVENTS, n_slab, N_SECTORS + 1)
    weight, weight_time = _weights()
    return Library(
        starts=starts.astype(np.int32),
        place=place[order, 3:].astype(np.int16),
        e=energy[order],
        weight=weight,
        weight_time=weight_time,
        in_time=int(np.flatnonzero(_CROSSINGS == 0)[0]),
    )


def _weights() -> tuple[np.ndarray, np.ndarray]:
    """Filtered energy, and energy times time, of a unit deposit in each crossing; the energies add up to 0."""
    ofc = optimal_filter(pileup_ratio=1.0)
    energy = filter_response(ofc, _CROSSINGS)
    bunch = load_table("pulse")["sampling"]["bunch_ns"]
    samples = pulse_shape(bunch * (ofc.crossings - _CROSSINGS[:, np.newaxis]))
    early = _CROSSINGS < -4
    energy[early] -= energy.sum() / early.sum()
    return energy, samples @ ofc.time
