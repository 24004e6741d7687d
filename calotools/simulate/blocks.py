"""A block of events, the unit of work: its content depends on the recipe and its number alone.

So shards, processes and the size of the chunks that are written change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from calotools.errors import NumericalError
from calotools.ntuple import Table, canonical_fields, join_tables
from calotools.simulate.background import W_ORIGIN, generate_background
from calotools.simulate.beam import LUMI_BLOCK_EVENTS, Crossings, draw_crossings, draw_mu_average
from calotools.simulate.candidates import (
    cells_of,
    event_columns,
    number_candidates,
    replace_columns,
    tracks_of,
    truth_of,
)
from calotools.simulate.effects import Effects
from calotools.simulate.generated import CHARGE_FLIP, Generated, place
from calotools.simulate.generator import TREES, generate
from calotools.simulate.jets import draw_categories
from calotools.simulate.objects import image_centre, significant_cells
from calotools.simulate.pseudo_data import Counts, Injected, energy_factor, fail_randomly
from calotools.simulate.pythia import generate_candidates, generate_objects, process_table
from calotools.simulate.reconstruction import reconstruct
from calotools.simulate.response import Response, simulate_response

__all__ = ["BLOCK_EVENTS", "Block", "Recipe", "run_number", "simulate_block"]

BLOCK_EVENTS = 200
"""Events in a block; a multiple of the events of a luminosity block."""

CHANNELS = {"zee": 999001, "hyy": 999002, "jpsi": 999003, "electrons": 999011, "photons": 999012, "fakes": 999021}
"""Sample numbers of simulation; data have 0."""

_PYTHIA_KINDS = ("zee", "hyy", "zmumu", "ztautau", "wenu", "ttbar", "gammajet", "dijets")

_RUNS_PER_KIND = 200_000_000
MAX_SEED = _RUNS_PER_KIND - 1
_MAX_ATTEMPTS = 200
_COPIES = 3


@dataclass(frozen=True)
class Recipe:
    """What a block needs to know.

    Attributes
    ----------
    process : str
    seed : int
    n_events : int
        Of the whole sample, all shards together.
    mu : float or None
        Interactions per crossing; None draws a run-2 profile.
    effects : Effects
        Already changed for pseudo-data.
    injected : Injected or None
        The differences of pseudo-data; None for simulation.
    generator : {"builtin", "pythia"}
    tree : str
        What is written; empty for the process's own.
    pythia_settings : tuple of str
        Of the user, after the process's own.
    radiation : bool or None
        Final-state radiation of electrons; None for what the process does.
    """

    process: str
    seed: int
    n_events: int
    mu: float | None
    effects: Effects
    injected: Injected | None
    generator: str = "builtin"
    tree: str = ""
    pythia_settings: tuple[str, ...] = ()
    radiation: bool | None = None

    @property
    def n_blocks(self) -> int:
        """Number of blocks of the whole sample."""
        return -(-self.n_events // BLOCK_EVENTS)


class Block(NamedTuple):
    """Candidates of one block, and the counts of pseudo-data."""

    candidates: Table
    n_events: int
    counts: Counts | None


def run_number(recipe: Recipe) -> int:
    """Run number of a sample: it holds the seed and the process, so that two samples share no (run, event).

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    int
        200,000,000 times a number of process and kind, plus the seed.
    """
    if recipe.generator == "pythia":
        kind = 1 + 2 * len(CHANNELS) + _PYTHIA_KINDS.index(recipe.process)
    else:
        kind = 1 + list(CHANNELS).index(recipe.process) + (len(CHANNELS) if recipe.injected else 0)
    return kind * _RUNS_PER_KIND + recipe.seed


def simulate_block(recipe: Recipe, number: int) -> Block:
    """Simulate one block of events.

    An event whose candidates are not all reconstructed is generated again, so that n events are asked for and given.

    Parameters
    ----------
    recipe : Recipe
    number : int
        From 0.

    Returns
    -------
    Block

    Raises
    ------
    NumericalError
        An event is never reconstructed: the detector effects leave nothing to find.
    """
    events, tries, last = np.random.default_rng([recipe.seed, run_number(recipe), number]).spawn(3)
    first = number * BLOCK_EVENTS
    n = min(BLOCK_EVENTS, recipe.n_events - first)
    mu = _mu_of_events(recipe, n, events)
    background = np.zeros(n, dtype=bool)
    if recipe.injected is not None and recipe.process == "zee":
        background = events.random(n) < recipe.injected.background_fraction
    category = draw_categories(n, rng=events)
    parts: list[Table] = []
    missing = np.arange(n)
    for attempt in range(_MAX_ATTEMPTS):
        rng = tries.spawn(1)[0]
        # what failed once is tried several times at once: small batches cost as much as large ones
        tried = np.repeat(missing, 1 if attempt == 0 else _COPIES)
        for source, rows in (("signal", tried[~background[tried]]), ("background", tried[background[tried]])):
            if len(rows):
                parts.append(_attempt(recipe, source, rows, mu[rows], category[rows], rng))
                missing = np.setdiff1d(missing, parts[-1].flat["event"])
        if len(missing) == 0:
            return _finish(recipe, join_tables(parts), first, last)
    raise NumericalError(
        f"{len(missing)} of {n} events of block {number} were not reconstructed in {_MAX_ATTEMPTS} attempts; "
        "check the detector effects"
    )


def _channel(recipe: Recipe) -> int:
    if recipe.generator == "pythia":
        return int(process_table()[recipe.process]["channel"])
    return CHANNELS[recipe.process]


def _mu_of_events(recipe: Recipe, n: int, rng: np.random.Generator) -> np.ndarray:
    """Interactions that are simulated, `effects.pileup` times what was asked for: cells, tracks and vertices follow."""
    n_lumi = -(-n // LUMI_BLOCK_EVENTS)
    blocks = draw_mu_average(n_lumi, rng=rng) if recipe.mu is None else np.full(n_lumi, recipe.mu)
    return recipe.effects.pileup * np.repeat(blocks, LUMI_BLOCK_EVENTS)[:n]


def _attempt(
    recipe: Recipe, source: str, rows: np.ndarray, mu: np.ndarray, category: np.ndarray, rng: np.random.Generator
) -> Table:
    """Candidates of those events `rows` that are complete, once each; `event` is still the row in the block."""
    # a stream for each step: what one draws does not depend on how much the others did
    generation, crossing, detector, calibration, reconstruction = rng.spawn(5)
    tree = recipe.tree or TREES[recipe.process]
    generated = _generate(recipe, source, category, generation)
    objects = tree == "objects"
    crossings = draw_crossings(mu, pointing=tree == "photons", spread=recipe.effects.vertex_spread, rng=crossing)
    crossings = _per_candidate(crossings, generated.truth.event)
    generated = replace(
        generated,
        particles=place(generated.particles, z=crossings.z_true, t=crossings.t_true),
        around=place(generated.around, z=crossings.z_true, t=crossings.t_true),
    )
    response = simulate_response(
        generated.particles,
        n_candidates=len(generated.truth),
        mu=crossings.mu_actual,
        mu_average=crossings.mu,
        effects=recipe.effects.model_copy(update={"pileup": 1.0}),  # the crossings are scaled already
        rng=detector,
        window="object" if objects else "candidate",
    )
    if recipe.injected is not None:
        response = _miscalibrate(response, generated, recipe.injected, calibration)
    reconstructed = reconstruct(
        generated, response, crossings=crossings, tree=tree, effects=recipe.effects, rng=reconstruction
    )
    event = rows[generated.truth.event]
    columns = event_columns(
        crossings, run=run_number(recipe), event=event, lumi_block=event, channel=0, weight=generated.weight
    )
    columns |= {name: reconstructed.columns[name] for name in reconstructed.columns if name in canonical_fields()}
    columns |= truth_of(
        generated,
        response,
        crossings=crossings,
        charge=reconstructed.columns["charge"],
        matched=reconstructed.matched,
        tree=tree,
    )
    if objects:
        columns |= image_centre(response)
        response = significant_cells(response)
    table = Table(columns, {"cells": cells_of(response), "tracks": tracks_of(reconstructed.matched)})
    # an object is what it truly is; a candidate must be found
    found = np.ones_like(reconstructed.found) if objects else reconstructed.found
    return table.take(_first_kept(rows, generated.truth.event, found, whole=recipe.generator == "builtin"))


def _generate(recipe: Recipe, source: str, category: np.ndarray, rng: np.random.Generator) -> Generated:
    """As many events as there are entries in `category`."""
    if recipe.generator == "pythia":
        make = generate_objects if recipe.tree == "objects" else generate_candidates
        return make(recipe.process, len(category), further=recipe.pythia_settings, rng=rng)
    if source == "background":
        return generate_background(len(category), rng=rng)
    return generate(recipe.process, len(category), rng=rng, category=category, radiation=recipe.radiation)


def _per_candidate(crossings: Crossings, event: np.ndarray) -> Crossings:
    return Crossings(**{name: getattr(crossings, name)[event] for name in Crossings.__dataclass_fields__})


def _first_kept(rows: np.ndarray, attempt: np.ndarray, found: np.ndarray, *, whole: bool) -> np.ndarray:
    """Found candidates, as a mask, of the first good attempt at each row.

    Good are attempts in which every candidate was found (`whole`), or any.
    """
    n_found = np.bincount(attempt, weights=found, minlength=len(rows))
    needed = np.bincount(attempt, minlength=len(rows)) if whole else 1
    good = n_found >= needed
    _, first = np.unique(rows[good], return_index=True)
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[np.flatnonzero(good)[first]] = True
    return chosen[attempt] & found


def _miscalibrate(response: Response, generated: Generated, injected: Injected, rng: np.random.Generator) -> Response:
    factor = energy_factor(generated.truth.eta, injected=injected, rng=rng)
    per_cell = np.repeat(factor, np.diff(response.offsets)).astype(np.float32)
    return replace(response, e=response.e * per_cell)


def _finish(recipe: Recipe, candidates: Table, first: int, rng: np.random.Generator) -> Block:
    """Global event numbers, order, the flags of pseudo-data, and no truth in them."""
    row = candidates.flat["event"].astype(np.int64)
    order, number = number_candidates(row, candidates.flat["et"])
    candidates = candidates.take(order)
    event = first + row[order] + 1
    columns = {
        "event": event.astype(np.uint64),
        "candidate": number,
        "lumi_block": ((event - 1) // LUMI_BLOCK_EVENTS + 1).astype(np.uint32),
    }
    n_events = len(np.unique(event))
    if recipe.injected is None:
        columns["channel"] = np.full(len(event), _channel(recipe), dtype=np.uint32)
        return Block(replace_columns(candidates, columns, drop=""), n_events, None)
    # the electron of a background pair is real, but not one that tag-and-probe counts as signal
    signal = (candidates.flat["class_true"] <= CHARGE_FLIP) & (candidates.flat["origin_true"] != W_ORIGIN)
    flags, counts = fail_randomly(candidates.flat, signal=signal, injected=recipe.injected, rng=rng)
    return Block(replace_columns(candidates, columns | flags, drop="_true"), n_events, counts)
