"""From events to candidates: the particles about each seed, with their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calotools.errors import NumericalError
from calotools.simulate.generated import NEAR, Generated, Truth, particles_of
from calotools.simulate.kinematics import DRESSING_CONE, wrap_phi
from calotools.simulate.pythia.ancestry import Labels, classify_particles
from calotools.simulate.pythia.events import MAX_SEED, Events, join_events, run_pythia, take_events
from calotools.simulate.pythia.seeds import find_seeds, has_prompt
from calotools.simulate.pythia.settings import process_settings, process_table
from calotools.simulate.response import Particles
from calotools.simulate.species import charge_of, detector_code

__all__ = ["Near", "generate_candidates", "particles_near", "select_events"]

_AROUND = 0.45
_SOFTEST = 0.1  # GeV of p_T: below it, nothing leaves the beam pipe's neighbourhood
_BATCH = 100
_MAX_BATCHES = 2000


@dataclass(frozen=True)
class Near:
    """Particles of candidates, sorted by candidate, each candidate's seed first.

    Attributes
    ----------
    candidate, row : (n,) int64
        Whose it is, and its row in the events.
    distance : (n,) float64
        Delta R to the seed.
    """

    candidate: np.ndarray
    row: np.ndarray
    distance: np.ndarray


def select_events(
    process: str,
    n: int,
    *,
    owners: Callable[[Events], np.ndarray],
    further: tuple[str, ...],
    rng: np.random.Generator,
) -> Events:
    """Events that pass the filter of a process and hold something to simulate.

    Parameters
    ----------
    process : str
    n : int
    owners : callable
        Events to the numbers of those that hold something, once or more.
    further : tuple of str
        Settings of the user.
    rng : numpy.random.Generator
        Gives Pythia its seeds.

    Returns
    -------
    Events

    Raises
    ------
    NumericalError
        Too few events pass.
    """
    settings = process_settings(process, further=further)
    require = process_table()[process].get("require")
    parts: list[Events] = []
    missing = n
    for _ in range(_MAX_BATCHES):
        seed = int(rng.integers(1, MAX_SEED + 1))
        events = run_pythia(min(_BATCH, missing + missing // 2 + 2), seed=seed, settings=settings)
        if require is not None:
            events = take_events(events, has_prompt(events, **require))
        keep = np.bincount(owners(events), minlength=len(events)) > 0
        keep &= np.cumsum(keep) <= missing
        parts.append(take_events(events, keep))
        missing -= len(parts[-1])
        if missing == 0:
            return join_events(parts)
    raise NumericalError(
        f"{_MAX_BATCHES} batches of Pythia's '{process}' gave {n - missing} of {n} events with an electron, "
        f"photon or jet in the detector; check the settings {list(further)}"
    )


def generate_candidates(process: str, n: int, *, further: tuple[str, ...] = (), rng: np.random.Generator) -> Generated:
    """Events of a process, with a candidate at each seed.

    Parameters
    ----------
    process : str
        A key of `process_table`.
    n : int
        Events; each has at least one candidate.
    further : tuple of str
        Settings that win over the process's own.
    rng : numpy.random.Generator

    Returns
    -------
    Generated
        The truth of a candidate is that of its seed; `particle_truth` has that of every particle, for what the track
        turns out to be.

    Raises
    ------
    ConfigError
        Pythia is not installed, or a setting is wrong.
    NumericalError
        The filter keeps no events.
    """
    events = select_events(process, n, owners=_seeded, further=further, rng=rng)
    visible = np.flatnonzero(events.visible)
    seeds = find_seeds(events, visible)
    near = particles_near(events, visible, seeds, radius=_AROUND)
    inside = near.distance < NEAR
    rows = near.row[inside]
    labels = classify_particles(events, rows)
    particle_truth = truth_of_rows(events, rows, labels)
    first = np.searchsorted(near.candidate[inside], np.arange(len(seeds)))
    truth = particle_truth.take(first)
    return Generated(
        truth=truth,
        particles=_as_particles(events, near, inside),
        d0=impact_parameter(events, rows),
        around=_as_particles(events, near, ~inside),
        n_events=n,
        particle_truth=particle_truth,
        weight=events.weight[truth.event],
        underlying=False,
    )


def _seeded(events: Events) -> np.ndarray:
    return events.event_of(find_seeds(events, np.flatnonzero(events.visible)))


def particles_near(events: Events, visible: np.ndarray, seeds: np.ndarray, *, radius: float) -> Near:
    """Visible particles about each seed, itself first, then as they come in the event.

    Parameters
    ----------
    events : Events
    visible, seeds : (m,), (n,) int64
    radius : float

    Returns
    -------
    Near
    """
    visible = visible[events.pt[visible] > _SOFTEST]
    bounds = np.searchsorted(visible, events.offsets)
    owner = events.event_of(seeds)
    found, far = [], []
    for seed, event in zip(seeds, owner, strict=True):
        rows = visible[bounds[event] : bounds[event + 1]]
        distance = np.hypot(events.eta[rows] - events.eta[seed], wrap_phi(events.phi[rows] - events.phi[seed]))
        inside = (distance < radius) & (rows != seed)
        found.append(np.concatenate([[seed], rows[inside]]))
        far.append(np.concatenate([[0.0], distance[inside]]))
    counts = [len(one) for one in found]
    empty = np.zeros(0, np.int64)
    return Near(
        candidate=np.repeat(np.arange(len(seeds)), counts),
        row=np.concatenate([*found, empty]).astype(np.int64),
        distance=np.concatenate([*far, empty]),
    )


def _as_particles(events: Events, near: Near, chosen: np.ndarray) -> Particles:
    rows = near.row[chosen]
    return particles_of(
        near.candidate[chosen], detector_code(events.pdg[rows]), events.e[rows], events.eta[rows], events.phi[rows]
    )


def impact_parameter(events: Events, rows: np.ndarray) -> np.ndarray:
    """Signed distance [mm] of closest approach to the beam, from where the particles were made; straight lines."""
    return events.y[rows] * np.cos(events.phi[rows]) - events.x[rows] * np.sin(events.phi[rows])


def truth_of_rows(events: Events, rows: np.ndarray, labels: Labels) -> Truth:
    """Truth of some final particles; a prompt electron has the photons it radiated within 0.1."""
    pdg = events.pdg[rows]
    return Truth(
        event=events.event_of(rows),
        e=_dressed(events, rows, labels),
        eta=events.eta[rows],
        phi=events.phi[rows],
        charge=charge_of(detector_code(pdg)),
        pdg=pdg.astype(np.int32),
        category=labels.category,
        kind=labels.kind,
        origin=labels.origin,
        iff=labels.iff,
    )


def _dressed(events: Events, rows: np.ndarray, labels: Labels) -> np.ndarray:
    """Energies, with final-state radiation close to prompt electrons added to them."""
    e = events.e[rows].copy()
    event = events.event_of(rows)
    radiated = np.unique(rows[(labels.kind == 15) & (labels.iff == 2)])
    owner = events.event_of(radiated)
    for i in np.flatnonzero((labels.kind == 2) & (np.abs(events.pdg[rows]) == 11)):
        mine = radiated[owner == event[i]]
        d_phi = wrap_phi(events.phi[mine] - events.phi[rows[i]])
        e[i] += events.e[mine][np.hypot(events.eta[mine] - events.eta[rows[i]], d_phi) < DRESSING_CONE].sum()
    return e
